"""How many requests the shop takes in a while, and when those that are too many may come again."""

from math import ceil

import anyio

__all__ = ["Allowance"]

_AT_ONCE = 5
_PERIOD_S = 1.0


class Allowance:
    """So many requests in every second, whoever sends them."""

    def __init__(self) -> None:
        self._began_s = -_PERIOD_S
        self._taken = 0

    def take(self) -> int | None:
        """Take one request; return None, or after how many whole seconds to come again when there are too many."""
        now_s = anyio.current_time()
        if now_s - self._began_s >= _PERIOD_S:
            self._began_s, self._taken = now_s, 0
        if self._taken < _AT_ONCE:
            self._taken += 1
            return None
        return ceil(self._began_s + _PERIOD_S - now_s)
