"""Every sample of a run on disk: each generator writes a part while the load runs, and the parts are joined afterwards.

A line of a part is the moment at which a request completed, in nanoseconds after the load began, a blank, and the text of
the sample. The last line says that all of it is there.
"""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from heapq import heappush, heappushpop, merge
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import TextIO

from stressrunner.engine.sample import Sample
from stressrunner.http.exchange import Exchange
from stressrunner.metrics.sample_text import FORMS, SampleText
from stressrunner.plan.plan import Plan
from stressrunner.scratch import replacing

__all__ = ["SampleParts", "SampleWriter"]

_BATCH = 256  #: samples that are handed to the disk at once
_MOST_BATCHES = 256  #: that wait for the disk; one more waits with the load, and shows as a stall
_REORDERED = 4096  #: samples between which an order of completion is made; they are told in nearly that order
_END = "end\n"


class SampleWriter:
    """A listener that writes a part, in a thread of its own. To be closed when the load has ended."""

    def __init__(self, path: Path, text: SampleText) -> None:
        """Begin a part. Raises OSError when it cannot be written."""
        self.origin_ns = 0  #: when the load began; to be set before the first sample
        self._text = text
        self._lines: list[str] = []
        self._batches: Queue[list[str] | None] = Queue(_MOST_BATCHES)
        self._file = path.open("w", encoding="utf-8", newline="")
        self._thread = Thread(target=self._write, name="samples", daemon=True)
        self._thread.start()

    def __call__(self, sample: Sample, _exchange: Exchange | None) -> None:
        """Take a sample."""
        origin_ns = self.origin_ns
        self._lines.append(f"{sample.completed_ns - origin_ns} {self._text.line(sample, origin_ns)}")
        if len(self._lines) >= _BATCH:
            self._hand_over()

    def close(self) -> None:
        """Write what is left, and wait until it is written."""
        self._lines.append(_END)
        self._hand_over()
        self._batches.put(None)
        self._thread.join()

    def _hand_over(self) -> None:
        lines, self._lines = self._lines, []
        self._batches.put(lines)

    def _write(self) -> None:
        batches = iter(self._batches.get, None)
        # A disk that is full leaves a part without its end, which is found when the parts are joined.
        with contextlib.suppress(OSError), self._file as file:
            for lines in batches:
                file.writelines(lines)
        for _ in batches:
            pass


@dataclass(frozen=True, slots=True)
class SampleParts:
    """Where the parts of a run are."""

    folder: str  #: that is there for this purpose alone
    form: str  #: a name in `FORMS`

    def writer(self, plan: Plan, worker: int) -> SampleWriter:
        """Begin the part of a generator, counted from 0.

        Raises:
            OSError: it cannot be written.
        """
        phases = [phase.spec.name for phase in plan.phases]
        text = SampleText(FORMS[self.form], worker, plan.endpoint_names, phases)
        return SampleWriter(Path(self.folder, f"{worker}.part"), text)

    def join(self, path: Path) -> Sequence[int]:
        """Write all samples to a file in the order in which they completed.

        Returns:
            The generators whose part is incomplete.

        Raises:
            OSError: the file cannot be written.
        """
        parts = [_Part(int(found.stem), found) for found in Path(self.folder).glob("*.part")]
        with ExitStack() as files, replacing(path) as joined:
            joined.write(FORMS[self.form].header)
            lines = [
                part.lines(files.enter_context(part.path.open(encoding="utf-8", newline="")))
                for part in parts
            ]
            joined.writelines(line for _, line in _ordered(merge(*lines)))
        return sorted(part.worker for part in parts if not part.is_complete)


class _Part:
    def __init__(self, worker: int, path: Path) -> None:
        self.worker = worker
        self.path = path
        self.is_complete = False  #: known when it has been read

    def lines(self, file: TextIO) -> Iterator[tuple[int, str]]:
        """Yield moments and texts; a line that was cut off is left out."""
        for line in file:
            if line == _END:
                self.is_complete = True
            elif line.endswith("\n"):
                moment_ns, _, text = line.partition(" ")
                yield int(moment_ns), text


def _ordered(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield lines that are nearly in order in order, at a bounded cost."""
    waiting: list[tuple[int, str]] = []
    for line in lines:
        if len(waiting) < _REORDERED:
            heappush(waiting, line)
        else:
            yield heappushpop(waiting, line)
    yield from sorted(waiting)
