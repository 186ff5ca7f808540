"""Watching thresholds while the load runs: those `over` a window, and those that abort it.

It is fed with what was counted, once a second; it has no clock and does no I/O.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stressrunner.fleet.beat import Beat
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.scenario.model import Phase
from stressrunner.scenario.threshold import MONITOR_STATS, Threshold
from stressrunner.verdict.figures import LiveRecord
from stressrunner.verdict.guards import Guard, ProcessGuard, RequestGuard

__all__ = ["Watchdog"]


class Watchdog:
    """Judges live thresholds, and remembers of each what its final judgement needs."""

    def __init__(
        self, thresholds: Iterable[Threshold], *, endpoints: Sequence[str], phases: Sequence[Phase]
    ) -> None:
        """Watch those of `thresholds` that need it; tallies have indices into `endpoints` and `phases`.

        What is measured as a whole, such as a session, is not in tallies and is not watched.
        """
        self._guards: dict[Threshold, Guard] = {}
        self._stopped: tuple[Threshold, float] | None = None
        for threshold in thresholds:
            if threshold.window_s is None and threshold.action != "abort":
                continue
            judged = _phases_of(threshold, phases)
            if threshold.stat in MONITOR_STATS:
                # Windows of a process that stop nothing are found in its looks when the run has ended.
                if threshold.action == "abort":
                    self._guards[threshold] = ProcessGuard(threshold, judged)
            elif threshold.of is None:
                self._guards[threshold] = RequestGuard(threshold, None, judged)
            elif threshold.of in endpoints:
                self._guards[threshold] = RequestGuard(threshold, endpoints.index(threshold.of), judged)

    def feed(self, beat: Beat, monitors: Mapping[str, ProcessFigures] | None = None) -> Threshold | None:
        """Take what was counted since the beat before, and what processes used up to its end.

        Returns:
            the threshold that stops the load now; None when it goes on, or was stopped before.
        """
        due = [threshold for threshold, guard in self._guards.items() if guard.feed(beat, monitors or {})]
        if not due or self._stopped is not None:
            return None
        self._stopped = (due[0], beat.at_s)
        return due[0]

    def records(self) -> Mapping[Threshold, LiveRecord]:
        """Return what was seen of each threshold that was watched."""
        records = {threshold: guard.record() for threshold, guard in self._guards.items()}
        if self._stopped is not None:
            threshold, at_s = self._stopped
            records[threshold] = replace(records[threshold], aborted_at_s=at_s)
        return records


def _phases_of(threshold: Threshold, phases: Sequence[Phase]) -> frozenset[int]:
    """Return the phases that a threshold judges: the one that it names, or all but warm-ups."""
    if threshold.phase is not None:
        return frozenset(i for i, phase in enumerate(phases) if phase.name == threshold.phase)
    return frozenset(i for i, phase in enumerate(phases) if not phase.warmup)
