"""Picks by weight: exact after whole blocks, the same everywhere, and different for another seed."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stressrunner.plan.weights import MAX_BLOCK, Blocks, block_of

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


def test_weights_that_are_too_fine_are_refused():
    """A block has a largest size, so that memory is bounded."""
    assert sum(block_of([Fraction(MAX_BLOCK - 1), Fraction(1)])) == MAX_BLOCK
    with pytest.raises(ValueError, match=r"blocks of 100,001 picks, 100,000 is the limit$"):
        block_of([Fraction(MAX_BLOCK), Fraction(1)])


@given(weights, seeds, st.integers(0, 300))
def test_turns_count_the_picks_before(given_weights, seed, i):
    """The turn of a pick is how many before it had the same choice, known without picking."""
    blocks = Blocks(given_weights, seed, "mix")
    assert blocks.turn(i) == sum(blocks.pick(j) == blocks.pick(i) for j in range(i))
