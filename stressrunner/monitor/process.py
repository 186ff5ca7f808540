"""Watching one process and its children: what they use, one look at a time.

CPU is the difference of two totals of CPU seconds over the time between them. The total of a child that has ended is
kept, or the work of short-lived workers would be subtracted again.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from math import inf

import psutil

from stressrunner.monitor.figures import MonitorPoint, ProcessFigures
from stressrunner.monitor.lookup import FoundProcess
from stressrunner.monitor.series import PointSeries
from stressrunner.monitor.trend import growth, slope_per_h

__all__ = ["Watch"]

#: The kernel counts CPU in steps of 10 ms, so a shorter time between two looks tells nothing about cores.
_SHORTEST_CPU_INTERVAL_S = 0.2

#: Connections are counted by reading tables as long as the machine has sockets. They are counted so seldom that it
#: takes at most this part of the time: a generator that shares the core may be late by the milliseconds that it takes.
_CONNECTIONS_SHARE = 0.002

_NOT_CONNECTED = (psutil.CONN_LISTEN, psutil.CONN_CLOSE)


class Watch:
    """One process with its children, looked at from time to time; a process that is not there has no figures."""

    def __init__(
        self,
        found: FoundProcess,
        *,
        apart: Collection[int] = (),
        again: Callable[[], FoundProcess] | None = None,
    ) -> None:
        """Watch what was found, without those of its descendants whose pids are in `apart`, and theirs.

        With `again`, which finds the process anew, it may end and be started again.
        """
        self._again = again
        self._lives: list[float] = []  # when it was seen for the first time again
        self._is_gone = False
        self._ended = ""
        self._found = found
        self._apart = frozenset(apart)
        self._series = PointSeries()
        self._end = ""  # how the watching came to an end before the load did
        self._cpu = _CpuMeter()
        self._connections = _ConnectionCounter()
        self._memory_max = 0
        self._open_files_max: int | None = None

    def look(self, at_s: float) -> None:
        """Look once, `at_s` seconds after the load began.

        It reads files of the system and may take some milliseconds, so it belongs into a thread. It never raises:
        when the process has ended or may not be looked at, `figures` say so.
        """
        if self._found.process is None or self._end:
            return
        if self._is_gone and not self._has_come_back(at_s):
            return
        try:
            self._look(self._found.process, at_s)
        except psutil.NoSuchProcess:
            if self._again is not None:
                self._is_gone = True
            else:
                self._end = self._ended = f"it ended under load, noticed after {at_s:.1f} s"
        except psutil.AccessDenied:
            self._end = "this user may not look at it"

    def _has_come_back(self, at_s: float) -> bool:
        """Look for a process that may be started again; return whether it has been."""
        found = self._found if self._again is None else self._again()
        if found.process is None:
            return False
        self._found, self._is_gone = found, False
        self._lives.append(at_s)
        return True

    def _growth(self, memory: Sequence[tuple[float, float]]) -> float | None:
        """Return by how much memory grew: in the one of all lives in which it grew most."""
        ends = [*self._lives, inf]
        begins = [-inf, *self._lives]
        grown = (
            growth([point for point in memory if begin <= point[0] < end])
            for begin, end in zip(begins, ends, strict=True)
        )
        return max((one for one in grown if one is not None), default=None)

    def _look(self, root: psutil.Process, at_s: float) -> None:
        if not root.is_running() or root.status() == psutil.STATUS_ZOMBIE:
            raise psutil.NoSuchProcess(root.pid)
        family = [root, *self._descendants(root)]
        memory, open_files = 0, _Sum()
        totals: dict[psutil.Process, float] = {}
        for process in family:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    totals[process] = times.user + times.system
                    memory += process.memory_info().rss
                    open_files.add(_open_files(process))
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                if process is root:
                    raise
        cpu = self._cpu.read(at_s, totals)
        self._memory_max = max(self._memory_max, memory)
        if open_files.total is not None:
            self._open_files_max = max(self._open_files_max or 0, open_files.total)
        connections = self._connections.count(family)
        self._series.add(MonitorPoint(at_s, cpu, memory, open_files.total, connections))

    def _descendants(self, root: psutil.Process) -> Iterator[psutil.Process]:
        left_out = set(self._apart)
        for child in root.children(recursive=True):  # parents come before their children
            try:
                if child.status() == psutil.STATUS_ZOMBIE:
                    continue
                if child.pid in left_out or child.ppid() in left_out:
                    left_out.add(child.pid)
                    continue
            except psutil.NoSuchProcess:
                continue
            yield child

    def finish(self, at_s: float) -> None:
        """Look for the last time; later looks would only see the idle time after the load, and are ignored."""
        self.look(at_s)
        self._end = self._end or _LOAD_ENDED

    def _restarts(self) -> Iterator[str]:
        """Say of a process that may end how often it came back, and whether it was there at the end."""
        if times := len(self._lives):
            yield "it was started again once" if times == 1 else f"it was started again {times:,} times"
        if self._is_gone:
            yield (
                "it ended, and was not started again"
                if not times
                else "then it ended, and was not started again"
            )

    def figures(self, *, since_s: float = 0.0) -> ProcessFigures:
        """Return what was seen so far; growth and slope only from `since_s` on, where the measured time begins.

        `reason` is also given beside figures, when the process ended under load or others would have fitted too.
        """
        points = self._series.points()
        notes = [self._found.note, *self._restarts(), "" if self._end == _LOAD_ENDED else self._end]
        reason = "; ".join(note for note in notes if note)
        if not points:
            return ProcessFigures.unavailable(self._found.label, reason or "it was never looked at")
        memory = [(point.at_s, float(point.memory_bytes)) for point in points if point.at_s >= since_s]
        grown = self._growth(memory)
        return ProcessFigures(
            label=self._found.label,
            available=True,
            reason=reason,
            cpu_mean=self._cpu.mean,
            cpu_max=self._cpu.highest,
            memory_max_bytes=self._memory_max,
            memory_growth_bytes=None if grown is None else round(grown),
            memory_slope_bytes_per_h=slope_per_h(memory),
            open_files_max=self._open_files_max,
            connections_max=self._connections.highest,
            points=points,
            ended=self._ended,
        )


_LOAD_ENDED = "the load ended"


def _open_files(process: psutil.Process) -> int | None:
    if not psutil.POSIX:
        return None
    try:
        return process.num_fds()
    except psutil.AccessDenied:
        return None


class _Sum:
    """A sum that is unknown as soon as one of its parts is."""

    def __init__(self) -> None:
        self.total: int | None = 0

    def add(self, part: int | None) -> None:
        self.total = None if part is None or self.total is None else self.total + part


class _CpuMeter:
    """Cores in use by a changing family of processes."""

    def __init__(self) -> None:
        self._living: dict[psutil.Process, float] = {}  # CPU seconds of each when it was last seen
        self._ended_s = 0.0  # CPU seconds of those that are gone
        self._first: tuple[float, float] | None = None  # when, CPU seconds
        self._before = (0.0, 0.0)
        self._latest = (0.0, 0.0)
        self._cores = 0.0
        self._highest: float | None = None

    def read(self, at_s: float, totals: dict[psutil.Process, float]) -> float:
        """Take the CPU seconds of every living process; return the cores in use since the look before."""
        self._ended_s += sum(seconds for process, seconds in self._living.items() if process not in totals)
        self._living = totals
        self._latest = (at_s, self._ended_s + sum(totals.values()))
        if self._first is None:
            self._first = self._before = self._latest
        elif at_s - self._before[0] >= _SHORTEST_CPU_INTERVAL_S:
            self._cores = _cores(self._before, self._latest)
            self._highest = max(self._highest or 0.0, self._cores)
            self._before = self._latest
        return self._cores

    @property
    def mean(self) -> float | None:
        """Cores in use from the first look to the latest; None until time has passed."""
        if self._first is None or self._latest[0] <= self._first[0]:
            return None
        return _cores(self._first, self._latest)

    @property
    def highest(self) -> float | None:
        """The most cores in use between two looks."""
        return self.mean if self._highest is None else self._highest


def _cores(begin: tuple[float, float], end: tuple[float, float]) -> float:
    return max(0.0, (end[1] - begin[1]) / (end[0] - begin[0]))


class _ConnectionCounter:
    """Open TCP connections of processes, counted as often as its price allows."""

    def __init__(self) -> None:
        self._latest: int | None = None
        self._again_at = 0.0
        self.highest: int | None = None

    def count(self, family: Sequence[psutil.Process]) -> int | None:
        begin = time.perf_counter()
        if begin < self._again_at:
            return self._latest
        total = _Sum()
        for process in family:
            total.add(_connections(process))
        end = time.perf_counter()
        self._again_at = end + (end - begin) / _CONNECTIONS_SHARE
        self._latest = total.total
        if self._latest is not None:
            self.highest = max(self.highest or 0, self._latest)
        return self._latest


def _connections(process: psutil.Process) -> int | None:
    """Count connections; a socket that only listens is none, and a process that has just ended has none."""
    try:
        sockets = process.net_connections(kind="tcp")
    except psutil.NoSuchProcess:
        return 0
    except psutil.AccessDenied:
        return None
    return sum(socket.status not in _NOT_CONNECTED for socket in sockets)
