"""Pauses end in time and in order, also when a shorter one begins while a longer one lasts."""

import anyio
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.engine.clock import EventLoopClock
from stressrunner.engine.pauses import Pauses

moments = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 100)), max_size=12)


def woken(begun, end_after_s=None):
    """Begin pauses of (begin, length) in seconds; return who was woken when, in order."""
    seen = []

    async def main():
        clock = EventLoopClock()
        origin_ns = clock.now_ns()
        pauses = Pauses(clock, lambda who: seen.append((who, round((clock.now_ns() - origin_ns) / 1e9, 6))))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pauses.run)
            for who, (begin_s, length_s) in sorted(enumerate(begun), key=lambda each: each[1][0]):
                await clock.sleep_until(origin_ns + begin_s * 10**9)
                pauses.add(who, origin_ns + (begin_s + length_s) * 10**9)
            if end_after_s is not None:
                await clock.sleep_until(origin_ns + end_after_s * 10**9)
                pauses.end()
            await clock.sleep_until(origin_ns + 10**12)
            tasks.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return seen


@given(moments)
def test_everybody_is_woken_in_time(begun):
    """Each is woken in the moment in which its pause ends."""
    assert sorted(woken(begun)) == [(who, begin + length) for who, (begin, length) in enumerate(begun)]


def test_a_shorter_pause_ends_first():
    """A pause that begins later and ends earlier is not kept waiting by the one before it."""
    assert woken([(0, 10), (1, 2)]) == [(1, 3), (0, 10)]


def test_all_pauses_can_be_ended():
    """Whoever still pauses is woken at once, in the order in which the pauses would have ended."""
    assert woken([(0, 90), (1, 50), (2, 3)], end_after_s=20) == [(2, 5), (1, 20), (0, 20)]
