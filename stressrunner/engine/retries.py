"""Users whose `user_setup` has failed: when each tries again, and when there are so many that none is added.

Between two attempts of a user lie 0.1 s, then twice as long each time, up to 10 s, all of it up to a fifth more or less,
so that users who failed together do not come back together.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from stressrunner.expressions.functions import random_stream

__all__ = ["Retries", "retry_pause_s"]

_FIRST_S = 0.1
_LONGEST_S = 10.0
_JITTER = 0.2
_FEW = 10  #: users that may wait without keeping others from being added


def retry_pause_s(seed: int, user: int, failures: int) -> float:
    """Return how long a user waits after so many failures; the same for the same seed."""
    pause_s = min(_LONGEST_S, _FIRST_S * 2 ** min(failures - 1, 60))
    stream = random_stream(seed, "user_setup pause", user, failures)
    return float(pause_s * stream.uniform(1 - _JITTER, 1 + _JITTER))


class Retries:
    """Who of a generator's users is not set up, as it has failed, and tries again."""

    def __init__(self) -> None:
        self._waiting: dict[int, anyio.Event] = {}  # by the users' numbers; set to end a pause

    def hold_up(self, users: int) -> bool:
        """Return whether so many of all users wait that none is to be added: half, and ten at least."""
        return len(self._waiting) >= _FEW and 2 * len(self._waiting) >= users

    @contextmanager
    def retrying(self, user: int) -> Iterator[None]:
        """Have a user be among those that wait while this is entered."""
        self._waiting[user] = anyio.Event()
        try:
            yield
        finally:
            del self._waiting[user]

    async def pause(self, user: int, length_s: float) -> None:
        """Wait before the next attempt of a user, or until all pauses end."""
        with anyio.move_on_after(length_s):
            await self._waiting[user].wait()

    def end_pauses(self) -> None:
        """Let all users go on that pause."""
        for user, event in self._waiting.items():
            event.set()
            self._waiting[user] = anyio.Event()
