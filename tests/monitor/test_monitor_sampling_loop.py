"""Looks are taken at whole seconds of the load, in virtual time, and one more at its end."""

import os

import anyio
import pytest

from stressrunner.monitor.lookup import find
from stressrunner.monitor.process import Watch
from stressrunner.monitor.sampling_loop import finish, watch
from stressrunner.units import NS_PER_S


class SteppedClock:
    """A clock that jumps to whatever is waited for, a little late, and ends the load after a few waits."""

    def __init__(self, waits: int, late_ns: int) -> None:
        self.now = 7 * NS_PER_S
        self._waits = waits
        self._late_ns = late_ns
        self.load = anyio.CancelScope()

    def now_ns(self) -> int:
        """Return the moment that was last waited for."""
        return self.now

    async def sleep_until(self, at_ns: int) -> None:
        """Go there, or end the load."""
        if self._waits == 0:
            self.load.cancel()
            await anyio.sleep_forever()
        self._waits -= 1
        self.now = at_ns + self._late_ns


@pytest.fixture
def anyio_backend():
    """Threads work the same on both backends; one is enough."""
    return "asyncio"


async def look_times(clock: SteppedClock, last_at_ns: int) -> list[float]:
    """Watch this process while there is load, then look for the last time."""
    one = Watch(find(pid=os.getpid()))
    origin_ns = clock.now
    with clock.load:
        await watch([one], clock, origin_ns=origin_ns)
    clock.now = origin_ns + last_at_ns
    await finish([one], clock, origin_ns=origin_ns)
    return [point.at_s for point in one.figures().points]


@pytest.mark.anyio
async def test_looks_at_the_start_every_second_and_the_end():
    """Waking up late does not move the looks that follow."""
    times = await look_times(SteppedClock(waits=3, late_ns=20_000_000), 3_500_000_000)
    assert times == [0.0, 1.02, 2.02, 3.02, 3.5]


@pytest.mark.anyio
async def test_looks_that_were_slept_through_are_not_made_up_for():
    """After a stall of two and a half seconds the next look is at the next whole second."""
    times = await look_times(SteppedClock(waits=2, late_ns=2_500_000_000), 8_000_000_000)
    assert times == [0.0, 3.5, 6.5, 8.0]


@pytest.mark.anyio
async def test_nothing_to_watch_needs_no_thread():
    """Without watches both return at once."""
    clock = SteppedClock(waits=0, late_ns=0)
    await watch([], clock, origin_ns=0)
    await finish([], clock, origin_ns=0)
