"""Picks by weight that are exact: seeded shuffles of blocks in which every choice stands as often as its weight says.

Weights 60, 10, 10, 10, 10 make blocks of ten picks. After whole blocks the shares are exactly the weights, in every
process of a run, because a block depends on the seed and its number alone.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm

from stressrunner.expressions.functions import random_stream

__all__ = ["MAX_BLOCK", "Blocks", "block_of"]

MAX_BLOCK = 100_000  #: picks in a block; finer weights are refused when the scenario is checked


def block_of(weights: Sequence[Fraction]) -> tuple[int, ...]:
    """Return how often each choice stands in the smallest block that has the shares of the weights.

    Raises:
        ValueError: the weights add up to nothing, or are so uneven that the block would be too long.
    """
    scale = lcm(*(weight.denominator for weight in weights)) if weights else 1
    whole = [int(weight * scale) for weight in weights]
    divisor = gcd(*whole)
    if divisor == 0:
        raise ValueError("the weights add up to nothing")
    counts = tuple(n // divisor for n in whole)
    if sum(counts) > MAX_BLOCK:
        raise ValueError(
            f"the weights are too fine: they need blocks of {sum(counts):,} picks, {MAX_BLOCK:,} is the limit"
        )
    return counts


class Blocks:
    """Picks 0, 1, 2, ... as indices of the weights."""

    def __init__(self, weights: Sequence[Fraction], seed: int, use: str) -> None:
        """Raise ValueError as `block_of` does."""
        self._counts = block_of(weights)
        self._size = sum(self._counts)
        self.only = (
            self._counts.index(1) if self._size == 1 else None
        )  #: the choice of every pick, if there is but one
        self._seed = seed
        self._use = use
        # Picks move forward together, so that the last blocks are the ones asked for.
        self._block = lru_cache(maxsize=8)(self._shuffled)
        self._turns = lru_cache(maxsize=8)(self._turns_in)

    def _shuffled(self, number: int) -> list[int]:
        picks = [choice for choice, n in enumerate(self._counts) for _ in range(n)]
        random_stream(self._seed, self._use, number).shuffle(picks)
        return picks

    def pick(self, i: int) -> int:
        """Return the choice of pick `i`."""
        if self.only is not None:
            return self.only
        number, place = divmod(i, self._size)
        return self._block(number)[place]

    def turn(self, i: int) -> int:
        """Return how many of the picks before pick `i` had the same choice."""
        if self._size == 1:
            return i
        number, place = divmod(i, self._size)
        return number * self._counts[self._block(number)[place]] + self._turns(number)[place]

    def _turns_in(self, number: int) -> list[int]:
        """Return for each pick of a block how many before it, in that block, had the same choice."""
        seen = [0] * len(self._counts)
        turns = []
        for choice in self._block(number):
            turns.append(seen[choice])
            seen[choice] += 1
        return turns

    def counts(self, n: int) -> list[int]:
        """Return how often each choice comes among the first `n` picks."""
        whole, rest = divmod(n, self._size)
        counts = [whole * count for count in self._counts]
        for pick in self._block(whole)[:rest] if rest else ():
            counts[pick] += 1
        return counts
