"""Thresholds that a load cannot satisfy, however fast its target is: more requests, or a higher rate, than it sends.

They are warnings and no mistakes, since `--set` and `--env` may have made them so: a short load for a laptop lies over
thresholds that are meant for the long one.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

from stressrunner.errors import Diagnostic
from stressrunner.plan.phases import PhasePlan, WorkloadPlan
from stressrunner.plan.plan import Plan, compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.document import Document
from stressrunner.scenario.model import Open
from stressrunner.scenario.threshold import Threshold
from stressrunner.units import format_rate

__all__ = ["unreachable"]

_RATES = ("throughput", "goodput")
#: Standard deviations of a Poisson process's count that no seed will go beyond.
_DEVIATIONS = 5.0


def unreachable(document: Document) -> tuple[Diagnostic, ...]:
    """Return a warning for each threshold of a scenario that its load cannot satisfy.

    Thresholds in windows are left out, as arrivals of a second may be more than the rate says.
    """
    scenario = build(document)
    asked = [
        (number, threshold)
        for number, threshold in enumerate(scenario.thresholds)
        if not threshold.is_default and _asks_for_more(threshold)
    ]
    if not asked:
        return ()
    plan = compile_plan(scenario, seed=0, run_id="00000000")
    return tuple(
        replace(
            document.node(("thresholds", number)).diagnostic(
                f"the load cannot satisfy this: it sends {most}", "lower the limit, or let the load be larger"
            ),
            is_warning=True,
        )
        for number, threshold in asked
        if (most := _too_little(threshold, plan))
    )


def _asks_for_more(threshold: Threshold) -> bool:
    """Whether there can be too little for a threshold."""
    is_of_requests = threshold.stat == "count" or threshold.stat in _RATES
    return is_of_requests and threshold.window_s is None and threshold.op in (">", ">=", "==")


def _too_little(threshold: Threshold, plan: Plan) -> str:
    """Return what is sent at the most where that is too little, in words; empty where it may be enough."""
    phases = _judged(threshold, plan)
    endpoint = threshold.of if threshold.of in plan.endpoint_names else None
    if threshold.stat == "count":
        most = _count(phases, plan, endpoint)
        return f"at most {most:,}" if most is not None and _is_out_of_reach(threshold, most) else ""
    # Workloads run side by side, so that their rates add up.
    rates = [_rate(_of_stream(workload, phases), plan, endpoint) for workload in plan.workloads]
    rate = sum(each for each in rates if each is not None)
    return f"at most {format_rate(rate)}" if None not in rates and _is_out_of_reach(threshold, rate) else ""


def _of_stream(workload: WorkloadPlan, phases: Sequence[PhasePlan]) -> list[PhasePlan]:
    return [phase for phase in workload.phases if phase in phases]


def _count(phases: Sequence[PhasePlan], plan: Plan, endpoint: str | None) -> int | None:
    """Return how many requests phases can send; None where that is not known."""
    sent = [_most_sent(phase, plan, endpoint) for phase in phases]
    return None if not sent or None in sent else sum(count for count in sent if count is not None)


def _rate(phases: Sequence[PhasePlan], plan: Plan, endpoint: str | None) -> float | None:
    """Return the highest rate at which phases of one workload can send; None where that is not known."""
    phases = [phase for phase in phases if _most_sent(phase, plan, endpoint) != 0]
    if not phases:
        return 0.0
    lengths = [phase.spec.shape.duration_s for phase in phases if isinstance(phase.spec.shape, Open)]
    most = _count(phases, plan, endpoint)
    length_s = float(sum(length for length in lengths if length is not None))
    if most is None or len(lengths) < len(phases) or None in lengths or not length_s:
        return None  # how long the load takes is for the target to say
    return most / length_s


def _is_out_of_reach(threshold: Threshold, most: float) -> bool:
    return most < threshold.limit or (threshold.op == ">" and most == threshold.limit)


def _judged(threshold: Threshold, plan: Plan) -> list[PhasePlan]:
    """Return the phases whose requests a threshold is about."""
    if threshold.of is not None and threshold.of not in plan.endpoint_names:
        workloads = [workload for workload in plan.workloads if workload.name == threshold.of]
    else:
        workloads = list(plan.workloads)
    if threshold.phase is None:
        return [phase for workload in workloads for phase in workload.phases if not phase.spec.warmup]
    return [
        phase for workload in workloads for phase in workload.phases if phase.spec.name == threshold.phase
    ]


def _most_sent(phase: PhasePlan, plan: Plan, endpoint: str | None) -> int | None:
    """Return how many requests of an endpoint, or of all, a phase can send; None where that is not known."""
    planned = plan.planned(phase.index)
    if planned is None or not phase.traffic.is_fixed:
        return None
    names = plan.endpoint_names
    count = sum(n for index, n in planned.items() if endpoint is None or names[index] == endpoint)
    if isinstance(phase.spec.shape, Open) and phase.spec.shape.arrivals == "poisson":
        count += round(_DEVIATIONS * sqrt(count) + 1)  # another seed may draw more
    return count
