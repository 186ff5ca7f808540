"""What a run tells while it is under way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from stressrunner.metrics.delta import Delta
from stressrunner.metrics.error_key import ErrorKey
from stressrunner.units import Dimension

__all__ = [
    "RECENT_S",
    "EndpointProgress",
    "ErrorProgress",
    "GeneratorProgress",
    "Listener",
    "PhaseProgress",
    "Progress",
    "Several",
    "Silence",
    "ThresholdProgress",
]

RECENT_S = 5.0  #: over which percentiles are taken while the load runs


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """A phase that is running."""

    name: str  #: `finishing` once the last one has ended and requests are still in flight
    number: int  #: from 1
    count: int  #: of the phases of its workload
    left_s: float | None  #: until it ends; None when work alone ends it
    offered_per_s: float | None  #: requests that its rate asks for now; None without a rate


@dataclass(frozen=True, slots=True)
class EndpointProgress:
    """Where an endpoint stands."""

    name: str
    completed: int
    failed: int
    recent_per_s: float  #: completed in the last RECENT_S
    p50_s: float | None  #: response times of the last RECENT_S; None when nothing or too little ended
    p95_s: float | None
    p99_s: float | None


@dataclass(frozen=True, slots=True)
class ThresholdProgress:
    """How a threshold would be judged now."""

    text: str
    state: Literal["holds", "broken", "open"]  #: open: nothing to judge it by yet, or only at the end
    measured: float | None  #: in the base unit of `dimension`
    dimension: Dimension


@dataclass(frozen=True, slots=True)
class ErrorProgress:
    """A group of errors, secrets masked."""

    kind: str
    count: int
    message: str  #: of the first of them
    rule: str = ""  #: the check, `until` or capture that failed
    status: int = 0  #: of the responses; 0 without one

    @property
    def key(self) -> ErrorKey:
        """What the errors have in common."""
        return ErrorKey(self.kind, self.rule, self.status)


@dataclass(frozen=True, slots=True)
class GeneratorProgress:
    """How well the generator keeps up: figures of the last second."""

    lag_p99_s: float | None  #: sent later than due; None when nothing was sent
    stall_max_s: float | None  #: of its event loop
    cpu: float | None  #: cores in use by the busiest of its processes, each of which can use one


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a load stands, once a second."""

    scenario: str  #: its name, secrets masked
    target: str  #: base URL, secrets masked
    at_s: float  #: after the load began
    phases: tuple[
        PhaseProgress, ...
    ]  #: of each workload the one that is running; else one that is `finishing`
    planned: int | None  #: requests of all phases; None when time alone ends one of them
    planned_s: (
        float | None
    )  #: length of all phases, of the longest workload; None when work alone ends one of them
    sent: int
    completed: int
    failed: int
    in_flight: int
    recent_per_s: float  #: completed in the last second
    recent_p50_s: float | None  #: response times of the last RECENT_S; None when nothing or too little ended
    recent_p95_s: float | None
    recent_p99_s: float | None
    endpoints: tuple[EndpointProgress, ...]
    thresholds: tuple[ThresholdProgress, ...]
    errors: tuple[ErrorProgress, ...]  #: the most frequent first
    generator: GeneratorProgress
    run_id: str = ""


class Listener(Protocol):
    """Is told of a run's progress; must return quickly."""

    def note(self, text: str) -> None:
        """Take a sentence about what is going on, for those who want to know more."""

    def warn(self, text: str) -> None:
        """Take a sentence that everybody has to know of."""

    def progress(self, progress: Progress, total: Delta) -> None:
        """Take where the load stands, with everything counted so far."""


class Several:
    """Passes on to several listeners."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def note(self, text: str) -> None:
        """Have each of them take a sentence."""
        for listener in self._listeners:
            listener.note(text)

    def warn(self, text: str) -> None:
        """Have each of them take a warning."""
        for listener in self._listeners:
            listener.warn(text)

    def progress(self, progress: Progress, total: Delta) -> None:
        """Have each of them take where the load stands."""
        for listener in self._listeners:
            listener.progress(progress, total)


class Silence:
    """A listener that does not."""

    def note(self, text: str) -> None:
        """Forget it."""

    def warn(self, text: str) -> None:
        """Forget it."""

    def progress(self, progress: Progress, total: Delta) -> None:
        """Forget it."""
