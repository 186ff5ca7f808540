"""The live view: draws on a terminal where a run stands, a few times a second at most, and takes it away at the end.

It draws on the terminal's other screen (the alternate screen buffer), so that nothing of it is left above the report
however the window was resized meanwhile.
"""

from collections import deque
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from stressrunner.cli.news import News
from stressrunner.cli.screen import ASCII, UNICODE, Screen, draw
from stressrunner.metrics.delta import Delta
from stressrunner.run.listener import Progress

__all__ = ["LiveView"]

_SHORTEST_S = 0.25  #: between two frames
_NOTES = 3  #: that are drawn, the latest
_PAST = 120  #: seconds that are remembered for the small charts


class LiveView:
    """A listener that draws; notes and new errors, when everything is to be told, are drawn and written when it closes."""

    def __init__(self, stream: TextIO, *, verbose: bool = False) -> None:
        self._console = Console(file=stream, highlight=False)
        self._glyphs = UNICODE if (stream.encoding or "").lower().startswith("utf") else ASCII
        # Drawn by this process when there is something new, and not by a thread beside it.
        self._live = Live(console=self._console, auto_refresh=False, screen=True)
        self._notes: list[str] = []  # told while the other screen is shown, which keeps nothing
        self._verbose = verbose
        self._past: deque[Progress] = deque(maxlen=_PAST)
        self._next_s = 0.0
        self._news = News()

    def note(self, text: str) -> None:
        """Show a sentence, when everything is to be told."""
        if self._verbose:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Show a sentence in any case."""
        if self._live.is_started:
            self._notes.append(text)
        else:
            self._console.print(Text(text))

    def progress(self, progress: Progress, total: Delta) -> None:  # noqa: ARG002  of the seam
        """Draw where the load stands, unless that was done a moment ago."""
        self._past.append(progress)
        if self._verbose:
            for line in self._news.of(progress):
                self.note(line)
        if progress.at_s < self._next_s:
            return
        self._next_s = progress.at_s + _SHORTEST_S
        screen = Screen(progress, tuple(self._past))
        size = self._console.size
        notes = [Text(text, no_wrap=True, overflow="ellipsis") for text in self._notes[-_NOTES:]]
        frame = draw(screen, size.width, size.height - len(notes), self._glyphs)
        self._live.start()
        self._live.update(Group(*notes, frame), refresh=True)

    def close(self) -> None:
        """Take the drawing away, give the cursor back, and write what was told meanwhile."""
        self._live.stop()
        for text in self._notes:
            self._console.print(Text(text))
        self._notes.clear()
