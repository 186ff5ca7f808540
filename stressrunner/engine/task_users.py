"""Users that are tasks: they can run any iteration, wait inside of it, and be cut off in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup

from stressrunner.engine.crowd import Crowd, Pause, Work
from stressrunner.engine.iteration import Arrival, Iterations
from stressrunner.http.exchange import TransportFactory
from stressrunner.units import NS_PER_S

__all__ = ["TaskCrowd"]


@dataclass(slots=True)
class _TaskUser:
    """A user: the task that runs its iterations waits for `awake`, or is in the scope of an iteration."""

    number: int
    iterations: int = 0
    pause: Pause | None = None
    mail: Arrival | None = None
    awake: anyio.Event | None = None  #: while it waits
    scope: anyio.CancelScope | None = None

    def wake(self, arrival: Arrival | None = None) -> None:
        """Have it run an arrival, or without one look for work again."""
        self.mail = arrival
        if self.awake is not None:
            self.awake.set()


class TaskCrowd(Crowd[_TaskUser]):
    """Users, each in a task that lives as long as the stream."""

    def __init__(
        self, work: Work, iterations: Iterations, transports: TransportFactory, *, may_retire: bool
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

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let users join while this is entered; left in order, it waits for them."""
        async with super().at_work(), anyio.create_task_group() as self._tasks:
            yield

    def add(self, arrival: Arrival | None = None) -> None:
        """Add a user, who is busy from the beginning: with an arrival, or with what is offered to it."""
        self._tasks.start_soon(self._live, self._join(lambda number: _TaskUser(number, mail=arrival)))

    def retire(self, numbers: range, graceful_s: float) -> None:
        """Cut off the iterations that some users are in, if they have not ended by then."""
        for user in self._users[numbers.start : numbers.stop]:
            if user.scope is not None:
                self._background.start_soon(self._cut_off, user, user.scope, graceful_s)

    async def _cut_off(self, user: _TaskUser, scope: anyio.CancelScope, graceful_s: float) -> None:
        await self._clock.sleep_until(self._clock.now_ns() + round(graceful_s * NS_PER_S))
        if user.scope is scope:
            scope.cancel()

    async def _live(self, user: _TaskUser) -> None:
        """Run iterations until there will be no more."""
        run, number = self._iterations.run, self._work.number(user.number)
        async with self._transports.open() as transport:
            while (arrival := await self._next(user)) is not None:
                iterating = run(arrival, user=number, user_iteration=user.iterations, transport=transport)
                if self._may_retire:
                    with anyio.CancelScope() as user.scope:
                        await iterating
                    user.scope = None
                else:
                    await iterating
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
