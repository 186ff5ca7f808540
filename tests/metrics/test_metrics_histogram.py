"""Histograms: within 0.1 % or 1 µs of the exact rank, mergeable without loss, and exact in their sums."""

import base64
import zlib
from fractions import Fraction
from math import ceil, inf
from statistics import fmean, pstdev

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stressrunner.metrics.histogram import Histogram

HOURS = 5 * 3600 * 1_000_000_000
durations = st.one_of(
    st.integers(0, HOURS), st.integers(0, 5_000_000), st.integers(0, 60).map(lambda n: 2**n % HOURS)
)
many = st.lists(durations, max_size=60)
percents = st.one_of(
    st.sampled_from([50, 90, 95, 99, 99.9, 99.99, 100]), st.floats(0.01, 100).map(lambda p: round(p, 2))
)


def histogram_of(values, never=0):
    """Return a histogram of nanoseconds."""
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    for _ in range(never):
        histogram.record_never()
    return histogram


def state_of(histogram):
    """Return everything that a histogram holds."""
    return {name: getattr(histogram, name) for name in Histogram.__slots__}


@given(many, st.integers(0, 5), percents)
def test_percentiles_are_the_nearest_rank(values, never, percent):
    """A percentile is the value of its rank within half a bucket, which is less than 0.05 % or 0.5 µs; what never ended has the last ranks."""
    ranked = [*sorted(values), *[inf] * never]
    found = histogram_of(values, never).percentile_s(percent)
    if not ranked:
        assert found is None
        return
    exact_ns = ranked[max(1, ceil(Fraction(str(percent)) * len(ranked) / 100)) - 1]
    if exact_ns == inf:
        assert found is None
    else:
        assert found * 1e9 == pytest.approx(exact_ns, rel=1 / 2048, abs=501)


@pytest.mark.parametrize(
    ("percent", "rank"), [(99.9, 9_990_000), (99.99, 9_999_000), (50, 5_000_000), (55.5, 5_550_000)]
)
def test_ranks_are_exact_in_long_runs(percent, rank):
    """Among ten million durations the rank is the one that arithmetic says, not its neighbour."""
    histogram = Histogram()
    histogram.counts = {1: rank, 2000: 10_000_000 - rank}
    histogram.count, histogram.min_ns, histogram.max_ns = 10_000_000, 1000, 2_000_000
    assert histogram.percentile_s(percent) == pytest.approx(1e-6)


@given(many.filter(bool))
def test_percentiles_stay_within_what_was_seen(values):
    """No percentile is below the smallest or above the greatest duration, although buckets are wider."""
    histogram = histogram_of(values)
    for percent in (0.1, 50, 99, 100):
        assert min(values) / 1e9 <= histogram.percentile_s(percent) <= max(values) / 1e9


@given(many.filter(bool))
def test_sums_are_exact(values):
    """Least, greatest, mean and standard deviation are those of the durations themselves."""
    histogram = histogram_of(values)
    assert (histogram.min_ns, histogram.max_ns, histogram.count) == (min(values), max(values), len(values))
    assert histogram.mean_s == pytest.approx(fmean(values) / 1e9, rel=1e-12)
    assert histogram.stddev_s == pytest.approx(pstdev(values) / 1e9, rel=1e-9, abs=1e-15)


def test_small_spreads_at_great_values_are_exact():
    """A spread of a microsecond around an hour is not lost to rounding."""
    hour = 3600 * 10**9
    assert histogram_of([hour - 1000, hour + 1000]).stddev_s == pytest.approx(1e-6)


@given(many, many, st.integers(0, 3), st.integers(0, 3))
def test_merging_is_recording_together(one, other, never, never_other):
    """A merged histogram is the one that would have recorded everything."""
    merged = histogram_of(one, never)
    merged.merge(histogram_of(other, never_other))
    assert state_of(merged) == state_of(histogram_of(one + other, never + never_other))


def test_merging_leaves_the_other_alone():
    """What was merged in does not change when the sum does."""
    one, other = histogram_of([1000]), histogram_of([5000])
    one.merge(other)
    one.record(9000)
    assert state_of(other) == state_of(histogram_of([5000]))


@given(many, many, st.integers(0, 3), st.integers(0, 3))
@example([10_000_100, 30_015_000], [20_000_000], 0, 0)
@example([10_000_100, 30_015_000], [], 0, 0)
def test_what_is_taken_off_leaves_what_is_left(rest, part, never, never_part):
    """Counts and sums are those of the rest; so are its ends, but for their bucket where they were the part's."""
    left = histogram_of(rest + part, never + never_part)
    left.take_off(histogram_of(part, never_part))
    expected = histogram_of(rest, never)
    ends = {"min_ns", "max_ns"}
    assert {**state_of(left), **dict.fromkeys(ends)} == {**state_of(expected), **dict.fromkeys(ends)}
    if not rest:
        assert (left.min_ns, left.max_ns) == (None, None)
        return
    near = {"rel": 0.001, "abs": 1000}
    assert left.min_ns == (
        min(rest) if not part or min(rest) < min(part) else pytest.approx(min(rest), **near)
    )
    assert left.max_ns == (
        max(rest) if not part or max(rest) > max(part) else pytest.approx(max(rest), **near)
    )


@given(many, st.integers(0, 5))
def test_encoding_loses_nothing(values, never):
    """What was encoded is read back as it was."""
    histogram = histogram_of(values, never)
    assert state_of(Histogram.decode(histogram.encode())) == state_of(histogram)


def encoded(*numbers):
    """Return small numbers as a histogram would be encoded."""
    return base64.b64encode(zlib.compress(bytes(numbers))).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64!",
        "é",
        "AAAA",
        base64.b64encode(b"plain").decode(),
        encoded(),
        encoded(1, 0, 5, 25, 5),
        encoded(1, 0, 5, 25, 5, 5),
        encoded(1, 0, 5, 25, 5, 5, 0),
        encoded(1, 0, 5, 25, 5, 5, 0, 2),
        encoded(1, 0, 5, 25, 9, 5, 0, 1),
        encoded(1, 0, 5, 25, 5, 5, 0, 0x81),
    ],
)
def test_what_is_no_histogram_is_refused(text):
    """A text that was not encoded here, was cut short or contradicts itself is refused as such."""
    with pytest.raises(ValueError, match=r"^not an encoded histogram: "):
        Histogram.decode(text)


@given(many, st.integers(0, 5), st.floats(0, 10))
def test_shares_over_a_limit(values, never, limit_s):
    """The part beyond a limit counts what never ended, and is off by what is within a bucket of the limit."""
    share = histogram_of(values, never).share_over(limit_s)
    total = len(values) + never
    surely = sum(value / 1e9 > limit_s * 1.001 + 1e-6 for value in values) + never
    perhaps = sum(value / 1e9 > limit_s * 0.999 - 1e-6 for value in values) + never
    assert share == 0 if total == 0 else surely / total <= share <= perhaps / total


def test_nothing_has_no_figures():
    """An empty histogram has no percentile, mean or spread, and no time below zero is counted."""
    empty = Histogram()
    assert (empty.percentile_s(50), empty.mean_s, empty.stddev_s, empty.share_over(0)) == (
        None,
        None,
        None,
        0,
    )
    assert histogram_of([-5]).max_ns == 0


def test_size_does_not_grow_with_the_number():
    """A hundred thousand durations up to an hour fit into a few thousand buckets and kilobytes."""
    histogram = histogram_of((i * 36_000_000) % (3600 * 10**9) for i in range(100_000))
    assert len(histogram.counts) < 25_000
    assert len(histogram.encode()) < 50_000
