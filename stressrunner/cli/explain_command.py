"""`stressrunner explain`: the composed scenario, what to expect of it, and where its values come from."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from stressrunner.cli.loading import loaded
from stressrunner.cli.mistakes import tell_warnings
from stressrunner.masking import Masker
from stressrunner.run.expectation import expected_load
from stressrunner.scenario.build import build
from stressrunner.scenario.document import Document
from stressrunner.scenario.provenance import Setting, ValueOrigin, settings_at
from stressrunner.scenario.source import Layer
from stressrunner.spelling import printable

__all__ = ["explain_scenario"]

_WIDEST = 60  #: characters of a cell that others are aligned with


def explain_scenario(path: Path, at: str | None, environment: str | None, overrides: Sequence[str]) -> None:
    """Show a scenario with everything laid over it, or where the values at a path come from.

    Raises:
        InvalidScenario: it has mistakes.
        UsageError: there is nothing at the path.
    """
    with loaded(path, environment, overrides) as document:
        if at is None:
            tell_warnings(document)
            text = f"{document.composed}\n{_expectation(document)}"
        else:
            text = _table(_row(setting, environment) for setting in settings_at(document, at, os.environ))
    click.echo(Masker(document.secrets).text(text))


def _expectation(document: Document) -> str:
    """Return what to expect of the load as comments, so that all of the output can be run as a scenario."""
    rows = [
        ("# expected", ""),
        *((f"#   {figure}", printable(words)) for figure, words in expected_load(build(document))),
    ]
    return _table(rows)


def _row(setting: Setting, environment: str | None) -> tuple[str, str, str]:
    overrode = "; ".join(f"{origin.place}: {origin.value}" for origin in setting.overrode)
    return (
        f"{setting.path} = {setting.origin.value}",
        _place(setting.origin, environment),
        f"overrides {overrode}" if overrode else "",
    )


def _place(origin: ValueOrigin, environment: str | None) -> str:
    if origin.layer is Layer.SETTING:
        return origin.place
    layer = f"--env {environment}" if origin.layer is Layer.ENVIRONMENT else str(origin.layer)
    return f"{origin.place} ({layer})"


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    """Return lines with aligned columns; what is very wide pushes its own line alone."""
    listed = list(rows)
    widths = [
        max((len(cell) for cell in column if len(cell) <= _WIDEST), default=0)
        for column in zip(*listed, strict=True)
    ]
    lines = ("   ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in listed)
    return "\n".join(line.rstrip() for line in lines)
