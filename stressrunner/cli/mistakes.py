"""Mistakes of scenarios and warnings about them, told to the person at the terminal and, in a job of GitHub Actions, at their lines."""

import os
from collections.abc import Sequence

import click

from stressrunner.errors import Diagnostic
from stressrunner.scenario.document import Document

__all__ = ["tell_mistakes", "tell_warnings", "warnings_of"]


def tell_mistakes(diagnostics: Sequence[Diagnostic]) -> None:
    """Show every mistake on stderr, with its line."""
    for diagnostic in diagnostics:
        click.echo(diagnostic.render(), err=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from stressrunner.cli.github import annotate_mistakes  # noqa: PLC0415  costs start-up time

        annotate_mistakes(diagnostics, os.environ)


def warnings_of(document: Document) -> tuple[Diagnostic, ...]:
    """Return what is odd about a scenario that can be run as it is."""
    from stressrunner.run.unreachable import unreachable  # noqa: PLC0415  costs start-up time

    return unreachable(document)


def tell_warnings(document: Document) -> None:
    """Show on stderr what is odd about a scenario that can be run as it is."""
    tell_mistakes(warnings_of(document))
