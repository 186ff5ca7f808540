"""Picks by weight: exact after whole blocks, the same everywhere, and different for another seed."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stressrunner.plan.weights import MAX_BLOCK, Blocks, apportioned, block_of

weights = st.lists(
    st.one_of(st.integers(0, 60).map(Fraction), st.fractions(0, 10, max_denominator=6)),
    min_size=1,
    max_size=6,
).filter(any)
seeds = st.integers(0, 2**63)


@pytest.mark.parametrize(
    ("given_weights", "block"),
    [
        ([60, 10, 10, 10, 10], (6, 1, 1, 1, 1)),
        ([1], (1,)),
        ([0, 5], (0, 1)),
        ([Fraction("0.5"), Fraction("1.25")], (2, 5)),
        ([Fraction("99.9"), Fraction("0.1")], (999, 1)),
    ],
)
def test_blocks_are_the_smallest(given_weights, block):
    """A block is the fewest picks that have exactly the shares of the weights."""
    assert block_of([Fraction(w) for w in given_weights]) == block


@given(weights, seeds, st.integers(1, 4))
def test_shares_are_exact_after_whole_blocks(given_weights, seed, blocks):
    """After any number of whole blocks every choice has come exactly as often as its weight says."""
    size = sum(block_of(given_weights)) * blocks
    assume(size <= 5000)
    made = Blocks(given_weights, seed, "mix")
    picks = Counter(made.pick(i) for i in range(size))
    total = sum(given_weights)
    assert [Fraction(picks[k], size) for k in range(len(given_weights))] == [w / total for w in given_weights]


@given(weights, seeds, st.integers(0, 300))
def test_counts_are_those_of_the_picks(given_weights, seed, n):
    """How often each choice comes among the first n picks is known without picking."""
    blocks = Blocks(given_weights, seed, "mix")
    picks = Counter(blocks.pick(i) for i in range(n))
    assert blocks.counts(n) == [picks[k] for k in range(len(given_weights))]


@given(weights, seeds, st.permutations(range(60)))
def test_picks_do_not_depend_on_their_order(given_weights, seed, order):
    """A pick depends on the seed and its number alone: processes that pick in any order agree."""
    one, other = Blocks(given_weights, seed, "mix"), Blocks(given_weights, seed, "mix")
    assert {i: one.pick(i) for i in order} == {i: other.pick(i) for i in range(60)}


def test_seeds_and_uses_differ():
    """Another seed, or another use of the same seed, shuffles another way."""
    picks = [
        [Blocks([Fraction(50), Fraction(49)], seed, use).pick(i) for i in range(99)]
        for seed, use in ((1, "mix"), (2, "mix"), (1, "other"))
    ]
    assert picks[0] != picks[1] != picks[2] != picks[0]


def test_blocks_differ_from_each_other():
    """Every block is shuffled anew."""
    blocks = Blocks([Fraction(50), Fraction(49)], 1, "mix")
    assert [blocks.pick(i) for i in range(99)] != [blocks.pick(99 + i) for i in range(99)]


@pytest.mark.parametrize("nothing", [[], [Fraction(0)], [Fraction(0), Fraction(0)]])
def test_weights_of_nothing_are_refused(nothing):
    """Weights that add up to nothing pick nothing."""
    with pytest.raises(ValueError, match=r"^the weights add up to nothing$"):
        Blocks(nothing, 1, "mix")


fine = st.lists(st.integers(0, 10**12).map(Fraction), min_size=2, max_size=5).filter(
    lambda given: any(given) and sum(block_of(given)) > MAX_BLOCK
)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any), st.integers(0, 200))
def test_picks_are_apportioned_one_by_one(counts, picks):
    """After N picks the choices have the N highest of all ranks count / (2k + 1): Sainte-Laguë's seats, slot by slot."""
    slots = [
        (-Fraction(count, 2 * k + 1), i) for i, count in enumerate(counts) if count for k in range(picks)
    ]
    seats = Counter(i for _, i in sorted(slots)[:picks])
    assert apportioned(counts, picks) == [seats[i] for i in range(len(counts))]


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=6).filter(any), st.integers(0, 3))
def test_shares_of_fine_weights_are_exact_in_the_end(counts, times):
    """After as many picks as the smallest exact block has, or twice, every choice has its exact share."""
    assert apportioned(counts, sum(counts) * times) == [count * times for count in counts]


@given(fine, seeds, st.integers(0, 25_000))
def test_fine_weights_are_picked_in_parts(given_weights, seed, n):
    """Weights too fine for one block are counted, picked and turned as others are."""
    blocks, m = Blocks(given_weights, seed, "mix"), len(given_weights)
    picks = [blocks.pick(i) for i in range(n)]
    counts = Counter(picks)
    assert blocks.counts(n) == [counts[k] for k in range(m)]
    if n:
        assert blocks.turn(n - 1) == counts[picks[-1]] - 1
    whole = n // 10_000 * 10_000
    assert blocks.counts(whole) == apportioned(block_of(given_weights), whole)


def test_thirds_that_somebody_rounded_run():
    """Weights such as 33.3333 and 66.6667 come within a pick of their shares after every 10,000."""
    blocks = Blocks([Fraction("33.3333"), Fraction("66.6667")], 1, "mix")
    assert blocks.counts(10_000) == [3333, 6667]
    assert blocks.counts(1_000_000) == [333_333, 666_667]
    assert blocks.pick(10**15) in (0, 1)


@given(weights, seeds, st.integers(0, 300))
def test_turns_count_the_picks_before(given_weights, seed, i):
    """The turn of a pick is how many before it had the same choice, known without picking."""
    blocks = Blocks(given_weights, seed, "mix")
    assert blocks.turn(i) == sum(blocks.pick(j) == blocks.pick(i) for j in range(i))
