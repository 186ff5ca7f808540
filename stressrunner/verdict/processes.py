"""What a threshold measures of a watched process: over the whole run, in a phase, or in every window."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType

from stressrunner.monitor.figures import MonitorPoint, ProcessFigures
from stressrunner.monitor.trend import growth, slope_per_h
from stressrunner.verdict.measure import Measurement

__all__ = ["measure_process", "points_between", "windows_of"]


def measure_process(
    stat: str, process: ProcessFigures, points: Sequence[MonitorPoint] | None = None
) -> Measurement:
    """Return a figure of a process: cores, bytes, bytes per hour or a count.

    It is the figure of the whole run, or, where `points` are given, of those looks alone.
    """
    if not process.available:
        return Measurement(None, note=f"{process.label}: {process.reason}")
    if stat not in _OF_RUN:
        return Measurement(None, note=f"a process has no figure '{stat}'")
    value = _OF_RUN[stat](process) if points is None else _OF_POINTS[stat](points)
    if process.ended:
        return Measurement(
            value, note=f"{process.label}: {process.ended}; that fails every threshold on it", fails=True
        )
    return Measurement(value, note=process.reason if value is not None else "it was looked at too seldom")


_OF_RUN: Mapping[str, Callable[[ProcessFigures], float | None]] = MappingProxyType(
    {
        "cpu": lambda process: process.cpu_mean,
        "memory": lambda process: process.memory_max_bytes,
        "memory_growth": lambda process: process.memory_growth_bytes,
        "memory_slope": lambda process: process.memory_slope_bytes_per_h,
        "open_files": lambda process: process.open_files_max,
        "connections": lambda process: process.connections_max,
    }
)


def _memory(points: Sequence[MonitorPoint]) -> list[tuple[float, float]]:
    return [(point.at_s, float(point.memory_bytes)) for point in points]


def _highest(values: Iterator[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


_OF_POINTS: Mapping[str, Callable[[Sequence[MonitorPoint]], float | None]] = MappingProxyType(
    {
        "cpu": lambda points: fmean(point.cpu for point in points) if points else None,
        "memory": lambda points: _highest(point.memory_bytes for point in points),
        "memory_growth": lambda points: growth(_memory(points)),
        "memory_slope": lambda points: slope_per_h(_memory(points)),
        "open_files": lambda points: _highest(point.open_files for point in points),
        "connections": lambda points: _highest(point.connections for point in points),
    }
)


def points_between(process: ProcessFigures, begin_s: float, end_s: float) -> tuple[MonitorPoint, ...]:
    """Return the looks after `begin_s` up to `end_s`, both after the load began."""
    return tuple(point for point in process.points if begin_s < point.at_s <= end_s)


def windows_of(points: Sequence[MonitorPoint], window_s: float) -> Iterator[tuple[MonitorPoint, ...]]:
    """Yield the looks of every full window, one window for every look that ends one."""
    first = 0
    for last, point in enumerate(points):
        begin_s = point.at_s - window_s
        if begin_s < points[0].at_s:
            continue
        while points[first].at_s <= begin_s:
            first += 1
        yield tuple(points[first : last + 1])
