"""Student's t distribution against printed tables and its own identities."""

from math import atan, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.verdict.student import t_cdf, t_quantile

#: Abramowitz and Stegun, Handbook of Mathematical Functions, table 26.10: by two-sided probability.
TABLE = {
    1: {0.8: 3.078, 0.9: 6.314, 0.95: 12.706, 0.98: 31.821, 0.99: 63.657, 0.999: 636.619},
    2: {0.8: 1.886, 0.9: 2.920, 0.95: 4.303, 0.98: 6.965, 0.99: 9.925, 0.999: 31.598},
    4: {0.8: 1.533, 0.9: 2.132, 0.95: 2.776, 0.98: 3.747, 0.99: 4.604, 0.999: 8.610},
    8: {0.8: 1.397, 0.9: 1.860, 0.95: 2.306, 0.98: 2.896, 0.99: 3.355, 0.999: 5.041},
    17: {0.8: 1.333, 0.9: 1.740, 0.95: 2.110, 0.98: 2.567, 0.99: 2.898, 0.999: 3.965},
    30: {0.8: 1.310, 0.9: 1.697, 0.95: 2.042, 0.98: 2.457, 0.99: 2.750, 0.999: 3.646},
    120: {0.8: 1.289, 0.9: 1.658, 0.95: 1.980, 0.98: 2.358, 0.99: 2.617, 0.999: 3.373},
}


@pytest.mark.parametrize("df", TABLE)
def test_quantiles_are_those_of_the_table(df):
    """Every entry agrees to the digits that are printed."""
    for within, t in TABLE[df].items():
        assert t_quantile((1 + within) / 2, df) == pytest.approx(t, rel=5e-4)


@given(st.floats(-1e4, 1e4))
def test_one_and_two_degrees_of_freedom_have_closed_forms(t):
    """With 1 degree of freedom it is Cauchy's distribution, with 2 an algebraic function."""
    assert t_cdf(t, 1) == pytest.approx(0.5 + atan(t) / pi, abs=1e-10)
    assert t_cdf(t, 2) == pytest.approx(0.5 + t / (2 * sqrt(2 + t * t)), abs=1e-10)


@given(st.floats(0.0005, 0.9995), st.integers(1, 2000))
def test_quantile_and_distribution_are_inverse(p, df):
    """The probability of a quantile is what was asked for, and the distribution is symmetric."""
    t = t_quantile(p, df)
    assert t_cdf(t, df) == pytest.approx(p, abs=1e-9)
    assert t_cdf(-t, df) == pytest.approx(1 - p, abs=1e-9)
