"""How many requests a generator may still send before it has to stop, whatever the load says."""

from collections.abc import Callable

import anyio

__all__ = ["Budget"]


class Budget:
    """A generator's share of `limits.requests`: every request takes one, and the one that finds none ends the load."""

    def __init__(self, requests: int, spent: Callable[[], None]) -> None:
        """`spent` is called once, when a request was to be sent and may not be."""
        self._left = requests
        self._spent = spent

    async def take(self) -> None:
        """Let one request be sent; without any left this never returns, and is cut off with all that is in flight."""
        if self._left > 0:
            self._left -= 1
            return
        if self._left == 0:
            self._left = -1
            self._spent()
        await anyio.sleep_forever()
