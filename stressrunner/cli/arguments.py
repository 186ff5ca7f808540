"""What several commands take: their arguments and options, each declared once."""

from pathlib import Path
from typing import Literal

import click

from stressrunner.units import parse_duration

__all__ = [
    "archive",
    "duration_s",
    "env",
    "folder",
    "overrides",
    "result",
    "scenario",
    "seed",
    "strict",
    "verbose",
    "workers",
    "yes",
]


def duration_s(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Read a duration with its unit as the language does, in seconds."""
    if value is None:
        return None
    try:
        return float(parse_duration(value))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def _workers(ctx: click.Context, param: click.Parameter, value: str) -> int | Literal["auto"]:
    """Read a number of processes, or `auto`."""
    if value == "auto":
        return "auto"
    if not value.isdecimal():
        raise click.BadParameter(f"{value!r} is neither a number nor 'auto'", ctx, param)
    return int(value)


scenario = click.argument("scenario", type=click.Path(path_type=Path))
result = click.argument("result", type=click.Path(path_type=Path))
folder = click.argument(
    "folder", default=".", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False)
)
archive = click.argument("archive", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Set a value of the scenario, e.g. load.requests=5000; PATH+=VALUE appends to a list. Repeatable.",
)
env = click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Lay an environment over the scenario: of its 'environments', or environments/NAME.yaml of its pack.",
)
workers = click.option(
    "--workers",
    callback=_workers,
    default="1",
    metavar="N|auto",
    show_default=True,
    help="Processes that send the load: a number, or auto for one per core but one. 0 sends it from this process.",
)
seed = click.option("--seed", type=click.IntRange(min=0), help="Repeat a run's random draws.")
strict = click.option("--strict", is_flag=True, help="Fail when a threshold is unproven.")
yes = click.option(
    "-y", "--yes", is_flag=True, help="Send to a target on another machine without being asked about it."
)
verbose = click.option("-v", "--verbose", is_flag=True, help="Log progress and each new kind of error.")
