"""What a run tells while it is under way."""

from dataclasses import dataclass
from typing import Protocol

from stressrunner.metrics.tally import Tally

__all__ = ["Listener", "Progress", "Silence"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a load stands, once a second."""

    at_s: float  #: after the load began
    phase: str
    planned: int | None  #: requests of all phases; None when time alone ends one of them
    planned_s: float | None  #: length of all phases; None when work alone ends one of them
    sent: int
    completed: int
    failed: int
    in_flight: int
    recent_per_s: float  #: completed in the last second
    recent_p50_s: float | None  #: response times of the last second
    recent_p95_s: float | None


class Listener(Protocol):
    """Is told of a run's progress; must return quickly."""

    def note(self, text: str) -> None:
        """Take a sentence about what is going on, for those who want to know more."""

    def progress(self, progress: Progress, total: Tally) -> None:
        """Take where the load stands, with everything counted so far."""


class Silence:
    """A listener that does not."""

    def note(self, text: str) -> None:
        """Forget it."""

    def progress(self, progress: Progress, total: Tally) -> None:
        """Forget it."""
