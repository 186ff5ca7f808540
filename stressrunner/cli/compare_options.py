"""What the command line says about a comparison."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["CompareOptions"]


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What the command line says about a comparison; `base_` and `candidate_` are for one side alone."""

    runs: int | None = None
    gates: tuple[str, ...] = ()
    tolerance: str = "10%"
    form: str = "text"
    environment: str | None = None
    base_environment: str | None = None
    candidate_environment: str | None = None
    overrides: tuple[str, ...] = ()
    base_overrides: tuple[str, ...] = ()
    candidate_overrides: tuple[str, ...] = ()
    workers: int | Literal["auto"] = 1
    seed: int | None = None
    yes: bool = False
    quiet: bool = False
    verbose: bool = False
