"""One timer for the timeouts of all requests in flight: a cancel scope for each would cost as much as the rest."""

import asyncio
import time
from typing import Protocol

__all__ = ["NEVER_NS", "Deadlines", "Expiring"]

NEVER_NS = 1 << 63


class Expiring(Protocol):
    """Something that is given up when its time has come."""

    deadline_ns: int  #: when that is, monotonic; NEVER_NS while there is nothing to be given up

    def expire(self) -> None:
        """Give up, and have no deadline any more; called from the event loop."""


class Deadlines:
    """Watches over what may expire, which is told within some ticks of its deadline, never before.

    Whoever gets a deadline has it looked at if that comes before `next_ns`, and is asked for it otherwise. The timer
    is set to the earliest deadline there was when it last went off; most requests of that time are long done when it
    does, so looking through all that is watched is rare, and never more often than once a tick.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tick_s: float = 0.01) -> None:
        self.loop = loop
        self.next_ns = NEVER_NS  #: when all deadlines are looked at next, monotonic
        self._tick_ns = int(tick_s * 1e9)
        self._watched: set[Expiring] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, entry: Expiring) -> None:
        """Look at the deadlines of `entry` from now on."""
        self._watched.add(entry)

    def forget(self, entry: Expiring) -> None:
        """Leave `entry` alone: it will have no deadline any more."""
        self._watched.discard(entry)

    def close(self) -> None:
        """Stop the timer; whatever is still watched is not given up."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self.next_ns = NEVER_NS

    def look_at(self, at_ns: int) -> None:
        """Look at all deadlines at this moment, which comes before `next_ns`, or a tick from now if that is later."""
        now_ns = time.monotonic_ns()
        if self._timer is not None:
            self._timer.cancel()
        self.next_ns = max(at_ns, now_ns + self._tick_ns)
        self._timer = self.loop.call_later((self.next_ns - now_ns) / 1e9, self._look)

    def _look(self) -> None:
        self.close()
        now_ns = time.monotonic_ns()
        for entry in tuple(self._watched):
            if entry.deadline_ns <= now_ns:  # asked one by one, since one may end others
                entry.expire()
        earliest_ns = min((entry.deadline_ns for entry in self._watched), default=NEVER_NS)
        if earliest_ns < self.next_ns:
            self.look_at(earliest_ns)
