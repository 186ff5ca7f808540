"""What is new among the errors of a run."""

from stressrunner.run.listener import Progress
from stressrunner.spelling import printable

__all__ = ["News"]


class News:
    """Finds the kinds of errors that were not seen before."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def of(self, progress: Progress) -> list[str]:
        """Return a line for each kind of error that is new."""
        new = [error for error in progress.errors if error.kind not in self._seen]
        self._seen.update(error.kind for error in new)
        return [f"{progress.at_s:.0f} s  first {error.kind}: {printable(error.message)}" for error in new]
