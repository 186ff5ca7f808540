"""One iteration of a scenario, with everything that was sent, came back and was found, for somebody to look at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import anyio.lowlevel

from stressrunner.engine.attempt import Attempt as Message
from stressrunner.engine.clock import Clock, MonotonicClock
from stressrunner.engine.iteration import Arrival, Iterations
from stressrunner.engine.loop_watch import Late
from stressrunner.engine.names import RequestNames, ResponseNames
from stressrunner.engine.permit import Permit
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sample import Sample
from stressrunner.engine.sending import Cut, Planned, Sender
from stressrunner.engine.setup_teardown import Done, ExecutionTarget, run_once
from stressrunner.engine.users import USER_SETUP
from stressrunner.errors import UsageError
from stressrunner.expressions import CannotEvaluate
from stressrunner.fleet.transports import keeper_of, transports_to
from stressrunner.http.exchange import Exchange, Request, Transport, TransportFactory
from stressrunner.masking import Masker, authorizing
from stressrunner.metrics.exemplars import captured_credentials
from stressrunner.plan.endpoints import EndpointPlan
from stressrunner.plan.judging import Finding
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.phases import PhasePlan
from stressrunner.plan.plan import Plan
from stressrunner.run.target import reach, target_of
from stressrunner.run.trial_reading import TriedReading, read_tried
from stressrunner.scenario.model import Scenario
from stressrunner.spelling import did_you_mean

__all__ = ["Trial", "TrialRequest", "iteration_of", "try_iteration", "try_plan"]

_MOST_PICKS = 100_000  #: of a mix that are looked through for an endpoint


@dataclass(slots=True)
class TrialRequest:
    """One request of a trial."""

    endpoint: str
    exchange: Exchange | None = None  #: None when it was not sent
    findings: tuple[Finding, ...] = ()  #: of the checks, when there was a response
    captures: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome = Outcome.FAILED
    reason: str = ""  #: why it failed, in one sentence


@dataclass(frozen=True, slots=True)
class Trial:
    """One iteration that was tried."""

    scenario: str
    base_url: str
    attempts: tuple[TrialRequest, ...]  #: in the order in which they were begun
    skipped: int  #: requests that an earlier failure prevented
    failures: tuple[str, ...]  #: that are none of a request, such as an `until` that never held
    completed: (
        bool  #: the iteration as a whole passed; requests of it may have failed where that is allowed for
    )
    credentials: tuple[str, ...] = ()  #: that were fetched, captured or made up to authorize requests
    reading: TriedReading | None = (
        None  #: of its session's history, where deliveries are checked and it sent messages
    )

    @property
    def passed(self) -> bool:
        """Whether the iteration passed, and its messages were delivered as they were answered."""
        return self.completed and (self.reading is None or self.reading.outcome.outcome == "passed")

    @property
    def is_unknown(self) -> bool:
        """Whether the iteration passed, and nothing can be said of what became of its messages."""
        return self.completed and self.reading is not None and self.reading.outcome.outcome == "unknown"

    @property
    def exit_code(self) -> int:
        """0 when it passed, 4 when nothing ever answered or the history is not known, else 3."""
        if self.passed:
            return 0
        if self.is_unknown:
            return 4
        return 3 if any(a.exchange is not None and a.exchange.status for a in self.attempts) else 4


def iteration_of(plan: Plan, endpoint: str | None) -> tuple[Plan, int]:
    """Return the first iteration that is sure to send an endpoint, and the part of the plan that its workload is.

    Without a name it is the first one of the first workload.

    Raises:
        UsageError: no iteration begins with it.
    """
    if endpoint is None:
        return plan.of_workload(plan.workload), 0
    parts = [plan.of_workload(workload) for workload in plan.workloads]
    for part in parts if endpoint in plan.endpoint_names else ():
        traffic = _phase(part).traffic
        for number in range(_MOST_PICKS):
            sent = [plan.endpoint_names[index] for index in traffic.requests_of(number)]
            if endpoint in sent:
                return part, number
    near = did_you_mean(endpoint, plan.endpoint_names) or f"there are {', '.join(plan.endpoint_names)}"
    raise UsageError(f"the traffic has no endpoint '{endpoint}'; {near}")


async def try_plan(
    plan: Plan, scenario: Scenario, number: int, masker: Masker, note: Callable[[str], None]
) -> Trial:
    """Run one iteration of a workload, which a plan is the part of, against its target, and read its session back.

    `note` is told what is being waited for.

    Raises:
        TargetUnreachable: nothing answers there.
        DemoFailed: the embedded target did not start.
    """
    async with target_of(plan) as target:
        await reach(target, plan)
        transports, clock = transports_to(target.base_url, plan), MonotonicClock()
        to = (transports, target.base_url, clock)
        keeper = keeper_of(target.base_url, plan, clock)
        if keeper is None:
            return await try_iteration(plan, scenario, number, to, masker, note)
        await keeper.fetch()
        tokens = keeper.hand_over().granted
        trial = await try_iteration(plan, scenario, number, to, masker, note)
        return replace(trial, credentials=(*tokens, *trial.credentials))


async def try_iteration(
    plan: Plan,
    scenario: Scenario,
    number: int,
    to: tuple[TransportFactory, str, Clock],
    masker: Masker,
    note: Callable[[str], None],
) -> Trial:
    """Run one iteration over transports to a base URL, by a clock, with all that is done around the load.

    Without its `setup` it is not begun. The history of its session is read before `teardown` may remove it.
    """
    transports, base_url, clock = to
    notes = _Notes()
    sender = _NotingSender(base_url, clock, notes)
    where = ExecutionTarget(base_url, transports, sender, clock, notes)
    passed = True
    if plan.setup is not None:
        done = await run_once("setup", plan.setup, plan, where)
        plan = replace(plan, captures=done.captures, cookies=done.cookies)
        passed = notes.ended("setup", done)
    if passed:
        iterations = Iterations(plan, sender, clock, notes, base_url)
        async with transports.open() as transport:
            arrival = Arrival(_phase(plan).index, number, number, clock.now_ns())
            permit, user = Permit(), plan.workload.first_user
            if await iterations.users.set_up(user, arrival.phase, transport, permit):
                await iterations.run(arrival, user=user, user_iteration=0, transport=transport, permit=permit)
            else:
                iterations.prevented(arrival)
        passed = notes.passed
    reading = None
    if scenario.delivery is not None and notes.messages:
        note("reading the session back, until it no longer changes")
        reading = await read_tried(plan, scenario.delivery, notes.messages, to, masker.text)
    if plan.teardown is not None:
        passed = notes.ended("teardown", await run_once("teardown", plan.teardown, plan, where)) and passed
    return Trial(
        scenario.name,
        base_url,
        tuple(notes.attempts),
        notes.skipped_requests,
        tuple(notes.failures),
        passed,
        tuple(dict.fromkeys(notes.credentials(plan))),
        reading,
    )


def _phase(plan: Plan) -> PhasePlan:
    """Return the phase that an iteration of a workload is one of: the first that is no warm-up, where there is one."""
    phases = plan.workload.phases
    return next((phase for phase in phases if not phase.spec.warmup), phases[0])


class _Notes:
    """A recorder that keeps what it is told; a trial is small."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.attempts: list[TrialRequest] = []
        self.skipped_requests = 0
        self.failures: list[str] = []
        self.messages: list[Message] = []  #: of its session, whose history is read back
        self._latest_group: bool | None = None  #: whether what was measured as a whole last has passed
        self.samples: dict[int, Sample] = {}  #: by the identities of their exchanges

    def emit(self, sample: Sample, exchange: Exchange | None) -> None:
        if exchange is not None:
            self.samples[id(exchange)] = sample

    def attempted(self, attempt: Message) -> None:
        self.messages.append(attempt)

    def skipped(self, _phase: int, _endpoint: int, count: int) -> None:
        self.skipped_requests += count

    def dropped(self, phase: int, endpoint: int, count: int, late: Late | None = None) -> None:
        """Nothing is dropped: there is one iteration, and it is due at once."""

    def unplanned(self, _phase: int, _endpoint: int) -> None:
        """Nothing is planned for a trial."""

    def record_excluded(self, _kind: str, _sample: Sample) -> None:
        """Everything is noted alike, as nothing is counted."""

    def failed(self, _endpoint: int, problem: Problem, _at_ns: int) -> None:
        self.failures.append(problem.message)

    def late_arrival(self, phase: int) -> None:
        """Forget it: nothing here is offered at a rate."""

    def group(self, phase: int, name: str, length_ns: int | None, late: Late | None = None) -> None:  # noqa: ARG002  of the seam
        if name != USER_SETUP:
            self._latest_group = length_ns is not None

    def group_cut_off(self, _phase: int, _name: str) -> None:
        """Nothing is cut off: a trial has all the time that its steps take."""

    def iteration(self, _phase: int, *, in_error: bool) -> None:
        """What went wrong is noted as a failure or a request that was skipped."""

    def not_set_up(self, _users: int) -> None:
        """The requests that failed are noted."""

    @property
    def passed(self) -> bool:
        """Whether the iteration has passed: the last group to end is the flow or session that it consists of.

        One that is a single request ends with it, whatever `user_setup` has had to try before.
        """
        if self._latest_group is not None:
            return self._latest_group
        return bool(self.attempts) and not self.skipped_requests and self.attempts[-1].outcome is Outcome.OK

    def credentials(self, plan: Plan) -> Iterator[str]:
        """Yield what requests were authorized by, or what responses gave for that."""
        for attempt in self.attempts:
            if attempt.exchange is not None:
                yield from authorizing(attempt.exchange.request.headers)
                sample = self.samples[id(attempt.exchange)]
                yield from captured_credentials(attempt.exchange, plan.credentials.get(sample.endpoint, ()))

    def ended(self, kind: str, done: Done) -> bool:
        """Note how steps around the iteration have ended; return whether they passed."""
        if done.problem:
            latest = self.attempts[-1].reason if self.attempts else ""
            self.failures.append(f"{kind} failed: {latest or done.problem}")
        return not done.problem


