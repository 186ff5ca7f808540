"""The users of a stream: who is busy, who waits, and how one that waits is woken."""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import anyio

from stressrunner.engine.iteration import Arrival
from stressrunner.engine.quick import QuickUser

__all__ = ["Crowd", "User"]


@dataclass(slots=True)
class User:
    """A user: the task that runs its iterations waits for `awake`, or is in the scope of an iteration."""

    number: int  #: in its stream and this generator
    iterations: int = 0
    mail: Arrival | None = None
    awake: anyio.Event | None = None  #: while it waits in its task; there may be ten thousand, so only then
    scope: anyio.CancelScope | None = None
    quick: QuickUser | None = None  #: runs the iterations, if callbacks can
    is_parked: bool = False  #: waits inside `quick`, which can begin an iteration at once

    def wake(self, arrival: Arrival | None = None) -> None:
        """Have it run an arrival, or without one look for work again."""
        if not self.is_parked or self.quick is None:
            self.mail = arrival
            if self.awake is not None:
                self.awake.set()
            return
        self.is_parked = False
        if arrival is None:
            self.quick.leave()
        else:
            self.quick.begin(arrival)


class Crowd:
    """All users of a stream in one generator; those that do not wait are busy."""

    def __init__(self) -> None:
        self._users: list[User] = []
        self._idle: list[int] = []  # heap of the numbers of users that wait
        self.busy = 0

    def __len__(self) -> int:
        return len(self._users)

    def between(self, first: int, end: int) -> list[User]:
        """Return the users with the numbers from `first` on that are less than `end`."""
        return self._users[first:end]

    def join(self, arrival: Arrival | None) -> User:
        """Add a user, who is busy from the beginning."""
        user = User(len(self._users), mail=arrival)
        self._users.append(user)
        self.busy += 1
        return user

    def wake_first(self, arrival: Arrival) -> bool:
        """Give an arrival to the waiting user with the lowest number; return False when none waits."""
        if not self._idle:
            return False
        user = self._users[heappop(self._idle)]
        self.busy += 1
        user.wake(arrival)
        return True

    async def rest(self, user: User) -> None:
        """Wait in a user's task until it is woken."""
        user.awake = anyio.Event()
        self._idles(user)
        await user.awake.wait()
        user.awake = None

    def park(self, user: User) -> None:
        """Let a user wait inside of what runs its iterations."""
        user.is_parked = True
        self._idles(user)

    def _idles(self, user: User) -> None:
        self.busy -= 1
        heappush(self._idle, user.number)

    def rouse(self, below: int) -> None:
        """Wake the waiting users with numbers below a limit, so that they look for work again."""
        roused = [number for number in self._idle if number < below]
        self._idle = [number for number in self._idle if number >= below]
        heapify(self._idle)
        self.busy += len(roused)
        for number in roused:
            self._users[number].wake()
