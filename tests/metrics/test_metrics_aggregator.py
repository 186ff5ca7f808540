"""The figures of a run: phases apart, warm-ups apart, and rates over the right time."""

import pytest
from metrics_samples import MS, sample

from stressrunner.engine.loop_watch import Late
from stressrunner.metrics.aggregator import Aggregator, PhaseOutline
from stressrunner.metrics.delta import Delta
from stressrunner.plan.outcome import Outcome

ORIGIN_NS = 5_000 * MS
WARM, HOLD, TAIL = (
    PhaseOutline("warm", warmup=True, planned=None),
    PhaseOutline("hold", warmup=False, planned={0: 6, 1: 4}),
    PhaseOutline("tail", warmup=False, planned=None),
)


def at(seconds):
    """Return a moment of the run, monotonic."""
    return ORIGIN_NS + round(seconds * 1e9)


def request(phase, at_s, took_s=0.01, outcome=Outcome.OK, **changes):
    """Return a request of a phase, that many seconds after the beginning."""
    return sample(ORIGIN_NS / MS + at_s * 1000, took_s * 1000, outcome, phase=phase, **changes)


def aggregator_of(*requests, phases=(WARM, HOLD, TAIL)):
    """Return the aggregator of some requests, handed over in one piece."""
    delta = Delta()
    for one in requests:
        delta.record(one)
    aggregator = Aggregator(("login", "search"), phases, ORIGIN_NS)
    aggregator.add(delta, at(0), at(10))
    return aggregator


SPANS = {0: (at(0), at(2)), 1: (at(2), at(6)), 2: (at(6), at(10))}


def test_warm_up_is_apart():
    """Traffic of a warm-up is in its phase, the timeline and the errors, and in no figure that is judged."""
    summary = aggregator_of(
        request(0, 0, 1.5, released_ns=at(1)),
        request(0, 1, outcome=Outcome.FAILED),
        request(1, 3),
        request(2, 7),
    ).summary(SPANS)
    assert (summary.totals.sent, summary.totals.failed) == (2, 0)
    assert summary.endpoints["login"].sent == 2
    assert summary.totals.response_time.max_s == pytest.approx(0.01)
    assert summary.lag.count == summary.queue.count == summary.connecting.count == 2
    assert summary.lag.max_s == 0
    assert [phase.totals.sent for phase in summary.phases] == [2, 1, 1]
    assert sum(point.sent for point in summary.timeline) == 4
    assert [group.count for group in summary.errors] == [1]


def test_rates_are_over_the_time_of_what_is_counted():
    """Rates of the totals are over the counted phases, those of a phase over that phase, warm-ups aside."""
    summary = aggregator_of(*[request(1, 2 + k / 10) for k in range(8)], request(2, 7)).summary(SPANS)
    assert summary.totals.throughput_per_s == pytest.approx(9 / 8)
    assert [phase.totals.throughput_per_s for phase in summary.phases] == pytest.approx([0, 2, 0.25])
    assert summary.phase_endpoints["hold", "login"].throughput_per_s == pytest.approx(2)
    assert [(p.started_at_s, p.duration_s) for p in summary.phases] == [(0, 2), (2, 4), (6, 4)]
    assert summary.duration_s == 10


def test_phases_last_until_their_last_request():
    """A request that runs on beyond the end of its phase lengthens it, so that rates are not flattered."""
    summary = aggregator_of(request(1, 5, 9), request(2, 7)).summary(SPANS)
    assert [phase.duration_s for phase in summary.phases] == [2, 12, 4]
    assert summary.totals.throughput_per_s == pytest.approx(2 / 12)
    assert summary.duration_s == 14


TIMED = PhaseOutline("timed", warmup=False, planned=None, length_s=4.0)
WORK = PhaseOutline("work", warmup=False, planned=None)


def phase_of(outline, ends_s, length_s=4.0):
    """Return the figures of a phase whose requests ended at these moments, and which ended by itself after a while."""
    requests = [request(0, 0, end_s) for end_s in ends_s]
    return aggregator_of(*requests, phases=(outline,)).summary({0: (at(0), at(length_s))}).phases[0]


def test_a_straggler_does_not_change_the_rate_of_its_phase():
    """A phase whose requests have ended but for one in a hundred is over; what came later is told apart."""
    on_time = [k / 100 for k in range(1, 400)]
    phase = phase_of(TIMED, [*on_time, 12.5])
    assert (phase.duration_s, phase.totals.throughput_per_s) == (4.0, 100)
    assert (phase.late, phase.late_s) == (1, pytest.approx(8.5))
    assert phase_of(TIMED, [*on_time, 3.999]).late == 0
    assert phase_of(TIMED, [*on_time[8:], *[12.5] * 9]).duration_s == pytest.approx(12.5)


def test_a_backlog_flatters_nothing():
    """Until 99 % of what it sent had ended, a phase goes on, however short it was meant to be."""
    phase = phase_of(TIMED, [k / 50 for k in range(1, 401)])
    assert phase.duration_s == pytest.approx(7.92, abs=0.01)
    assert (phase.late, phase.late_s) == (pytest.approx(4, abs=1), pytest.approx(0.08, abs=0.01))


