"""When arrivals are due: pure functions of an arrival's number. No clock, no I/O.

A profile is a rate over time, r(t), and its area N(t) is the arrivals expected until t. Arrivals at equal distances
are due when the area reaches their number; Poisson arrivals when it reaches the points of a Poisson process of
rate 1, which thins and thickens with the rate (time change; Çinlar, Introduction to Stochastic Processes, 4.7):

    constant   N(t) = r t                        t(n) = n / r
    ramp       N(t) = a t + (b - a) t² / (2 d)   t(n) = 2 n / (a + sqrt(a² + 2 n (b - a) / d))

The ramp is written so that nothing cancels when b is close to a.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import ceil, floor, lgamma, log, sqrt
from random import Random
from typing import Protocol

from stressrunner.expressions.functions import random_stream
from stressrunner.scenario.model import Open
from stressrunner.units import NS_PER_S

__all__ = ["Even", "First", "Pacing", "Poisson", "Ramp", "user_steps"]


@dataclass(frozen=True, slots=True)
class Ramp:
    """A rate that moves in a straight line; a constant rate is a ramp between equal ends.

    Fractions, because 100/s for 0.1 s is ten arrivals and floats make it eleven (test_counts_are_exact).
    """

    start: Fraction  #: arrivals per second at the beginning
    end: Fraction  #: arrivals per second at `duration_s`
    duration_s: Fraction

    @property
    def area(self) -> Fraction:
        """Arrivals expected within the duration."""
        return (self.start + self.end) * self.duration_s / 2

    @classmethod
    def of(cls, shape: Open, duration_s: Fraction) -> "Ramp":
        """Return the rate that an open phase asks for within a duration."""
        start = shape.rate if shape.rate_from is None else shape.rate_from
        return cls(start, shape.rate, duration_s)

    def area_until(self, at_s: float) -> float:
        """Return the arrivals expected until `at_s` after the beginning; none before it, none after the end."""
        t = min(max(0.0, at_s), float(self.duration_s))
        return float(self.start) * t + float((self.end - self.start) / self.duration_s) * t * t / 2

    def times(self, factor: Fraction) -> "Ramp":
        """Return the same ramp with so many times as many arrivals."""
        return Ramp(self.start * factor, self.end * factor, self.duration_s)

    def reached_ns(self, n: float) -> int:
        """When the area reaches `n`, in nanoseconds after the beginning; exact for whole numbers of a constant rate."""
        if n <= 0:
            return 0  # also when the ramp begins at rate 0, where the formula divides by it
        if self.start == self.end and isinstance(n, int):
            return n * NS_PER_S * self.start.denominator // self.start.numerator
        start, slope = float(self.start), float((self.end - self.start) / self.duration_s)
        # Rounding can carry the root's argument below zero at the very end of a ramp that falls to 0.
        return round(2 * n / (start + sqrt(max(0.0, start * start + 2 * slope * n))) * NS_PER_S)


def user_steps(start: int, end: int, duration_s: Fraction) -> Iterator[tuple[int, int]]:
    """Yield when the number of users of a ramp changes, in nanoseconds after its beginning, and to what.

    Users are whole, so a straight line is followed to the nearest number: the sum of users over time is that of the
    line.
    """
    yield 0, start
    step = 1 if end > start else -1
    for done in range(abs(end - start)):
        at_s = duration_s * (2 * done + 1) / (2 * abs(end - start))
        yield round(at_s * NS_PER_S), start + step * (done + 1)


class Pacing(Protocol):
    """The arrivals of an open phase."""

    @property
    def count(self) -> int:
        """Arrivals due before the end."""

    def due_ns(self, i: int) -> int:
        """When arrival `i` is due, in nanoseconds after the phase began; raises IndexError where there is none."""


@dataclass(frozen=True, slots=True)
class Even:
    """Arrivals at equal distances of the area; the first is due at once."""

    ramp: Ramp

    @property
    def count(self) -> int:
        """Arrivals due before the end."""
        return ceil(self.ramp.area)

    def due_ns(self, i: int) -> int:
        """When arrival `i` is due, in nanoseconds after the phase began.

        Raises:
            IndexError: the phase has no such arrival.
        """
        if not 0 <= i < self.count:
            raise IndexError(i)
        return self.ramp.reached_ns(i)


class Poisson:
    """Arrivals that know nothing of each other.

    The area is cut into cells. How many arrivals a cell has is a draw from its Poisson distribution, and where they
    lie is uniform, so that any cell can be had without those before it: what is drawn depends on the seed, the
    phase and the cell's number alone.

    The places of a cell are drawn one by one and in order, when they are first asked for: a cell as a whole takes two
    milliseconds, in which arrivals would be late. The first of k uniform places in what is left of a cell lies at
    1 - V^(1/k) of it, where V is uniform (test_places_in_a_cell_are_uniform).
    """

    _CELL = 1024  #: arrivals expected in a cell

    def __init__(self, ramp: Ramp, seed: int, phase: int) -> None:
        self._ramp = ramp
        self._key = (seed, "arrivals", phase)
        self._area = float(ramp.area)
        self._ends = list(accumulate(self._counts()))
        self._places = lru_cache(maxsize=4)(self._drawn)

    def _counts(self) -> Iterator[int]:
        for cell in range(ceil(self._area / self._CELL)):
            yield _poisson(random_stream(*self._key, cell, "count"), self._size(cell))

    def _size(self, cell: int) -> float:
        return min(self._CELL, self._area - cell * self._CELL)

    def _drawn(self, cell: int) -> "_Places":
        first = self._ends[cell - 1] if cell else 0
        stream = random_stream(*self._key, cell, "places")
        return _Places(cell * self._CELL, self._size(cell), self._ends[cell] - first, stream)

    @property
    def count(self) -> int:
        """Arrivals due before the end."""
        return self._ends[-1] if self._ends else 0

    def due_ns(self, i: int) -> int:
        """When arrival `i` is due, in nanoseconds after the phase began.

        Raises:
            IndexError: the phase has no such arrival.
        """
        if not 0 <= i < self.count:
            raise IndexError(i)
        cell = bisect_right(self._ends, i)
        return self._ramp.reached_ns(self._places(cell).at(i - (self._ends[cell - 1] if cell else 0)))


@dataclass(frozen=True, slots=True)
class First:
    """So many of the first arrivals of others, which have at least as many."""

    others: Pacing
    most: int

    @property
    def count(self) -> int:
        """Arrivals."""
        return min(self.most, self.others.count)

    def due_ns(self, i: int) -> int:
        """When arrival `i` is due, in nanoseconds after the phase began.

        Raises:
            IndexError: there is no such arrival.
        """
        if not 0 <= i < self.count:
            raise IndexError(i)
        return self.others.due_ns(i)


class _Places:
    """Uniform places in a part of the area, from its beginning on; drawn as far as they were asked for."""

    def __init__(self, start: float, size: float, count: int, stream: Random) -> None:
        self._end = start + size
        self._count = count
        self._stream = stream
        self._left = size  # of the part, behind the last place that was drawn
        self._drawn: list[float] = []

    def at(self, number: int) -> float:
        """Return one of the places."""
        drawn, uniform = self._drawn, self._stream.random
        while len(drawn) <= number:
            self._left *= (1.0 - uniform()) ** (1 / (self._count - len(drawn)))
            drawn.append(self._end - self._left)
        return drawn[number]


def _poisson(stream: Random, mean: float) -> int:
    """Draw from a Poisson distribution; the transformed rejection PTRS of Hörmann (1993), from mean 10 on."""
    if mean < 10:
        n, left = 0, stream.expovariate(1)
        while left < mean:
            n += 1
            left += stream.expovariate(1)
        return n
    b = 0.931 + 2.53 * sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = stream.random() - 0.5, 1 - stream.random()
        us = 0.5 - abs(u)
        k = floor((2 * a / us + b) * u + mean + 0.43) if us else -1
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        if log(v * inverse_alpha / (a / (us * us) + b)) <= k * log(mean) - mean - lgamma(k + 1):
            return k
