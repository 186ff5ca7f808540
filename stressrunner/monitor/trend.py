"""How a figure moved over the measured time: pure functions of (seconds, value) pairs in the order of time.

    growth   median of the last tenth of the time less the median of the first tenth
    slope    least squares: sum((t - mean t) (v - mean v)) / sum((t - mean t)²)

Medians, so that one garbage collection at either end does not decide; the slope uses every value, and tells a leak
from a level that was reached once.
"""

from collections.abc import Sequence
from statistics import fmean, median

__all__ = ["growth", "slope_per_h"]

_S_PER_H = 3600


def growth(values: Sequence[tuple[float, float]]) -> float | None:
    """Return how much higher the last tenth of the time was than the first, in the unit of the values.

    None with fewer than two values. Each tenth has at least the value at its end of the time.
    """
    if len(values) < 2:
        return None
    begin_s, end_s = values[0][0], values[-1][0]
    tenth_s = (end_s - begin_s) / 10
    first = median(value for at_s, value in values if at_s <= begin_s + tenth_s)
    last = median(value for at_s, value in values if at_s >= end_s - tenth_s)
    return last - first


def slope_per_h(values: Sequence[tuple[float, float]]) -> float | None:
    """Return the least-squares slope, in the unit of the values per hour.

    None with fewer than three values, or when no time passed between them.
    """
    if len(values) < 3:
        return None
    mean_s = fmean(at_s for at_s, _ in values)
    mean_value = fmean(value for _, value in values)
    spread = sum((at_s - mean_s) ** 2 for at_s, _ in values)
    if spread == 0:
        return None
    # Both are taken from their means first, so that nothing cancels in a small change of a large figure.
    together = sum((at_s - mean_s) * (value - mean_value) for at_s, value in values)
    return together / spread * _S_PER_H
