"""A spread is a histogram in few buckets: nothing is lost but where in a bucket a duration lay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.spread import Spread, lower_edge_s

TIMES = st.lists(st.integers(0, 10**14), max_size=30)


def histogram_of(times_ns, never=0):
    """Return the histogram of some durations in nanoseconds."""
    histogram = Histogram()
    histogram.extend(times_ns)
    histogram.never = never
    return histogram


@given(TIMES, st.integers(0, 5))
def test_nothing_is_lost(times_ns, never):
    """Every duration is in one bucket, or among those that never ended."""
    spread = Spread.of(histogram_of(times_ns, never))
    assert sum(spread.counts.values()) == len(times_ns)
    assert spread.never == never


@given(st.integers(0, 10**14))
def test_a_duration_is_in_its_bucket(ns):
    """Its bucket begins at most a fifth below it and ends above it, but for what the histogram rounds."""
    (index,) = Spread.of(histogram_of([ns])).counts
    rounded = 0.0005 * ns / 1e9 + 1e-6
    assert lower_edge_s(index) <= ns / 1e9 + rounded
    assert ns / 1e9 - rounded <= lower_edge_s(index + 1)
    edge_s = max(1.25 * lower_edge_s(index), lower_edge_s(index) + 1e-6)
    assert lower_edge_s(index + 1) <= edge_s * (1 + 1e-15) + 1e-12


@given(TIMES, st.integers(0, 5))
def test_text_is_read_again(times_ns, never):
    """What is written is read as it was."""
    spread = Spread.of(histogram_of(times_ns, never))
    assert Spread.read(spread.text()) == spread


def test_text_is_short():
    """It names the buckets in use, in order, and what never ended at its end."""
    assert (
        Spread.of(histogram_of([3000, 900_000, 3000, 2_000_000_000], never=4)).text()
        == "3:2 35:1 79:1 never:4"
    )
    assert Spread.of(histogram_of([])).text() == ""


@pytest.mark.parametrize("text", ["57", "57:3,58:1", "a:1", "-1:2", "never:1 57:3", "57:", "1:2\n"])
def test_other_text_is_refused(text):
    """What is no spread is not read as one."""
    with pytest.raises(ValueError, match="not a spread"):
        Spread.read(text)
