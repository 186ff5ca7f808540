"""Pacing is arithmetic, so its tests are identities and tables; nothing sleeps."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from math import exp, lgamma, log, sqrt
from statistics import fmean, pvariance

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stressrunner.plan.pacing import Even, First, Poisson, Ramp, user_steps
from stressrunner.units import NS_PER_S

rates = st.fractions(min_value=0, max_value=5000, max_denominator=100)
durations = st.fractions(min_value=Fraction(1, 10), max_value=600, max_denominator=10)
ramps = st.builds(Ramp, rates, rates, durations)


def constant(rate, duration_s):
    """Return arrivals at a constant rate."""
    return Even(Ramp(Fraction(rate), Fraction(rate), Fraction(duration_s)))


@pytest.mark.parametrize(
    ("rate", "duration_s", "count"),
    [
        ("100", "0.1", 10),
        ("100", "0.101", 11),
        ("1/3", "9", 3),
        ("1/3", "10", 4),
        ("0", "10", 0),
        ("5", "1", 5),
    ],
)
def test_counts_are_exact(rate, duration_s, count):
    """A constant rate has an arrival at every i / rate before the end, and none after."""
    assert constant(rate, duration_s).count == count


@given(st.fractions(Fraction(1, 60), 100_000, max_denominator=60), durations, st.data())
def test_constant_arrivals_are_on_the_grid(rate, duration_s, data):
    """Arrival i of a constant rate is due at i / rate, to the nanosecond, and before the end."""
    pacing = constant(rate, duration_s)
    i = data.draw(st.integers(0, pacing.count - 1))
    exact_ns = i * NS_PER_S / rate
    assert exact_ns - 1 < pacing.due_ns(i) <= exact_ns
    assert pacing.due_ns(i) < duration_s * NS_PER_S
    assert pacing.due_ns(0) == 0


@given(ramps, st.data())
def test_due_times_integrate_back(ramp, data):
    """The integral of the rate up to an arrival's due time is that arrival's number."""
    pacing = Even(ramp)
    assume(pacing.count)
    i = data.draw(st.integers(0, pacing.count - 1))
    t = pacing.due_ns(i) / NS_PER_S
    area = float(ramp.start) * t + float(ramp.end - ramp.start) * t * t / (2 * float(ramp.duration_s))
    assert area == pytest.approx(i, abs=1e-4 * (1 + i))


@given(ramps, st.data())
def test_arrivals_are_in_order(ramp, data):
    """A later arrival is never due before an earlier one, nor after the end."""
    pacing = Even(ramp)
    assume(pacing.count > 1)
    i = data.draw(st.integers(0, pacing.count - 2))
    assert 0 <= pacing.due_ns(i) <= pacing.due_ns(i + 1) <= ramp.duration_s * NS_PER_S


@pytest.mark.parametrize(
    "pacing",
    [
        constant(10, 1),
        First(constant(10, 1), 5),
        First(constant(10, 1), 50),
        Poisson(Ramp(Fraction(10), Fraction(10), Fraction(1)), 1, 0),
    ],
)
def test_there_are_no_other_arrivals(pacing):
    """An arrival before the first or after the last does not exist, whatever was asked for before."""
    assert pacing.due_ns(pacing.count - 1) > 0
    for i in (-1, pacing.count):
        with pytest.raises(IndexError):
            pacing.due_ns(i)


@given(
    st.builds(
        Ramp, st.integers(0, 300).map(Fraction), st.integers(1, 300).map(Fraction), st.just(Fraction(10))
    ),
    st.integers(0, 99),
)
def test_poisson_arrivals_are_in_order(ramp, seed):
    """Poisson arrivals lie in order within the duration, and repeat in whichever order they are asked for."""
    one, other = Poisson(ramp, seed, 0), Poisson(ramp, seed, 0)
    due = [one.due_ns(i) for i in range(one.count)]
    assert due == sorted(due)
    assert all(0 <= ns <= 10 * NS_PER_S for ns in due)
    assert due == [other.due_ns(i) for i in reversed(range(other.count))][::-1]


def test_poisson_counts_have_the_mean_and_variance_of_their_rate():
    """Over many seeds the arrivals of a phase have the mean and the variance of a Poisson distribution."""
    ramp = Ramp(Fraction(0), Fraction(20), Fraction(10))
    counts = [Poisson(ramp, seed, 0).count for seed in range(2000)]
    assert fmean(counts) == pytest.approx(100, rel=0.02)
    assert pvariance(counts) == pytest.approx(100, rel=0.15)


@pytest.mark.parametrize("mean", [3, 11])
def test_poisson_counts_are_distributed_as_such(mean):
    """Over many seeds each count comes as often as its probability says, for few and for many arrivals (chi-squared, 0.1 %)."""
    ramp, seeds = Ramp(Fraction(mean), Fraction(mean), Fraction(1)), 8000
    counts = Counter(Poisson(ramp, seed, 0).count for seed in range(seeds))
    expected = {n: seeds * exp(n * log(mean) - mean - lgamma(n + 1)) for n in range(4 * mean)}
    common = [n for n in expected if expected[n] >= 20]
    squares = [(counts[n] - expected[n]) ** 2 / expected[n] for n in common]
    rest, rare = seeds - sum(counts[n] for n in common), seeds - sum(expected[n] for n in common)
    degrees = len(common)
    critical = degrees * (1 - 2 / (9 * degrees) + 3.09 * sqrt(2 / (9 * degrees))) ** 3  # Wilson and Hilferty
    assert sum(squares) + (rest - rare) ** 2 / rare < critical


@pytest.mark.parametrize(("most", "count"), [(0, 0), (4, 4), (10, 10), (11, 10)])
def test_the_first_arrivals_are_those_of_the_others(most, count):
    """There are no more than are wanted, and no more than the others have; each is due when it was."""
    others = constant(10, 1)
    first = First(others, most)
    assert first.count == count
    assert [first.due_ns(i) for i in range(count)] == [others.due_ns(i) for i in range(count)]


def test_poisson_gaps_are_exponential():
    """The distances of Poisson arrivals at a constant rate have the mean and the spread of an exponential one."""
    pacing = Poisson(Ramp(Fraction(1000), Fraction(1000), Fraction(20)), 1, 0)
    due = [pacing.due_ns(i) / NS_PER_S for i in range(pacing.count)]
    gaps = [later - earlier for earlier, later in pairwise(due)]
    assert fmean(gaps) == pytest.approx(0.001, rel=0.03)
    assert pvariance(gaps) ** 0.5 == pytest.approx(0.001, rel=0.05)


def test_places_in_a_cell_are_uniform():
    """However far into its cell an arrival is drawn, where arrivals lie in cells is uniform (Kolmogorov-Smirnov, 1 %)."""
    cell_s = 1.024  # 1,024 arrivals at 1,000 a second
    pacing = Poisson(Ramp(Fraction(1000), Fraction(1000), Fraction(1024, 100)), 5, 0)
    places = sorted(pacing.due_ns(i) / NS_PER_S % cell_s / cell_s for i in range(pacing.count))
    distance = max(abs(place - (i + 0.5) / len(places)) for i, place in enumerate(places))
    assert distance < 1.63 / len(places) ** 0.5


def test_poisson_arrivals_of_seeds_and_phases_differ():
    """Another seed or phase has other arrivals."""
    ramp = Ramp(Fraction(10), Fraction(10), Fraction(10))
    firsts = {Poisson(ramp, seed, phase).due_ns(0) for seed in (1, 2) for phase in (0, 1)}
    assert len(firsts) == 4


@given(st.integers(0, 500), st.integers(0, 500), durations)
def test_users_follow_the_line(start, end, duration_s):
    """The users of a ramp change one at a time, in order, and never stray more than half a user from the line."""
    steps = list(user_steps(start, end, duration_s))
    assert steps[0] == (0, start)
    assert steps[-1][1] == end
    assert len(steps) == abs(end - start) + 1
    for (before_ns, before), (at_ns, users) in pairwise(steps):
        assert abs(users - before) == 1
        assert before_ns <= at_ns <= duration_s * NS_PER_S
        line = start + (end - start) * at_ns / float(duration_s * NS_PER_S)
        assert line == pytest.approx((users + before) / 2, abs=1e-3)
