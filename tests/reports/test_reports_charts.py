"""Axes and lines are arithmetic: properties, and a few drawings by hand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.metrics.spread import Spread, lower_edge_s
from stressrunner.reports.page.bars import Bars
from stressrunner.reports.page.frame import ChartFrame
from stressrunner.reports.page.heat import HeatColumn, heat_axis, heat_map, joined
from stressrunner.reports.page.lines import Line, line_chart, thinned
from stressrunner.reports.page.scale import Axis, count_axis, decimal_axis, log_axis, time_axis
from stressrunner.units import format_bytes, format_duration, format_rate

values = st.floats(min_value=0, max_value=1e12)
AXIS = Axis(0.0, 10.0, ((0.0, "0"), (10.0, "10")))


def drawn(*points):
    """Return a chart with one line of these points."""
    return str(line_chart("c", ChartFrame("Title", AXIS, AXIS, str), [Line("line", points)]).svg)


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
    path = drawn((0, 0), (1, 5), (2, None), (3, 5), (4, None)).split('data-line="0" d="')[1].split('"')[0]
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
    chart = line_chart("c", ChartFrame("A & B", AXIS, AXIS, str), [Line("<b>", ((0, 1),))])
    assert "A &amp; B" in chart.svg
    assert "&lt;b&gt;: between 1 and 1" in chart.svg


@given(st.lists(st.none() | st.floats(0, 1e9), max_size=1500))
def test_thinning_keeps_the_peaks(heights):
    """A line of any length becomes one of at most 240 values, in order, with its lowest and highest."""
    points = tuple((float(i), height) for i, height in enumerate(heights))
    thin = thinned(points)
    assert len(thin) <= 240
    assert set(thin) <= set(points)
    assert list(thin) == sorted(thin, key=lambda point: point[0])
    known = [height for height in heights if height is not None]
    kept = [height for _, height in thin if height is not None]
    assert (min(kept), max(kept)) == (min(known), max(known)) if known else kept == []


def test_every_point_carries_its_value():
    """Beside its path a line has its values in words, one for each point that was measured."""
    svg = drawn((0, 2), (1, None), (2, 7))
    assert 'data-values="2|7"' in svg
    assert svg.count("M") == 2 + svg.split("data-line")[0].count("M")


@given(st.floats(1e-6, 1e4), st.floats(1.0001, 1e6))
def test_a_logarithmic_axis_has_ticks_to_read(low, factor):
    """It has two ticks at least and not many, in order, inside of it, and no two with the same words."""
    axis = log_axis(low, low * factor, lambda value: f"{value:.9g}")
    places = [axis.place(value) for value, _ in axis.ticks]
    assert 2 <= len(places) <= 14
    assert places == sorted(set(places))
    assert len({label for _, label in axis.ticks}) == len(places)


def columns_of(*spreads):
    """Return columns of a second each."""
    return tuple(HeatColumn(float(i), i + 1.0, Spread.read(text)) for i, text in enumerate(spreads))


def heat(columns):
    """Return a heat map of columns."""
    frame = ChartFrame("Title", Axis(0.0, float(len(columns)), ()), heat_axis(columns), str)
    return str(heat_map("h", frame, columns, note="", end_s=float(len(columns))).svg)


def test_many_are_dark_and_few_are_faint():
    """The shade of a cell is how many it has beside the fullest one; neighbours of one shade are one area."""
    svg = heat(columns_of("40:81 41:1", "40:81 41:27", "40:81"))
    assert svg.count('class="heat heat-5"') == svg.count('class="heat heat-1"') == 1
    darkest = svg.split('class="heat heat-5" d="')[1].split('"')[0]
    assert darkest.count("M") == 1
    assert 'class="heat heat-4"' in svg


def test_what_never_ended_has_a_row_of_its_own():
    """It is at the top, above the highest bucket, and is said aloud."""
    svg = heat(columns_of("40:3", "40:3 never:2"))
    assert svg.count('class="heat never') == 1
    assert "2 never ended" in svg
    tops = [float(path.split(" ")[1].split("h")[0]) for path in svg.split('class="heat heat-5" d="M')[1:]]
    assert min(tops) > 14 + 6


def test_nothing_to_show_is_said():
    """A heat map of seconds in which nothing ended is empty, and says so."""
    assert "nothing was measured" in heat(columns_of("", ""))


@given(st.lists(st.dictionaries(st.integers(0, 120), st.integers(1, 100), max_size=3), max_size=700))
def test_joining_columns_loses_nothing(counts):
    """Of any number of columns there are at most 120, which hold the same durations over the same time."""
    whole = tuple(HeatColumn(float(i), i + 1.0, Spread(of, i % 2)) for i, of in enumerate(counts))
    few = joined(whole)
    assert len(few) <= 120
    for columns in (whole, few):
        assert sum(sum(c.spread.counts.values()) + c.spread.never for c in columns) == sum(
            sum(of.values()) + i % 2 for i, of in enumerate(counts)
        )
    assert [c.start_s for c in few[1:]] == [c.end_s for c in few[:-1]]
    assert (few[0].start_s, few[-1].end_s) == (0, len(counts)) if counts else few == ()


@given(
    st.lists(st.dictionaries(st.integers(0, 150), st.integers(1, 10**6), max_size=5), min_size=1, max_size=3)
)
def test_any_spread_can_be_drawn(counts):
    """Buckets from microseconds to days lie on the axis that is made for them."""
    columns = tuple(HeatColumn(float(i), i + 1.0, Spread(of, 0)) for i, of in enumerate(counts))
    axis = heat_axis(columns)
    assert all(axis.low <= axis.high for _ in columns)
    assert heat(columns).count("NaN") == 0
    assert all(lower_edge_s(index + 1) > lower_edge_s(index) for of in counts for index in of)


def test_small_distributions_share_a_scale():
    """A bar stands at the same place for the same duration in every row, and the highest fills the row."""
    fast, slow = Spread.read("10:5 11:10"), Spread.read("20:1")
    bars = Bars.over([fast, slow])
    assert 'viewBox="0 0 44 20"' in bars.draw(fast)
    assert "M0 20v-10h3V20zM4 20v-20h3V20z" in bars.draw(fast)
    assert "M40 20v-20h3V20z" in bars.draw(slow)
    assert "M" in bars.draw(Spread.read("never:2"))
