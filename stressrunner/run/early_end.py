"""Why a load ended before all of its plan was carried out, as far as it did."""

from stressrunner.masking import Masker
from stressrunner.metrics.aggregator import Summary
from stressrunner.plan.phases import WorkloadPlan
from stressrunner.plan.plan import Plan
from stressrunner.scenario.threshold import Threshold
from stressrunner.units import counted

__all__ = ["rows_ended", "why_ended_early"]


def why_ended_early(
    plan: Plan,
    summary: Summary,
    masker: Masker,
    *,
    cut_off: tuple[str, ...] = (),
    broken: Threshold | None = None,
    interrupted: str = "",
) -> str:
    """Return why a load ended early, in a phrase with secrets masked; nothing when it did not.

    Args:
        plan: what was to be done.
        summary: what was measured.
        masker: of the secrets.
        cut_off: what kept the load from beginning or going on, in sentences: losses, limits, failures.
        broken: the threshold that stopped it.
        interrupted: how the user ended it.
    """
    if interrupted:
        return interrupted
    if cut_off:
        return masker.text(cut_off[0])
    if broken is not None:
        return f"'{masker.text(broken.text)}' was broken"
    return rows_ended(plan, summary)


def rows_ended(plan: Plan, summary: Summary) -> str:
    """Return which feeder's end a load ended with, if it had more to do."""
    ended = {phase.name: phase for phase in summary.phases}
    for workload in plan.workloads:
        feeder, limit = workload.ending_feeder, workload.iteration_limit
        phases = [ended[phase.spec.name] for phase in workload.phases]
        if feeder is None or limit is None or not any(phase.totals.not_reached_ratio for phase in phases):
            continue
        of = f" of {counted(planned, 'iteration')}" if (planned := _planned(workload)) else ""
        where = f"the workload '{workload.name}' ended: " if workload.name else ""
        return f"{where}the feeder '{feeder}' came to its end after {limit:,}{of or ' iterations'}"
    return ""


def _planned(workload: WorkloadPlan) -> int | None:
    """Return the iterations that a workload was to have; None where time alone ends a phase."""
    iterations = [phase.iterations for phase in workload.phases]
    return None if None in iterations else sum(n for n in iterations if n is not None)
