"""`stressrunner validate`: every mistake of every file, and of all files in folders and packs."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import click

from stressrunner.cli.mistakes import tell_mistakes, warnings_of
from stressrunner.errors import Diagnostic, InvalidScenario
from stressrunner.scenario.archive import inside, unpacked
from stressrunner.scenario.document import load_document
from stressrunner.scenario.pack_files import Unpacked
from stressrunner.scenario.parts import check_environment, check_used
from stressrunner.scenario.survey import FileKind, kind_of, yaml_files
from stressrunner.spelling import printable
from stressrunner.units import counted

__all__ = ["validate_files"]


class _File(NamedTuple):
    """A file that is to be looked at."""

    path: Path
    unpacked: Unpacked | None
    is_named: bool  #: by the user, and not found in a folder

    @property
    def name(self) -> str:
        return os.path.normpath(self.path) if self.unpacked is None else self.unpacked.shown(self.path)


def validate_files(paths: Sequence[Path], environment: str | None, overrides: Sequence[str]) -> int:
    """Show what is wrong with files on stderr, and which are valid on stdout; return the exit code, 2 for mistakes.

    Raises:
        StressrunnerError: a zip file is no pack, or a folder cannot be one.
    """
    counts = _Counts()
    with ExitStack() as stack:
        for path in paths:
            for file in _files(path, stack):
                counts.take(file, *_looked_at(file, environment, overrides))
    return counts.end()


def _files(path: Path, stack: ExitStack) -> Iterator[_File]:
    """Yield the files that a path stands for: itself, those of a folder, or the scenarios of a pack."""
    found = inside(path)
    if found is not None:
        archive, name = found
        contents, folder = stack.enter_context(unpacked(archive))
        for inner in [name] if name else contents.manifest.scenarios:
            yield _File(folder.folder / inner, folder, is_named=True)
    elif path.is_dir():
        yield from (_File(file, None, is_named=False) for file in yaml_files(path))
    else:
        yield _File(path, None, is_named=True)


def _looked_at(
    file: _File, environment: str | None, overrides: Sequence[str]
) -> tuple[FileKind, str, Sequence[Diagnostic]]:
    """Return what a file is, what to call it, and what is wrong with it, or only odd."""
    kind = FileKind.SCENARIO
    try:
        kind = kind_of(file.path)
        if kind is FileKind.OTHER and file.is_named:
            kind = FileKind.SCENARIO  # or so it was meant
        if kind is FileKind.PACK:
            from stressrunner.authoring.packing import draft_of  # noqa: PLC0415  costs start-up time

            return kind, draft_of(file.path.parent).manifest.title, ()
        if kind is FileKind.USED:
            return kind, "", check_used(file.path, file.unpacked)
        if kind is FileKind.ENVIRONMENT:
            return kind, file.path.stem, check_environment(file.path, file.unpacked)
        if kind is FileKind.OTHER:
            return kind, "", ()
        document = load_document(
            file.path,
            environ=os.environ,
            overrides=overrides,
            environment=environment,
            unpacked=file.unpacked,
        )
    except InvalidScenario as error:
        return kind, "", error.diagnostics
    return kind, document.value["name"], warnings_of(document)


class _Counts:
    """Shows what comes in, every mistake and warning once, and sums it up."""

    def __init__(self) -> None:
        self._shown: set[Diagnostic] = set()
        self._kinds: Counter[FileKind] = Counter()
        self._invalid = 0

    def take(self, file: _File, kind: FileKind, title: str, found: Sequence[Diagnostic]) -> None:
        self._kinds[kind] += 1
        if kind is FileKind.OTHER:
            return
        fresh = [diagnostic for diagnostic in found if diagnostic not in self._shown]
        self._shown.update(fresh)
        tell_mistakes(fresh)
        if all(diagnostic.is_warning for diagnostic in found):
            called = printable(title) if kind is FileKind.SCENARIO else f"{kind} {title}".rstrip()
            click.echo(f"{file.name}: {called}: valid")
            return
        self._invalid += 1
        if not fresh:
            click.echo(f"{file.name}: has only mistakes that are shown above", err=True)

    def end(self) -> int:
        """Sum up and return the exit code."""
        if not self._kinds.total() - self._kinds[FileKind.OTHER]:
            click.echo("no scenario was found", err=True)
            return 2
        mistakes = counted(sum(not diagnostic.is_warning for diagnostic in self._shown), "mistake")
        if self._kinds.total() > 1:
            kinds = [counted(self._kinds[kind], kind) for kind in FileKind if self._kinds[kind]]
            verdict = f"{mistakes} in {counted(self._invalid, 'file')}" if self._invalid else "all valid"
            click.echo(f"{', '.join(kinds)}: {verdict}", err=True)
        elif self._invalid:
            click.echo(mistakes, err=True)
        return 2 if self._invalid else 0
