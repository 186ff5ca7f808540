"""When arrivals are due: pure functions of an arrival's number. No clock, no I/O.

    constant   N(t) = r t        t(i) = i / r

Rates and durations are fractions, because 100/s for 0.1 s is ten arrivals and floats make it eleven
(test_counts_are_exact).
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from stressrunner.units import NS_PER_S

__all__ = ["Constant"]


@dataclass(frozen=True, slots=True)
class Constant:
    """Arrivals at equal distances; the first is due at once."""

    rate: Fraction  #: arrivals per second
    duration_s: Fraction

    @property
    def count(self) -> int:
        """Arrivals due before the end."""
        return ceil(self.rate * self.duration_s)

    def due_ns(self, i: int) -> int:
        """When arrival `i` is due, in nanoseconds after the phase began.

        Raises:
            IndexError: the phase has no such arrival.
        """
        if not 0 <= i < self.count:
            raise IndexError(i)
        return i * NS_PER_S * self.rate.denominator // self.rate.numerator
