"""Who shows a run while it is under way: a live view on a terminal, else a plain line every ten seconds."""

import os
import shutil
from collections.abc import Mapping
from typing import Protocol, TextIO

from stressrunner.cli.news import News
from stressrunner.cli.progress import progress_line
from stressrunner.metrics.delta import Delta
from stressrunner.run.listener import Listener, Progress

__all__ = ["LineView", "View", "view_on"]

_INTERVAL_S = 10.0
_WIDTH = 160  #: of a line that goes to a file


class View(Listener, Protocol):
    """A listener that is to be closed, so that what comes after it begins on a clean line."""

    def close(self) -> None:
        """Take away what is not to stay."""


def view_on(stream: TextIO, environ: Mapping[str, str] = os.environ, *, verbose: bool = False) -> View:
    """Return a live view where the stream is a terminal that can move its cursor, else one of plain lines."""
    if stream.isatty() and environ.get("TERM") not in ("dumb", "unknown"):
        # Drawing takes 60 ms to import, which a run in a pipeline need not wait for.
        from stressrunner.cli.live_view import LiveView  # noqa: PLC0415

        return LiveView(stream, verbose=verbose)
    return LineView(stream, verbose=verbose)


class LineView:
    """Writes a line when the load begins and then every ten seconds."""

    def __init__(self, stream: TextIO, *, verbose: bool = False) -> None:
        """With `verbose`, notes and every new kind of error are written too."""
        self._stream = stream
        self._verbose = verbose
        self._next_s = 0.0
        self._news = News()

    def note(self, text: str) -> None:
        """Write a sentence, when everything is to be told."""
        if self._verbose:
            self._line(text)

    def warn(self, text: str) -> None:
        """Write a sentence in any case."""
        self._line(text)

    def progress(self, progress: Progress, total: Delta) -> None:  # noqa: ARG002  of the seam
        """Write where the load stands, when it is time to."""
        if self._verbose:
            for line in self._news.of(progress):
                self._line(line)
        if progress.at_s >= self._next_s:
            self._next_s = progress.at_s + _INTERVAL_S
            width = shutil.get_terminal_size().columns - 1 if self._stream.isatty() else _WIDTH
            self._line(progress_line(progress, width))

    def close(self) -> None:
        """Do nothing: lines stay."""

    def _line(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()
