"""Counts of the latest stretch of a run: what comes in is added, what gets too old is taken off again.

So a window costs the same every second, however long it is.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from stressrunner.metrics.delta import Series
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.lateness import LateTimes, without_lag
from stressrunner.plan.outcome import Outcome
from stressrunner.scenario.threshold import Metric
from stressrunner.verdict.measure import Aggregate

__all__ = ["Rolling", "Slice"]

_HISTOGRAM_OF: Mapping[Metric, str] = MappingProxyType(
    {
        "response_time": "response_time",
        "service_time": "service_time",
        "ttfb": "ttfb",
        "connect": "connect",
        "response_time_failed": "failed_time",
    }
)

#: A window counts as full when it lacks no more than this part, because seconds are never handed over exactly.
_TOLERANCE = 0.01


class Slice:
    """What a threshold needs of one interval, or of the sum of several."""

    __slots__ = (
        "absent_s",
        "certain",
        "certain_replies",
        "completed_in_time",
        "dropped",
        "dropped_by_lag",
        "duration_s",
        "failed_by_lag",
        "late_times",
        "ok_in_time",
        "outcomes",
        "skipped",
        "times",
    )

    def __init__(self) -> None:
        self.duration_s = 0.0
        self.dropped = 0
        self.skipped = 0
        self.outcomes = [0] * len(Outcome)
        self.completed_in_time = 0  #: within the phase: what counts as throughput
        self.ok_in_time = 0
        self.times = Histogram()
        self.late_times = LateTimes()  #: of these times
        self.certain = 0  #: failures that no doubt about the generator explains
        self.certain_replies = 0  #: of those, complete replies
        self.failed_by_lag = self.dropped_by_lag = 0  #: as in a series
        self.absent_s = 0.0  #: how long the event loops of a closed load were late

    @classmethod
    def of(cls, all_series: Iterable[Series], metric: Metric | None, duration_s: float) -> "Slice":
        """Sum some series that were counted for `duration_s`; without a metric no times are summed."""
        total = cls()
        total.duration_s = duration_s
        for series in all_series:
            total.dropped += series.dropped
            total.skipped += series.skipped
            total.outcomes = [a + b for a, b in zip(total.outcomes, series.outcomes, strict=True)]
            if metric is not None:
                total.times.merge(getattr(series, _HISTOGRAM_OF[metric]))
                late = series.late_times.get(_HISTOGRAM_OF[metric])
                if late is not None:
                    total.late_times.merge(late)
            total.certain += series.certain
            total.certain_replies += series.certain_replies
            total.failed_by_lag += series.failed_by_lag
            total.dropped_by_lag += series.dropped_by_lag
        total.completed_in_time = total.completed
        total.ok_in_time = total.outcomes[Outcome.OK]
        return total

    @classmethod
    def of_groups(cls, lengths: Iterable[Histogram], failed: int, duration_s: float) -> "Slice":
        """Sum some lengths of what is measured as a whole, beside so many that failed, in the same way."""
        total = cls()
        total.duration_s = duration_s
        for times in lengths:
            total.times.merge(times)
        total.outcomes[Outcome.OK], total.outcomes[Outcome.FAILED] = total.times.count, failed
        return total

    @property
    def completed(self) -> int:
        """Requests that ended, whatever their outcome."""
        return sum(self.outcomes) - self.outcomes[Outcome.UNFINISHED]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return not (
            self.dropped or self.skipped or any(self.outcomes) or self.times.count or self.times.never
        )

    def late(self) -> "Slice":
        """Return the same counts as no part of the throughput, and of no time."""
        same = Slice()
        same.add(self)
        same.duration_s, same.absent_s, same.completed_in_time, same.ok_in_time = 0.0, 0.0, 0, 0
        return same

    def add(self, other: "Slice", sign: int = 1) -> None:
        """Add another slice; with `sign` -1 take off one that was added before, all but its min and max."""
        self.duration_s += sign * other.duration_s
        self.dropped += sign * other.dropped
        self.skipped += sign * other.skipped
        self.outcomes = [a + sign * b for a, b in zip(self.outcomes, other.outcomes, strict=True)]
        self.completed_in_time += sign * other.completed_in_time
        self.ok_in_time += sign * other.ok_in_time
        self.certain += sign * other.certain
        self.certain_replies += sign * other.certain_replies
        self.failed_by_lag += sign * other.failed_by_lag
        self.dropped_by_lag += sign * other.dropped_by_lag
        self.absent_s += sign * other.absent_s
        if sign > 0:
            self.times.merge(other.times)
            self.late_times.merge(other.late_times)
        else:
            self.late_times.take_off(other.late_times)
            self.times.take_off(other.times)


class Rolling:
    """The slices of the latest `window_s` seconds and their sum; without a window everything so far."""

    def __init__(self, window_s: float | None) -> None:
        self._window_s = window_s
        self._slices: deque[Slice] = deque()
        self._total = Slice()

    def add(self, piece: Slice) -> None:
        """Add the next slice, and give up those that the window no longer reaches."""
        self._total.add(piece)
        if self._window_s is None:
            return
        self._slices.append(piece)
        while self._covers(self._total.duration_s - self._slices[0].duration_s):
            self._total.add(self._slices.popleft(), -1)
        self._total.times.min_ns = min(
            (n for s in self._slices if (n := s.times.min_ns) is not None), default=None
        )
        self._total.times.max_ns = max(
            (n for s in self._slices if (n := s.times.max_ns) is not None), default=None
        )

    def add_late(self, piece: Slice) -> None:
        """Add what was due in the latest slice and came after it."""
        late = piece.late()
        self._total.add(late)
        if self._slices:
            self._slices[-1].add(late)

    def clear(self) -> None:
        """Begin a new window."""
        self._slices.clear()
        self._total = Slice()

    def _covers(self, duration_s: float) -> bool:
        return self._window_s is not None and duration_s >= self._window_s * (1 - _TOLERANCE)

    @property
    def is_full(self) -> bool:
        """Whether the slices reach back over the whole window; without one they always do."""
        return self._window_s is None or self._covers(self._total.duration_s)

    def aggregate(self) -> Aggregate:
        """Return the sum; its histogram is the live one, good until the next slice is added."""
        total, outcomes = self._total, self._total.outcomes
        sent = sum(outcomes)
        measured = total.duration_s > 0
        return Aggregate(
            planned=sent + total.dropped + total.skipped,
            sent=sent,
            completed=total.completed,
            ok=outcomes[Outcome.OK],
            failed=outcomes[Outcome.FAILED],
            refused=outcomes[Outcome.REFUSED],
            dropped=total.dropped,
            unfinished=outcomes[Outcome.UNFINISHED],
            throughput_per_s=total.completed_in_time / total.duration_s if measured else None,
            goodput_per_s=total.ok_in_time / total.duration_s if measured else None,
            times=total.times,
            without_lag=() if total.late_times.is_empty else without_lag(total.times, total.late_times),
            certain=total.certain,
            certain_replies=total.certain_replies,
            failed_by_lag=total.failed_by_lag,
            dropped_by_lag=total.dropped_by_lag,
            present=max(0.0, 1 - total.absent_s / total.duration_s) if measured else 1.0,
        )
