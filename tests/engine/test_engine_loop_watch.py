"""What the generator adds to times is known: in virtual time, which leaps only where a test freezes the generator."""

import time
from fractions import Fraction

import anyio
import pytest
import trio
import trio.testing
from virtual_load import scenario, scenario_of, virtual_run

from stressrunner.engine.clock import EventLoopClock, MonotonicClock
from stressrunner.engine.loop_watch import Late, LoopWatch
from stressrunner.fleet.event_loop import run_async
from stressrunner.http.exchange import Exchange, Request
from stressrunner.http.failures import connect_timeout, response_timeout
from stressrunner.http.fake import FakeAnswer
from stressrunner.http.origin import origin_of
from stressrunner.scenario.model import Closed, Open, Phase
from stressrunner.verdict.off import off_of
from stressrunner.verdict.validity import MAX_LAG_S

MS = 1_000_000
GET = Request("GET", "/", timeout_s=0.3, connect_timeout_s=0.2)


def watched(freezes, ask):
    """Watch a loop for a second that is frozen at some times, in ms after its beginning; return what `ask` does.

    A freeze is a moment, its length, and for how long the process works in it.

    It is given the watch and a function that makes an exchange of moments in the same ms.
    """
    clock = trio.testing.MockClock(autojump_threshold=0)

    async def main():
        begun_ns = EventLoopClock().now_ns()
        watch, told = LoopWatch(EventLoopClock()), []

        def exchange(acquired, sent, first, completed, **more):
            moments = [
                None if at is None else begun_ns + round(at * MS) for at in (acquired, sent, first, completed)
            ]
            return Exchange(GET, *moments, **more)

        def late(due, released, of):
            return watch.late(begun_ns + round(due * MS), begun_ns + round(released * MS), of)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch.run, lambda *said: told.append(said))
            for at, length, *worked in freezes:
                await trio.sleep_until(begun_ns / 1e9 + at / 1000)
                until_ns = time.process_time_ns() + sum(worked) * MS
                while time.process_time_ns() < until_ns:
                    pass
                clock.jump(length / 1000)
            await trio.sleep_until(begun_ns / 1e9 + 1)
            found = ask(late, exchange)
            tasks.cancel_scope.cancel()
        return found, told

    return trio.run(main, clock=clock)


@pytest.mark.parametrize(
    ("due", "released", "moments", "expected"),
    [
        # frozen from 110 to 150; the beat was due at 120
        (90, 90, (90, 90, 95, 95), None),
        (90, 90, (90, 90, 150, 150), Late(30 * MS, 30 * MS, 30 * MS)),
        (90, 90, (90, 90, 95, 150), Late(30 * MS, 30 * MS)),
        (90, 90, (90, 90, 151, 151), None),  # it came after the loop was back
        (130, 150, (150, 150, 170, 170), Late(20 * MS)),
        (130, 150, (150, 150, 150, 150), Late(20 * MS)),
        (90, 90, (150, 150, 160, 160), Late(30 * MS)),  # waited for a connection
        (90, 90, (90, 150, 160, 160), Late(30 * MS)),  # waited for one to be opened
        (90, 90, (125, 140, 150, 150), Late(30 * MS, 10 * MS, 10 * MS)),
        (90, 90, (90, None, None, 150), Late(30 * MS, 30 * MS)),
    ],
)
def test_own_time_is_what_lies_behind_the_beat_that_was_due(due, released, moments, expected):
    """Each stretch of a request that ended while a beat was overdue counts from then on as the generator's."""
    found, _ = watched([(110, 40)], lambda late, exchange: late(due, released, exchange(*moments)))
    assert found == expected


def test_less_than_a_millisecond_is_none():
    """What timers cannot tell is not counted."""
    found, _ = watched([], lambda late, exchange: late(10, 11, exchange(11, 11, 20, 20)))
    assert found == Late(1 * MS)
    clock = EventLoopClock()
    assert LoopWatch(clock).late(0, MS - 1, Exchange(GET, MS - 1, MS - 1, 5 * MS, 5 * MS)) is None


def test_opening_a_connection_may_be_late():
    """A connection that was noticed late took longer by that, and no longer than it took."""

    def ask(late, exchange):
        return [late(90, 90, exchange(90, 150, 160, 160, connect_ns=ms * MS)).connect_ns for ms in (60, 20)]

    assert watched([(110, 40)], ask)[0] == [30 * MS, 20 * MS]


@pytest.mark.parametrize(
    ("moments", "failure", "is_ours"),
    [
        # frozen from 510 to 560, the beat was due at 520; the timeout is 300 ms, to connect 200 ms
        ((215, 215, None, 560), response_timeout(0.3), False),  # was due before
        ((225, 225, None, 560), response_timeout(0.3), True),
        ((225, 225, None, 590), response_timeout(0.3), False),  # found when all had been read
        ((315, None, None, 560), connect_timeout(origin_of("http://a"), 0.2), False),
        ((325, None, None, 560), connect_timeout(origin_of("http://a"), 0.2), True),
        ((220.5, 220.5, None, 520.9), response_timeout(0.3), True),  # of less than a millisecond, too
        ((225, 225, None, 560), None, False),
    ],
)
def test_a_timeout_is_ours_when_nobody_read_before_it(moments, failure, is_ours):
    """A deadline that passed while nobody read is no timeout of the target."""
    late, _ = watched(
        [(510, 50)], lambda late, exchange: late(moments[0], moments[0], exchange(*moments, failure=failure))
    )
    assert (late is not None and late.is_ours) is is_ours


