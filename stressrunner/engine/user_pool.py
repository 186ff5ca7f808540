"""The users of a workload: who is busy, who waits, and where they get their iterations from."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from heapq import heapify, heappop, heappush
from typing import Generic, NamedTuple, Protocol, TypeVar

import anyio
from anyio.abc import TaskGroup

from stressrunner.engine.clock import Clock
from stressrunner.engine.iteration import Arrival
from stressrunner.engine.pauses import Pauses

__all__ = ["IterationSource", "Pause", "User", "UserPool"]


class Pause(NamedTuple):
    """What a user does before its next iteration in a closed phase."""

    until_ns: int
    phase: int  #: the index of the phase


class User(Protocol):
    """A user as its workload sees it."""

    pause: Pause | None  #: that it is in, or has just come from

    @property
    def number(self) -> int:
        """Its number in its workload and this generator."""

    @property
    def iterations(self) -> int:
        """How many it has begun, the one that it asks for left out."""

    @property
    def is_set_up(self) -> bool:
        """Whether it can begin an iteration at once."""

    def wake(self, arrival: Arrival | None = None) -> None:
        """Have it run an arrival, or without one look for work again; only while it waits."""


class IterationSource(Protocol):
    """Where the users of a workload get their iterations from."""

    @property
    def is_closing(self) -> bool:
        """Whether nothing more will come for a user for whom there is nothing now."""

    def number(self, local: int) -> int:
        """Return the number of a user in the whole plan for the one in its workload and this generator."""

    def settling(self, arrival: Arrival) -> None:
        """Take that a user who has been given an arrival is set up first."""

    def settled(self, arrival: Arrival, *, passed: bool) -> None:
        """Take that this has ended, with the arrival, which another user may have when it did not pass."""

    def late(self) -> None:
        """Take that a user has been set up who had failed to be, and has no arrival."""

    def wants(self, user: User) -> bool:
        """Return whether there may be something to do for a user who is not set up."""

    def phase_of_setup(self) -> int:
        """Return the index of the phase in which a user is set up now."""

    def offer(self, user: User) -> Arrival | Pause | None:
        """Return what a user is to do next, who may come from a pause; None when there is nothing for it."""


U = TypeVar("U", bound=User)


class UserPool(Generic[U]):
    """Keeps the users of a workload, and which of them wait; those that do not are busy."""

    def __init__(self, work: IterationSource, clock: Clock) -> None:
        """`work` is what offers iterations to them; they pause by the clock."""
        self._work = work
        self._pauses: Pauses[U] = Pauses(clock, lambda user: user.wake())
        self._background: TaskGroup  # for what must not outlast the users
        self._users: list[U] = []
        self._idle: list[int] = []  # heap of the numbers of users that wait
        self.busy = 0
        self.quiet = anyio.Event()  #: set when the last of those that were busy has left

    def __len__(self) -> int:
        return len(self._users)

    @property
    def is_held_up(self) -> bool:
        """Whether no users are to be added for now, as too many cannot be set up."""
        return False

    @property
    def has_failed_users(self) -> bool:
        """Whether there are users who could not be set up."""
        return False

    def end_retries(self) -> None:
        """Have users who could not be set up leave: there is nothing more for them."""

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Let users join while this is entered."""
        async with anyio.create_task_group() as self._background:
            self._background.start_soon(self._pauses.run)
            yield
            self._background.cancel_scope.cancel()

    def _join(self, make: Callable[[int], U]) -> U:
        """Add the user that is made for a number; it is busy."""
        user = make(len(self._users))
        self._users.append(user)
        self.busy += 1
        return user

    def following(self, user: U) -> Arrival | None:
        """Return what a user is to run next, if that is there already; else let it pause, wait or leave."""
        offered = self._work.offer(user)
        if isinstance(offered, Arrival):
            user.pause = None
            return offered
        user.pause = offered
        if offered is not None:
            self._pauses.add(user, offered.until_ns)
            return None
        if self._work.is_closing:
            self._leave()
        else:
            self.busy -= 1
            heappush(self._idle, user.number)
        return None

    def _leave(self) -> None:
        """Let a user that was busy go."""
        self.busy -= 1
        if self.busy == 0:
            self.quiet.set()

    def take_back(self) -> None:
        """Have all users end with the requests that they have in flight; nothing is offered to them any more."""

    def end_pauses(self) -> None:
        """Let the users that pause look for work again."""
        self._pauses.end()

    def wake_first(self, arrival: Arrival) -> bool:
        """Give an arrival to the waiting user with the lowest number; return False when none waits."""
        if not self._idle:
            return False
        user = self._users[heappop(self._idle)]
        self.busy += 1
        user.wake(arrival)
        return True

    def rouse(self, below: int) -> None:
        """Wake the waiting users with numbers below a limit, so that they look for work again."""
        roused = [number for number in self._idle if number < below]
        self._idle = [number for number in self._idle if number >= below]
        heapify(self._idle)
        self.busy += len(roused)
        for number in roused:
            self._users[number].wake()
