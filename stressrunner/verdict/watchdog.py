"""Watching thresholds while the load runs: those `over` a window, those that abort it, and all others to be shown.

It is fed with what was counted, once a second; it has no clock and does no I/O.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from stressrunner.fleet.snapshot import Snapshot
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.scenario.model import Open, Workload
from stressrunner.scenario.threshold import MONITOR_STATS, OVERALL_STATS, Threshold
from stressrunner.verdict.figures import LiveRecord
from stressrunner.verdict.guards import EndGuard, GroupGuard, Guard, ProcessGuard, RequestGuard
from stressrunner.verdict.measure import Measurement

__all__ = ["Watchdog"]


class Watchdog:
    """Judges live thresholds, and remembers of each what its final judgement needs."""

    def __init__(
        self, thresholds: Iterable[Threshold], *, endpoints: Sequence[str], workloads: Sequence[Workload]
    ) -> None:
        """Watch `thresholds`; deltas have indices into `endpoints`, and into the phases of all `workloads`."""
        self._endpoints = tuple(endpoints)
        self._phases = [(workload.name, phase) for workload in workloads for phase in workload.load]
        self._workloads = frozenset(workload.name for workload in workloads)
        self._guards = {threshold: self._guard(threshold) for threshold in thresholds}
        self._stopped: tuple[Threshold, float] | None = None

    def _guard(self, threshold: Threshold) -> Guard:
        judged = self._judged(threshold)
        if threshold.stat in MONITOR_STATS:
            return ProcessGuard(threshold, judged)
        if threshold.of in OVERALL_STATS:
            return EndGuard()
        if threshold.of is None or threshold.of in self._workloads:
            pairs = self._pairs(threshold, judged)
            return RequestGuard(threshold, pairs, judged, is_closed=self._is_closed(judged))
        if threshold.of in self._endpoints:
            endpoint = self._endpoints.index(threshold.of)
            pairs = frozenset((phase, endpoint) for phase in judged)
            return RequestGuard(threshold, pairs, judged, is_closed=self._is_closed(judged))
        return GroupGuard(threshold, threshold.of, judged)

    def _judged(self, threshold: Threshold) -> frozenset[int]:
        """Return the phases that a threshold judges: the one that it names, or all but warm-ups; of its workload alone."""
        return frozenset(
            i
            for i, (workload, phase) in enumerate(self._phases)
            if (phase.name == threshold.phase or (threshold.phase is None and not phase.warmup))
            and (threshold.of not in self._workloads or threshold.of == workload)
        )

    def _is_closed(self, judged: Collection[int]) -> bool:
        return not any(isinstance(self._phases[phase][1].shape, Open) for phase in judged)

    def _pairs(self, threshold: Threshold, judged: Collection[int]) -> frozenset[tuple[int, int]] | None:
        """Return the phases and endpoints whose requests a threshold judges; None for all endpoints."""
        if not threshold.exempt:
            return None
        return frozenset(
            (phase, endpoint)
            for phase in judged
            for endpoint, name in enumerate(self._endpoints)
            if not threshold.leaves_out(self._phases[phase][1].name, name)
        )

    def feed(
        self, snapshot: Snapshot, monitors: Mapping[str, ProcessFigures] | None = None
    ) -> Threshold | None:
        """Take what was counted since the snapshot before, and what processes used up to its end.

        Returns:
            the threshold that stops the load now; None when it goes on, or was stopped before.
        """
        due = [threshold for threshold, guard in self._guards.items() if guard.feed(snapshot, monitors or {})]
        if not due or self._stopped is not None:
            return None
        self._stopped = (due[0], snapshot.at_s)
        return due[0]

    def latest(self) -> Mapping[Threshold, Measurement | None]:
        """Return what each threshold would be judged by now; None where nothing can be said yet."""
        return {threshold: guard.latest for threshold, guard in self._guards.items()}

    def records(self) -> Mapping[Threshold, LiveRecord]:
        """Return what was seen of each threshold whose judgement needs it."""
        records = {
            threshold: guard.record()
            for threshold, guard in self._guards.items()
            if self._is_recorded(threshold, guard)
        }
        if self._stopped is not None:
            threshold, at_s = self._stopped
            records[threshold] = replace(records[threshold], aborted_at_s=at_s)
        return records

    @staticmethod
    def _is_recorded(threshold: Threshold, guard: Guard) -> bool:
        # Windows of a process are found in its looks when the run has ended.
        if isinstance(guard, RequestGuard):
            return threshold.window_s is not None or threshold.action == "abort"
        return isinstance(guard, ProcessGuard) and threshold.action == "abort"
