"""The live view: draws on a terminal where a run stands, a few times a second at most, and takes it away at the end."""

from collections import deque
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from stressrunner.cli.news import News
from stressrunner.cli.screen import ASCII, UNICODE, Screen, draw
from stressrunner.metrics.tally import Tally
from stressrunner.run.listener import Progress

__all__ = ["LiveView"]

_SHORTEST_S = 0.25  #: between two frames
_PAST = 120  #: seconds that are remembered for the small charts


class LiveView:
    """A listener that draws; it writes notes and new errors above the drawing, when everything is to be told."""

    def __init__(self, stream: TextIO, *, verbose: bool = False) -> None:
        self._console = Console(file=stream, highlight=False)
        self._glyphs = UNICODE if (stream.encoding or "").lower().startswith("utf") else ASCII
        # Drawn by this process when there is something new, and not by a thread beside it.
        self._live = Live(console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._verbose = verbose
        self._past: deque[Progress] = deque(maxlen=_PAST)
        self._next_s = 0.0
        self._news = News()

    def note(self, text: str) -> None:
        """Show a sentence above the drawing, when everything is to be told."""
        if self._verbose:
            self._console.print(Text(text))

    def progress(self, progress: Progress, total: Tally) -> None:  # noqa: ARG002  of the seam
        """Draw where the load stands, unless that was done a moment ago."""
        self._past.append(progress)
        if self._verbose:
            for line in self._news.of(progress):
                self._console.print(Text(line))
        if progress.at_s < self._next_s:
            return
        self._next_s = progress.at_s + _SHORTEST_S
        screen = Screen(progress, tuple(self._past))
        size = self._console.size
        self._live.start()
        self._live.update(draw(screen, size.width, size.height, self._glyphs), refresh=True)

    def close(self) -> None:
        """Take the drawing away, and give the cursor back."""
        self._live.stop()
