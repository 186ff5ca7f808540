"""Axes of charts: where the ticks go, and where a value comes to lie.

Ticks stand at multiples of 1, 2 or 5 times a power of ten; for durations over a minute at the steps that a clock has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, log10

__all__ = ["Axis", "count_axis", "decimal_axis", "log_axis", "time_axis"]

_CLOCK_S = (15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values with its ticks."""

    low: float
    high: float  #: above `low`
    ticks: tuple[tuple[float, str], ...]  #: values and what is written at them

    def place(self, value: float) -> float:
        """Return where a value lies: 0 at `low`, 1 at `high`, never outside."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def _decimal_step(span: float, count: int) -> float:
    raw = span / count
    power = 10.0 ** floor(log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)


def _clock_step(span_s: float, count: int) -> float:
    """Return a step that people count seconds in; below a minute that is a decimal one."""
    if span_s <= 60:
        return _decimal_step(span_s, count)
    days = 86400 * ceil(span_s / count / 86400)
    return next((step for step in _CLOCK_S if step * count >= span_s * 0.999), days)


def decimal_axis(low: float, high: float, write: Callable[[float], str], *, count: int = 4) -> Axis:
    """Return an axis from a tick at or below `low` to one at or above `high`, with about `count` steps."""
    return _whole_steps(low, high, write, _decimal_step(_span(low, high), count))


def count_axis(low: float, high: float, write: Callable[[float], str]) -> Axis:
    """Return the axis of whole numbers: its steps are whole, too."""
    return _whole_steps(low, high, write, max(1.0, _decimal_step(_span(low, high), 4)))


def time_axis(low: float, high: float, write: Callable[[float], str], *, count: int = 4) -> Axis:
    """Return an axis of durations in seconds with whole steps at both ends."""
    return _whole_steps(low, high, write, _clock_step(_span(low, high), count))


def log_axis(low: float, high: float, write: Callable[[float], str]) -> Axis:
    """Return an axis of decimal logarithms from `low` to `high`, both above 0; ticks are where they are easy to read.

    Values are placed by their logarithm.
    """
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [power for n in powers if low * 0.999 <= (power := 10.0**n) <= high * 1.001]
    if len(ticks) < 3:
        fine = (factor * 10.0**n for n in powers for factor in (1, 2, 5))
        ticks = [value for value in fine if low * 0.999 <= value <= high * 1.001]
    if len(ticks) < 2:
        ticks = [low, high]
    return Axis(log10(low), log10(high), tuple((log10(value), write(value)) for value in ticks))


def _span(low: float, high: float) -> float:
    """Return the length of the range, or something to draw on where it has next to none."""
    return high - low if high - low > 1e-9 else max(abs(high), 1.0)


def _whole_steps(low: float, high: float, write: Callable[[float], str], step: float) -> Axis:
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    last = max(last, first + 1)
    # Through text, because 3 * 0.1 is written as it is: 0.30000000000000004.
    ticks = tuple(
        (value, write(value)) for value in (float(f"{i * step:.12g}") for i in range(first, last + 1))
    )
    if len({label for _, label in ticks}) < len(ticks):
        # Words have three digits; steps that they cannot tell apart are too small.
        return _whole_steps(low, high, write, _decimal_step(step * 1.5, 1))
    return Axis(ticks[0][0], ticks[-1][0], ticks)
