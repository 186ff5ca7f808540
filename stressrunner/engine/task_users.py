"""Users that are tasks: they can run any iteration, wait inside of it, and be cut off in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from stressrunner.engine.iteration import Arrival, Iterations
from stressrunner.engine.permit import Permit
from stressrunner.engine.retries import Retries, retry_pause_s
from stressrunner.engine.user_pool import IterationSource, Pause, UserPool
from stressrunner.http.exchange import Transport, TransportFactory
from stressrunner.units import NS_PER_S

__all__ = ["TaskUsers"]


@dataclass(slots=True)
class _TaskUser:
    """A user: the task that runs its iterations waits for `awake`, or is in an iteration."""

    number: int
    iterations: int = 0
    pause: Pause | None = None
    mail: Arrival | None = None
    is_set_up: bool = True  #: it can begin an iteration at once
    is_running: bool = False  #: an iteration
    awake: anyio.Event | None = None  #: while it waits
    permit: Permit = field(default_factory=Permit)  #: of the iteration that it is in, or of all of them

    def wake(self, arrival: Arrival | None = None) -> None:
        """Have it run an arrival, or without one look for work again."""
        self.mail = arrival
        if self.awake is not None:
            self.awake.set()


class TaskUsers(UserPool[_TaskUser]):
    """Users, each in a task that lives as long as the workload."""

    def __init__(
        self, work: IterationSource, iterations: Iterations, transports: TransportFactory, *, may_retire: bool
    ) -> None:
        """Make ready.

        Args:
            work: what offers iterations to them.
            iterations: what runs those.
            transports: opens one for each user.
            may_retire: iterations may be cut off while others go on, which costs each of them some microseconds.
        """
        super().__init__(work, iterations.clock)
        self._iterations = iterations
        self._transports = transports
        self._clock = iterations.clock
        self._may_retire = may_retire
        self._tasks: TaskGroup
        self._retries = Retries()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let users join while this is entered; left in order, it waits for them."""
        async with super().at_work(), anyio.create_task_group() as self._tasks:
            yield

    def add(self, arrival: Arrival | None = None) -> None:
        """Add a user, who is busy from the beginning: with an arrival, or with what is offered to it."""
        is_set_up = not self._iterations.needs_users_set_up
        user = self._join(lambda number: _TaskUser(number, mail=arrival, is_set_up=is_set_up))
        self._tasks.start_soon(self._live, user)

    @property
    def is_held_up(self) -> bool:
        """Whether no users are to be added for now, as too many cannot be set up."""
        return self._retries.hold_up(len(self))

    @property
    def has_failed_users(self) -> bool:
        """Whether there are users who could not be set up."""
        return self._iterations.users.has_failed

    def end_retries(self) -> None:
        """Have users who could not be set up leave: there is nothing more for them."""
        self._retries.end_pauses()

    def retire(self, numbers: range, grace_s: float, patience_s: float) -> None:
        """Have the iterations that some users are in begin no further requests after `grace_s`.

        What is then in flight is cut off after another `patience_s`.
        """
        for user in self._users[numbers.start : numbers.stop]:
            if user.is_running:
                self._background.start_soon(self._retire, user.permit, grace_s, patience_s)

    async def _retire(self, permit: Permit, grace_s: float, patience_s: float) -> None:
        await self._sleep(grace_s)
        permit.take_back()
        await self._sleep(patience_s)
        permit.scope.cancel()  # it is that of an iteration, which may have ended long ago

    async def _sleep(self, length_s: float) -> None:
        await self._clock.sleep_until(self._clock.now_ns() + round(length_s * NS_PER_S))

    def take_back(self) -> None:
        """Have all users end with the requests that they have in flight; nothing is offered to them any more."""
        for user in self._users:
            user.permit.take_back()

    async def _live(self, user: _TaskUser) -> None:
        """Run iterations until there will be no more."""
        number = self._work.number(user.number)
        async with self._transports.open() as transport:
            if self._may_retire:
                while (arrival := await self._next(user)) is not None:
                    user.permit = Permit()
                    with user.permit.scope:
                        await self._serve(user, number, arrival, transport)
                return
            with user.permit.scope as scope:
                while (arrival := await self._next(user)) is not None:
                    await self._serve(user, number, arrival, transport)
            if scope.cancelled_caught:
                self._leave()

    async def _serve(self, user: _TaskUser, number: int, arrival: Arrival, transport: Transport) -> None:
        """Run an iteration, after `user_setup` if that is the user's first."""
        if user.is_set_up:
            await self._iterate(user, number, arrival, transport)
            return
        began_ns = self._clock.now_ns()
        self._work.settling(arrival)
        user.is_set_up = await self._iterations.users.set_up(number, arrival.phase, transport, user.permit)
        # The time that this takes is no part of the load.
        arrival = arrival.later(self._clock.now_ns() - began_ns)
        if user.is_set_up:
            self._work.settled(arrival, passed=True)
            await self._iterate(user, number, arrival, transport)
            return
        with self._retries.retrying(user.number):
            self._work.settled(arrival, passed=False)
            await self._retry(user, number, transport)
        if user.is_set_up:
            self._work.late()

    async def _retry(self, user: _TaskUser, number: int, transport: Transport) -> None:
        """Set a user up who has failed to be, again and again, for as long as there may be work for it."""
        users = self._iterations.users
        while not user.is_set_up and self._work.wants(user):
            with user.permit.waiting():
                pause_s = retry_pause_s(self._iterations.seed, number, users.failures(number))
                await self._retries.pause(user.number, pause_s)
            if not self._work.wants(user):
                return
            phase = self._work.phase_of_setup()
            user.is_set_up = await users.set_up(number, phase, transport, user.permit)

    async def _iterate(self, user: _TaskUser, number: int, arrival: Arrival, transport: Transport) -> None:
        user.is_running = True
        try:
            await self._iterations.run(
                arrival,
                user=number,
                user_iteration=user.iterations,
                transport=transport,
                permit=user.permit,
            )
        finally:
            user.is_running = False
        user.iterations += 1

    async def _next(self, user: _TaskUser) -> Arrival | None:
        """Return what a user is to run next; wait while there is nothing; None when there will be nothing more."""
        while True:
            if user.mail is not None:
                arrival, user.mail = user.mail, None
                return arrival
            following = self.following(user)
            if following is not None or (self._work.is_closing and user.pause is None):
                return following
            user.awake = anyio.Event()
            await user.awake.wait()
            user.awake = None
