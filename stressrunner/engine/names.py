"""The names that templates and expressions see, each made when it is first asked for."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from stressrunner.engine.loop_watch import Late
from stressrunner.engine.tokens import token_text
from stressrunner.expressions import FUNCTIONS, CannotEvaluate, Draws
from stressrunner.expressions.fake import Fake
from stressrunner.http.exchange import Exchange, Headers
from stressrunner.plan.bodies import REQUEST_NUMBER
from stressrunner.plan.plan import Plan

__all__ = ["HeaderFields", "IterationScope", "RequestNames", "ResponseNames", "StepScope"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class HeaderFields(Mapping[str, str]):
    """Header fields by name: case is ignored and `_` reads as `-`; repeated fields are joined by commas."""

    def __init__(self, headers: Headers) -> None:
        self._fields: dict[str, str] = {}
        for name, value in headers:
            key = name.lower()
            self._fields[key] = f"{self._fields[key]}, {value}" if key in self._fields else value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower().replace("_", "-")]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


class IterationScope:
    """What belongs to one iteration: its number, its user, its captures, variables and rows."""

    __slots__ = (
        "_kept",
        "_session",
        "captures",
        "iteration",
        "number",
        "phase",
        "plan",
        "stage",
        "user",
        "user_iteration",
        "variables",
    )

    def __init__(
        self,
        plan: Plan,
        *,
        iteration: int,
        user: int,
        user_iteration: int,
        phase: int | None = None,
        stage: str = "",
    ) -> None:
        """Begin an iteration, with what `setup` has captured.

        Args:
            plan: that it is of.
            iteration: its number.
            user: that runs it.
            user_iteration: its number among those of the user.
            phase: whose variables it sees; without one, those of the scenario.
            stage: what it is instead of a part of the load, such as `setup`; it draws other values then.
        """
        self.plan = plan
        self.stage = stage
        self.phase = phase
        self.variables = plan.variables if phase is None else plan.phases[phase].variables
        self.user = user
        self.begin(iteration, user_iteration)

    def begin(self, iteration: int, user_iteration: int, number: int | None = None) -> None:
        """Reset the scope for the user's next iteration."""
        self.number = number  #: in its phase; None unless it is an iteration of the load
        self.iteration = iteration
        self.user_iteration = user_iteration
        self.captures: dict[str, Any] = dict(self.plan.captures)
        self._kept: dict[str, Any] = {}
        self._session: int | None = None  # once it was asked for

    @property
    def session(self) -> int:
        """The number of the session that the iteration is, among those of all workloads."""
        session = self._session
        if session is None:
            session = self._session = self.plan.workload.sessions.number(self.iteration)
        return session

    def draws(self, use: object) -> Draws:
        """Return the functions for one use in this iteration."""
        if self.stage:
            use = f"{self.stage} {use}"
        return Draws(self.plan.seed, self.iteration, use, uuid_salt=self.plan.uuid_salt)

    def variable(self, name: str) -> Any:
        """Return a variable; one with placeholders is evaluated once per iteration."""
        if name not in self._kept:
            names = RequestNames(self, 0, use=f"variable {name}")
            self._kept[name] = self.variables.evaluated[name].render(names)
        return self._kept[name]

    def turn(self, request: int) -> int:
        """Return which request of its endpoint request number `request` of this iteration is.

        Within a phase these are 0, 1, 2, ... in whichever order the requests are sent, so that what is dealt by them is
        exact; but for flows, whose requests nobody can count beforehand.
        """
        turn = None
        if self.number is not None and self.phase is not None:
            turn = self.plan.phases[self.phase].traffic.turn(self.number, request)
        return self.iteration * self.plan.stride + request if turn is None else turn

    def row(self, name: str, request: int) -> Any:
        """Return the row of a feeder that request number `request` of this iteration sees."""
        rows = self.plan.rows[name]
        if rows.per == "request":
            return rows.row(self.iteration * self.plan.stride + request)
        if name not in self._kept:
            self._kept[name] = rows.row(self.user if rows.per == "user" else self.iteration)
        return self._kept[name]


