"""What a person sees while a run is under way: one line that is drawn again, or a plain line now and then."""

import shutil
from collections.abc import Callable
from typing import TextIO

from stressrunner.metrics.tally import Tally
from stressrunner.run.listener import Progress
from stressrunner.units import format_duration, format_rate

__all__ = ["ProgressView", "progress_line"]

_PLAIN_INTERVAL_S = 10.0
_BAR = 16


def _share(progress: Progress) -> float | None:
    """Return how much of the load is done, where that can be said."""
    shares = []
    if progress.planned_s:
        shares.append(progress.at_s / progress.planned_s)
    if progress.planned:
        shares.append(progress.completed / progress.planned)
    return min(1.0, max(shares)) if shares else None


def progress_line(progress: Progress, width: int) -> str:
    """Return a run's progress in one line of at most `width` columns; what matters least is left out first."""
    share = _share(progress)
    bar = ""
    if share is not None:
        full = int(share * _BAR)
        bar = f"[{'#' * full}{'.' * (_BAR - full)}] {share:4.0%}"
    sent = f"{progress.completed:,}" + (
        f"/{progress.planned:,}" if progress.planned and not progress.planned_s else ""
    )
    parts = [
        (0, f"{progress.at_s:.0f} s"),
        (2, progress.phase),
        (1, bar),
        (0, f"{sent} done"),
        (0, f"{progress.failed:,} failed"),
        (1, f"{format_rate(progress.recent_per_s)}"),
        (2, f"{progress.in_flight:,} in flight"),
        (3, f"p50 {_time(progress.recent_p50_s)}"),
        (3, f"p95 {_time(progress.recent_p95_s)}"),
    ]
    for least in (4, 3, 2, 1):
        line = "  ".join(text for rank, text in parts if rank < least and text)
        if len(line) <= width:
            return line
    return line[:width]


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else format_duration(seconds)


class ProgressView:
    """A listener that draws to a stream: in place on a terminal, else a line every ten seconds."""

    def __init__(
        self, stream: TextIO, *, verbose: bool = False, width: Callable[[], int] | None = None
    ) -> None:
        """`width` tells the terminal's columns; by default it is asked for at every line."""
        self._stream = stream
        self._in_place = stream.isatty()
        self._verbose = verbose
        self._width = width or (lambda: shutil.get_terminal_size().columns)
        self._drawn = 0
        self._next_s = 0.0
        self._seen: set[str] = set()

    def note(self, text: str) -> None:
        """Show a sentence, when everything is to be told."""
        if self._verbose:
            self._line(text)

    def progress(self, progress: Progress, total: Tally) -> None:
        """Show where the load stands, and with `verbose` every kind of error when it is first seen."""
        if self._verbose:
            for kind in sorted(total.errors.keys() - self._seen):
                self._seen.add(kind)
                self._line(f"{progress.at_s:.0f} s  first {kind}: {total.errors[kind].samples[0].message}")
        if self._in_place:
            line = progress_line(progress, self._width() - 1)
            self._stream.write("\r" + line.ljust(self._drawn))
            self._stream.flush()
            self._drawn = len(line)
        elif progress.at_s >= self._next_s:
            self._next_s = progress.at_s + _PLAIN_INTERVAL_S
            self._line(progress_line(progress, 160))

    def close(self) -> None:
        """Take the line away that was drawn last, so that the report begins on a clean one."""
        if self._in_place and self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._stream.flush()
            self._drawn = 0

    def _line(self, text: str) -> None:
        self.close()
        self._stream.write(text + "\n")
        self._stream.flush()
