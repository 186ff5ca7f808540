"""`stressrunner import`: a description or a recording of an API becomes a scenario."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from stressrunner.authoring.importing import Imported, Material, import_scenario
from stressrunner.errors import UsageError
from stressrunner.scenario.files import reason_of
from stressrunner.scratch import replacing

__all__ = ["ImportOptions", "import_material"]

_LARGEST_SOURCE = 100_000_000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the command line says about an import."""

    output: Path | None = None  #: stdout without one
    base_url: str = ""
    traffic: str | None = None  #: `flow` or `mix`; None for what fits the kind
    with_assets: bool = False
    force: bool = False


def import_material(kind: str, source: str, options: ImportOptions) -> int:
    """Write the scenario that a source stands for; notes go to stderr.

    Raises:
        StressrunnerError: the source cannot be read or makes no scenario, or the file is there already.
    """
    if options.output is not None and options.output.exists() and not options.force:
        raise UsageError(f"{options.output} is there already; --force replaces it")
    name = kind if source == "-" else Path(source).stem
    imported = import_scenario(
        Material(
            kind,
            name,
            _read(source),
            options.base_url,
            traffic=options.traffic or "",
            with_assets=options.with_assets,
        )
    )
    if options.output is None:
        click.echo(imported.text, nl=False)
    else:
        try:
            with replacing(options.output) as file:
                file.write(imported.text)
        except OSError as error:
            raise UsageError(f"{options.output}: {error.strerror}") from error
    _tell(imported, options.output)
    return 0


def _read(source: str) -> str:
    try:
        with ExitStack() as stack:
            opened = sys.stdin.buffer if source == "-" else stack.enter_context(Path(source).open("rb"))
            content = opened.read(
                _LARGEST_SOURCE + 1
            )  # what is no file, such as a pipe, has no size beforehand
        if len(content) > _LARGEST_SOURCE:
            raise UsageError(f"{source}: larger than {_LARGEST_SOURCE // 1_000_000} MB")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{source}: this is no UTF-8 text") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{source}: {reason_of(error)}") from error


def _tell(imported: Imported, output: Path | None) -> None:
    for note in imported.notes:
        click.echo(f"note: {note}", err=True)
    if imported.variables:
        click.echo(f"set before a run: {', '.join(imported.variables)}", err=True)
    if output is not None:
        click.echo(f"wrote {output}; next: stressrunner validate {output}", err=True)
