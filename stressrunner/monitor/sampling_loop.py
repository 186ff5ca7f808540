"""Looking at all watched processes once a second, beside the load and out of its way."""

from collections.abc import Sequence
from typing import Protocol

from anyio import to_thread

from stressrunner.monitor.process import Watch
from stressrunner.units import NS_PER_S

__all__ = ["SamplingClock", "finish", "watch"]


class SamplingClock(Protocol):
    """Time as the load knows it."""

    def now_ns(self) -> int:
        """Return monotonic nanoseconds."""

    async def sleep_until(self, at_ns: int) -> None:
        """Return when that moment has come."""


async def watch(
    watches: Sequence[Watch], clock: SamplingClock, *, origin_ns: int, interval_s: float = 1.0
) -> None:
    """Look at once and then at every whole interval after `origin_ns`, until cancelled; `finish` looks last.

    The looks are taken in a thread. One that takes longer than an interval makes the next ones fall out; they are
    never made up for.
    """
    if not watches:
        return
    interval_ns = round(interval_s * NS_PER_S)
    while True:
        await _look(watches, clock, origin_ns, last=False)
        passed = (clock.now_ns() - origin_ns) // interval_ns
        await clock.sleep_until(origin_ns + (passed + 1) * interval_ns)


async def finish(watches: Sequence[Watch], clock: SamplingClock, *, origin_ns: int) -> None:
    """Look for the last time, when the load has ended and `watch` was cancelled."""
    if watches:
        await _look(watches, clock, origin_ns, last=True)


async def _look(watches: Sequence[Watch], clock: SamplingClock, origin_ns: int, *, last: bool) -> None:
    at_s = (clock.now_ns() - origin_ns) / NS_PER_S

    def look() -> None:
        for one in watches:
            if last:
                one.finish(at_s)
            else:
                one.look(at_s)

    # Not abandoned on cancellation, so that two threads never look at the same time.
    await to_thread.run_sync(look)
