"""The series of looks stays bounded and loses neither peaks nor the mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.monitor.figures import MonitorPoint
from stressrunner.monitor.series import MAX_POINTS, PointSeries

looks = st.tuples(
    st.floats(0, 8), st.integers(0, 2**34), st.none() | st.integers(0, 999), st.none() | st.integers(0, 999)
)


@given(st.lists(looks, min_size=1, max_size=30), st.integers(1, 200))
def test_a_long_series_is_bounded_and_keeps_its_peaks(pattern, times):
    """However many looks: at most 1,200 points in order, the same peaks, the last look's time."""
    series = PointSeries()
    added = [MonitorPoint(float(i), *look) for i, look in enumerate(pattern * times)]
    for point in added:
        series.add(point)
    points = series.points()
    assert len(points) <= MAX_POINTS
    assert [p.at_s for p in points] == sorted({p.at_s for p in points})
    assert points[-1].at_s == added[-1].at_s
    assert max(p.memory_bytes for p in points) == max(p.memory_bytes for p in added)
    for name in ("open_files", "connections"):
        kept, seen = ([v for p in ps if (v := getattr(p, name)) is not None] for ps in (points, added))
        assert max(kept, default=None) == max(seen, default=None)


def test_joining_keeps_the_mean_of_the_cpu():
    """A full series that was halved twice has the mean of all its looks."""
    series = PointSeries()
    cpus = [float(i % 7) for i in range(4 * MAX_POINTS)]
    for i, cpu in enumerate(cpus):
        series.add(MonitorPoint(float(i), cpu, 0, None, None))
    points = series.points()
    assert len(points) == MAX_POINTS
    assert sum(p.cpu for p in points) / len(points) == pytest.approx(sum(cpus) / len(cpus))
