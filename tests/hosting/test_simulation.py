"""Simulated latencies and errors: within their bounds, as frequent as asked for, repeatable by seed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.hosting.simulation import Faults, ModelDelay

seconds = st.floats(0, 10)


@given(seconds, seconds, st.integers(0, 2**32))
def test_latency_stays_within_the_jitter(latency_s, jitter_s, seed):
    """A latency is never further from the middle than the jitter, and never negative."""
    drawn_s = ModelDelay(latency_s, jitter_s, seed).draw_s()
    rounding_s = 1e-12
    assert drawn_s >= 0
    assert latency_s - jitter_s - rounding_s <= drawn_s <= latency_s + jitter_s + rounding_s


def test_a_seed_repeats():
    """The same seed gives the same latencies and errors, another one gives others."""

    def draw(seed):
        latency, faults = ModelDelay(0.05, 0.02, seed), Faults(0.5, seed)
        return [(latency.draw_s(), faults.strike()) for _ in range(50)]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


@pytest.mark.parametrize(("ratio", "least", "most"), [(0.0, 0, 0), (0.01, 60, 140), (1.0, 10_000, 10_000)])
def test_errors_are_as_frequent_as_asked_for(ratio, least, most):
    """Of 10,000 answers the ratio fails; none at 0 and all at 1."""
    faults = Faults(ratio, seed=1)
    assert least <= sum(faults.strike() for _ in range(10_000)) <= most
