"""The figures of a result by the names that thresholds and gates use."""

from stressrunner.result.model import Result
from stressrunner.verdict.figures import Figures

__all__ = ["figures_of"]


def figures_of(result: Result) -> Figures:
    """Return them; windows, and endpoints in single phases, are not held by a result."""
    return Figures(
        totals=result.totals,
        endpoints=result.endpoints,
        phases={phase.name: phase for phase in result.phases},
        monitors=result.monitors,
        streams=result.streams,
        groups=result.wholes,
        groups_failed=result.wholes_failed,
    )