def test_work_ends_at_the_pace_that_most_of_it_had():
    """Where work alone ends a phase, the last hundredth takes its share of the time, or less if it was faster."""
    steady = [k / 100 for k in range(1, 1001)]
    assert phase_of(WORK, steady, 9.99).totals.throughput_per_s == pytest.approx(100, rel=0.002)
    assert phase_of(WORK, [*steady[:-1], 70.0], 9.0).totals.throughput_per_s == pytest.approx(100, rel=0.002)
    assert phase_of(WORK, [1.0, 30.0], 0.0).duration_s == 30


def test_planned_requests():
    """What a phase with fixed work did not send was not reached; where time alone ends it nothing is missing."""
    summary = aggregator_of(request(1, 3), request(1, 3, endpoint=1), request(2, 7)).summary(SPANS)
    assert (summary.phases[1].totals.planned, summary.phases[1].totals.not_reached) == (10, 8)
    assert (summary.phases[2].totals.planned, summary.phases[2].totals.not_reached) == (1, 0)
    assert (summary.totals.planned, summary.totals.not_reached) == (11, 8)
    assert (summary.endpoints["login"].planned, summary.endpoints["search"].planned) == (7, 4)
    assert summary.phase_endpoints["hold", "search"].not_reached == 3


@pytest.mark.parametrize(
    ("lasted_s", "missing"), [([4, 4], 0), ([1, 4], 3 / 8), ([9, 2], 2 / 8), ([3], 5 / 8), ([], 1)]
)
def test_time_that_was_not_reached(lasted_s, missing):
    """Where time alone ends phases it is the part of their time that they did not last; a longer one makes up for none."""
    spans = {i: (at(10 * i), at(10 * i + length_s)) for i, length_s in enumerate(lasted_s)}
    totals = aggregator_of(phases=(TIMED, TIMED)).summary(spans).totals
    assert (totals.planned, totals.not_reached_ratio) == (0, pytest.approx(missing))


@pytest.mark.parametrize(
    ("own_ms", "late", "left"),
    [
        ([0, 9, 8, 0, 9], 2, {0, 3, 4}),
        ([9, 0, 0, 8, 9], 2, {0, 1, 2}),
        ([7, 0, 0, 0], 1, {1, 2, 3}),
        ([6, 7, 7, 6], 2, {0, 3}),
        ([8, 5, 1, 2], 1, {2, 3}),
        ([0, 0, 0], 0, {0, 1, 2}),
    ],
)
def test_the_worst_spell_is_two_neighbouring_seconds(own_ms, late, left):
    """It has most of the generator's own time, the first of equal ones; apart from it are the other seconds, and what was late in them."""
    aggregator = Aggregator(("login",), (HOLD,), ORIGIN_NS)
    for second, own in enumerate(own_ms):
        delta = Delta()
        delta.record(request(0, second, second / 100, late=Late(own * MS) if own else None))
        aggregator.add(delta, at(second), at(second + 1))
    summary = aggregator.summary({0: (at(0), at(len(own_ms)))})
    apart = summary.apart_from_spell
    assert summary.late_in_spell == late
    assert (apart.count, apart.mean_s) == (len(left), pytest.approx(sum(left) / 100 / len(left)))
    late_left = sum(own_ms[second] > 0 for second in left)
    assert (0 if apart.late is None else apart.late.times().measured.count) == late_left
    assert (apart.late is None) == (late_left == 0)


def test_phases_that_did_not_begin():
    """A run that was cut off has its later phases in the figures, with all of their work not reached."""
    summary = aggregator_of(request(0, 1)).summary({0: SPANS[0]})
    assert [phase.totals.not_reached for phase in summary.phases] == [0, 10, 0]
    assert summary.totals.not_reached == 10
    assert summary.totals.throughput_per_s == 0
    assert summary.phases[1].duration_s == 0
    assert summary.duration_s == 2
    assert ("hold", "login") not in summary.phase_endpoints


def test_nothing_at_all():
    """A run that ended before it began has a summary of zeros."""
    summary = Aggregator(("login",), (WARM,), ORIGIN_NS).summary({})
    assert (summary.duration_s, summary.totals.sent, summary.totals.error_ratio) == (0, 0, None)
    assert summary.timeline == ()


def test_percentiles_without_a_field():
    """Every percentile can be had from a frozen latency."""
    times = (
        aggregator_of(*[request(1, 3, k / 100) for k in range(1, 101)]).summary(SPANS).totals.response_time
    )
    assert times.distribution.percentile_s(75) == pytest.approx(0.75, rel=0.001)
    assert times.p99_9_s == pytest.approx(1.0)


def test_what_is_handed_over_is_added():
    """Several deltas make one summary, and a point of the timeline each."""
    aggregator = Aggregator(("login",), (HOLD,), ORIGIN_NS)
    for second in range(3):
        delta = Delta()
        delta.record(request(0, second))
        aggregator.add(delta, at(second), at(second + 1))
    summary = aggregator.summary({0: (at(0), at(3))})
    assert summary.totals.sent == 3
    assert [(p.at_s, p.duration_s, p.sent) for p in summary.timeline] == [(0, 1, 1), (1, 1, 1), (2, 1, 1)]
