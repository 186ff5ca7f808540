"""One request of an iteration: filled in, sent, judged, and told to the recorder."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import anyio
import anyio.lowlevel

from stressrunner.engine.clock import Clock
from stressrunner.engine.names import IterationScope, RequestNames, ResponseNames
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sample import Sample
from stressrunner.expressions import CannotEvaluate
from stressrunner.http.exchange import NEVER_FINISHED, Exchange, Transport
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.plan import EndpointPlan

__all__ = ["Cut", "Due", "Sender"]

_EXCERPT_CHARACTERS = 300  #: of the response's body, kept with an error


class Due(NamedTuple):
    """When a request was due and when it was released, in monotonic nanoseconds, and its phase."""

    phase: int
    due_ns: int
    released_ns: int


@dataclass(slots=True)
class Cut:
    """Why requests in flight are cut off; set before they are."""

    reason: Literal["graceful_stop", "interrupt"] | None = None


class Sender:
    """Sends single requests; one for all users of a load."""

    def __init__(self, base_url: str, clock: Clock, recorder: Recorder, cut: Cut) -> None:
        """`base_url` is where the target really is, which for an embedded one the plan does not know."""
        self._base_url = base_url
        self._clock = clock
        self._recorder = recorder
        self._cut = cut

    async def send(
        self, endpoint: EndpointPlan, scope: IterationScope, message: int, due: Due, transport: Transport
    ) -> bool:
        """Send the request number `message` of an iteration; return whether it passed."""
        names = RequestNames(scope, message)
        try:
            request = endpoint.request.render(names)
        except CannotEvaluate as error:
            self._unfilled(endpoint, due, str(error))
            # A user whose requests all fail this way would otherwise never let go of the event loop.
            await anyio.lowlevel.checkpoint()
            return False
        self._recorder.in_flight += 1
        try:
            exchange = await transport.exchange(request)
        except anyio.get_cancelled_exc_class():
            self._cut_off(endpoint, due)
            raise
        finally:
            self._recorder.in_flight -= 1
        return self._judge(endpoint, scope, names, due, exchange)

    def _judge(
        self, endpoint: EndpointPlan, scope: IterationScope, names: RequestNames, due: Due, exchange: Exchange
    ) -> bool:
        failure = exchange.failure
        problem: Problem | None
        if failure is not None:
            outcome, problem = Outcome.FAILED, Problem(failure.kind.value, failure.message)
        else:
            seen = ResponseNames(names, exchange, self._base_url, due.due_ns)
            outcome, found = endpoint.judge.judge(exchange.status, seen, scope.captures)
            problem = None if found is None else found._replace(excerpt=_excerpt(exchange))
        sample = Sample(
            endpoint.index,
            due.phase,
            outcome,
            due.due_ns,
            due.released_ns,
            exchange.acquired_ns,
            exchange.sent_ns,
            exchange.first_byte_ns,
            exchange.completed_ns,
            exchange.connect_ns,
            exchange.status,
            exchange.bytes_sent,
            exchange.bytes_received,
            never=failure is not None and failure.kind in NEVER_FINISHED,
            problem=problem,
        )
        self._recorder.emit(sample, exchange)
        return outcome is Outcome.OK

    def _unfilled(self, endpoint: EndpointPlan, due: Due, reason: str) -> None:
        """Count a request whose holes could not be filled: an error like any other, though nothing was sent."""
        now_ns = self._clock.now_ns()
        problem = Problem("template", reason)
        self._recorder.emit(
            Sample(
                endpoint.index,
                due.phase,
                Outcome.FAILED,
                due.due_ns,
                due.released_ns,
                now_ns,
                None,
                None,
                now_ns,
                problem=problem,
            ),
            None,
        )

    def _cut_off(self, endpoint: EndpointPlan, due: Due) -> None:
        """Count a request that was in flight when the load was cut off.

        One that outlasted graceful_stop ranks last in latencies; one that an interrupt cut tells nothing.
        """
        now_ns = self._clock.now_ns()
        self._recorder.emit(
            Sample(
                endpoint.index,
                due.phase,
                Outcome.UNFINISHED,
                due.due_ns,
                due.released_ns,
                now_ns,
                None,
                None,
                now_ns,
                never=self._cut.reason != "interrupt",
            ),
            None,
        )


def _excerpt(exchange: Exchange) -> str:
    return exchange.body[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace")[:_EXCERPT_CHARACTERS]