def test_a_freeze_has_a_wake_and_a_stall_has_none():
    """Requests due until five lengths after a freeze are in its wake; shorter absences have none."""

    def ask(late, exchange):
        return [late(due, due, exchange(due, due, due, due)) for due in (115, 130, 400, 479, 480)]

    found, told = watched([(110, 70)], ask)  # overdue from 120 to 180: 60 ms, and five times as much
    assert found == [None, *[Late(0, in_wake=True)] * 3, None]
    assert [said[1:] for said in told if said[1] or said[2]] == [(1, 60 * MS)]
    assert max(ns for lates, *_ in told for ns in lates) == 60 * MS
    found, told = watched([(110, 55)], ask)
    assert found == [None] * 5
    assert not any(freezes for _, freezes, _ in told)
    found, told = watched([(110, 70, 60)], ask)  # it worked
    assert found == [None] * 5
    assert not any(said[1] or said[2] for said in told)


@pytest.mark.parametrize(
    ("length_ms", "worked_ms", "is_freeze"),
    [(59, 0, False), (60, 0, True), (210, 80, True), (210, 115, False)],
)
def test_a_freeze_is_long_and_idle(length_ms, worked_ms, is_freeze):
    """An absence of 50 ms from when the beat was due, in which the process used less than half of a core."""
    _, told = watched([(110, length_ms, worked_ms)], lambda late, exchange: None)
    assert sum(freezes for _, freezes, _ in told) == is_freeze


@pytest.mark.parametrize(
    ("phase_s", "frozen_s", "not_offered"), [(3, 0.25, 15), (3, 0.09, 0), (20, 0.5, 30), (20, 0.15, 0)]
)
def test_arrivals_that_are_released_too_late_are_not_offered(phase_s, frozen_s, not_offered):
    """Later than a hundredth of their phase, and than 0.1 s, whichever is more."""
    ran = virtual_run(
        scenario(Phase("p", Open(Fraction(100), Fraction(phase_s)))), freezes=[(1.005, frozen_s)]
    )
    assert ran.summary.offered == pytest.approx(1 - not_offered / (100 * phase_s), abs=2 / (100 * phase_s))
    assert (ran.summary.offered == 1) is (not_offered == 0)


def test_a_frozen_generator_knows_its_part():
    """Of 300 requests at 100/s those that are due in 0.4 s are late, and without lag all take what the target takes."""
    of = scenario(Phase("p", Open(Fraction(100), Fraction(3))))
    ran = virtual_run(of, freezes=[(1.005, 0.4)])
    late = [sample.late for sample in ran.samples if sample.late is not None and sample.late.own_ns]
    assert 38 <= len(late) <= 41
    due_in_wake = [sample.late for sample in ran.samples if 1.5 < sample.due_ns / 1e9 < 2.9]
    assert all(late is not None and late.in_wake for late in due_in_wake)
    assert all(
        sample.completed_ns - sample.due_ns - sample.late.own_ns <= 30 * MS  # a beat of virtual time is 20 ms
        for sample in ran.samples
        if sample.late is not None
    )


def overflowing(service_s, freezes=()):
    """Return the response times of 100/s for 6 s, of which 10 at most may be in flight."""
    of = scenario(Phase("p", Open(Fraction(100), Fraction(6), 10, overflow="drop")))
    ran = virtual_run(of, lambda *_: FakeAnswer(service_s), freezes=freezes)
    return ran, ran.totals.response_time


def test_arrivals_that_a_freeze_drops_are_the_generators():
    """What comes all at once after a freeze finds no place: without lag nothing of that was dropped."""
    ran, times = overflowing(0.02, freezes=[(1.005, 0.4)])
    assert 28 <= times.never == ran.totals.dropped <= 34
    with_wake, without_wake = times.without_lag
    assert with_wake.never <= 2  # those that were due just then, and found the others in flight
    assert without_wake.never == 0
    assert ran.totals.late >= 35
    assert ran.summary.late_in_spell >= 35


def test_arrivals_that_the_target_drops_stay():
    """A target that is too slow has dropped them, also beside a freeze."""
    ran, times = overflowing(0.2)
    assert ran.totals.dropped == times.never >= 250
    assert times.late is None
    ran, times = overflowing(0.2, freezes=[(1.005, 0.4)])
    assert ran.totals.dropped >= 250
    with_wake, without_wake = times.without_lag
    assert with_wake.never >= ran.totals.dropped - 40
    assert without_wake.never >= 100
    assert off_of(times, MAX_LAG_S) is None or without_wake.percentile_s(95) is None


