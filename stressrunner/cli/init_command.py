"""`stressrunner init`: a folder to begin with."""

from pathlib import Path

import click

from stressrunner.authoring.starter import shipped_files, starter_files, write_files

__all__ = ["write_starter"]


def write_starter(folder: Path, source: str | None) -> int:
    """Write the starter pack, or the shipped scenarios when `source` names them, and say what comes next.

    Raises:
        UsageError: a file of another content is in the way, or the folder cannot be written to.
    """
    written = write_files(folder, shipped_files() if source else starter_files())
    for path in written:
        click.echo(f"wrote {path}")
    first = next(path for path in written if path.name in ("first.yaml", "agent_run.yaml"))
    click.echo(f"next: stressrunner {first}")
    return 0
