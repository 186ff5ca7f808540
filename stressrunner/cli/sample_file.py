"""`--report samples=PATH`: every sample of a run in one file."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stressrunner.cli.destinations import SAMPLES, Destination
from stressrunner.errors import UsageError
from stressrunner.metrics.sample_log import SampleParts
from stressrunner.metrics.sample_text import form_of
from stressrunner.scratch import scratch_folder

__all__ = ["SampleFile", "sample_files"]


@dataclass(frozen=True, slots=True)
class SampleFile:
    """The file that was asked for, and where its parts are until it is written."""

    path: Path
    parts: SampleParts

    def write(self) -> str:
        """Join the parts; return what is missing from the file in one sentence, empty when all is there.

        Raises:
            OSError: the file cannot be written.
        """
        incomplete = self.parts.join(self.path)
        if not incomplete:
            return ""
        names = " and ".join(f"generator {worker + 1}" for worker in incomplete)
        return f"{self.path} is incomplete: {names} did not write the last of the samples"


@contextmanager
def sample_files(destinations: Sequence[Destination]) -> Iterator[SampleFile | None]:
    """Make room for the parts beside the file, as it may be large; nothing of them is left behind.

    Raises:
        UsageError: there is no room to be made.
    """
    path = next((each.path for each in destinations if each.form == SAMPLES), None)
    if path is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder(path.parent))
        except OSError as error:
            raise UsageError(f"--report samples={path}: {error.strerror}") from error
        yield SampleFile(path, SampleParts(str(folder), form_of(path.name)))
