"""The timeline stays bounded however long the run is, and loses nothing."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_samples import sample

from stressrunner.metrics.delta import Delta
from stressrunner.metrics.spread import Spread
from stressrunner.metrics.timeline import MAX_KINDS, MAX_POINTS, Offer, Timeline
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.pacing import Ramp


def second(at_s, requests=1, in_flight=0):
    """Return what was counted in a second."""
    delta = Delta()
    for k in range(requests):
        delta.record(sample(at_s * 1000, 10 + k, Outcome.FAILED if k % 3 == 2 else Outcome.OK))
    delta.in_flight = in_flight
    return delta


def timeline_of(seconds, requests=1):
    """Return the timeline of a run of so many seconds."""
    timeline = Timeline()
    for at_s in range(seconds):
        timeline.add(second(at_s, requests, in_flight=at_s), at_s, 1)
    return timeline.points()


@settings(max_examples=15, deadline=None)
@given(
    st.one_of(st.integers(0, 50), st.integers(MAX_POINTS - 3, MAX_POINTS + 3), st.integers(0, 6 * MAX_POINTS))
)
def test_it_is_bounded_and_loses_nothing(seconds):
    """At most 1,200 points, without gaps or overlaps, that add up to the whole run."""
    points = timeline_of(seconds)
    assert len(points) <= MAX_POINTS
    assert len(points) >= min(seconds, MAX_POINTS // 2)
    assert sum(p.sent for p in points) == sum(p.ok for p in points) == seconds
    assert sum(p.duration_s for p in points) == seconds
    at_s = 0
    for point in points:
        assert point.at_s == at_s
        at_s += point.duration_s
        assert point.in_flight == at_s - 1


def test_points_are_of_equal_length():
    """In a run of three hours every point but the last covers the same time."""
    points = timeline_of(3 * 3600)
    assert {p.duration_s for p in points[:-1]} == {16}
    assert points[-1].duration_s <= 16


def test_a_point_tells_what_happened():
    """A point has the counts and the latencies of its stretch."""
    (point,) = timeline_of(1, requests=6)
    assert (point.sent, point.completed, point.ok, point.failed, point.refused) == (6, 6, 4, 2, 0)
    assert point.max_s == pytest.approx(0.014)
    assert point.p50_s == pytest.approx(0.011, rel=0.001)


def test_a_quiet_second_is_a_point():
    """When nothing happens that is shown, without latencies."""
    (point,) = timeline_of(1, requests=0)
    assert (point.sent, point.p50_s, point.max_s) == (0, None, None)


def test_joined_points_keep_the_errors_of_both():
    """However often points were joined, the failed requests of the run are among those of its points."""
    seconds = 2 * MAX_POINTS + 5
    points = timeline_of(seconds, requests=3)
    assert sum(point.errors["check"] for point in points) == seconds
    assert sum(point.failed for point in points) == seconds


def test_errors_are_told_apart_by_kind():
    """A point has the failed requests of each kind; the rarest kinds of the run are counted together."""
    timeline = Timeline()
    kinds = [*(f"http 50{n}" for n in range(MAX_KINDS)), "reset", "timeout"]
    for at_s in range(2):
        delta = Delta()
        for n, kind in enumerate(kinds[: len(kinds) - at_s]):
            for k in range(10 - n):
                failed = sample(at_s * 1000 + k, outcome=Outcome.FAILED, problem=Problem(kind, "so it is"))
                delta.record(failed)
        timeline.add(delta, at_s, 1)
    named = {kind: 10 - n for n, kind in enumerate(kinds[:MAX_KINDS])}
    assert [point.errors for point in timeline.points()] == [named | {"other": 5 + 4}, named | {"other": 5}]


def test_response_times_are_kept_in_few_buckets():
    """A point tells how its response times were spread, what never ended included."""
    delta = second(0, requests=3)
    delta.record(sample(0, 30_000, Outcome.FAILED, never=True))
    timeline = Timeline()
    timeline.add(delta, 0, 1)
    (point,) = timeline.points()
    spread = Spread.read(point.spread)
    assert (sum(spread.counts.values()), spread.never) == (2, 1)


def offers(*phases):
    """Return the offers of phases, given as beginning, rates and length."""
    return [
        Offer(started, Ramp(Fraction(low), Fraction(high), Fraction(length)))
        for started, low, high, length in phases
    ]


def test_what_was_offered_follows_the_rate():
    """Points say how many requests were to be sent, of parts of a second too, and None where no rate was asked for."""
    timeline = Timeline()
    for at_s in range(7):
        timeline.add(second(at_s), at_s, 1)
    assert [p.offered for p in timeline.points(offers((1, 10, 10, 2)))] == [None, 10, 10, *[None] * 4]
    points = timeline.points(offers((1.5, 10, 10, 2), (3.5, 0, 20, 2)))
    assert [p.offered for p in points] == [
        None,
        5,
        10,
        pytest.approx(5 + 1.25),
        10,
        pytest.approx(8.75),
        None,
    ]


@given(
    st.fractions(0, 1000, max_denominator=10),
    st.fractions(0, 1000, max_denominator=10),
    st.floats(0, 5),
    st.integers(1, 8),
)
def test_all_that_is_offered_is_in_the_points(low, high, started_s, length):
    """However a phase lies to the points, they add up to its arrivals."""
    timeline = Timeline()
    for at_s in range(15):
        timeline.add(second(at_s), at_s, 1)
    (offer,) = offers((started_s, low, high, length))
    total = sum(point.offered or 0 for point in timeline.points([offer]))
    assert total == pytest.approx(float(offer.ramp.area))
