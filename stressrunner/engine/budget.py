"""How many requests a generator may still send before it has to stop, whatever the load says."""

from collections.abc import Callable

import anyio

__all__ = ["RequestBudget"]


class RequestBudget:
    """A generator's share of `limits.requests`: every request takes one, and the one that finds none ends the load."""

    def __init__(self, requests: int, spent: Callable[[], None]) -> None:
        """`spent` is called once, when a request was to be sent and may not be."""
        self._left = requests
        self._spent = spent

    async def take(self) -> None:
        """Let one request be sent; without any left this never returns, and is cut off with all that is in flight."""
        if not self.spend():
            await anyio.sleep_forever()

    def spend(self) -> bool:
        """Return whether one more request may be sent; if not, the load is being cut off."""
        if self._left > 0:
            self._left -= 1
            return True
        if self._left == 0:
            self._left = -1
            self._spent()
        return False
