"""The judgement of a run: what was required, what was measured, and what follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from stressrunner.units import Dimension

__all__ = ["EXIT_CODES", "ThresholdOutcome", "Validity", "Verdict"]

RunOutcome = Literal["passed", "failed", "invalid", "aborted"]

#: What a run's outcome means to a shell; see "Exit codes" in the documentation.
EXIT_CODES: Mapping[RunOutcome, int] = MappingProxyType(
    {"passed": 0, "failed": 3, "invalid": 4, "aborted": 130}
)


@dataclass(frozen=True, slots=True)
class ThresholdOutcome:
    """A threshold beside what was measured."""

    text: str
    state: Literal["passed", "failed", "turned", "unproven", "skipped", "warned"]
    measured: float | None  #: in the base unit of `dimension`; None when there is no figure
    limit: float
    dimension: Dimension
    samples: int | None  #: how many the figure rests on; None for a monitor's
    note: str = ""  #: why it is in that state, when the figures alone do not say
    topic: str = ""  #: `errors`, `latency`, `memory`, `cpu`, `throughput`: for advice
    is_default: bool = False
    without_lag: float | None = (
        None  #: the figure without the generator's own lag; None where that has no part in it
    )
    #: of a failed one, whether it fails although the generator is in doubt: as complete `replies` alone break it, or
    #: what failed while the generator was `punctual` does too; empty when it may be owed to the generator
    certain: Literal["", "punctual", "replies"] = ""


@dataclass(frozen=True, slots=True)
class Validity:
    """Whether the run measured the target and not the generator."""

    state: Literal["valid", "suspect", "invalid"]
    reasons: tuple[str, ...] = ()
    #: why it is invalid: the `generator` was late or at its limits, which another run may not be, or anything `else`,
    #: such as that the target was never reached; empty when it is not
    cause: Literal["", "generator", "else"] = ""
    max_lag_s: float = 0.005  #: by how much figures must differ without lag to be off


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a run with its reasons, and the exit code that follows."""

    outcome: RunOutcome
    exit_code: int
    reasons: tuple[str, ...] = ()