class StepScope:
    """What the steps of an iteration see beside it, and what changes from one to the next.

    Each branch of `parallel` has one of its own.
    """

    __slots__ = ("bound", "latest")

    def __init__(self, bound: Mapping[str, Any] = _NOTHING, latest: "ResponseNames | None" = None) -> None:
        self.bound = bound  #: the elements of `each` by their names, and `repeat`
        self.latest = latest  #: the latest response; None before the first one, and when none came


class RequestNames(Mapping[str, Any]):
    """The names that the templates of one request see.

    Each is made once per request, when it is first asked for; captures are asked each time, since other requests of
    the iteration add to them.
    """

    __slots__ = (
        "_bound",
        "_captures",
        "_draws",
        "_kept",
        "_latest",
        "_row",
        "_use",
        "late",
        "number",
        "scope",
        "step",
    )

    def __init__(
        self,
        scope: IterationScope,
        number: int,
        *,
        step: StepScope | None = None,
        use: object | None = None,
        row: int | None = None,
    ) -> None:
        """Be the names of a request of an iteration.

        Args:
            scope: the iteration.
            number: its own, as a message of the session that the iteration is.
            step: what the steps before it have left; None outside of steps.
            use: what its random draws depend on beside the iteration; the number unless given.
            row: its number among the requests that feeders deal rows to; the number unless given.
        """
        self.scope = scope
        self.number = number
        self.step = step
        self._bound = _NOTHING if step is None else step.bound
        self._latest = None if step is None else step.latest
        self._use = number if use is None else use
        self._row = number if row is None else row
        self.late: Late | None = None  #: what the generator added to the request, once it has ended
        self.begin()

    def begin(self) -> None:
        """Be the names of the same request in the iteration that the scope is now."""
        self._captures = self.scope.captures
        self._draws: Draws | None = None
        self._kept: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        captures = self._captures
        if name in captures:
            return captures[name]
        kept = self._kept
        if name in kept:
            return kept[name]
        make = _BUILT_IN.get(name)
        value = kept[name] = self._found(name) if make is None else make(self)
        return value

    def _found(self, name: str) -> Any:
        if name in self._bound:
            return self._bound[name]
        if self._latest is not None and name in _OF_RESPONSE:
            return self._latest[name]
        scope = self.scope
        plan = scope.plan
        variables = scope.variables
        if name in variables.constants:
            return variables.constants[name]
        if name in variables.evaluated:
            return scope.variable(name)
        if name in plan.rows:
            return scope.row(name, self._row)
        if name in FUNCTIONS:
            if self._draws is None:
                self._draws = scope.draws(self._use)
            return self._draws.function(name)
        if name == REQUEST_NUMBER:  # none of the names that templates see
            return scope.turn(self._row)
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(name in names for names in self._known())

    def __iter__(self) -> Iterator[str]:
        return iter(set().union(*self._known()))

    def _known(self) -> Iterator[Collection[str]]:
        scope, plan = self.scope, self.scope.plan
        yield from (scope.captures, scope.variables.constants, scope.variables.evaluated, plan.rows)
        yield from (FUNCTIONS, _BUILT_IN)
        yield self._bound
        if self._latest is not None:
            yield _OF_RESPONSE

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def run(self) -> Mapping[str, Any]:
        """Return `run.id` and `run.seed`."""
        return {"id": self.scope.plan.run_id, "seed": self.scope.plan.run_seed}

    def iteration(self) -> int:
        """Return the iteration's number."""
        return self.scope.iteration

    def user(self) -> Mapping[str, Any]:
        """Return `user.id` and `user.iteration`."""
        return {"id": self.scope.user, "iteration": self.scope.user_iteration}

    def session(self) -> Mapping[str, Any]:
        """Return `session.name` and `session.index`; outside sessions every iteration is one of its own."""
        scope, index = self.scope, self.scope.session
        stage = f"{scope.stage}-" if scope.stage else ""
        return {"name": f"sr-{scope.plan.run_id}-{stage}{index}", "index": index}

    def fake(self) -> Mapping[str, Any]:
        """Return `fake.name`, `fake.email` and so on: somebody made up for this request, or for a variable."""
        return Fake(self.scope.plan.seed, self.scope.iteration, self._use)

    def message(self) -> Mapping[str, Any]:
        """Return `message.index` and `message.token`, which tells the message from every other one."""
        scope = self.scope
        token = token_text(scope.plan.run_id, scope.session, self.number)
        if scope.stage:
            token = f"{scope.stage}-{token}"  # none of a session of the load
        return {"index": self.number, "token": token}


