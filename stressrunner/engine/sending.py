"""One request of an iteration: filled in, sent, judged, and told to the recorder."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import anyio
import anyio.lowlevel

from stressrunner.engine.budget import Budget
from stressrunner.engine.clock import Clock
from stressrunner.engine.names import RequestNames, ResponseNames
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sample import Sample
from stressrunner.expressions import CannotEvaluate
from stressrunner.http.content import content_of
from stressrunner.http.exchange import NEVER_FINISHED, Exchange, Transport
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.plan import EndpointPlan

__all__ = ["Cut", "Due", "Sender"]

_EXCERPT_CHARACTERS = 300  #: of the response's body, kept with an error


class Due(NamedTuple):
    """When a request was due, in monotonic nanoseconds, and its phase."""

    phase: int
    due_ns: int
    waiting_since_ns: int | None = None  #: when it began to wait for a limit of the scenario, if it did


class _Released(NamedTuple):
    """A request that is ready to be sent: until here, all time was the generator's."""

    endpoint: int
    phase: int
    due_ns: int
    released_ns: int

    def unsent(
        self, outcome: Outcome, now_ns: int, *, never: bool = False, problem: Problem | None = None
    ) -> Sample:
        """Return the sample of a request of which nothing came back."""
        endpoint, phase, due_ns, released_ns = self
        return Sample(
            endpoint,
            phase,
            outcome,
            due_ns,
            released_ns,
            now_ns,
            None,
            None,
            now_ns,
            never=never,
            problem=problem,
        )

    def sent(self, outcome: Outcome, exchange: Exchange, problem: Problem | None) -> Sample:
        """Return the sample of a request that was sent, or tried to be."""
        endpoint, phase, due_ns, released_ns = self
        failure = exchange.failure
        # By position: keywords would cost a microsecond.
        return Sample(
            endpoint,
            phase,
            outcome,
            due_ns,
            released_ns,
            exchange.acquired_ns,
            exchange.sent_ns,
            exchange.first_byte_ns,
            exchange.completed_ns,
            exchange.connect_ns,
            exchange.status,
            exchange.bytes_sent,
            exchange.bytes_received,
            failure is not None and failure.kind in NEVER_FINISHED,
            problem,
            exchange.redirects,
            exchange.resent,
        )


@dataclass(slots=True)
class Cut:
    """Why requests in flight are cut off; set before they are."""

    reason: Literal["graceful_stop", "interrupt"] | None = None


class Sender:
    """Sends single requests; one for all users of a load."""

    def __init__(
        self, base_url: str, clock: Clock, recorder: Recorder, cut: Cut, budget: Budget | None = None
    ) -> None:
        """`base_url` is where the target really is, which for an embedded one the plan does not know.

        Without a budget any number of requests is sent.
        """
        self._base_url = base_url
        self._clock = clock
        self._recorder = recorder
        self._cut = cut
        self._budget = budget

    async def send(self, endpoint: EndpointPlan, names: RequestNames, due: Due, transport: Transport) -> bool:
        """Send a request, its holes filled from `names`; return whether it passed.

        Captures are added to the iteration of the names, and the response becomes the latest one of their step.
        """
        if self._budget is not None:
            await self._budget.take()
        try:
            request = endpoint.request.render(names)
        except CannotEvaluate as error:
            released = self._release(endpoint, due)
            if names.step is not None:
                names.step.latest = None
            problem: Problem | None = Problem("template", str(error))
            self._recorder.emit(released.unsent(Outcome.FAILED, released.released_ns, problem=problem), None)
            # A user whose requests all fail this way would otherwise never let go of the event loop.
            await anyio.lowlevel.checkpoint()
            return False
        released = self._release(endpoint, due)
        self._recorder.in_flight += 1
        try:
            exchange = await transport.exchange(request)
        except anyio.get_cancelled_exc_class():
            # What outlasted graceful_stop ranks last in latencies; what an interrupt cut off tells nothing.
            never = self._cut.reason != "interrupt"
            self._recorder.emit(released.unsent(Outcome.UNFINISHED, self._clock.now_ns(), never=never), None)
            raise
        finally:
            self._recorder.in_flight -= 1
        outcome, problem = self._judge(endpoint, names, exchange, due.due_ns)
        self._recorder.emit(released.sent(outcome, exchange, problem), exchange)
        return outcome is Outcome.OK

    def _release(self, endpoint: EndpointPlan, due: Due) -> _Released:
        waiting_since_ns = due.waiting_since_ns
        released_ns = self._clock.now_ns() if waiting_since_ns is None else waiting_since_ns
        return _Released(endpoint.index, due.phase, due.due_ns, released_ns)

    def _judge(
        self, endpoint: EndpointPlan, names: RequestNames, exchange: Exchange, due_ns: int
    ) -> tuple[Outcome, Problem | None]:
        if exchange.failure is not None:
            if names.step is not None:
                names.step.latest = None
            return Outcome.FAILED, Problem(exchange.failure.kind.value, exchange.failure.message)
        seen = ResponseNames(names, exchange, self._base_url, due_ns)
        outcome, problem = endpoint.judge.judge(exchange.status, seen, names.scope.captures)
        if names.step is not None:
            names.step.latest = seen.alone()
        return outcome, None if problem is None else problem._replace(excerpt=_excerpt(exchange))


def _excerpt(exchange: Exchange) -> str:
    start = content_of(exchange)[: 4 * _EXCERPT_CHARACTERS]
    return start.decode("utf-8", "replace")[:_EXCERPT_CHARACTERS]
