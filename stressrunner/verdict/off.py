"""Whether figures are off: another matter with the generator's own lag than without it.

A distribution of 100 samples or more is off when its p50, p95 or p99 without lag is below 0.75 of the measured one, and
lower by more than `max_lag`. "Never" as measured and a time without lag is off.
"""

from dataclasses import dataclass
from math import inf

from stressrunner.metrics.summary import Latency
from stressrunner.units import format_duration

__all__ = ["Off", "is_apart", "off_of"]

_PERCENTILES = (50, 95, 99)
_FEWEST = 100  #: samples
_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Off:
    """The percentile that differs most."""

    percentile: int
    measured_s: float  #: infinite when it did not end
    without_lag_s: float

    def __str__(self) -> str:
        measured = "never" if self.measured_s == inf else format_duration(self.measured_s)
        return f"p{self.percentile} is {measured} as measured and {format_duration(self.without_lag_s)} without it"


def is_apart(measured: float, without_lag: float, max_lag_s: float) -> bool:
    """Return whether a time is another one without lag; infinite is one that did not end."""
    if measured == inf:
        return without_lag != inf
    return without_lag < _SHARE * measured and measured - without_lag > max_lag_s


def off_of(times: Latency, max_lag_s: float) -> Off | None:
    """Return by what a distribution is off; None when it is not."""
    if times.late is None or times.count + times.never < _FEWEST:
        return None
    found = []
    for percentile in _PERCENTILES:
        measured = _finite(times.distribution.percentile_s(percentile))
        without = [each for each in times.without_lag if each.count + each.never]
        lowest = min((_finite(each.percentile_s(percentile)) for each in without), default=0.0)
        if is_apart(measured, lowest, max_lag_s):
            found.append(Off(percentile, measured, lowest))
    return max(found, key=lambda off: off.measured_s / max(off.without_lag_s, 1e-9), default=None)


def _finite(value: float | None) -> float:
    return inf if value is None else value
