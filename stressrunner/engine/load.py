"""When iterations run: users, phases, and the dispatcher that releases what is due.

Users are tasks that live as long as the load and run one iteration after the other. In a closed phase a user
takes its next iteration by itself; in an open one the dispatcher releases every arrival when it is due and gives
it to the free user with the lowest number, or to a new one. Arrivals that find `max_in_flight` users busy wait in
order: they have been released, so that their waiting is `queue` and not the generator's lag.
"""

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import heapify, heappop, heappush
from itertools import pairwise

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from stressrunner.engine.budget import Budget
from stressrunner.engine.clock import Clock
from stressrunner.engine.iteration import Arrival, Iterations
from stressrunner.engine.pauses import think_ns
from stressrunner.engine.quick import QuickRequests, QuickUser, is_quick
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sending import Cut, Sender
from stressrunner.http.exchange import DirectTransport, Transport, TransportFactory
from stressrunner.plan.pacing import user_steps
from stressrunner.plan.plan import PhasePlan, Plan
from stressrunner.scenario.model import Closed, Open
from stressrunner.units import NS_PER_S

__all__ = ["Load", "PhaseSpan"]


_BEHIND_NS = 1_000_000  #: so late, the dispatcher lets others run after every arrival


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """When a phase took place, in monotonic nanoseconds."""

    started_ns: int
    ended_ns: int  #: its last arrival or the end of its duration; its requests may end later


@dataclass(slots=True)
class _User:
    """A user: the task that runs its iterations waits for `awake`, or is in the scope of an iteration."""

    number: int  #: in this generator
    iterations: int = 0
    mail: Arrival | None = None
    awake: anyio.Event = field(default_factory=anyio.Event)
    scope: anyio.CancelScope | None = None
    quick: QuickUser | None = None  #: runs the iterations, if callbacks can
    is_parked: bool = False  #: waits inside `quick`, which can begin an iteration at once


@dataclass(slots=True)
class _ClosedPhase:
    """A closed phase under way."""

    plan: PhasePlan
    shape: Closed
    ends_ns: int | None
    share: int | None  #: iterations of this generator
    users: int = 0  #: of this generator that may begin iterations; moves on a ramp
    taken: int = 0
    over: anyio.Event = field(default_factory=anyio.Event)


