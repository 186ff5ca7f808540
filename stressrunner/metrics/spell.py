"""The two neighbouring seconds with most own time: a run that is off without them too is so by habit."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from stressrunner.metrics.delta import Series
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.lateness import LateTimes

__all__ = ["Second", "WorstSpell"]


@dataclass(slots=True)
class Second:
    """Response times that were handed over together, after about a second, and what of them is the generator's."""

    times: Histogram = field(default_factory=Histogram)
    late_times: LateTimes = field(default_factory=LateTimes)
    late: int = 0  #: requests
    own_ns: int = 0

    @classmethod
    def of(cls, all_series: Iterable[Series]) -> "Second":
        """Sum those of some series."""
        second = cls()
        for series in all_series:
            second.times.merge(series.response_time)
            if "response_time" in series.late_times:
                second.late_times.merge(series.late_times["response_time"])
            second.late += series.late
            second.own_ns += series.own_ns
        return second

    def merge(self, other: "Second") -> None:
        """Add another second."""
        self.times.merge(other.times)
        self.late_times.merge(other.late_times)
        self.late += other.late
        self.own_ns += other.own_ns


class WorstSpell:
    """Takes every second, and keeps the worst pair."""

    def __init__(self) -> None:
        self._before = Second()
        self.worst = Second()  #: the sum of the pair

    def add(self, second: Second) -> None:
        """Take the next second."""
        if self._before.own_ns + second.own_ns > self.worst.own_ns:
            self.worst = Second()
            self.worst.merge(self._before)
            self.worst.merge(second)
        self._before = second

    def rest(self, times: Histogram, late_times: LateTimes) -> tuple[Histogram, LateTimes]:
        """Return what is left of all times and all late times without the worst pair."""
        rest, late_rest = Histogram(), LateTimes()
        rest.merge(times)
        rest.take_off(self.worst.times)
        late_rest.merge(late_times)
        late_rest.take_off(self.worst.late_times)
        return rest, late_rest
