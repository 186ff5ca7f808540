"""Figures of a watched process and its children."""

from dataclasses import dataclass
from typing import Self

__all__ = ["MonitorPoint", "ProcessFigures"]


@dataclass(frozen=True, slots=True)
class MonitorPoint:
    """One look at a process and its children."""

    at_s: float  #: after the load began
    cpu: float  #: cores in use since the look before: 1.0 is one core
    memory_bytes: int  #: resident
    open_files: int | None  #: descriptors; None where the platform does not tell
    connections: int | None


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """What a process and its children used while the load ran."""

    label: str  #: which process it is, e.g. `pid 4711 (python -m stressrunner.demo)`
    available: bool  #: False when there was nothing to watch; `reason` says why
    reason: str
    cpu_mean: float | None  #: cores: 1.0 is one core
    cpu_max: float | None
    memory_max_bytes: int | None
    memory_growth_bytes: int | None  #: median of the last tenth of the measured time less that of the first
    memory_slope_bytes_per_h: float | None  #: least squares
    open_files_max: int | None
    connections_max: int | None
    points: tuple[MonitorPoint, ...] = ()  #: at most 1,200
    ended: str = (
        ""  #: when it ended under load, which nobody had allowed, in a sentence; empty when it did not
    )

    @classmethod
    def unavailable(cls, label: str, reason: str) -> Self:
        """Return those of a process that could not be watched, with the reason."""
        return cls(
            label=label,
            available=False,
            reason=reason,
            cpu_mean=None,
            cpu_max=None,
            memory_max_bytes=None,
            memory_growth_bytes=None,
            memory_slope_bytes_per_h=None,
            open_files_max=None,
            connections_max=None,
        )
