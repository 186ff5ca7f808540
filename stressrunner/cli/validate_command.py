"""`stressrunner validate`: every mistake of every file."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from stressrunner.errors import InvalidScenario
from stressrunner.scenario.document import load_document

__all__ = ["validate_scenarios"]


def validate_scenarios(paths: Sequence[Path], environment: str | None, overrides: Sequence[str]) -> int:
    """Show the mistakes of scenario files on stderr; return the exit code, 2 when there are any."""
    mistakes = 0
    for path in paths:
        try:
            document = load_document(path, environ=os.environ, overrides=overrides, environment=environment)
        except InvalidScenario as error:
            mistakes += len(error.diagnostics)
            for diagnostic in error.diagnostics:
                click.echo(diagnostic.render(), err=True)
        else:
            click.echo(f"{path}: {document.value['name']}: valid")
    if mistakes:
        click.echo(f"{mistakes} {'mistake' if mistakes == 1 else 'mistakes'}", err=True)
    return 2 if mistakes else 0
