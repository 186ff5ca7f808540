"""Picks by weight that are exact: seeded shuffles of blocks in which every choice stands as often as its weight says.

Weights 60, 10, 10, 10, 10 make blocks of ten picks. After whole blocks the shares are exactly the weights, in every
process of a run, because a block depends on the seed and its number alone.

Weights that are too fine for one block, such as 33.3333 and 66.6667, have blocks that differ: after N picks the choices
have come as Sainte-Laguë's method gives N seats to parties with such votes. It never takes a seat away when there are
more (so every block has a count of each choice), and after as many picks as the smallest exact block would have it has
given every choice its exact share.
"""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from heapq import heapify, heapreplace
from math import gcd, lcm

from stressrunner.expressions.functions import random_stream

__all__ = ["MAX_BLOCK", "Blocks", "apportioned", "block_of"]

MAX_BLOCK = 100_000  #: picks in a block that has all weights exactly
_PART = 10_000  #: picks in a block of finer weights


def block_of(weights: Sequence[Fraction]) -> tuple[int, ...]:
    """Return how often each choice stands in the smallest block that has the shares of the weights.

    Raises:
        ValueError: the weights add up to nothing.
    """
    scale = lcm(*(weight.denominator for weight in weights)) if weights else 1
    whole = [int(weight * scale) for weight in weights]
    divisor = gcd(*whole)
    if divisor == 0:
        raise ValueError("the weights add up to nothing")
    return tuple(n // divisor for n in whole)


def apportioned(counts: Sequence[int], picks: int) -> list[int]:
    """Return how often each choice has come after so many picks, by Sainte-Laguë's method: for 33 and 67 after three 1 and 2.

    Slot k of a choice has the rank count / (2k + 1), and the highest ranks come first, of equal ones those of the first
    choice. What has a rank of total / 2n at least is rounding n shares, which is n picks give or take half of one for
    each choice; so rounding a few less is a beginning of the order, and the rest of it are steps.
    """
    total = sum(counts)
    whole, rest = divmod(picks, total)
    sure = max(0, rest - len(counts))
    taken = [(2 * sure * count + total) // (2 * total) for count in counts]
    queue = [
        (-Fraction(count, 2 * n + 1), i)
        for i, (count, n) in enumerate(zip(counts, taken, strict=True))
        if count
    ]
    heapify(queue)
    for _ in range(rest - sum(taken)):
        i = queue[0][1]
        taken[i] += 1
        heapreplace(queue, (-Fraction(counts[i], 2 * taken[i] + 1), i))
    return [n + whole * count for n, count in zip(taken, counts, strict=True)]


class Blocks:
    """Picks 0, 1, 2, ... as indices of the weights."""

    def __init__(self, weights: Sequence[Fraction], seed: int, use: str) -> None:
        """Raise ValueError as `block_of` does."""
        self._counts = block_of(weights)
        self._exact = sum(self._counts)  #: picks after which all shares are exact
        self._is_even = self._exact <= MAX_BLOCK  #: whether all blocks have the same counts
        self._size = self._exact if self._is_even else _PART
        self.only = (
            self._counts.index(1) if self._exact == 1 else None
        )  #: the choice of every pick, if there is but one
        self._seed = seed
        self._use = use
        # Picks move forward together, so that the last blocks are the ones asked for.
        self._block = lru_cache(maxsize=8)(self._shuffled)
        self._turns = lru_cache(maxsize=8)(self._turns_in)
        self._before = lru_cache(maxsize=8)(self._taken_before)

    def _taken_before(self, number: int) -> list[int]:
        """Return how often each choice has come before a block."""
        if self._is_even:
            return [number * count for count in self._counts]
        return apportioned(self._counts, number * self._size)

    def _shuffled(self, number: int) -> list[int]:
        taken = zip(self._before(number), self._before(number + 1), strict=True)
        picks = [choice for choice, (start, end) in enumerate(taken) for _ in range(end - start)]
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
        if self.only is not None:
            return i
        number, place = divmod(i, self._size)
        return self._before(number)[self._block(number)[place]] + self._turns(number)[place]

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
        counts = [*self._before(whole)]
        for pick in self._block(whole)[:rest] if rest else ():
            counts[pick] += 1
        return counts
