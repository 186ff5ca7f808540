"""The users of a stream: who is busy, who waits, and where they get their iterations from."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from heapq import heapify, heappop, heappush
from typing import Generic, NamedTuple, Protocol, TypeVar

import anyio

from stressrunner.engine.iteration import Arrival

__all__ = ["AnyCrowd", "Crowd", "Pause", "User", "Work"]


class User(Protocol):
    """A user as its stream sees it."""

    @property
    def number(self) -> int:
        """Its number in its stream and this generator."""

    @property
    def iterations(self) -> int:
        """How many it has begun, the one that it asks for left out."""

    def wake(self, arrival: Arrival | None = None) -> None:
        """Have it run an arrival, or without one look for work again; only while it waits."""


class Pause(NamedTuple):
    """What a user does before its next iteration in a closed phase."""

    until_ns: int
    phase: int  #: the index of the phase


class Work(Protocol):
    """Where the users of a stream get their iterations from."""

    @property
    def is_closing(self) -> bool:
        """Whether nothing more will come for a user for whom there is nothing now."""

    def offer(self, user: User, after: Pause | None = None) -> Arrival | Pause | None:
        """Return what a user is to do next, who may come from a pause; None when there is nothing for it."""


class AnyCrowd(Protocol):
    """All users of a stream in one generator, whatever they are run by."""

    busy: int  #: those that do not wait
    quiet: anyio.Event  #: set when the last of those that were busy has left

    def __len__(self) -> int:
        """Return how many have joined."""

    def at_work(self) -> AbstractAsyncContextManager[None]:
        """Let users join while this is entered, and leave all that they have opened at its end."""

    def add(self, arrival: Arrival | None = None) -> None:
        """Add a user, who is busy from the beginning: with an arrival, or with what is offered to it."""

    def wake_first(self, arrival: Arrival) -> bool:
        """Give an arrival to the waiting user with the lowest number; return False when none waits."""

    def rouse(self, below: int) -> None:
        """Wake the waiting users with numbers below a limit, so that they look for work again."""

    def end_pauses(self) -> None:
        """Let the users that pause look for work again."""


U = TypeVar("U", bound=User)


class Crowd(Generic[U]):
    """Keeps the users of a stream, and which of them wait; those that do not are busy."""

    def __init__(self) -> None:
        self._users: list[U] = []
        self._idle: list[int] = []  # heap of the numbers of users that wait
        self.busy = 0
        self.quiet = anyio.Event()

    def __len__(self) -> int:
        return len(self._users)

    def _join(self, make: Callable[[int], U]) -> U:
        """Add the user that is made for a number; it is busy."""
        user = make(len(self._users))
        self._users.append(user)
        self.busy += 1
        return user

    def _rest(self, user: U) -> None:
        """Take it that a user waits."""
        self.busy -= 1
        heappush(self._idle, user.number)

    def _leave(self) -> None:
        """Take it that a user, who was busy, has left."""
        self.busy -= 1
        if self.busy == 0:
            self.quiet.set()

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
