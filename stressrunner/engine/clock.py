"""The engine's clock: the only way in which it knows the time and waits for it."""

import time
from typing import Protocol

import anyio

from stressrunner.units import NS_PER_S

__all__ = ["Clock", "EventLoopClock", "MonotonicClock"]


class Clock(Protocol):
    """Monotonic nanoseconds, and waiting for a moment."""

    def now_ns(self) -> int:
        """Return the time in nanoseconds since some fixed moment."""

    async def sleep_until(self, at_ns: int) -> None:
        """Return when the moment has come, never early; at once when it has passed."""

    async def meet(self, at_ns: int) -> None:
        """Wait as `sleep_until` does, for what must not be late: the end of a long wait may be spent awake."""


class MonotonicClock:
    """The machine's monotonic clock."""

    now_ns = staticmethod(time.monotonic_ns)  # not by a call of ours: it is asked several times per request

    async def sleep_until(self, at_ns: int) -> None:
        """Wait; again when the event loop's timer fired early, as uvloop's may by a millisecond."""
        while (left_ns := at_ns - time.monotonic_ns()) > 0:
            await anyio.sleep(left_ns / NS_PER_S)

    async def meet(self, at_ns: int) -> None:
        """Wait; the timers of event loops are too coarse for more."""
        await self.sleep_until(at_ns)


class EventLoopClock:
    """The event loop's own clock, which is virtual when the loop's is: ten minutes pass in a moment."""

    def now_ns(self) -> int:
        """Return the event loop's time."""
        return round(anyio.current_time() * NS_PER_S)

    async def sleep_until(self, at_ns: int) -> None:
        """Wait for a moment of the event loop's clock."""
        while (left_ns := at_ns - self.now_ns()) > 0:
            await anyio.sleep(left_ns / NS_PER_S)

    async def meet(self, at_ns: int) -> None:
        """Wait; virtual time is never late."""
        await self.sleep_until(at_ns)
