"""One request of an iteration: filled in, sent, judged, and told to the recorder."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import anyio
import anyio.lowlevel

from stressrunner.engine.budget import RequestBudget
from stressrunner.engine.clock import Clock
from stressrunner.engine.loop_watch import LEAST_NS, LoopWatch
from stressrunner.engine.message_log import attempt_of, unanswered
from stressrunner.engine.names import RequestNames, ResponseNames
from stressrunner.engine.permit import Permit
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sample import Sample
from stressrunner.expressions import CannotEvaluate
from stressrunner.http.content import content_of
from stressrunner.http.exchange import NEVER_FINISHED, Exchange, Failure, Transport
from stressrunner.masking import MASK, authorizing
from stressrunner.plan.endpoints import EndpointPlan
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.reply import Reply

__all__ = ["Cut", "Due", "NotSent", "Sender"]

#: Replies that are outcomes of their own: neither success nor error, and no checks apply to them.
_OF_REPLY = {Reply.SUPERSEDED: Outcome.SUPERSEDED, Reply.REFUSED: Outcome.REFUSED}
#: Outcomes after which an iteration goes on; a message that a later one replaced is no failure of its session.
_PASSED = (Outcome.OK, Outcome.SUPERSEDED)
_EXCERPT_CHARACTERS = 300  #: of the response's body, kept with an error


class NotSent(Exception):
    """A request could not be made, so nothing was sent."""


class Due(NamedTuple):
    """When a request was due, in monotonic nanoseconds, and its phase."""

    phase: int
    due_ns: int
    waiting_since_ns: int | None = None  #: when it began to wait for a limit of the scenario, if it did


class Planned(Protocol):
    """What is known of a request before it is sent: a `Due`, or the arrival of an iteration that is one request."""

    @property
    def phase(self) -> int:
        """The index of its phase."""

    @property
    def due_ns(self) -> int:
        """When it was due."""

    @property
    def waiting_since_ns(self) -> int | None:
        """When it began to wait for a limit of the scenario, if it did."""


@dataclass(slots=True)
class Cut:
    """Why requests in flight are cut off; set before they are."""

    reason: Literal["graceful_stop", "interrupt"] | None = None


class Sender:
    """Sends single requests; one for all users of a load."""

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        recorder: Recorder,
        cut: Cut,
        budget: RequestBudget | None = None,
        watch: LoopWatch | None = None,
    ) -> None:
        """`base_url` is where the target really is, which for an embedded one the plan does not know.

        Without a budget any number of requests is sent; without a watch over the event loop none of them is late.
        """
        self._base_url = base_url
        self._clock = clock
        self._recorder = recorder
        self._cut = cut
        self._budget = budget
        self.watch = LoopWatch(clock) if watch is None else watch  #: over the event loop

    @property
    def ranks_cut_off(self) -> bool:
        """Whether what is cut off now ranks last: what outlasted graceful_stop does, and an interrupt tells nothing."""
        return self._cut.reason != "interrupt"

    def beside(self, recorder: Recorder) -> "Sender":
        """Return one that tells another recorder, within the same limits."""
        return Sender(self._base_url, self._clock, recorder, self._cut, self._budget, self.watch)

    async def send(
        self, endpoint: EndpointPlan, names: RequestNames, due: Planned, transport: Transport
    ) -> bool:
        """Send a request, its placeholders filled from `names`; return whether it passed.

        Captures are added to the iteration of the names, and the response becomes the latest one of their step.

        Raises:
            NotSent: a placeholder cannot be filled, as has been counted.
        """
        try:
            request = endpoint.request.render(names)
        except CannotEvaluate as error:
            self.unfilled(endpoint, names, due, error)
            # A user whose requests all fail this way would otherwise never let go of the event loop.
            await anyio.lowlevel.checkpoint()
            raise NotSent from error
        released_ns = self._released_ns(due)
        self._recorder.in_flight += 1
        try:
            exchange = await transport.exchange(request)
        except anyio.get_cancelled_exc_class():
            self.cut_off(endpoint, names, due, released_ns)
            raise
        finally:
            self._recorder.in_flight -= 1
        return self.conclude(endpoint, names, exchange, due, released_ns)

    async def admit(self, permit: Permit) -> None:
        """Wait until one more request may begin, for ever if none may; `permit.end` has to follow."""
        if self._budget is not None:
            await self._budget.take()
        await permit.begin()

    def may_send(self) -> bool:
        """Take one request from the budget; if there is none left, the load is being cut off."""
        return self._budget is None or self._budget.spend()

    def unfilled(
        self, endpoint: EndpointPlan, names: RequestNames, due: Planned, error: CannotEvaluate
    ) -> None:
        """Count a request whose placeholders cannot be filled as skipped, with its reason among the errors."""
        if names.step is not None:
            names.step.latest = None
        self._not_sent(endpoint.index, due, Problem(error.kind, str(error)))

    def cut_off(
        self, endpoint: EndpointPlan, names: RequestNames | None, due: Planned, released_ns: int
    ) -> None:
        """Count a request in flight that is cut off."""
        never = self.ranks_cut_off
        now_ns = self._clock.now_ns()
        moments = (due.due_ns, released_ns, now_ns)
        place = (endpoint.index, due.phase)
        self._recorder.emit(_unfinished_sample(place, moments, never=never), None)
        if endpoint.messages is not None and names is not None:
            self._recorder.attempted(unanswered(endpoint.messages, names, due.phase, (released_ns, now_ns)))

    def conclude(
        self,
        endpoint: EndpointPlan,
        names: RequestNames | None,
        exchange: Exchange,
        due: Planned,
        released_ns: int,
    ) -> bool:
        """Judge and count what came of a request; return whether it passed.

        The names may be left out where the status alone decides.
        """
        outcome, problem = self._judge(endpoint, names, exchange, due)
        failure, watch, late, due_ns = exchange.failure, self.watch, None, due.due_ns
        if (
            exchange.completed_ns > watch.overdue_ns
            or due_ns < watch.until_ns
            or released_ns - due_ns >= LEAST_NS
        ):
            late = watch.late(due_ns, released_ns, exchange)
            if names is not None:
                names.late = late
        fields = (
            endpoint.index,
            due.phase,
            outcome,
            due_ns,
            released_ns,
            *exchange[1:9],  # acquired_ns to bytes_received (test_a_sample_takes_over_what_was_measured)
            failure is not None and failure.kind in NEVER_FINISHED,
            problem,
            exchange.redirects,
            exchange.resent,
            late,
        )
        sample = tuple.__new__(Sample, fields)  # half of what calling it costs
        self._recorder.emit(sample, exchange)
        return outcome in _PASSED

    async def give_up(self, endpoint: int, due: Planned, why: str) -> None:
        """Count a request that cannot be sent, as something that it depends on cannot be evaluated, as skipped."""
        self._not_sent(endpoint, due, Problem("template", why))
        # A user whose steps all fail this way would otherwise never let go of the event loop.
        await anyio.lowlevel.checkpoint()

    def _not_sent(self, endpoint: int, due: Planned, problem: Problem) -> None:
        self._recorder.skipped(due.phase, endpoint, 1)
        self._recorder.failed(endpoint, problem, self._clock.now_ns())

    def _released_ns(self, due: Planned) -> int:
        waiting_since_ns = due.waiting_since_ns
        return self._clock.now_ns() if waiting_since_ns is None else waiting_since_ns

    def _judge(
        self, endpoint: EndpointPlan, names: RequestNames | None, exchange: Exchange, due: Planned
    ) -> tuple[Outcome, Problem | None]:
        if names is None:
            if exchange.failure is not None:
                return _failed(exchange.failure)
            outcome, problem = endpoint.judge.judge_status(exchange.status)
            return outcome, None if problem is None else _told(problem, exchange)
        seen = ResponseNames(names, exchange, self._base_url, due.due_ns)
        if names.step is not None:
            names.step.latest = None if exchange.failure is not None else seen.alone()
        if endpoint.messages is not None:
            attempt = attempt_of(endpoint.messages, seen, names, due.phase, exchange)
            self._recorder.attempted(attempt)
            if attempt.reply in _OF_REPLY:
                return _OF_REPLY[attempt.reply], None
        if exchange.failure is not None:
            return _failed(exchange.failure)
        outcome, problem = endpoint.judge.judge(exchange.status, seen, names.scope.captures)
        return outcome, None if problem is None else _told(problem, exchange)


def _failed(failure: Failure) -> tuple[Outcome, Problem | None]:
    return Outcome.FAILED, Problem(failure.kind.value, failure.message)


def _unfinished_sample(place: tuple[int, int], moments: tuple[int, int, int], *, never: bool) -> Sample:
    """Return the sample of a request that was cut off; `moments` are due, released and given up."""
    endpoint, phase = place
    due_ns, released_ns, now_ns = moments
    outcome = Outcome.UNFINISHED
    return Sample(endpoint, phase, outcome, due_ns, released_ns, now_ns, None, None, now_ns, never=never)


def _told(problem: Problem, exchange: Exchange) -> Problem:
    """Return a problem with the start of the response, without what its request was authorized by.

    Who reads of it later knows the secrets of the scenario, but not what each of the users was given.
    """
    text = content_of(exchange)[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace")
    message = problem.message
    for credential in authorizing(exchange.request.headers):
        message, text = message.replace(credential, MASK), text.replace(credential, MASK)
    return problem._replace(message=message, excerpt=text[:_EXCERPT_CHARACTERS])
