"""When requests ended, in few numbers: never read too early, hardly too late, and of bounded size."""

from fractions import Fraction
from itertools import chain
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from stressrunner.metrics.ends import Ends

moments = st.lists(st.integers(1, 10**12), min_size=1, max_size=300)
shares = st.fractions(Fraction(1, 100), 1, max_denominator=100)


def ends_of(*batches):
    """Return the ends of some batches."""
    ends = Ends()
    for batch in batches:
        ends.extend(batch)
    return ends


@given(st.lists(moments, min_size=1, max_size=4), shares)
def test_a_share_is_reached_when_so_many_had_ended(batches, share):
    """The moment is that of the last of them, or a little later: a step, and what was counted with it."""
    ends, everything = ends_of(*batches), sorted(chain.from_iterable(batches))
    exact_ns = everything[ceil(share * len(everything)) - 1]
    read_ns = ends.reached_ns(share)
    together = {min(len(batch), max(1, len(batch) // 64)) for batch in batches}
    if together == {1}:
        assert 0 <= read_ns - exact_ns < ends.step_ns
    assert exact_ns <= read_ns < everything[-1] + ends.step_ns
    assert ends.after(everything[-1]) == 0
    assert ends.after(-ends.step_ns) == len(everything)


@given(st.lists(moments, min_size=1, max_size=4))
def test_ends_merge_as_if_they_were_counted_together(batches):
    """Whatever the steps of the parts are."""
    merged, together = Ends(), ends_of(*batches)
    for batch in batches:
        merged.merge(ends_of(batch))
    assert (merged.counts, merged.step_ns) == (together.counts, together.step_ns)


def test_there_are_never_too_many_numbers():
    """A day of ends takes as much room as an hour, and its moments are told apart by a thousandth of it."""
    ends = Ends()
    for second in range(0, 86_400, 10):
        ends.extend([second * 10**9 + k for k in range(0, 10**10, 10**8)])
    assert len(ends.counts) <= 2048
    assert ends.step_ns < 86_400 * 10**9 / 1000
    assert sum(ends.counts.values()) == 864_000


def test_of_nothing_nothing_is_reached():
    """Without any ends there is no moment."""
    assert Ends().reached_ns(Fraction(1)) is None


@given(st.integers(10, 100_000), st.integers(1, 8))
def test_moments_of_long_phases_are_told_to_a_thousandth(length_s, parts):
    """However long ends go on, and whoever counted them, a moment is late by less than a thousandth of their time."""
    ends_ns = [n * length_s * 200_000 for n in range(1, 5001)]
    ends = Ends()
    for k in range(parts):
        part = Ends()
        for at_ns in ends_ns[k::parts]:
            part.extend([at_ns])
        ends.merge(part)
    assert ends.step_ns <= max(1 << 22, length_s * 1_000_000)
    for percent in (1, 50, 99):
        late_ns = ends.reached_ns(Fraction(percent, 100)) - ends_ns[percent * 50 - 1]
        assert 0 <= late_ns < max(1 << 22, length_s * 1_000_000)
