"""Axes and lines are arithmetic: properties, and a few drawings by hand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.reports.scale import Axis, count_axis, decimal_axis, time_axis
from stressrunner.reports.svg import Frame, Series, line_chart, thinned
from stressrunner.units import format_bytes, format_duration, format_rate

values = st.floats(min_value=0, max_value=1e12)
AXIS = Axis(0.0, 10.0, ((0.0, "0"), (10.0, "10")))


def drawn(*points):
    """Return a chart with one line of these points."""
    return str(line_chart("c", Frame("Title", AXIS, AXIS, str), [Series("line", points)]).svg)


@given(values, values, st.sampled_from([format_bytes, format_rate]))
def test_a_decimal_axis_holds_its_values(one, other, write):
    """Both values lie on the axis, its ticks go up, few enough to be read, no two with the same words."""
    check(decimal_axis(min(one, other), max(one, other), write), one, other)


@given(values.map(lambda value: value / 1e6), values.map(lambda value: value / 1e6))
def test_a_time_axis_holds_its_values(one, other):
    """The same for durations from microseconds to days."""
    check(time_axis(min(one, other), max(one, other), format_duration), one, other)


def check(axis, one, other):
    """Hold what is true of every axis."""
    ticks = [value for value, _ in axis.ticks]
    assert axis.low <= min(one, other) + 1e-9 * abs(one)
    assert axis.high >= max(one, other) * (1 - 1e-9)
    assert all(left < right for left, right in pairwise(ticks))
    assert 2 <= len(ticks) <= 8
    labels = [label for _, label in axis.ticks]
    assert len(set(labels)) == len(labels)
    assert 0 <= axis.place(one) <= 1


def test_minutes_are_divided_as_on_a_clock():
    """An axis of minutes has ticks that people count in."""
    assert [label for _, label in time_axis(0, 150, format_duration).ticks] == [
        "0 s",
        "60 s",
        "2 min",
        "3 min",
    ]
    assert [label for _, label in time_axis(0, 7200, format_duration).ticks][1] == "30 min"


@pytest.mark.parametrize(("high", "labels"), [(0, "0 1"), (1, "0 1"), (3, "0 1 2 3"), (7, "0 2 4 6 8")])
def test_counts_have_whole_steps(high, labels):
    """There is no half a request in flight."""
    assert [label for _, label in count_axis(0, high, "{:g}".format).ticks] == labels.split()


def test_steps_that_words_cannot_tell_apart_are_widened():
    """Between 244.2 MB and 245 MB there is no third number of three digits."""
    labels = [label for _, label in decimal_axis(244.2e6, 245e6, format_bytes).ticks]
    assert labels == ["244 MB", "245 MB"]


def test_a_line_is_broken_where_nothing_was_measured():
    """A missing value leaves a gap, and a value that stands alone is a dot."""
    path = (
        drawn((0, 0), (1, 5), (2, None), (3, 5), (4, None)).split('class="line line-0" d="')[1].split('"')[0]
    )
    assert path.count("M") == 2
    assert path.count("L") == 1
    assert path.endswith("h0")


def test_a_drawing_is_described():
    """The range of a line, or that it has none, can be read aloud."""
    assert '<desc id="c-desc">line: between 2 and 7.</desc>' in drawn((0, 2), (1, 7))
    assert "line: nothing was measured" in drawn((0, None))
    assert ">nothing was measured</text>" in drawn()


def test_names_are_escaped():
    """A line's name is text in the drawing's description, whatever it looks like."""
    chart = line_chart("c", Frame("A & B", AXIS, AXIS, str), [Series("<b>", ((0, 1),))])
    assert "A &amp; B" in chart.svg
    assert "&lt;b&gt;: between 1 and 1" in chart.svg


@given(st.lists(st.none() | st.floats(0, 1e9), max_size=1500))
def test_thinning_keeps_the_peaks(heights):
    """A line of any length becomes one of at most 300 values, in order, with its lowest and highest."""
    points = tuple((float(i), height) for i, height in enumerate(heights))
    thin = thinned(points)
    assert len(thin) <= 300
    assert set(thin) <= set(points)
    assert list(thin) == sorted(thin, key=lambda point: point[0])
    known = [height for height in heights if height is not None]
    kept = [height for _, height in thin if height is not None]
    assert (min(kept), max(kept)) == (min(known), max(known)) if known else kept == []
