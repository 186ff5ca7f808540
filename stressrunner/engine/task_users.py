"""Users that are tasks: they can run any iteration, wait inside of it, and be cut off in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from stressrunner.engine.crowd import Crowd, Pause, Work
from stressrunner.engine.iteration import Arrival, Iterations
from stressrunner.engine.permit import Permit
from stressrunner.http.exchange import Transport, TransportFactory
from stressrunner.units import NS_PER_S

__all__ = ["TaskCrowd"]


@dataclass(slots=True)
class _TaskUser:
    """A user: the task that runs its iterations waits for `awake`, or is in an iteration."""

    number: int
    iterations: int = 0
    pause: Pause | None = None
    mail: Arrival | None = None
    is_running: bool = False  #: an iteration
    awake: anyio.Event | None = None  #: while it waits
    permit: Permit = field(default_factory=Permit)  #: of the iteration that it is in, or of all of them

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
                        await self._iterate(user, number, arrival, transport)
                return
            with user.permit.scope as scope:
                while (arrival := await self._next(user)) is not None:
                    await self._iterate(user, number, arrival, transport)
            if scope.cancelled_caught:
                self._leave()

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