class _Tap:
    """A transport that keeps the exchange, and holds the checks against it before the sender does."""

    def __init__(self, transport: Transport, attempt: TrialRequest, judged: "_Judged") -> None:
        self._transport = transport
        self._attempt = attempt
        self._judged = judged

    async def exchange(self, request: Request) -> Exchange:
        exchange = self._attempt.exchange = await self._transport.exchange(request)
        if exchange.failure is None:
            self._attempt.findings = self._judged.findings(exchange)
        return exchange


@dataclass(frozen=True, slots=True)
class _Judged:
    endpoint: EndpointPlan
    names: RequestNames
    base_url: str
    due: Planned

    def findings(self, exchange: Exchange) -> tuple[Finding, ...]:
        seen = ResponseNames(self.names, exchange, self.base_url, self.due.due_ns)
        return tuple(self.endpoint.judge.findings(exchange.status, seen))


class _NotingSender(Sender):
    """Sends as the load does, and notes what came of each request."""

    def __init__(self, base_url: str, clock: Clock, notes: _Notes) -> None:
        super().__init__(base_url, clock, notes, Cut())
        self._url = base_url
        self._notes = notes

    def beside(self, _recorder: Recorder) -> Sender:
        return self  # what is sent around the iteration is noted too

    async def send(
        self, endpoint: EndpointPlan, names: RequestNames, due: Planned, transport: Transport
    ) -> bool:
        attempt = TrialRequest(endpoint.name)
        self._notes.attempts.append(attempt)
        tap = _Tap(transport, attempt, _Judged(endpoint, names, self._url, due))
        passed = await super().send(endpoint, names, due, tap)
        sample = self._notes.samples[id(attempt.exchange)]
        attempt.outcome = sample.outcome
        attempt.reason = sample.problem.message if sample.problem else ""
        if passed:
            kept = names.scope.captures
            attempt.captures = {name: kept[name] for name in endpoint.judge.captured}
        return passed

    def unfilled(
        self,
        endpoint: EndpointPlan,
        names: RequestNames,
        due: Planned,  # noqa: ARG002  of the seam
        error: CannotEvaluate,
    ) -> None:
        """Say it of the request that was to be sent, which is the latest one of its endpoint without a reason."""
        if names.step is not None:
            names.step.latest = None
        waiting = (a for a in reversed(self._notes.attempts) if a.endpoint == endpoint.name and not a.reason)
        next(waiting).reason = str(error)

    async def give_up(self, endpoint: int, due: Planned, why: str) -> None:  # noqa: ARG002  of the seam
        self._notes.failures.append(why)
        await anyio.lowlevel.checkpoint()
