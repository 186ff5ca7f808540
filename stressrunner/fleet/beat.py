"""What a fleet tells about once a second, and the books that it keeps."""

from dataclasses import dataclass
from typing import Protocol

from stressrunner.metrics.ledger import Ledger, PhaseOutline
from stressrunner.metrics.tally import Tally
from stressrunner.plan.plan import Plan

__all__ = ["Beat", "Ear", "ledger_of"]


@dataclass(frozen=True, slots=True)
class Beat:
    """What was counted in about a second."""

    at_s: float  #: when it ended, after the load began
    duration_s: float
    tally: Tally
    phase: int | None  #: index of the phase that was running; None once the last one has ended


class Ear(Protocol):
    """Listens to a load."""

    def heard(self, beat: Beat, total: Tally) -> bool:
        """Take what was counted last, and everything so far; return True to have the load cut off."""


def ledger_of(plan: Plan, origin_ns: int) -> Ledger:
    """Return empty books for a plan whose load began at a moment, in monotonic nanoseconds."""
    outlines = [
        PhaseOutline(phase.spec.name, phase.spec.warmup, plan.planned(phase.index)) for phase in plan.phases
    ]
    return Ledger(plan.endpoint_names, outlines, origin_ns)
