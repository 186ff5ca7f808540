"""The scenario as typed, frozen values: what the file says, with every default filled in.

Texts with placeholders and bare expressions are kept as they were written; the plan compiles them. They are known to
parse, because a Scenario is built only from a Document without mistakes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path as FilePath
from typing import Any, Literal, TypeAlias

from stressrunner.scenario.delivery import Delivery
from stressrunner.scenario.steps import Flow, Step
from stressrunner.scenario.threshold import Threshold

__all__ = [
    "DEFAULT_GRACE_S",
    "ApiKey",
    "Auth",
    "Basic",
    "Bearer",
    "Body",
    "Capture",
    "Closed",
    "Endpoint",
    "Feeder",
    "FileBody",
    "Form",
    "GraphQL",
    "Json",
    "Limits",
    "Mix",
    "MonitorSpec",
    "Multipart",
    "OAuth2",
    "Open",
    "Part",
    "Phase",
    "Raw",
    "Scenario",
    "Session",
    "Target",
    "Timeout",
    "Tls",
    "Variants",
    "Workload",
]

DEFAULT_GRACE_S = 30.0  #: `graceful_stop` where it is not written


@dataclass(frozen=True, slots=True)
class Timeout:
    """How long a request may take."""

    total_s: float = 30.0  #: from a connection being given to it until the response is complete
    connect_s: float = 30.0  #: for opening a connection, never more than the total


@dataclass(frozen=True, slots=True)
class Tls:
    """How servers are trusted, and how the generator identifies itself to those that ask; files are PEM."""

    verify: bool = True
    ca: FilePath | None = None  #: authorities to trust instead of the system's
    certificate: FilePath | None = None
    key: FilePath | None = None  #: None when it is in the file of the certificate


@dataclass(frozen=True, slots=True)
class Bearer:
    """Authorization by a token that the sender has; text with placeholders."""

    token: str


@dataclass(frozen=True, slots=True)
class Basic:
    """Authorization by a name and a password; texts with placeholders."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Authorization by a key in a header or a query parameter."""

    place: Literal["header", "query"]
    name: str
    value: str  #: text with placeholders


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Authorization by tokens that the generator fetches as this client; no text here has placeholders."""

    token_url: str  #: a whole URL, or a path of the target
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    audience: str | None = None


Auth: TypeAlias = Bearer | Basic | ApiKey | OAuth2


@dataclass(frozen=True, slots=True)
class Target:
    """Where the requests go."""

    base_url: str  #: `http://`, `https://`, `http+unix://` or `demo://`; without a trailing slash
    headers: Mapping[str, str]  #: texts with placeholders, sent with every request
    timeout: Timeout
    connections: int | None = None  #: a shared pool of that many; None when each user has its own
    http: Literal["1.1", "2"] = "1.1"
    proxy: str | None = None  #: URL of an HTTP proxy, which may have user and password
    tls: Tls = Tls()
    allow_hosts: tuple[str, ...] = ()  #: other hosts that requests may go to; see `http.hosts`
    cookies: bool = True  #: those that responses set go with the later requests of their iteration


@dataclass(frozen=True, slots=True)
class Json:
    """A body in JSON; texts inside may have placeholders."""

    value: Any


@dataclass(frozen=True, slots=True)
class Form:
    """A URL-encoded form; None leaves a field out."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Raw:
    """A body as text, which may have placeholders and statements."""

    text: str
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class FileBody:
    """A body that is the content of a file as it is."""

    path: FilePath


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart body: the content of a file, or a value."""

    name: str
    value: Any = None  #: data with placeholders; None leaves the part out
    file: FilePath | None = None  #: instead of the value
    filename: str | None = (
        None  #: text with placeholders; that of the file unless given, and none for a value
    )
    content_type: str | None = None  #: told by the filename unless given


@dataclass(frozen=True, slots=True)
class Multipart:
    """A body of several parts, as forms with files have it."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class GraphQL:
    """A GraphQL operation."""

    query: str  #: text with placeholders
    variables: Mapping[str, Any] | None = None  #: data with placeholders
    operation: str | None = None  #: which one of several in the query


@dataclass(frozen=True, slots=True)
class Variants:
    """Bodies in JSON of which each request sends one, by weight."""

    weights: tuple[Fraction, ...]
    values: tuple[Any, ...]  #: texts inside may have placeholders


Body: TypeAlias = Json | Form | Raw | FileBody | Multipart | GraphQL | Variants


@dataclass(frozen=True, slots=True)
class Capture:
    """What is taken from a response that passed."""

    source: str
    by: Literal["expression", "jsonpath", "regex"] = "expression"
    #: one value, which may have placeholders, that stands for what is not found; or none
    defaults: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One request that a scenario sends, and what its response must satisfy."""

    name: str
    method: str  #: upper case
    path: str
    query: Mapping[str, Any]  #: None leaves a parameter out, a list repeats it
    headers: Mapping[str, str | None]  #: over the target's; None leaves one out
    body: Body | None
    timeout: Timeout
    checks: tuple[str, ...]
    capture: Mapping[str, Capture]
    refused: str | None = None  #: expression: a matching reply is an outcome of its own
    cookies: Mapping[str, str | None] = field(
        default_factory=dict
    )  #: texts with placeholders; None leaves one out
    auth: Auth | None = None  #: its own, or the target's
    follow_redirects: bool = False


@dataclass(frozen=True, slots=True)
class Feeder:
    """Rows that templates draw from under the feeder's name."""

    name: str
    rows: Sequence[Any]  #: mappings, or plain values
    order: Literal["sequential", "random", "shuffled"] = "sequential"
    per: Literal["iteration", "user", "request"] = "iteration"
    on_end: Literal["repeat", "stop"] = "repeat"


