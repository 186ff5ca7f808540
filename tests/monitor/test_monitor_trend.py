"""Growth and slope are arithmetic: identities over any series."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.monitor.trend import growth, slope_per_h

times = st.lists(st.integers(0, 100_000), min_size=3, max_size=60, unique=True).map(sorted)
sizes = st.integers(0, 2**40)


@given(times, sizes, st.integers(-(2**30), 2**30))
def test_a_line_has_its_own_slope(seconds, base, per_s):
    """On a straight line the slope is exact, whatever the spacing of the looks."""
    line = [(float(t), float(base + per_s * t)) for t in seconds]
    assert slope_per_h(line) == pytest.approx(per_s * 3600, rel=1e-6, abs=1e-3 * (1 + base / 2**30))


@given(times, sizes)
def test_a_level_neither_grows_nor_slopes(seconds, level):
    """A constant figure has growth 0 and slope 0."""
    flat = [(float(t), float(level)) for t in seconds]
    assert growth(flat) == 0
    assert slope_per_h(flat) == pytest.approx(0, abs=1e-3)


@given(times, st.data(), st.integers(-1000, 1000), st.integers(-(2**30), 2**30))
def test_neither_depends_on_where_zero_is(seconds, data, later_s, higher):
    """Moving a series in time or in height changes nothing."""
    values = data.draw(st.lists(st.integers(0, 2**30), min_size=len(seconds), max_size=len(seconds)))
    series = [(float(t), float(v)) for t, v in zip(seconds, values, strict=True)]
    moved = [(t + later_s, v + higher) for t, v in series]
    assert growth(moved) == growth(series)
    assert slope_per_h(moved) == pytest.approx(slope_per_h(series), rel=1e-6, abs=1)


@given(times, st.data())
def test_growth_turns_round_with_the_series(seconds, data):
    """Seen backwards, what grew has shrunk by the same."""
    values = data.draw(st.lists(st.integers(0, 2**30), min_size=len(seconds), max_size=len(seconds)))
    # Tens of seconds, so that a tenth of the time is exact and rounding never decides about a look at its edge.
    series = [(10.0 * t, float(v)) for t, v in zip(seconds, values, strict=True)]
    backwards = [(-t, v) for t, v in reversed(series)]
    assert growth(backwards) == -growth(series)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([(0, 5.0)], None),
        ([(0, 5.0), (1, 9.0)], 4),
        # A peak in the middle and one look that is off at the end decide nothing.
        ([(t, 100.0 if t == 50 else 10.0) for t in range(101)], 0),
        ([(t, 10.0 if t < 90 or t == 95 else 30.0) for t in range(101)], 20),
    ],
)
def test_growth_compares_the_medians_of_the_ends(values, expected):
    """The last tenth less the first, by medians, with a look at each end at least."""
    assert growth(values) == expected


@pytest.mark.parametrize("values", [[], [(0, 1.0)], [(0, 1.0), (1, 2.0)], [(3, 1.0), (3, 2.0), (3, 5.0)]])
def test_a_slope_needs_three_looks_and_time(values):
    """Two looks always lie on a line, and without time there is no slope."""
    assert slope_per_h(values) is None