class Load:
    """One generator's part of a plan, carried out once."""

    def __init__(
        self, plan: Plan, transports: TransportFactory, base_url: str, clock: Clock, recorder: Recorder
    ) -> None:
        self._plan = plan
        self._transports = transports
        self._clock = clock
        self._recorder = recorder
        self._cut = Cut()
        most = plan.limits.requests
        budget = None if most is None else Budget(plan.part.share(most), self._hit_limit)
        sender = Sender(base_url, clock, recorder, self._cut, budget)
        self._iterations = Iterations(plan, sender, clock, recorder, base_url)
        self._users: list[_User] = []
        self._idle: list[int] = []  # heap of the numbers of users that wait
        self._busy = 0
        self._backlog: deque[Arrival] = deque()
        self._phase: _ClosedPhase | None = None
        self._first = 0  # iteration of the whole plan that `_begun` counts from
        self._begun = 0  # iterations of this generator that were given a number since
        self._closing = False
        self._falls = _falls(plan)
        self._requests = (
            QuickRequests(plan, sender, clock, recorder) if is_quick(plan) and not self._falls else None
        )
        self._limit = plan.iteration_limit
        self._active = 0  # users that a closed phase lets begin iterations
        self._background: TaskGroup  # for what must not outlast the users
        self._quiet = anyio.Event()
        self._scope = anyio.CancelScope()
        self.failure = ""  #: why the load cut itself off, in one sentence
        self.limit_hit = ""  #: the hard limit that cut the load off, in one sentence
        self.spans: list[PhaseSpan] = []  #: of the phases that have begun

    async def run(self) -> None:
        """Carry out all phases, let iterations finish for as long as graceful_stop allows, and cut off the rest."""
        with self._scope:
            async with anyio.create_task_group() as self._background:
                async with anyio.create_task_group() as tasks:
                    await self._phases(tasks)
                    await self._finish()
                self._background.cancel_scope.cancel()
        if self._cut.reason == "interrupt" and self.spans:
            self.spans[-1] = PhaseSpan(self.spans[-1].started_ns, self._clock.now_ns())
        self._account_for_backlog()

    @property
    def phase(self) -> int | None:
        """The index of the phase that is running; None once the last one has ended."""
        return None if self._closing or not self.spans else len(self.spans) - 1

    def stop(self) -> None:
        """Cut the load off now: an interrupt, or a threshold that aborts."""
        if self._cut.reason is None:
            self._cut.reason = "interrupt"
            self._scope.cancel()

    def _hit_limit(self) -> None:
        self.limit_hit = f"a hard limit was hit: limits.requests allows {self._plan.limits.requests:,}"
        self.stop()

    async def _phases(self, tasks: TaskGroup) -> None:
        start_ns = self._clock.now_ns()
        is_fixed = True
        for phase in self._plan.phases:
            if self._exhausted:
                return
            self.spans.append(PhaseSpan(start_ns, start_ns))
            match phase.spec.shape:
                case Closed() as shape:
                    end_ns = await self._closed(phase, shape, start_ns, tasks)
                case Open() as shape:
                    end_ns = await self._open(phase, shape, start_ns, tasks)
            self.spans[-1] = PhaseSpan(start_ns, end_ns)
            start_ns = end_ns
            is_fixed = is_fixed and phase.iterations is not None
            if is_fixed:
                # Generators whose shares of a phase differ go on together, or they would skip numbers, and rows.
                self._first, self._begun = self._first + (phase.iterations or 0), 0

    @property
    def _exhausted(self) -> bool:
        """Whether the data of a feeder that does not repeat has run out."""
        return self._limit is not None and self._first + self._plan.part.number(self._begun) >= self._limit

    def _next_iteration(self) -> int:
        number = self._first + self._plan.part.number(self._begun)
        self._begun += 1
        return number

    # Closed phases

    async def _closed(self, plan: PhasePlan, shape: Closed, start_ns: int, tasks: TaskGroup) -> int:
        """Let users work until the phase's time or work is over; return when that was."""
        part = self._plan.part
        phase = self._phase = _ClosedPhase(
            plan,
            shape,
            ends_ns=None if shape.duration_s is None else start_ns + round(shape.duration_s * NS_PER_S),
            share=None if shape.iterations is None else part.share(shape.iterations),
        )
        if shape.concurrency_from is None:
            self._set_users(phase, part.share(shape.concurrency), tasks)
        else:
            self._background.start_soon(self._ramp, phase, start_ns, tasks)
        if phase.share == 0 or (phase.ends_ns is None and phase.users == 0):
            phase.over.set()
        if phase.ends_ns is None:
            await phase.over.wait()
        else:
            await self._pause(phase, phase.ends_ns)
        phase.over.set()
        self._phase = None
        return self._clock.now_ns() if phase.ends_ns is None or self._exhausted else phase.ends_ns

    def _set_users(self, phase: _ClosedPhase, users: int, tasks: TaskGroup) -> None:
        """Let so many users begin iterations; the iterations of others may end within graceful_stop."""
        before, phase.users, self._active = self._active, users, users
        self._rouse(users)
        while len(self._users) < users:
            self._new_user(tasks)
        for user in self._users[users:before]:
            if user.scope is not None:
                self._background.start_soon(self._retire, user, phase.plan.spec.graceful_stop_s)

    async def _ramp(self, phase: _ClosedPhase, start_ns: int, tasks: TaskGroup) -> None:
        """Move the number of users in a straight line, in steps of one."""
        shape = phase.shape
        steps = user_steps(shape.concurrency_from or 0, shape.concurrency, shape.duration_s or Fraction(0))
        for at_ns, users in steps:
            await self._pause(phase, start_ns + at_ns)
            if phase.over.is_set():
                return
            self._set_users(phase, self._plan.part.share(users), tasks)

    async def _retire(self, user: _User, graceful_s: float) -> None:
        """Cut off the iteration that a user is in, if it has not ended by then."""
        scope = user.scope
        await self._clock.sleep_until(self._clock.now_ns() + round(graceful_s * NS_PER_S))
        if scope is not None and user.scope is scope:
            scope.cancel()

    async def _take(self, user: _User) -> Arrival | None:
        """Return a closed phase's next iteration for a user, after its pause; None when there is none."""
        while (phase := self._phase) is not None:
            due_ns = self._clock.now_ns()
            if phase.shape.think_max_s and user.iterations:
                due_ns += self._think_ns(phase.shape, user)
                await self._pause(phase, due_ns)
            arrival = self._taken(user, phase, due_ns)
            if arrival is not None or self._phase is phase:
                return arrival
            # The phase ended in the pause, and the next one took this user for a busy one.
        return None

    def _taken(self, user: _User, phase: _ClosedPhase, due_ns: int) -> Arrival | None:
        """Return a closed phase's next iteration for a user; None when there is none for it."""
        if user.number >= phase.users or phase.over.is_set():
            return None
        if phase.ends_ns is not None and due_ns >= phase.ends_ns:
            return None
        number = self._plan.part.number(phase.taken)
        phase.taken += 1
        arrival = Arrival(phase.plan.index, number, self._next_iteration(), due_ns)
        if phase.taken == phase.share or self._exhausted:
            phase.over.set()
        return arrival

    def _think_ns(self, shape: Closed, user: _User) -> int:
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

    async def _open(self, plan: PhasePlan, shape: Open, start_ns: int, tasks: TaskGroup) -> int:
        """Release every arrival when it is due; return when the phase is over."""
        part, users = self._plan.part, self._plan.user_limit
        limit = shape.max_in_flight if users is None else min(shape.max_in_flight, users)
        most = max(1, part.share(limit))
        for number in range(part.index, plan.arrivals, part.count):
            if self._exhausted:
                return self._clock.now_ns()
            due_ns = start_ns + plan.due_ns(number)
            await self._clock.sleep_until(due_ns)
            arrival = Arrival(plan.index, number, self._next_iteration(), due_ns)
            self._give(arrival, most, shape.overflow, tasks)
            if self._clock.now_ns() - due_ns > _BEHIND_NS:
                # Waiting for the past takes no time: without this, nobody else would run until all is released.
                await anyio.lowlevel.checkpoint()
        end_ns = start_ns + round(shape.duration_s * NS_PER_S)
        await self._clock.sleep_until(end_ns)
        return end_ns

    def _give(self, arrival: Arrival, most: int, overflow: str, tasks: TaskGroup) -> None:
        """Hand an arrival to the free user with the lowest number, to a new one, or to the queue."""
        if self._busy >= most:
            if overflow == "wait":
                self._backlog.append(arrival._replace(waiting_since_ns=self._clock.now_ns()))
            else:
                self._drop(arrival)
            if overflow == "abort":
                self.failure = f"max_in_flight of {most:,} iterations was reached, and overflow is abort"
                self.stop()
        elif self._idle:
            user = self._users[heappop(self._idle)]
            self._busy += 1
            if user.is_parked and user.quick is not None:
                user.is_parked = False
                user.quick.begin(arrival)
            else:
                user.mail = arrival
                user.awake.set()
        else:
            self._new_user(tasks, arrival)

    # Users

    def _new_user(self, tasks: TaskGroup, arrival: Arrival | None = None) -> None:
        user = _User(len(self._users), mail=arrival)
        self._users.append(user)
        self._busy += 1
        tasks.start_soon(self._live, user)

    async def _live(self, user: _User) -> None:
        """Run iterations until the load closes."""
        async with self._transports.open() as transport:
            if self._requests is not None and isinstance(transport, DirectTransport):
                number = self._plan.part.number(user.number)
                user.quick = QuickUser(self._requests, number, transport, lambda: self._following(user))
                while (arrival := await self._next(user)) is not None:
                    await user.quick.run(arrival)
                    user.iterations = user.quick.iterations
            else:
                await self._iterate(user, transport)

    async def _iterate(self, user: _User, transport: Transport) -> None:
        """Run iterations, each of which may do anything."""
        run, number = self._iterations.run, self._plan.part.number(user.number)
        while (arrival := await self._next(user)) is not None:
            iterating = run(arrival, user=number, user_iteration=user.iterations, transport=transport)
            if self._falls:
                with anyio.CancelScope() as user.scope:
                    await iterating
                user.scope = None
            else:
                await iterating
            user.iterations += 1

    async def _next(self, user: _User) -> Arrival | None:
        """Return what a user is to run next; wait while there is nothing; None when the load closes."""
        while True:
            waiting = self._waiting(user)
            if waiting is not None:
                return waiting
            taken = await self._take(user)
            if taken is not None:
                return taken
            self._busy -= 1
            if self._closing:
                if self._busy == 0:
                    self._quiet.set()
                return None
            user.awake = anyio.Event()
            heappush(self._idle, user.number)
            await user.awake.wait()

    def _waiting(self, user: _User) -> Arrival | None:
        """Return the arrival that waits for a user, or for any; None when there is none."""
        if user.mail is not None:
            arrival, user.mail = user.mail, None
            return arrival
        return self._backlog.popleft() if self._backlog else None

    def _following(self, user: _User) -> Arrival | None:
        """Return what a quick user is to run next, if that is there already; else let it wait or leave."""
        arrival = self._waiting(user)
        phase = self._phase
        if arrival is None and phase is not None and not phase.shape.think_max_s:
            arrival = self._taken(user, phase, self._clock.now_ns())
        if arrival is None and user.quick is not None:
            if phase is None and not self._closing:
                self._busy -= 1
                heappush(self._idle, user.number)
                user.is_parked = True
            else:
                user.quick.leave()
        return arrival

    def _rouse(self, below: int) -> None:
        """Wake the waiting users with numbers below a limit, so that they look for work again."""
        roused = [number for number in self._idle if number < below]
        self._idle = [number for number in self._idle if number >= below]
        heapify(self._idle)
        self._busy += len(roused)
        for number in roused:
            user = self._users[number]
            if user.is_parked and user.quick is not None:
                user.is_parked = False
                user.quick.leave()
            else:
                user.awake.set()

    async def _finish(self) -> None:
        """Let iterations end within graceful_stop, then cut off what is still running."""
        self._closing = True
        self._rouse(len(self._users))
        if self._busy == 0:
            return
        graceful_s = self._plan.phases[-1].spec.graceful_stop_s
        with anyio.move_on_after(graceful_s) as waiting:
            await self._quiet.wait()
        if waiting.cancelled_caught:
            self._cut.reason = "graceful_stop"
            self._scope.cancel()

    def _account_for_backlog(self) -> None:
        """Count arrivals that waited in vain: dropped when graceful_stop ran out, not reached when interrupted."""
        if self._cut.reason == "interrupt":
            return
        for arrival in self._backlog:
            self._drop(arrival)

    def _drop(self, arrival: Arrival) -> None:
        for endpoint, count in self._plan.phases[arrival.phase].traffic.requests_of(arrival.number).items():
            self._recorder.dropped(arrival.phase, endpoint, count)


def _falls(plan: Plan) -> bool:
    """Return whether concurrency falls anywhere, so that iterations may have to be cut off while others go on."""
    levels: list[int] = []
    for phase in plan.phases:
        shape = phase.spec.shape
        if isinstance(shape, Closed):
            levels += [
                shape.concurrency if shape.concurrency_from is None else shape.concurrency_from,
                shape.concurrency,
            ]
    return any(after < before for before, after in pairwise(levels))
