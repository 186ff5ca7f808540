"""A rolling window is the sum of what lies in it, however it was added and taken off."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_figures import cell_of, sample

from stressrunner.engine.loop_watch import Late
from stressrunner.plan.outcome import Outcome
from stressrunner.scenario.threshold import METRICS
from stressrunner.verdict.rolling import Rolling, Slice

samples = st.builds(
    sample,
    st.floats(0, 10**5),
    st.sampled_from(Outcome),
    never=st.booleans(),
    connect_ns=st.none() | st.integers(0, 10**9),
    late=st.none() | st.builds(Late, *[st.sampled_from([0, 2_000_000])] * 4, st.booleans(), st.booleans()),
)
all_series = st.builds(
    lambda made, dropped, skipped: cell_of(made, dropped=dropped, skipped=skipped),
    st.lists(samples, max_size=8),
    st.integers(0, 3),
    st.integers(0, 3),
)


def figures_of(rolling):
    """Return all that a window says, its histogram as text."""
    aggregate = rolling.aggregate()
    named = {field.name: getattr(aggregate, field.name) for field in fields(aggregate)}
    without_lag = str([sorted(each.counts.items()) for each in aggregate.without_lag])
    return {**named, "times": aggregate.times.encode(), "without_lag": without_lag}


@given(
    st.lists(st.tuples(all_series, all_series), min_size=1, max_size=20),
    st.integers(1, 6),
    st.sampled_from(METRICS),
)
def test_a_window_is_the_sum_of_its_latest_seconds(seconds, length, metric):
    """After any number of seconds, each with late arrivals, it equals a window that only saw the last ones."""
    long, short = Rolling(float(length)), Rolling(float(length))
    for number, (series, late) in enumerate(seconds):
        for window in [long, short] if number >= len(seconds) - length else [long]:
            window.add(Slice.of([series], metric, 1.0))
            window.add_late(Slice.of([late], metric, 1.0))
    assert figures_of(long) == pytest.approx(figures_of(short))
    assert long.is_full == (len(seconds) >= length)


@given(st.lists(all_series, max_size=10), st.sampled_from(METRICS))
def test_without_a_window_nothing_is_taken_off(seconds, metric):
    """Everything so far is one sum, and it is always complete."""
    rolling, whole = Rolling(None), Slice.of(seconds, metric, float(len(seconds)))
    for series in seconds:
        rolling.add(Slice.of([series], metric, 1.0))
    aggregate = rolling.aggregate()
    assert rolling.is_full
    assert aggregate.completed == whole.completed
    assert aggregate.times.encode() == whole.times.encode()


def test_seconds_are_never_exact():
    """Ten seconds that were handed over a little early fill a window of ten; nine do not."""
    rolling = Rolling(10.0)
    for _ in range(9):
        rolling.add(Slice.of([], "response_time", 0.9995))
    assert not rolling.is_full
    rolling.add(Slice.of([], "response_time", 0.9995))
    assert rolling.is_full


def test_late_requests_are_no_throughput():
    """They count in every figure but the rates."""
    rolling = Rolling(None)
    rolling.add(Slice.of([cell_of([sample(1)] * 10)], "response_time", 2.0))
    rolling.add_late(Slice.of([cell_of([sample(1)] * 5)], "response_time", 1.0))
    aggregate = rolling.aggregate()
    assert (aggregate.completed, aggregate.times.count) == (15, 15)
    assert (aggregate.throughput_per_s, aggregate.goodput_per_s) == (5.0, 5.0)


def test_no_time_has_no_rates():
    """Before the first second there is nothing to divide by."""
    assert Rolling(5.0).aggregate().throughput_per_s is None
