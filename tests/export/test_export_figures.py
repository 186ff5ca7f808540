"""What is exported says the same as what was counted."""

from itertools import pairwise

from cli.made_progress import RUNNING
from hypothesis import given
from hypothesis import strategies as st
from metrics.metrics_samples import MS, sample

from stressrunner.metrics.delta import Delta
from stressrunner.metrics.histogram import Histogram
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.run.export.figures import BOUNDS_S, Buckets, families

times_ns = st.lists(st.integers(0, 100 * 10**9), max_size=50)


def by_name(found):
    """Return the points of families by the families' names."""
    return {family.name: family.points for family in found}


@given(times_ns, st.integers(0, 5))
def test_buckets_hold_what_was_counted(times, never):
    """Cumulative counts are those of times up to each bound, to the precision of the histogram, and the sum is exact."""
    histogram = Histogram()
    histogram.extend(times)
    histogram.never = never
    buckets = Buckets.of(histogram)
    assert buckets.count == buckets.cumulative[-1] == len(times) + never
    assert all(low <= high for low, high in pairwise(buckets.cumulative))
    for bound, count in zip(BOUNDS_S, buckets.cumulative, strict=False):
        surely = sum(ns / 1e9 <= bound * 0.999 - 1e-6 for ns in times)
        perhaps = sum(ns / 1e9 <= bound * 1.001 + 1e-6 for ns in times)
        assert surely <= count <= perhaps
    assert buckets.sum_s == sum(times) / 1e9
    assert (buckets.min_s, buckets.max_s) == (min(times, default=0) / 1e9, max(times, default=0) / 1e9)


def test_a_time_at_a_bound_belongs_to_its_bucket():
    """Prometheus' bounds are inclusive."""
    histogram = Histogram()
    histogram.record(1 * MS)
    assert Buckets.of(histogram).counts[0] == 1


def test_requests_are_told_apart_by_phase_endpoint_and_outcome():
    """What became of requests is counted by phase and endpoint, so that a warm-up can be left out."""
    total = Delta()
    names = [endpoint.name for endpoint in RUNNING.endpoints]
    for phase, endpoint, outcome in [(0, 0, Outcome.OK), (1, 0, Outcome.OK), (1, 1, Outcome.FAILED)]:
        problem = Problem("reset", "gone") if outcome is Outcome.FAILED else None
        total.record(sample(phase=phase, endpoint=endpoint, outcome=outcome, problem=problem))
    total.record_dropped(1, 1, 7)
    found = by_name(families(RUNNING, total, ["warm", "hold"]))
    counted = {
        tuple(point.labels.values()): point.value for point in found["stressrunner_requests"] if point.value
    }
    assert counted == {
        ("warm", names[0], "ok"): 1,
        ("hold", names[0], "ok"): 1,
        ("hold", names[1], "failed"): 1,
    }
    dropped = {point.labels["phase"]: point.value for point in found["stressrunner_dropped"] if point.value}
    assert dropped == {"hold": 7}
    assert [(point.labels, point.value) for point in found["stressrunner_errors"]] == [({"kind": "reset"}, 1)]


def test_what_is_not_known_is_not_exported():
    """A threshold that nothing was judged by, and a figure of the generator that is missing, have no point."""
    found = by_name(families(RUNNING, Delta(), ["load"]))
    judged = {one.text for one in RUNNING.thresholds if one.state != "open"}
    assert {point.labels["threshold"] for point in found["stressrunner_threshold_holds"]} == judged
