"""A scenario as the commands are given one: a file, or one in a pack."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stressrunner.scenario.archive import located
from stressrunner.scenario.document import Document, load_document

__all__ = ["loaded"]


@contextmanager
def loaded(path: Path, environment: str | None, overrides: Sequence[str]) -> Iterator[Document]:
    """Yield the document of a scenario; files of a pack that it names are there for as long as the context lasts.

    Raises:
        StressrunnerError: it has mistakes, or the pack is none.
    """
    with located(path) as found:
        yield load_document(
            found.path,
            environ=os.environ,
            overrides=overrides,
            environment=environment,
            unpacked=found.unpacked,
        )
