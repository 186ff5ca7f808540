"""Keeping an eye on one threshold while the load runs, on requests or on a process."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Protocol

from stressrunner.fleet.snapshot import Snapshot
from stressrunner.metrics.delta import Delta, Series
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.scenario.threshold import Threshold
from stressrunner.verdict.figures import LiveRecord
from stressrunner.verdict.measure import Measurement, measure, measure_group
from stressrunner.verdict.processes import measure_process, points_between
from stressrunner.verdict.rolling import Rolling, Slice
from stressrunner.verdict.stretch import Stretch

__all__ = ["ABORT_SAMPLES", "EndGuard", "GroupGuard", "Guard", "ProcessGuard", "RequestGuard"]

#: Samples that a figure must rest on before it stops a run, unless the threshold says `min_samples`.
ABORT_SAMPLES = 100

_RATES = ("throughput", "goodput")
_GROWING = ("count", "dropped", "unfinished")


class Guard(Protocol):
    """Judges one threshold on every snapshot."""

    @property
    def latest(self) -> Measurement | None:
        """What was measured last; None while nothing can be said."""

    def feed(self, snapshot: Snapshot, monitors: Mapping[str, ProcessFigures]) -> bool:
        """Take the next second; return whether it is time to stop the load."""

    def record(self) -> LiveRecord:
        """Return what was seen so far."""


class RequestGuard:
    """Judges a threshold on requests: on its window, or without one on everything so far.

    What completes after its phase has ended belongs to the last second of the phase, except that it is no
    throughput: windows lie within phases, and slow requests are not lost between them.
    """

    def __init__(
        self,
        threshold: Threshold,
        pairs: Collection[tuple[int, int]] | None,
        phases: Collection[int],
        *,
        is_closed: bool = False,
    ) -> None:
        """Guard pairs of a phase and an endpoint, or for None all endpoints, in some phases, of which none has a rate if that is closed."""
        self._threshold = threshold
        self._metric = threshold.metric if threshold.dimension == "duration" else None
        self._pairs = pairs
        self._is_closed = is_closed
        self._phases = phases
        self._rolling = Rolling(threshold.window_s)
        self._stretch = Stretch(threshold)
        self._without_lag = Stretch(threshold)
        self._is_lagged = False  # a figure is another one without lag
        self._at_s: float | None = None  # the end of the latest snapshot within the phases
        self._outside = False
        self._samples: int | None = 0
        self._latest: Measurement | None = None

    @property
    def latest(self) -> Measurement | None:
        """What was measured last; None while the window is not full, or a count that still grows may do."""
        return self._latest

    def feed(self, snapshot: Snapshot, monitors: Mapping[str, ProcessFigures]) -> bool:  # noqa: ARG002  of the seam
        """Take the next second; return whether it is time to stop the load."""
        piece = self._piece(snapshot)
        if not snapshot.phases.isdisjoint(self._phases):
            if self._outside:
                self._begin_again()
            self._at_s = snapshot.at_s
            self._rolling.add(piece)
        else:
            self._outside = self._at_s is not None
            if piece.is_empty or self._at_s is None:
                return False
            self._rolling.add_late(piece)
        return self._judge(self._at_s)

    def _piece(self, snapshot: Snapshot) -> Slice:
        piece = Slice.of(self._series(snapshot.delta), self._metric, snapshot.duration_s)
        piece.absent_s = self._absent_s(snapshot)
        return piece

    def _absent_s(self, snapshot: Snapshot) -> float:
        """Return how long the event loops were late on the average, where that makes a load smaller."""
        return snapshot.absent_s if self._is_closed else 0.0

    def _measure(self) -> Measurement:
        return measure(self._threshold, self._rolling.aggregate())

    def _series(self, delta: Delta) -> list[Series]:
        return [
            series
            for pair, series in delta.series.items()
            if (pair[0] in self._phases if self._pairs is None else pair in self._pairs)
        ]

    def _begin_again(self) -> None:
        """Let no window span the time between two phases that are judged."""
        self._outside = False
        self._stretch.interrupt()
        self._without_lag.interrupt()
        if self._threshold.window_s is not None:
            self._rolling.clear()

    def _judge(self, at_s: float) -> bool:
        if not self._rolling.is_full:
            return False
        measurement = self._measure()
        self._samples = measurement.samples
        if self._is_too_early(measurement):
            return False
        self._latest = measurement
        self._stretch.add(at_s, measurement)
        if measurement.without_lag is not None:
            self._is_lagged = True
            measurement = replace(measurement, value=measurement.without_lag)
        self._without_lag.add(at_s, measurement)
        return self._stops(at_s)

    def _is_too_early(self, measurement: Measurement) -> bool:
        """Whether a count that still grows may satisfy its limit in the end."""
        threshold, value = self._threshold, measurement.value
        if threshold.window_s is not None or threshold.stat not in _GROWING or threshold.dimension != "count":
            return False
        return threshold.op in (">", ">=", "!=") or (
            threshold.op == "==" and value is not None and value < threshold.limit
        )

    def _stops(self, at_s: float) -> bool:
        broken_s = self._stretch.broken_for_s(at_s)
        if self._threshold.action != "abort" or broken_s is None or broken_s < self._threshold.after_s:
            return False
        # A rate over a full window rests on its time: a target that has gone silent gives no samples at all.
        if self._threshold.stat in _RATES and self._threshold.window_s is not None:
            return True
        return (self._samples or 0) >= (self._threshold.min_samples or ABORT_SAMPLES)

    def record(self) -> LiveRecord:
        """Return what was seen so far."""
        without_lag = self._without_lag.record() if self._is_lagged else None
        return replace(self._stretch.record(), without_lag=without_lag)


class GroupGuard(RequestGuard):
    """Judges a threshold on what is measured as a whole, such as a session, in the same way.

    A group belongs to the phase in which it began, and to the second in which it ended.
    """

    def __init__(self, threshold: Threshold, name: str, phases: Collection[int]) -> None:
        """Guard what is measured under a name, in some phases."""
        super().__init__(threshold, None, phases)
        self._name = name

    def _piece(self, snapshot: Snapshot) -> Slice:
        keys = [(phase, self._name) for phase in self._phases]
        lengths = [snapshot.delta.groups[key] for key in keys if key in snapshot.delta.groups]
        failed = sum(snapshot.delta.groups_failed[key] for key in keys)
        piece = Slice.of_groups(lengths, failed, snapshot.duration_s)
        for key in keys:
            if key in snapshot.delta.groups_late:
                piece.late_times.merge(snapshot.delta.groups_late[key])
        return piece

    def _measure(self) -> Measurement:
        found = self._rolling.aggregate()
        return measure_group(self._threshold, found.times, found.failed, found.without_lag)


class EndGuard:
    """Stands for a threshold that is judged when the load has ended, and shows nothing until then."""

    latest: Measurement | None = None

    def feed(self, snapshot: Snapshot, monitors: Mapping[str, ProcessFigures]) -> bool:  # noqa: ARG002  of the seam
        """Take the next second, which never stops the load."""
        return False

    def record(self) -> LiveRecord:
        """Return that nothing was seen."""
        return LiveRecord(Measurement(None), None, None)


class ProcessGuard:
    """Judges a threshold on a watched process."""

    def __init__(self, threshold: Threshold, phases: Collection[int]) -> None:
        """Guard a process while one of some phases is running."""
        self._threshold = threshold
        self._phases = phases
        self._stretch = Stretch(threshold)
        self._begin_s: float | None = None  # of the phases that follow each other without a break
        self._latest: Measurement | None = None

    @property
    def latest(self) -> Measurement | None:
        """What was measured last, in a phase that counts."""
        return self._latest

    def feed(self, snapshot: Snapshot, monitors: Mapping[str, ProcessFigures]) -> bool:
        """Take the next second; return whether it is time to stop the load."""
        process = monitors.get(self._threshold.of or "")
        if snapshot.phases.isdisjoint(self._phases) or process is None:
            self._begin_s = None
            self._stretch.interrupt()
            return False
        if self._begin_s is None:
            self._begin_s = snapshot.at_s - snapshot.duration_s
        begin_s = snapshot.at_s - (self._threshold.window_s or 0.0)
        if self._threshold.window_s is None:
            begin_s = self._begin_s
        elif begin_s < self._begin_s:
            return False
        points = points_between(process, begin_s, snapshot.at_s)
        self._latest = measure_process(self._threshold.stat, process, points)
        self._stretch.add(snapshot.at_s, self._latest)
        broken_s = self._stretch.broken_for_s(snapshot.at_s)
        if self._threshold.action != "abort":
            return False
        return broken_s is not None and broken_s >= self._threshold.after_s

    def record(self) -> LiveRecord:
        """Return what was seen so far."""
        return self._stretch.record()
