"""What a run tells GitHub Actions when it runs there: annotations, and the summary of the job.

See https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from stressrunner.errors import Diagnostic, UsageError
from stressrunner.reports import render
from stressrunner.reports.annotations import SourceLine, annotations, mistakes
from stressrunner.result.model import Result
from stressrunner.scenario.document import Document
from stressrunner.scenario.source import Layer, Node

__all__ = ["annotate_mistakes", "summarize", "tell_github"]


def tell_github(result: Result, document: Document, environ: Mapping[str, str]) -> None:
    """Write annotations to stderr and add to the job's summary; to be called in a job.

    Raises:
        UsageError: the file of the summary cannot be written to.
    """
    workspace = environ.get("GITHUB_WORKSPACE", "")
    scenario = SourceLine(_from_root(document.name, workspace))
    places = [
        _place(document.node(("thresholds", i)), scenario, workspace)
        for i in range(len(document.value.get("thresholds", ())))
    ]
    for line in annotations(result, scenario, places):
        click.echo(line, err=True)  # stdout may hold a report; commands are read from both
    summarize(render("markdown", result), environ)


def annotate_mistakes(diagnostics: Sequence[Diagnostic], environ: Mapping[str, str]) -> None:
    """Write an annotation for every mistake of a scenario to stderr."""
    workspace = environ.get("GITHUB_WORKSPACE", "")
    for line in mistakes(diagnostics, lambda name: _from_root(name, workspace)):
        click.echo(line, err=True)


def summarize(markdown: str, environ: Mapping[str, str]) -> None:
    """Add to the job's summary, in a job alone.

    Raises:
        UsageError: its file cannot be written to.
    """
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if environ.get("GITHUB_ACTIONS") == "true" and summary:
        _add(Path(summary), markdown)


def _place(node: Node, scenario: SourceLine, workspace: str) -> SourceLine:
    """Return where a threshold was written; one that was given on the command line is the scenario's as a whole."""
    if node.source.layer is Layer.SETTING:
        return scenario
    line, _ = node.source.position(node.start)
    return SourceLine(_from_root(node.source.name, workspace), line)


def _from_root(name: str, workspace: str) -> str:
    """Return a file's path from the root of the repository, which is where GitHub looks for it."""
    path = Path(name).resolve()
    root = Path(workspace).resolve()
    return path.relative_to(root).as_posix() if workspace and path.is_relative_to(root) else name


def _add(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise UsageError(
            f"GITHUB_STEP_SUMMARY: {path}: {error.strerror}; unset it to go without a summary"
        ) from error
