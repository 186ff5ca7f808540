"""Seeded orders of so many things that they cannot be held as a list: computed for each place alone, in no memory.

A Feistel network of four rounds is a bijection of the numbers below a power of four, whatever its round function. A number
that comes out too large goes through it once more, until it is one of those that are ordered (cycle walking), so what is
left is a bijection too.
"""

from stressrunner.expressions.functions import random_stream

__all__ = ["Permutation"]

_ROUNDS = 4
_MASK = (1 << 64) - 1


class Permutation:
    """One order of the numbers below `size`, which depends on the parts that it is drawn for alone."""

    def __init__(self, size: int, *parts: object) -> None:
        self._size = size
        self._half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
        stream = random_stream(*parts)
        self._keys = [stream.getrandbits(64) for _ in range(_ROUNDS)]

    def __getitem__(self, place: int) -> int:
        """Return the number that stands at a place; raises IndexError where there is none."""
        if not 0 <= place < self._size:
            raise IndexError(place)
        number = self._once(place)
        while number >= self._size:
            number = self._once(number)
        return number

    def _once(self, number: int) -> int:
        bits = self._half_bits
        low = (1 << bits) - 1
        left, right = number >> bits, number & low
        for key in self._keys:
            # The finalizer of SplitMix64, which spreads every bit over all the others.
            mixed = (right + key) & _MASK
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
            left, right = right, left ^ ((mixed ^ (mixed >> 31)) & low)
        return left << bits | right
