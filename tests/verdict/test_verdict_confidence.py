"""The statistics of percentiles, compared with exact fractions."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.verdict.confidence import is_proven, samples_needed

shares = st.sampled_from([0.01, 0.05, 0.1, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999])


@pytest.mark.parametrize(
    ("percent", "samples"), [(50, 5), (90, 29), (95, 59), (99, 299), (99.9, 2995), (5, 1), (1, 1)]
)
def test_samples_that_a_percentile_needs(percent, samples):
    """The numbers of the documentation, and none for free."""
    assert samples_needed(percent / 100) == samples


@given(st.floats(0.001, 0.9999))
def test_needed_is_the_least_that_proves(share):
    """With as many samples as needed the claim is proven, with one less it is not."""
    needed = samples_needed(share)
    assert share**needed <= 0.05 * (1 + 1e-6)
    assert share ** (needed - 1) > 0.05 * (1 - 1e-6)


@given(shares, st.integers(1, 400), st.integers(0, 40))
def test_proof_is_the_binomial_tail(share, samples, against):
    """A claim is proven exactly when so few contradictions would be a rare accident if it were wrong."""
    odds = 1 - Fraction(str(share))
    tail = sum(
        comb(samples, i) * odds**i * (1 - odds) ** (samples - i) for i in range(min(against, samples) + 1)
    )
    assert is_proven(share, samples, min(against, samples)) == (tail <= Fraction(1, 20))


@given(shares, st.integers(1, 2000), st.integers(0, 100))
def test_more_against_never_proves_more(share, samples, against):
    """What is proven with some contradictions is proven with fewer."""
    if is_proven(share, samples, against):
        assert is_proven(share, samples, max(0, against - 1))
        assert is_proven(share, samples + 1, against)


@pytest.mark.parametrize(
    ("samples", "against", "proven"),
    [(0, 0, False), (93, 1, True), (92, 1, False), (10**7, 495_000, True), (10**7, 499_900, False)],
)
def test_proofs_of_p95(samples, against, proven):
    """Known values, no samples at all, and runs with millions of them."""
    assert is_proven(0.95, samples, against) is proven
