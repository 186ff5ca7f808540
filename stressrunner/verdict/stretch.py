"""How long a threshold is broken without a break, and which of many figures was the worst."""

from stressrunner.scenario.threshold import Threshold
from stressrunner.verdict.figures import LiveRecord
from stressrunner.verdict.measure import Measurement, holds

__all__ = ["Stretch"]


class Stretch:
    """Takes the figures of one threshold in the order of time and remembers what the final judgement needs."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._worst = Measurement(None)
        self._fewest: int | None = None
        self._broken_since_s: float | None = None
        self._longest_s: float | None = None

    def add(self, at_s: float, measurement: Measurement) -> None:
        """Take what was measured up to `at_s`; without a figure it is not broken."""
        value = measurement.value
        if value is None:
            self.interrupt()
            return
        if measurement.samples is not None:
            self._fewest = min(self._fewest or measurement.samples, measurement.samples)
        if self._worst.value is None or self._excess(value) > self._excess(self._worst.value):
            self._worst = measurement
        if holds(self._threshold, value):
            self.interrupt()
            return
        if self._broken_since_s is None:
            self._broken_since_s = at_s
        self._longest_s = max(self._longest_s or 0.0, at_s - self._broken_since_s)

    def interrupt(self) -> None:
        """Begin anew: the threshold is not broken, or nothing can be said."""
        self._broken_since_s = None

    def broken_for_s(self, at_s: float) -> float | None:
        """Return for how long it has been broken; None when it is not."""
        return None if self._broken_since_s is None else at_s - self._broken_since_s

    def _excess(self, value: float) -> float:
        """Return how far a figure is beyond the limit, or the less below zero the nearer it comes to it."""
        limit = self._threshold.limit
        if self._threshold.op in ("<", "<="):
            return value - limit
        if self._threshold.op in (">", ">="):
            return limit - value
        distance = abs(value - limit)
        return distance if self._threshold.op == "==" else -distance

    def record(self) -> LiveRecord:
        """Return what was seen, frozen."""
        return LiveRecord(self._worst, self._fewest, self._longest_s)
