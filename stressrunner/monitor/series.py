"""A bounded series of looks at a process: a point per look, then per two, four, ... looks as the run gets longer."""

from stressrunner.monitor.figures import MonitorPoint

__all__ = ["MAX_POINTS", "PointSeries"]

MAX_POINTS = 1200


def _larger(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return right if left is None else left
    return max(left, right)


class PointSeries:
    """Points in the order of time; joined ones keep the mean of the CPU and the highest of everything else."""

    def __init__(self) -> None:
        self._points: list[MonitorPoint] = []
        self._looks_per_point = 1
        self._looks_in_last = 0

    def add(self, point: MonitorPoint) -> None:
        """Add one look."""
        if self._points and self._looks_in_last < self._looks_per_point:
            self._points[-1] = _join(self._points[-1], point, self._looks_in_last)
            self._looks_in_last += 1
            return
        if len(self._points) >= MAX_POINTS:
            self._halve()
        self._points.append(point)
        self._looks_in_last = 1

    def _halve(self) -> None:
        """Join points in pairs; all of them are whole when this is called, and MAX_POINTS is even."""
        pairs = zip(self._points[::2], self._points[1::2], strict=True)
        self._points = [_join(left, right, 1) for left, right in pairs]
        self._looks_per_point *= 2

    def points(self) -> tuple[MonitorPoint, ...]:
        """Return the points so far."""
        return tuple(self._points)


def _join(left: MonitorPoint, right: MonitorPoint, weight: int) -> MonitorPoint:
    """Make one point of two that follow each other; the left one counts `weight` times as much."""
    return MonitorPoint(
        at_s=right.at_s,
        cpu=(left.cpu * weight + right.cpu) / (weight + 1),
        memory_bytes=max(left.memory_bytes, right.memory_bytes),
        open_files=_larger(left.open_files, right.open_files),
        connections=_larger(left.connections, right.connections),
    )
