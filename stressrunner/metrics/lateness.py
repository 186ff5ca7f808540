"""Times with and without what the generator added to them: sparse, because most requests have nothing of it.

Beside the histogram of all times a series keeps three more, of those requests alone that were late:

    measured   their times as measured, and arrivals that were dropped because they were released late
    without    the same less own time; timeouts and drops that are ours are not among them
    wake       times less own time of all requests in the wake of a freeze, late or not

    without lag = all - measured + without
    and without the wake = that - wake, where half of all and 100 remain

All of them merge by sums, over endpoints, seconds and generators.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from stressrunner.engine.loop_watch import Late
from stressrunner.engine.sample import Sample
from stressrunner.metrics.histogram import Histogram
from stressrunner.plan.outcome import Outcome

__all__ = ["SERIES", "LateTimes", "late_times_of", "without_lag"]

#: Those that thresholds are about, by their names in a series.
SERIES = ("response_time", "service_time", "ttfb", "connect", "failed_time")

_MUST_REMAIN = 100  #: requests that are in no wake, for the others to be left out
_SHARE_THAT_REMAINS = 0.5


@dataclass(slots=True)
class LateTimes:
    """The times of requests that were late, or in a wake, of one series."""

    measured: Histogram = field(default_factory=Histogram)
    without: Histogram = field(default_factory=Histogram)
    wake: Histogram = field(default_factory=Histogram)

    @classmethod
    def of(cls, times: Iterable[tuple[int, Late, int]]) -> Self:
        """Return times, each with what was late of its request and how much of it is the generator's own."""
        made = cls()
        made.extend(times)
        return made

    def merge(self, other: "LateTimes") -> None:
        """Add those of another series."""
        self.measured.merge(other.measured)
        self.without.merge(other.without)
        self.wake.merge(other.wake)

    def take_off(self, other: "LateTimes") -> None:
        """Take off those that were added before."""
        self.measured.take_off(other.measured)
        self.without.take_off(other.without)
        self.wake.take_off(other.wake)

    def record(self, time_ns: int, late: Late, own_ns: int) -> None:
        """Count a time that ended, of which so much is the generator's own; 0 for a request that is only in a wake."""
        self.extend([(time_ns, late, own_ns)])

    def extend(self, times: Iterable[tuple[int, Late, int]]) -> None:
        """Count many times, as `record` counts one, at a fraction of its cost."""
        measured, without, wake = [], [], []
        for time_ns, late, own_ns in times:
            if late.is_ours:
                measured.append(time_ns)
                continue
            if own_ns:
                measured.append(time_ns)
                without.append(time_ns - own_ns)
            if late.in_wake:
                wake.append(time_ns - own_ns)
        self.measured.extend(measured)
        self.without.extend(without)
        self.wake.extend(wake)

    def record_never(self, late: Late, count: int = 1) -> None:
        """Count times that did not end: as ours, or as in a wake."""
        if late.is_ours:
            self.measured.never += count
        elif late.in_wake:
            self.wake.never += count

    @property
    def is_empty(self) -> bool:
        """Whether nothing was late."""
        return not any(part.count or part.never for part in (self.measured, self.without, self.wake))


def late_times_of(samples: Sequence[Sample]) -> Mapping[str, LateTimes]:
    """Return the late times of some requests, by the series that have some."""
    late = [(sample, sample.late) for sample in samples if sample.late is not None]
    succeeded = [pair for pair in late if pair[0].outcome is Outcome.OK and not pair[0].never]
    found = {
        "response_time": LateTimes.of((s.completed_ns - s.due_ns, own, own.own_ns) for s, own in succeeded),
        "service_time": LateTimes.of(
            (s.completed_ns - s.sent_ns, own, own.service_ns) for s, own in succeeded if s.sent_ns is not None
        ),
        "ttfb": LateTimes.of(
            (s.first_byte_ns - s.sent_ns, own, own.first_byte_ns)
            for s, own in succeeded
            if not (s.sent_ns is None or s.first_byte_ns is None)
        ),
        "connect": LateTimes.of(
            (s.connect_ns, own._replace(is_ours=False), own.connect_ns)
            for s, own in late
            if s.connect_ns is not None
        ),
        "failed_time": LateTimes.of(
            (s.completed_ns - s.due_ns, own, own.own_ns) for s, own in late if s.outcome is Outcome.FAILED
        ),
    }
    for sample, own in late:
        if sample.never:
            found["response_time"].record_never(own)
            found["service_time"].record_never(own)
    return MappingProxyType({name: times for name, times in found.items() if not times.is_empty})


def without_lag(times: Histogram, late: LateTimes) -> tuple[Histogram, ...]:
    """Return times without lag, and where enough are left also without the wakes of freezes."""
    kept = Histogram()
    kept.merge(times)
    kept.take_off(late.measured)
    kept.merge(late.without)
    if not (late.wake.count or late.wake.never):
        return (kept,)
    calm = Histogram()
    calm.merge(kept)
    calm.take_off(late.wake)
    remaining, total = calm.count + calm.never, times.count + times.never
    if remaining < max(_MUST_REMAIN, _SHARE_THAT_REMAINS * total):
        return (kept,)
    return kept, calm
