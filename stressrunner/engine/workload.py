"""When the iterations of a workload run: users, phases, and the dispatcher that releases what is due.

Users live as long as their workload and run one iteration after the other. In a closed phase a user takes its next
iteration by itself; in an open one the dispatcher releases every arrival when it is due and gives it to the free user
with the lowest number, or to a new one. Arrivals that find `max_in_flight` users busy wait in order: they have been
released, so that their waiting is `queue` and not the generator's lag.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from stressrunner.engine.callback_users import CallbackUsers, QuickRequests, is_quick
from stressrunner.engine.iteration import Arrival, Iterations
from stressrunner.engine.pauses import think_ns
from stressrunner.engine.sending import Cut
from stressrunner.engine.setup_teardown import ExecutionTarget
from stressrunner.engine.task_users import TaskUsers
from stressrunner.engine.user_pool import Pause, User
from stressrunner.http.exchange import DirectTransports
from stressrunner.plan.pacing import user_steps
from stressrunner.plan.phases import PhasePlan
from stressrunner.plan.plan import Plan
from stressrunner.scenario.model import Closed, Open, Phase
from stressrunner.units import NS_PER_S

__all__ = ["PhaseSpan", "WorkloadRun"]


_TIMEOUT_MARGIN_S = 1.0  #: beyond the longest timeout, in which requests in flight have ended by themselves
_BEHIND_NS = 1_000_000  #: so late, the dispatcher lets others run after every arrival
_NOT_OFFERED_SHARE = 0.01  #: of a phase's length: an arrival that is released later than that was not offered
_NOT_OFFERED_NS = 100_000_000  #: and later than this


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """When a phase took place, in monotonic nanoseconds."""

    started_ns: int
    ended_ns: int  #: its last arrival or the end of its duration; its requests may end later


@dataclass(slots=True)
class _ClosedPhase:
    """A closed phase under way."""

    plan: PhasePlan
    shape: Closed
    ends_ns: int | None
    left: int  #: iterations of this generator; less than zero where there are any number of them
    upcoming: int  #: the number in the phase of its next one
    users: int = 0  #: of this generator that may begin iterations; moves on a ramp
    over: anyio.Event = field(default_factory=anyio.Event)
    is_spent: bool = False  #: nothing is left but what comes back
    settling: int = 0  #: users who have an iteration and are set up first
    returned: deque[Arrival] = field(default_factory=deque)  #: of users who could not be set up
    #: Not all goes the usual way: iterations have come back, or may still do so although none is left.
    has_returns: bool = False

    def end_if_spent(self) -> None:
        """End the phase when nothing is left, and nothing can come back."""
        if self.is_spent and not self.returned and not self.settling:
            self.over.set()


class WorkloadRun:
    """One generator's part of a workload, carried out once."""

    def __init__(self, plan: Plan, target: ExecutionTarget, cut: Cut, fail: Callable[[str], None]) -> None:
        """Make ready.

        Args:
            plan: the part of the workload.
            target: where its requests are sent, by a sender of its own.
            cut: why that sender's requests are cut off, if they are.
            fail: told why the whole load has to end, in one sentence.
        """
        self._plan = plan
        self._workload = plan.workload
        self._clock = target.clock
        self._recorder = target.recorder
        self._watch = target.sender.watch
        self._cut = cut
        self._fail = fail
        self._users = self._make_users(target)
        self._backlog: deque[Arrival] = deque()
        self._phase: _ClosedPhase | None = None
        self._first = 0  # iteration of the whole plan that the phases under way count from
        self._upcoming = plan.part.index  # the next one of this generator
        self._step = plan.part.count
        self._most = 0  # users who may be busy in the open phase that came last
        self.is_closing = False  #: nothing more will come for users for whom there is nothing now
        self._is_over = False  # nothing is offered any more
        self._longest_s = max(endpoint.request.timeout_s for endpoint in plan.endpoints) + _TIMEOUT_MARGIN_S
        self._limit = self._workload.iteration_limit
        self._active = 0  # users that a closed phase lets begin iterations
        self._background: TaskGroup  # for what must not outlast the users
        self._scope = anyio.CancelScope()
        self.spans: dict[int, PhaseSpan] = {}  #: of the phases that have begun, by their indices
        self.phase: int | None = None  #: the index of the one that is running

    def _make_users(self, target: ExecutionTarget) -> CallbackUsers | TaskUsers:
        """Return the users: without tasks, where what they send and what sends it allow that."""
        falls = _falls(self._workload.phases)
        if is_quick(self._plan) and not falls and isinstance(target.transports, DirectTransports):
            requests = QuickRequests(self._plan, target.sender, target.clock, target.recorder)
            return CallbackUsers(self, requests, target.transports)
        iterations = Iterations(self._plan, target.sender, target.clock, target.recorder, target.base_url)
        return TaskUsers(self, iterations, target.transports, may_retire=falls)

    async def run(self) -> None:
        """Carry out all phases, let iterations go on for as long as graceful_stop allows, then let them end."""
        with self._scope:
            async with anyio.create_task_group() as self._background:
                async with self._users.at_work():
                    await self._phases()
                    await self._finish()
                self._background.cancel_scope.cancel()
        if self._cut.reason == "interrupt" and self.spans:
            latest = max(self.spans)
            self.spans[latest] = PhaseSpan(self.spans[latest].started_ns, self._clock.now_ns())
        self._account_for_backlog()

    def stop(self) -> None:
        """Cut the workload off now: an interrupt, a limit, or a threshold that aborts."""
        if self._cut.reason is None:
            self._cut.reason = "interrupt"
            self._scope.cancel()

    async def _phases(self) -> None:
        start_ns = self._clock.now_ns()
        is_fixed = True
        for phase in self._workload.phases:
            if self._exhausted:
                break
            self.phase = phase.index
            self.spans[phase.index] = PhaseSpan(start_ns, start_ns)
            match phase.spec.shape:
                case Closed() as shape:
                    end_ns = await self._closed(phase, shape, start_ns)
                case Open() as shape:
                    end_ns = await self._open(phase, shape, start_ns)
            self.spans[phase.index] = PhaseSpan(start_ns, end_ns)
            start_ns = end_ns
            is_fixed = is_fixed and phase.iterations is not None
            if is_fixed:
                # Generators whose shares of a phase differ go on together, or they would skip numbers, and rows.
                self._first += phase.iterations or 0
                self._upcoming = self._first + self._plan.part.index
        self.phase = None

    @property
    def _exhausted(self) -> bool:
        """Whether the data of a feeder that does not repeat has run out."""
        return self._limit is not None and self._upcoming >= self._limit

    def _next_iteration(self) -> int:
        number = self._upcoming
        self._upcoming += self._step
        return number

    # Closed phases

    async def _closed(self, plan: PhasePlan, shape: Closed, start_ns: int) -> int:
        """Let users work until the phase's time or work is over; return when that was."""
        part = self._plan.part
        phase = self._phase = _ClosedPhase(
            plan,
            shape,
            ends_ns=None if shape.duration_s is None else start_ns + round(shape.duration_s * NS_PER_S),
            left=-1 if shape.iterations is None else part.share(shape.iterations),
            upcoming=part.index,
        )
        if shape.concurrency_from is None:
            self._set_users(phase, part.share(shape.concurrency))
        else:
            self._background.start_soon(self._ramp, phase, start_ns)
        if phase.left == 0 or (phase.ends_ns is None and phase.users == 0):
            phase.over.set()
        if phase.ends_ns is None:
            await phase.over.wait()
        else:
            await self._pause(phase, phase.ends_ns)
        phase.over.set()
        self._phase = None
        self._users.end_pauses()
        return self._clock.now_ns() if phase.ends_ns is None or self._exhausted else phase.ends_ns

    def _set_users(self, phase: _ClosedPhase, users: int) -> None:
        """Let so many users begin iterations; the iterations of others may end within graceful_stop."""
        before, phase.users, self._active = self._active, users, users
        self._users.rouse(users)
        self._fill(phase)
        if users < before and isinstance(self._users, TaskUsers):
            spec = phase.plan.spec
            self._users.retire(range(users, before), spec.grace_s, self._patience_s(spec))

    def _fill(self, phase: _ClosedPhase) -> None:
        """Add the users whom a closed phase lacks, unless too many of those there are cannot be set up."""
        while len(self._users) < phase.users and not self._users.is_held_up:
            self._users.add()

    async def _ramp(self, phase: _ClosedPhase, start_ns: int) -> None:
        """Move the number of users in a straight line, in steps of one."""
        shape = phase.shape
        steps = user_steps(shape.concurrency_from or 0, shape.concurrency, shape.duration_s or Fraction(0))
        for at_ns, users in steps:
            await self._pause(phase, start_ns + at_ns)
            if phase.over.is_set():
                return
            self._set_users(phase, self._plan.part.share(users))

    def offer(self, user: User) -> Arrival | Pause | None:
        """Return what a user is to do next, who may come from a pause; None when there is nothing for it."""
        if self._is_over:
            return None
        if self._backlog:
            arrival = self._backlog.popleft()
            if self.is_closing and not self._backlog:
                self._users.end_retries()
            return arrival
        phase = self._phase
        if phase is None:
            return None
        after = user.pause
        if after is not None and after.phase == phase.plan.index:
            return self._taken(user, phase, after.until_ns)
        now_ns = self._clock.now_ns()
        if phase.shape.think_max_s and user.iterations:
            return Pause(now_ns + self._think_ns(phase.shape, user), phase.plan.index)
        return self._taken(user, phase, now_ns)

    def _taken(self, user: User, phase: _ClosedPhase, due_ns: int) -> Arrival | None:
        """Return a closed phase's next iteration for a user; None when there is none for it."""
        if user.number >= phase.users or phase.over.is_set():
            return None
        if phase.ends_ns is not None and due_ns >= phase.ends_ns:
            return None
        if phase.has_returns:
            return self._taken_again(user, phase, due_ns)
        fields = (phase.plan.index, phase.upcoming, self._next_iteration(), due_ns, None)
        phase.upcoming += self._step
        phase.left -= 1
        if phase.left == 0 or self._exhausted:
            phase.is_spent = phase.has_returns = True
            if user.is_set_up:
                phase.end_if_spent()
        return tuple.__new__(Arrival, fields)  # half of what calling it costs

    def _taken_again(self, user: User, phase: _ClosedPhase, due_ns: int) -> Arrival | None:
        """Return an iteration that has come back for a user; without one the next, None when there is none."""
        if phase.returned:
            arrival = phase.returned.popleft()._replace(due_ns=due_ns)
            if user.is_set_up:
                phase.end_if_spent()
            return arrival
        if phase.is_spent:
            return None
        phase.has_returns = False
        return self._taken(user, phase, due_ns)

    def _think_ns(self, shape: Closed, user: User) -> int:
        number = self._plan.part.number(user.number)
        return think_ns(
            shape.think_min_s, shape.think_max_s, self._plan.seed, "think", number, user.iterations
        )

    async def _pause(self, phase: _ClosedPhase, until_ns: int) -> None:
        """Wait for a moment, or until the phase is over."""
        with anyio.move_on_after((until_ns - self._clock.now_ns()) / NS_PER_S):
            await phase.over.wait()
        if not phase.over.is_set():
            await self._clock.sleep_until(until_ns)

    # Open phases

    async def _open(self, plan: PhasePlan, shape: Open, start_ns: int) -> int:
        """Release every arrival when it is due; return when the phase is over."""
        part, users = self._plan.part, self._workload.user_limit
        limit = shape.max_in_flight if users is None else min(shape.max_in_flight, users)
        self._most = most = max(1, part.share(limit))
        length_ns = round((shape.duration_s or 0) * NS_PER_S)
        due_ns = start_ns
        not_offered_ns = max(_NOT_OFFERED_NS, _NOT_OFFERED_SHARE * length_ns)
        for number in range(part.index, plan.arrivals, part.count):
            if self._exhausted:
                return self._clock.now_ns()
            due_ns = start_ns + plan.due_ns(number)
            await self._clock.meet(due_ns)
            arrival = Arrival(plan.index, number, self._next_iteration(), due_ns)
            self._give(arrival, most, shape.overflow)
            late_ns = self._clock.now_ns() - due_ns
            if late_ns > not_offered_ns:
                self._recorder.late_arrival(plan.index)
            if late_ns > _BEHIND_NS:
                # Waiting for the past takes no time: without this, nobody else would run until all is released.
                await anyio.lowlevel.checkpoint()
        end_ns = max(due_ns, start_ns + length_ns)
        await self._clock.sleep_until(end_ns)
        return end_ns

    def _give(self, arrival: Arrival, most: int, overflow: str) -> None:
        """Hand an arrival to the free user with the lowest number, to a new one, or to the queue."""
        if self._users.busy >= most:
            if overflow == "wait":
                self._backlog.append(arrival._replace(waiting_since_ns=self._clock.now_ns()))
            else:
                self._drop(arrival, self._clock.now_ns())
            if overflow == "abort":
                self._fail(f"max_in_flight of {most:,} iterations was reached, and overflow is abort")
        elif not self._users.wake_first(arrival):
            self._add_for(arrival)

    def _add_for(self, arrival: Arrival) -> None:
        """Add a user for an arrival; while too many cannot be set up, it waits for one instead."""
        if self._users.is_held_up:
            self._backlog.append(_waiting(arrival, self._clock.now_ns()))
        else:
            self._users.add(arrival)

    # Users

    def settling(self, arrival: Arrival) -> None:
        """Take that a user who has been given an arrival is set up first."""
        if (phase := self._closed_of(arrival)) is not None:
            phase.settling += 1

    def settled(self, arrival: Arrival, *, passed: bool) -> None:
        """Take that this has ended, with the arrival, which another user may have when it did not pass."""
        phase = self._closed_of(arrival)
        if phase is not None:
            phase.settling -= 1
        if not passed:
            self._give_back(arrival, phase)
        if phase is not None:
            phase.end_if_spent()
        if passed:
            self.late()

    def _closed_of(self, arrival: Arrival) -> _ClosedPhase | None:
        """Return the closed phase that an arrival is of, if that is still under way."""
        phase = self._phase
        return phase if phase is not None and phase.plan.index == arrival.phase else None

    def _give_back(self, arrival: Arrival, phase: _ClosedPhase | None) -> None:
        """Let another user have an arrival; what time has ended in the meantime is not reached."""
        if phase is not None and not phase.over.is_set():
            phase.returned.append(arrival)
            phase.has_returns = True
            self._users.rouse(phase.users)
        elif isinstance(self._plan.phases[arrival.phase].spec.shape, Open):
            waiting = _waiting(arrival, self._clock.now_ns())
            if self._users.busy >= self._most:
                self._backlog.appendleft(waiting)
            elif not self._users.wake_first(waiting):
                self._add_for(waiting)

    def late(self) -> None:
        """Add the users who were held up, as more users are set up than before."""
        phase = self._phase
        if phase is not None and not phase.over.is_set():
            self._fill(phase)
        while self._backlog and self._users.busy < self._most and not self._users.is_held_up:
            self._users.add(self._backlog.popleft())

    def wants(self, user: User) -> bool:
        """Return whether there may be something to do for a user who is not set up."""
        if self.is_closing:
            return bool(self._backlog) and not self._is_over
        return self._phase is None or user.number < self._phase.users

    def phase_of_setup(self) -> int:
        """Return the index of the phase in which a user is set up now."""
        return max(self.spans)

    def number(self, local: int) -> int:
        """Return the number of a user among those of all generators and workloads."""
        return self._workload.first_user + self._plan.part.number(local)

    async def _finish(self) -> None:
        """Let iterations go on for graceful_stop, then end with what they have in flight, and cut off what does not."""
        self.is_closing = True
        self._users.rouse(len(self._users))
        if not self._backlog:
            self._users.end_retries()
        spec = self._workload.phases[-1].spec
        if await self._quiet_within(spec.grace_s):
            return
        self._is_over = True
        self._users.take_back()
        if not await self._quiet_within(self._patience_s(spec)):
            self._cut.reason = "graceful_stop"
            self._scope.cancel()

    async def _quiet_within(self, length_s: float) -> bool:
        """Wait until all users have left, for so long at most; return whether they have."""
        with anyio.move_on_after(length_s):
            if self._users.busy:
                await self._users.quiet.wait()
        return not self._users.busy

    def _patience_s(self, spec: Phase) -> float:
        """Return how long requests in flight may take when no others may begin: a written graceful_stop cuts them."""
        return self._longest_s if spec.graceful_stop_s is None else 0.0

    def _account_for_backlog(self) -> None:
        """Count arrivals that waited in vain: dropped when graceful_stop ran out, not reached when interrupted."""
        if self._cut.reason == "interrupt":
            return
        for arrival in self._backlog:
            self._drop(arrival, arrival.due_ns)  # it waited in vain, whenever it was released
            if self._users.has_failed_users:
                self._recorder.iteration(arrival.phase, in_error=True)

    def _drop(self, arrival: Arrival, released_ns: int) -> None:
        late = self._watch.given_up(arrival.due_ns, released_ns)
        for endpoint, count in self._plan.phases[arrival.phase].traffic.requests_of(arrival.number).items():
            self._recorder.dropped(arrival.phase, endpoint, count, late)


def _waiting(arrival: Arrival, now_ns: int) -> Arrival:
    """Return an arrival that waits from now on, unless it has waited before."""
    return arrival if arrival.waiting_since_ns is not None else arrival._replace(waiting_since_ns=now_ns)


def _falls(phases: Sequence[PhasePlan]) -> bool:
    """Return whether concurrency falls anywhere, so that iterations may have to be cut off while others go on."""
    levels: list[int] = []
    for phase in phases:
        shape = phase.spec.shape
        if isinstance(shape, Closed):
            levels += [
                shape.concurrency if shape.concurrency_from is None else shape.concurrency_from,
                shape.concurrency,
            ]
    return any(after < before for before, after in pairwise(levels))
