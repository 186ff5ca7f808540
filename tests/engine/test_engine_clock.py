"""Clocks: they wait until the moment has come, never less, and not at all when it has passed."""

import anyio
import pytest
import trio
import trio.testing

from stressrunner.engine.clock import EventLoopClock, MonotonicClock
from stressrunner.units import NS_PER_S

MS = 1_000_000


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_machines_clock_is_never_early(backend):
    """A wait on the machine's clock ends after its moment, for waits shorter than a timer's step too."""

    async def main():
        clock = MonotonicClock()
        for wait_ns in (0, 1, 1000, MS // 3, MS, 3 * MS, 5 * MS):
            at_ns = clock.now_ns() + wait_ns
            await clock.sleep_until(at_ns)
            assert clock.now_ns() >= at_ns

    anyio.run(main, backend=backend)


def test_a_moment_that_has_passed_is_not_waited_for():
    """The wait for a moment in the past ends at once."""

    async def main():
        clock = EventLoopClock()
        await anyio.sleep(10)
        before = clock.now_ns()
        await clock.sleep_until(before - NS_PER_S)
        assert clock.now_ns() == before

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_the_event_loops_clock_is_virtual_when_the_loop_is():
    """An hour of virtual time passes in a moment, and every wait ends at its time, not a nanosecond before."""

    async def main():
        clock = EventLoopClock()
        origin_ns = clock.now_ns()
        for k in range(1, 361):
            at_ns = origin_ns + k * 10 * NS_PER_S + k
            await clock.sleep_until(at_ns)
            assert at_ns <= clock.now_ns() < at_ns + MS

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_many_waits_end_in_the_order_of_their_moments():
    """Those who wait are woken in the order of what they wait for."""
    woken = []

    async def main():
        clock = EventLoopClock()
        origin_ns = clock.now_ns()

        async def wait(k):
            await clock.sleep_until(origin_ns + k * MS)
            woken.append(k)

        async with anyio.create_task_group() as tasks:
            for k in (5, 1, 4, 2, 3):
                tasks.start_soon(wait, k)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert woken == [1, 2, 3, 4, 5]
