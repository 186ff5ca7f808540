"""A scenario as the commands are given one: a file, or one in a pack."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stressrunner.errors import InvalidScenario, UsageError
from stressrunner.scenario.archive import Located, located
from stressrunner.scenario.document import Document, load_document
from stressrunner.scenario.manifest import MANIFEST, read_manifest

__all__ = ["loaded", "scenario_at"]


@contextmanager
def scenario_at(path: Path) -> Iterator[Located]:
    """Yield where a scenario can be read, for as long as the context lasts.

    Raises:
        UsageError: this is a pack.
        BadPack: the zip file that it should be in is none, or has no such scenario.
    """
    with located(path) as found:
        if found.path.name == MANIFEST:
            raise UsageError(f"{path}: this is a pack: name a scenario in it{_such_as(path, found.path)}")
        yield found


@contextmanager
def loaded(path: Path, environment: str | None, overrides: Sequence[str]) -> Iterator[Document]:
    """Yield the document of a scenario; files of a pack that it names are there for as long as the context lasts.

    Raises:
        StressrunnerError: it has mistakes, or there is no scenario.
    """
    with scenario_at(path) as found:
        yield load_document(
            found.path,
            environ=os.environ,
            overrides=overrides,
            environment=environment,
            unpacked=found.unpacked,
        )


def _such_as(named: Path, manifest: Path) -> str:
    """Return a scenario of a pack as the user would name it, for the end of a sentence; nothing where none is known."""
    try:
        scenarios = read_manifest(manifest, str(named)).scenarios if manifest.is_file() else ()
    except InvalidScenario:
        return ""
    return f", such as {named.parent / scenarios[0]}" if scenarios else ""
