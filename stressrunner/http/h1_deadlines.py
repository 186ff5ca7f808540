"""One timer for the timeouts of all requests in flight: a cancel scope for each would cost as much as the rest."""

import asyncio
import time
from typing import Protocol

__all__ = ["Deadlines", "Expiring"]

_NEVER_NS = 1 << 63


class Expiring(Protocol):
    """Something that is given up when its time has come."""

    def expire(self) -> None:
        """Give up; called once, from the event loop."""


class Deadlines:
    """Watches over requests in flight, which are told within some ticks of their deadline, never before.

    The timer is set to the earliest deadline there was when it last went off; most requests of that time are
    long done when it does, so looking through all that are in flight is rare, and never more often than once
    a tick.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tick_s: float = 0.01) -> None:
        self.loop = loop
        self._tick_ns = int(tick_s * 1e9)
        self._due_ns: dict[Expiring, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = _NEVER_NS

    def watch(self, entry: Expiring, due_ns: int) -> None:
        """Give `entry` up at `due_ns` of the monotonic clock, unless it is forgotten before."""
        self._due_ns[entry] = due_ns
        if due_ns < self._timer_ns:
            self._set_timer(due_ns)

    def forget(self, entry: Expiring) -> None:
        """Leave `entry` alone: it has ended by itself."""
        self._due_ns.pop(entry, None)

    def close(self) -> None:
        """Stop the timer; whatever is still watched is not given up."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._timer_ns = _NEVER_NS

    def _set_timer(self, at_ns: int) -> None:
        now_ns = time.monotonic_ns()
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ns = max(at_ns, now_ns + self._tick_ns)
        self._timer = self.loop.call_later((self._timer_ns - now_ns) / 1e9, self._look)

    def _look(self) -> None:
        self.close()
        now_ns = time.monotonic_ns()
        for entry in [entry for entry, due_ns in self._due_ns.items() if due_ns <= now_ns]:
            del self._due_ns[entry]
            entry.expire()
        if self._due_ns:
            self._set_timer(min(self._due_ns.values()))
