"""The timeline stays bounded however long the run is, and loses nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_samples import sample

from stressrunner.metrics.tally import Tally
from stressrunner.metrics.timeline import MAX_POINTS, Timeline
from stressrunner.plan.outcome import Outcome


def second(at_s, requests=1, in_flight=0):
    """Return what was counted in a second."""
    tally = Tally()
    for k in range(requests):
        tally.record(sample(at_s * 1000, 10 + k, Outcome.FAILED if k % 3 == 2 else Outcome.OK))
    tally.in_flight = in_flight
    return tally


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