_BUILT_IN: Mapping[str, Callable[[RequestNames], Any]] = {
    "run": RequestNames.run,
    "iteration": RequestNames.iteration,
    "user": RequestNames.user,
    "session": RequestNames.session,
    "message": RequestNames.message,
    "fake": RequestNames.fake,
}


class ResponseNames(Mapping[str, Any]):
    """The names that checks and captures see: the response's over those of its request."""

    __slots__ = ("_base_url", "_due_ns", "_exchange", "_kept", "_not_json", "_outer")

    def __init__(self, outer: Mapping[str, Any], exchange: Exchange, base_url: str, due_ns: int) -> None:
        self._outer = outer
        self._exchange = exchange
        self._base_url = base_url
        self._due_ns = due_ns
        self._kept: dict[str, Any] = {}
        self._not_json: str | None = None  #: why the body has no value, once that is known

    def __getitem__(self, name: str) -> Any:
        kept = self._kept
        if name in kept:
            return kept[name]
        make = _OF_RESPONSE.get(name)
        if make is None:
            return self._outer[name]
        value = kept[name] = make(self)
        return value

    def __contains__(self, name: object) -> bool:
        return name in _OF_RESPONSE or name in self._outer

    def __iter__(self) -> Iterator[str]:
        return iter({*_OF_RESPONSE, *self._outer})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def alone(self) -> "ResponseNames":
        """Return the names of the response without those of its request, to be kept after it."""
        kept = ResponseNames(_NOTHING, self._exchange, self._base_url, self._due_ns)
        kept._kept = self._kept  # the body need not be parsed again
        return kept

    @property
    def completed_ns(self) -> int:
        """When the response was complete, monotonic."""
        return self._exchange.completed_ns

    def status(self) -> int:
        """Return the status code."""
        return self._exchange.status

    def headers(self) -> HeaderFields:
        """Return the header fields."""
        return HeaderFields(self._exchange.headers)

    def body(self) -> Any:
        """Return the body, parsed as JSON; raises CannotEvaluate when it is not."""
        if self._not_json is None:
            try:
                return _decoded(self._exchange.body)
            except (ValueError, RecursionError):
                self._not_json = "the body is not JSON" if self._exchange.body else "the body is empty"
        raise CannotEvaluate(self._not_json)

    def text(self) -> str:
        """Return the body as text, in UTF-8; bytes that are not show as U+FFFD."""
        return self._exchange.body.decode("utf-8", "replace")

    def size(self) -> int:
        """Return the body's size in bytes, with its content encoding undone."""
        return len(self._exchange.body)

    def url(self) -> str:
        """Return the URL that was asked for."""
        target = self._exchange.request.target
        if not target.startswith("/"):
            return target
        base = urlsplit(self._base_url)
        return f"{base.scheme}://{base.netloc}{target}"  # the base URL's own path is in the target

    def response_time(self) -> float:
        """Return the seconds from the moment the request was due."""
        return (self._exchange.completed_ns - self._due_ns) / 1e9

    def service_time(self) -> float:
        """Return the seconds from the first byte sent."""
        sent_ns = self._exchange.sent_ns
        return (self._exchange.completed_ns - (self._due_ns if sent_ns is None else sent_ns)) / 1e9


_DECODER = json.JSONDecoder()


def _decoded(octets: bytes) -> Any:
    """Return the value of a JSON text; raises ValueError as `json.loads` does, which it agrees with."""
    try:
        text = octets.decode()
        value, end = _DECODER.raw_decode(text)  # a third of what `json.loads` costs
    except ValueError:
        return json.loads(octets)  # blanks before it, another encoding, a byte order mark, or no JSON at all
    return value if end == len(text) else json.loads(octets)


_OF_RESPONSE: Mapping[str, Callable[[ResponseNames], Any]] = {
    "status": ResponseNames.status,
    "headers": ResponseNames.headers,
    "body": ResponseNames.body,
    "text": ResponseNames.text,
    "size": ResponseNames.size,
    "url": ResponseNames.url,
    "response_time": ResponseNames.response_time,
    "service_time": ResponseNames.service_time,
}