@dataclass(frozen=True, slots=True)
class Mix:
    """Each iteration sends one endpoint or runs one flow, picked by weight."""

    weights: Mapping[
        str, Fraction
    ]  #: of endpoints and flows in the order of the file; none below 0, not all 0


@dataclass(frozen=True, slots=True)
class Session:
    """Each iteration is one chat session: the same endpoint several times, in bursts."""

    send: str
    messages: int
    burst: int = 1  #: messages sent without waiting for replies
    gap_s: float = 0.0  #: between two sends of one burst
    think_min_s: float = 0.0  #: between the last reply of a burst and the next burst
    think_max_s: float = 0.0
    open: tuple[Step, ...] = ()  #: before the first message
    close: tuple[Step, ...] = ()  #: after the last one


@dataclass(frozen=True, slots=True)
class Closed:
    """Users that send one iteration after the other: fixed work or fixed time."""

    concurrency: int  #: at the end of the phase
    iterations: int | None = None  #: in total
    duration_s: Fraction | None = None
    think_min_s: float = 0.0  #: between two iterations of a user
    think_max_s: float = 0.0
    concurrency_from: int | None = None  #: at the beginning of a ramp; None when the number stays

    @property
    def is_bounded(self) -> bool:
        """Whether the phase has an end of its own; else the rows of a feeder end it."""
        return self.iterations is not None or self.duration_s is not None

    @property
    def most(self) -> int:
        """The highest concurrency of the phase."""
        return max(self.concurrency, self.concurrency_from or 0)


@dataclass(frozen=True, slots=True)
class Open:
    """Iterations that arrive at a rate, however slow the target is."""

    rate: Fraction  #: arrivals per second at the end of the phase
    duration_s: Fraction | None = None  #: None when the rows of a feeder end the phase
    max_in_flight: int = 10_000  #: iterations not yet ended
    rate_from: Fraction | None = None  #: at the beginning of a ramp; None when the rate stays
    arrivals: Literal["constant", "poisson"] = "constant"
    overflow: Literal["wait", "drop", "abort"] = "wait"  #: of arrivals that find `max_in_flight` reached

    @property
    def is_bounded(self) -> bool:
        """Whether the phase has an end of its own; else the rows of a feeder end it."""
        return self.duration_s is not None

    @property
    def most(self) -> int:
        """The highest number of users of the phase."""
        return self.max_in_flight


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of load."""

    name: str
    shape: Closed | Open
    warmup: bool = False  #: reported and never counted
    #: how long iterations may begin further requests after the last phase, or when concurrency falls; what is then in
    #: flight is cut off. None: 30 s, and requests in flight end by their own timeouts
    graceful_stop_s: float | None = None
    mix: Mix | None = None  #: instead of the scenario's traffic
    variables: Mapping[str, Any] = field(default_factory=dict)  #: over the scenario's

    @property
    def grace_s(self) -> float:
        """How long iterations may begin further requests when they are to end."""
        return DEFAULT_GRACE_S if self.graceful_stop_s is None else self.graceful_stop_s


@dataclass(frozen=True, slots=True)
class Workload:
    """Load of one kind. Those of a scenario run side by side; without `traffic` there is one, which has no name."""

    name: str  #: empty where the scenario has no `traffic`
    traffic: Mix | Flow | Session
    load: tuple[Phase, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard caps of a whole run, warm-ups included; None where there is none."""

    requests: int | None = None
    duration_s: float | None = None
    size: int | None = None  #: bytes sent and received together


@dataclass(frozen=True, slots=True)
class MonitorSpec:
    """A process to watch, found in one of three ways."""

    name: str
    pid: int | None = None
    port: int | None = None  #: the process that listens at it
    command: str | None = None  #: part of its command line
    restarts: Literal["allowed"] | None = None  #: it may end and be started again


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that a scenario file says."""

    name: str
    description: str
    target: Target
    variables: Mapping[str, Any]
    feeders: Mapping[str, Feeder]
    endpoints: Mapping[str, Endpoint]  #: with those that stand in steps, by names such as `GET /users`
    workloads: tuple[Workload, ...]
    monitors: Mapping[str, MonitorSpec]
    thresholds: tuple[Threshold, ...]
    flows: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)
    setup: tuple[Step, ...] = ()  #: once before the load
    user_setup: tuple[Step, ...] = ()  #: once per user, before its first iteration
    teardown: tuple[Step, ...] = ()  #: once after the load
    limits: Limits = Limits()
    max_lag_s: float = 0.005  #: by how much figures must differ without the generator's lag to be off
    delivery: Delivery | None = None  #: what must hold of every message; None checks none

    @property
    def load(self) -> tuple[Phase, ...]:
        """The phases of all workloads, one workload after the other; no two have the same name."""
        return tuple(phase for workload in self.workloads for phase in workload.load)
