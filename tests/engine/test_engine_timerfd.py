"""The timerfd clock: never early, in order, and clean when waits are given up."""

import sys

import anyio
import anyio.lowlevel
import pytest

from stressrunner.engine.clock import MonotonicClock
from stressrunner.engine.timerfd import TimerfdClock, precise_clock

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="timerfd is Linux's"),
]
MS = 1_000_000


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request):
    """Both event loops that a run can take place on."""
    if request.param:
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param}


async def test_no_wait_ends_early():
    """Many waits at odd distances all end at their moment or after it."""
    with precise_clock() as clock:
        assert isinstance(clock, TimerfdClock)
        start_ns = clock.now_ns()
        for i in range(1, 60):
            due_ns = start_ns + i * 777_777
            await clock.sleep_until(due_ns)
            assert clock.now_ns() >= due_ns


async def test_a_long_wait_is_not_late_and_keeps_nobody_waiting():
    """A moment that is met has come, and whoever shares the event loop goes on until then, its last part included."""
    turns_ns = []

    async def go_on(clock):
        while True:
            turns_ns.append(clock.now_ns())
            await anyio.lowlevel.checkpoint()

    shared = False
    with precise_clock() as clock:
        for _ in range(50):  # as a busy machine may take the processor away just then
            due_ns = clock.now_ns() + 10 * MS
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(go_on, clock)
                await clock.meet(due_ns)
                assert due_ns <= clock.now_ns()
                tasks.cancel_scope.cancel()
            shared = sum(due_ns - 300_000 < turn_ns < due_ns for turn_ns in turns_ns) > 5
            if shared:
                break
    assert shared


async def test_short_and_past_moments_are_met():
    """Moments that are too near to be awake for come no earlier, and those that have passed at once."""
    with precise_clock() as clock:
        for after_ns in (-5 * MS, 0, 100_000, MS, 5 * MS):
            due_ns = clock.now_ns() + after_ns
            await clock.meet(due_ns)
            assert clock.now_ns() >= due_ns


async def test_waits_end_in_the_order_of_their_moments():
    """However they began, who waits for an earlier moment is woken first."""
    ended = []
    with precise_clock() as clock:
        start_ns = clock.now_ns() + 5 * MS

        async def wait(at_ns):
            await clock.sleep_until(at_ns)
            ended.append(at_ns)

        async with anyio.create_task_group() as tasks:
            for offset in (9, 2, 7, 1, 8, 3):
                tasks.start_soon(wait, start_ns + offset * MS)
    assert ended == sorted(ended)
    assert len(ended) == 6


async def test_a_moment_that_has_passed_is_now():
    """Waiting for the past returns at once."""
    with precise_clock() as clock:
        await clock.sleep_until(clock.now_ns() - 1)
        await clock.sleep_until(0)


async def test_a_wait_that_is_given_up_keeps_no_other_from_ending():
    """Cancelling who waits for the earliest moment leaves the others their wake-up."""
    with precise_clock() as clock:
        start_ns = clock.now_ns()
        with anyio.move_on_after(0.002):
            await clock.sleep_until(start_ns + 3600 * 1000 * MS)
        with anyio.fail_after(5):
            await clock.sleep_until(start_ns + 10 * MS)
        assert clock.now_ns() >= start_ns + 10 * MS


async def test_both_clocks_show_one_time():
    """Times of the timerfd clock and of the machine's monotonic clock can be compared."""
    with precise_clock() as clock:
        before_ns, shown_ns, after_ns = MonotonicClock().now_ns(), clock.now_ns(), MonotonicClock().now_ns()
        assert before_ns <= shown_ns <= after_ns