def test_arrivals_that_waited_in_vain_are_none_of_the_generators():
    """Released late or not, they had graceful_stop to begin, and the target let none of them."""
    of = scenario(Phase("p", Open(Fraction(100), Fraction(2), 1), graceful_stop_s=1))
    ran = virtual_run(of, lambda *_: FakeAnswer(10), freezes=[(1.935, 0.06)])
    assert ran.totals.dropped == 199
    kept = ran.totals.response_time.without_lag[0]
    assert kept.never == ran.totals.response_time.never == 200


def test_a_punctual_generator_adds_nothing():
    """Without a freeze no request is late, whatever the target does."""
    ran = virtual_run(
        scenario(Phase("p", Closed(10, iterations=300))), lambda n, _: FakeAnswer(0.3 * (n % 3))
    )
    assert all(sample.late is None for sample in ran.samples)


SHAPES = """
endpoints: {a: {get: /a}, b: {get: /b}}
"""


@pytest.mark.parametrize(
    ("flow", "own_ms"),
    [
        ("[{send: a}, {send: b}]", 120),
        ("[{parallel: [{send: a}, {send: b}]}]", 60),
        ("[{parallel: [{send: a}, {steps: [{send: b}], repeat: 2}]}]", 120),
        ("[{steps: [{send: a}], repeat: 2}]", 120),
    ],
)
def test_own_time_of_a_flow_is_the_sum_and_of_parallel_the_longest(flow, own_ms):
    """Two requests one after the other are late by both; at once, by the longer."""
    of = scenario_of(f"{SHAPES}flow: {flow}\n")
    # each request takes 100 ms, and the end of each of the first two comes while the loop is away, 60 ms of them overdue
    ran = virtual_run(of, lambda *_: FakeAnswer(0.1), freezes=[(0.09, 0.07), (0.25, 0.07)])
    lengths = ran.summary.groups["flow"]
    (kept,) = lengths.without_lag
    assert lengths.max_s - kept.max_ns / 1e9 == pytest.approx(own_ms / 1000)


def test_own_time_of_messages_that_are_sent_at_once_is_the_longest():
    """Of a burst that ended while the loop was away, the message that waited longest is what the session waited for."""
    of = scenario_of(f"{SHAPES}session: {{send: a, messages: 2, burst: 2, gap: 30ms}}\n")
    # they end after 100 and 130 ms, and are read after 160 ms: the beat was due at 100 ms
    ran = virtual_run(of, lambda *_: FakeAnswer(0.1), freezes=[(0.09, 0.07)])
    lengths = ran.summary.groups["session"]
    (kept,) = lengths.without_lag
    assert (lengths.max_s, kept.max_ns / 1e9) == (pytest.approx(0.16), pytest.approx(0.1))


@pytest.mark.parametrize(("length_ms", "idle_ms"), [(15, 0), (16, 6)])
def test_the_process_was_kept_from_running_in_notable_absences(length_ms, idle_ms):
    """Of 5 ms or less that is not told."""
    _, told = watched([(110, length_ms)], lambda late, exchange: None)  # the beat was due at 120
    assert sum(idle_ns for *_, idle_ns in told) == idle_ms * MS
    assert max(ns for lates, *_ in told for ns in lates) == (length_ms - 10) * MS


def test_a_timeout_before_its_deadline_is_not_ours():
    """Such as of a workload that was silent for too long: while the loop was punctual, nothing is the generator's."""
    silent = response_timeout(0.3)
    found, _ = watched([], lambda late, exchange: late(90, 90, exchange(90, 90, 95, 290, failure=silent)))
    assert found is None


def test_a_loop_of_the_real_world_is_watched():
    """On the event loop that load runs on a callback that takes 30 ms is an absence, and one that does not is none."""

    async def main():
        watch = LoopWatch(MonotonicClock())
        told, is_back = [], anyio.Event()

        def tell(*said):
            told.append(said)
            if max(said[0]) >= 26 * MS:
                is_back.set()

        async with anyio.create_task_group() as tasks:
            unwatched_ns = watch.overdue_ns
            tasks.start_soon(watch.run, tell)
            while watch.overdue_ns == unwatched_ns:
                await anyio.lowlevel.checkpoint()
            start_ns = time.monotonic_ns()
            while time.monotonic_ns() - start_ns < 30 * MS:
                pass
            read_ns = time.monotonic_ns()
            found = watch.late(start_ns, start_ns, Exchange(GET, start_ns, start_ns, read_ns, read_ns))
            await is_back.wait()
            again = watch.late(start_ns, start_ns, Exchange(GET, start_ns, start_ns, read_ns, read_ns))
            tasks.cancel_scope.cancel()
        return found, again, told, read_ns - start_ns

    found, again, told, took_ns = run_async(main)
    assert found == again
    assert took_ns - 4 * MS <= found.own_ns <= took_ns
    assert found.own_ns == found.service_ns == found.first_byte_ns
    assert not found.in_wake  # it worked all the time
    assert max(ns for lates, *_ in told for ns in lates) >= 26 * MS
    assert not any(freezes for _, freezes, _ in told)
