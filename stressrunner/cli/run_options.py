"""What the command line says about a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["RunOptions"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line says about a run."""

    environment: str | None = None
    overrides: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    template: Path | None = None
    workers: int | Literal["auto"] = 1
    seed: int | None = None
    strict: bool = False
    repeat: int = 1  #: the most runs, while the generator alone makes them invalid
    yes: bool = False
    prometheus: str | None = None  #: where to serve figures
    #: how long the last figures are held for a scrape, in seconds; None: twice as long as between the last two
    prometheus_linger: float | None = None
    otlp: str | None = None  #: where to push them
    quiet: bool = False
    verbose: bool = False
