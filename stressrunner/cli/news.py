"""What is new among the errors of a run."""

from stressrunner.metrics.error_key import ErrorKey
from stressrunner.run.listener import Progress
from stressrunner.spelling import printable

__all__ = ["News"]


class News:
    """Finds the errors of a kind, check and status that were not seen before."""

    def __init__(self) -> None:
        self._seen: set[ErrorKey] = set()

    def of(self, progress: Progress) -> list[str]:
        """Return a line for each group of errors that is new; its message says which check it is."""
        new = [error for error in progress.errors if error.key not in self._seen]
        self._seen.update(error.key for error in new)
        return [
            f"{progress.at_s:.0f} s  first {error.key.label}: {printable(error.message)}" for error in new
        ]
