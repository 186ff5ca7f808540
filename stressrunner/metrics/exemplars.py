"""Exchanges that are kept whole: a few of every group of errors, and the slowest of every endpoint.

A ExemplarRecorder looks at every request as it is told. For one that is neither failed nor among the slowest so far that is a
comparison of two numbers; what it keeps is bounded, whatever the target answers. Warm-up is left out of the slowest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from stressrunner.engine.names import ResponseNames
from stressrunner.engine.sample import Sample
from stressrunner.expressions.environment import to_text
from stressrunner.http.content import content_of
from stressrunner.http.exchange import Exchange, Headers
from stressrunner.metrics.error_key import ErrorKey
from stressrunner.plan.captures import Captures, NothingCaptured
from stressrunner.plan.outcome import Outcome, Problem

__all__ = [
    "MAX_GROUPS",
    "MAX_PER_GROUP",
    "MAX_SLOWEST",
    "Exemplar",
    "ExemplarMessage",
    "ExemplarRecorder",
    "Exemplars",
    "Kept",
    "captured_credentials",
    "exemplars_from_wire",
    "exemplars_to_wire",
]

MAX_GROUPS = 24  #: of errors of which exchanges are kept
MAX_PER_GROUP = 3  #: with different messages, or of different endpoints
MAX_SLOWEST = 3  #: of each endpoint
_MOST_SLOW = 30  #: of all endpoints together
_MAX_CHECKS = 200  #: that are told apart
_MAX_HEADERS = 40
_LONGEST_VALUE = 2_000  #: characters of a header's value
_BODY_CHARACTERS = 1_000  #: of a body
_LARGEST_DECODED = 1_000_000  #: bytes of a compressed body; of one that has more nothing is kept

Kept = Literal["all", "start", "none"]


class ExemplarMessage(NamedTuple):
    """A request or a response: its headers and the start of its body, as text."""

    headers: Headers
    body: str
    body_bytes: int  #: size of all of the body
    kept: Kept  #: how much of the body; none of one that is not UTF-8


class Exemplar(NamedTuple):
    """One exchange, kept whole."""

    kind: str  #: of the error; empty for one that is kept because it was slow
    message: str  #: what was wrong
    endpoint: int
    at_ns: int  #: when it was complete, monotonic
    response_time_ns: int
    service_time_ns: int | None  #: None when no byte was written
    method: str
    target: str  #: path and query, or a whole URL
    request: ExemplarMessage
    status: int  #: 0 without a response
    response: ExemplarMessage
    credentials: tuple[str, ...] = ()  #: captured from it, which no output may have
    rule: str = ""  #: that it failed, as in the key of its group

    @property
    def key(self) -> ErrorKey:
        """The group of errors that it belongs to."""
        return ErrorKey(self.kind, self.rule, self.status)


@dataclass(slots=True)
class Exemplars:
    """What was kept since the last time it was handed over, or in all of a load; it merges."""

    errors: dict[ErrorKey, list[Exemplar]] = field(default_factory=dict)  #: by group, the first ones
    slowest: dict[int, list[Exemplar]] = field(default_factory=dict)  #: by endpoint, the slowest first
    checks: Counter[tuple[int, str]] = field(default_factory=Counter)  #: failures by endpoint and check

    def has_room_for(self, key: ErrorKey, message: str, endpoint: int) -> bool:
        """Return whether an error tells something that is not kept yet."""
        kept = self.errors.get(key)
        if kept is None:
            return len(self.errors) < MAX_GROUPS
        return len(kept) < MAX_PER_GROUP and not any(
            one.message == message and one.endpoint == endpoint for one in kept
        )

    def add_error(self, exemplar: Exemplar) -> None:
        """Keep an error if it tells something new."""
        if self.has_room_for(exemplar.key, exemplar.message, exemplar.endpoint):
            self.errors.setdefault(exemplar.key, []).append(exemplar)

    def add_slow(self, exemplar: Exemplar) -> int:
        """Keep a slow request if it is among the slowest; return the time that a slower one has to exceed, in ns."""
        kept = self.slowest.setdefault(exemplar.endpoint, [])
        kept.append(exemplar)
        kept.sort(key=lambda one: -one.response_time_ns)
        del kept[MAX_SLOWEST:]
        return kept[-1].response_time_ns if len(kept) == MAX_SLOWEST else -1

    def add_failed_checks(self, failures: Iterable[tuple[tuple[int, str], int]]) -> None:
        """Count checks that failed; more than can be told apart are left out."""
        for key, count in failures:
            if key in self.checks or len(self.checks) < _MAX_CHECKS:
                self.checks[key] += count

    def merge(self, other: "Exemplars") -> None:
        """Add everything that another one has kept."""
        for exemplars in other.errors.values():
            for exemplar in exemplars:
                self.add_error(exemplar)
        for exemplars in other.slowest.values():
            for exemplar in exemplars:
                self.add_slow(exemplar)
        self.add_failed_checks(other.checks.items())

    @property
    def credentials(self) -> tuple[str, ...]:
        """What was captured from responses that were kept, and no output may have."""
        kept = (*self.errors.values(), *self.slowest.values())
        return tuple(text for exemplars in kept for one in exemplars for text in one.credentials)

    def exemplars(self, origin_ns: int) -> tuple[Exemplar, ...]:
        """Return what was kept, timed from a moment: errors by group, then the slowest by endpoint.

        Of many endpoints, each has its slowest one before any has its second.
        """
        places = [(rank, one) for kept in self.slowest.values() for rank, one in enumerate(kept)]
        places.sort(key=lambda place: (place[0], -place[1].response_time_ns))
        slow = [one for _, one in places[:_MOST_SLOW]]
        slow.sort(key=lambda one: (one.endpoint, -one.response_time_ns))
        errors = [one for kept in self.errors.values() for one in kept]
        return tuple(one._replace(at_ns=one.at_ns - origin_ns) for one in (*errors, *slow))


class ExemplarRecorder:
    """A listener of a Collector that keeps what is worth to be looked at."""

    def __init__(
        self, warmups: Iterable[int] = (), credentials: Mapping[int, Sequence[Captures]] | None = None
    ) -> None:
        """Begin to look.

        Args:
            warmups: the phases whose slow requests are to be expected.
            credentials: by endpoint, captures from its responses that are credentials.
        """
        self._credentials = credentials or {}
        self._warmups = frozenset(warmups)
        self._all = Exemplars()
        self._fresh = Exemplars()
        self._bars_ns: dict[int, int] = {}  # by endpoint: response time that a request has to exceed

    def __call__(self, sample: Sample, exchange: Exchange | None) -> None:
        """Look at a request."""
        if sample.problem is not None:
            self._failed(sample, sample.problem, exchange)
        elif sample.completed_ns - sample.due_ns > self._bars_ns.get(sample.endpoint, -1):
            self._slow(sample, exchange)

    def hand_over(self) -> Exemplars:
        """Return what was kept since the last time."""
        fresh, self._fresh = self._fresh, Exemplars()
        return fresh

    def _failed(self, sample: Sample, problem: Problem, exchange: Exchange | None) -> None:
        if problem.kind == "check":
            self._fresh.add_failed_checks([((sample.endpoint, problem.rule), 1)])
        if exchange is None:
            return
        key = ErrorKey.of(problem, exchange.status)
        if self._all.has_room_for(key, problem.message, sample.endpoint):
            exemplar = self._exemplar(problem, sample, exchange)
            self._all.add_error(exemplar)
            self._fresh.add_error(exemplar)

    def _slow(self, sample: Sample, exchange: Exchange | None) -> None:
        if exchange is None or sample.outcome is not Outcome.OK or sample.phase in self._warmups:
            return
        exemplar = self._exemplar(Problem("", ""), sample, exchange)
        self._bars_ns[sample.endpoint] = self._all.add_slow(exemplar)
        self._fresh.add_slow(exemplar)

    def _exemplar(self, problem: Problem, sample: Sample, exchange: Exchange) -> Exemplar:
        request = exchange.request
        return Exemplar(
            kind=problem.kind,
            message=problem.message,
            endpoint=sample.endpoint,
            at_ns=sample.completed_ns,
            response_time_ns=sample.completed_ns - sample.due_ns,
            service_time_ns=None if sample.sent_ns is None else sample.completed_ns - sample.sent_ns,
            method=request.method,
            target=request.target,
            request=_message(request.headers, request.body),
            status=exchange.status,
            response=_message(exchange.headers, content_of(exchange, _LARGEST_DECODED)),
            credentials=captured_credentials(exchange, self._credentials.get(sample.endpoint, ())),
            rule=ErrorKey.of(problem, exchange.status).rule,
        )


def captured_credentials(exchange: Exchange, captures: Sequence[Captures]) -> tuple[str, ...]:
    """Return what captures that are credentials find in a response; those that find nothing are passed over."""
    names = ResponseNames({}, exchange, "", 0)
    found: list[str] = []
    for each in captures:
        with suppress(NothingCaptured):
            found += map(to_text, each.take(names).values())
    return tuple(found)


def _message(headers: Headers, body: bytes) -> ExemplarMessage:
    text, kept = _start(body)
    return ExemplarMessage(
        tuple((name, value[:_LONGEST_VALUE]) for name, value in headers[:_MAX_HEADERS]), text, len(body), kept
    )


def _start(body: bytes) -> tuple[str, Kept]:
    """Return the start of a body as text, and how much of the body that is."""
    most = 4 * _BODY_CHARACTERS  # bytes that so many characters can take
    try:
        text = body[:most].decode()
    except UnicodeDecodeError as error:
        if len(body) <= most or error.start < most - 3:
            return "", "none"
        text = body[: error.start].decode()  # a character that was cut through
    if len(body) <= most and len(text) <= _BODY_CHARACTERS and "\0" not in text:
        return text, "all"
    return ("", "none") if "\0" in text else (text[:_BODY_CHARACTERS], "start")


def exemplars_to_wire(exemplars: Exemplars, origin_ns: int) -> dict[str, Any]:
    """Return what was kept as JSON values; the load began at `origin_ns` of the clock that it was timed by."""
    kept = [*exemplars.errors.values(), *exemplars.slowest.values()]
    return {
        "exemplars": [one._replace(at_ns=one.at_ns - origin_ns) for exemplars in kept for one in exemplars],
        "checks": [[*key, count] for key, count in exemplars.checks.items()],
    }


def exemplars_from_wire(wire: Any, origin_ns: int) -> Exemplars:
    """Read what `exemplars_to_wire` wrote; the load began at `origin_ns` of the reader's clock.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    exemplars = Exemplars()
    for each in wire["exemplars"]:
        exemplar = Exemplar(*each)
        exemplar = exemplar._replace(
            at_ns=exemplar.at_ns + origin_ns,
            request=_message_from_wire(exemplar.request),
            response=_message_from_wire(exemplar.response),
            credentials=tuple(exemplar.credentials),
        )
        if exemplar.kind:
            exemplars.add_error(exemplar)
        else:
            exemplars.add_slow(exemplar)
    exemplars.add_failed_checks(((endpoint, check), count) for endpoint, check, count in wire["checks"])
    return exemplars


def _message_from_wire(wire: Any) -> ExemplarMessage:
    headers, body, body_bytes, kept = wire
    return ExemplarMessage(tuple((name, value) for name, value in headers), body, body_bytes, kept)
