"""The figures of a result by the names that thresholds and gates use."""

from stressrunner.result.model import Result
from stressrunner.verdict.figures import Figures, present_in
from stressrunner.verdict.validity import off_in

__all__ = ["figures_of"]


def figures_of(result: Result) -> Figures:
    """Return them; windows, and endpoints in single phases, are not held by a result."""
    generator = result.generator
    is_closed = generator.offered_per_s is None
    present = present_in(generator.absent_s, result.run.duration_s) if is_closed else 1.0
    return Figures(
        totals=result.totals,
        endpoints=result.endpoints,
        phases={phase.name: phase for phase in result.phases},
        monitors=result.monitors,
        workloads=result.workloads,
        iterations=result.iterations,
        user_setup=result.user_setup,
        setup_requests=result.excluded.get("user_setup"),
        groups=result.groups,
        groups_failed=result.groups_failed,
        off=off_in(result.totals, result.endpoints, result.validity.max_lag_s),
        freezes=result.generator.freezes,
        present=present,
    )
