"""What a fleet is, what it tells about once a second, and how it is added up."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from stressrunner.metrics.aggregator import Aggregator, PhaseOutline, Summary
from stressrunner.metrics.delta import Delta
from stressrunner.plan.pacing import Ramp
from stressrunner.plan.phases import PhasePlan
from stressrunner.plan.plan import Plan
from stressrunner.plan.traffic import MixPlan
from stressrunner.scenario.model import Open

__all__ = ["Fleet", "Observer", "Snapshot", "aggregator_of", "outlines_of"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was counted in about a second."""

    at_s: float  #: when it ended, after the load began
    duration_s: float
    delta: Delta
    phases: frozenset[int]  #: that were running, of each workload one; empty once the last one has ended
    origin_ns: int = 0  #: when the load began, monotonic
    absent_s: float = 0.0  #: how long the generators' event loops were late, on the average


class Observer(Protocol):
    """Listens to a load."""

    def observe(self, snapshot: Snapshot, total: Delta) -> bool:
        """Take what was counted last, and everything so far; return True to have the load cut off."""


class Fleet(Protocol):
    """Carries out a plan, once."""

    @property
    def transport(self) -> str:
        """The transport that sends the requests; empty before it is known."""

    @property
    def loop(self) -> str:
        """The package of the event loops that the load runs on; empty before it is known."""

    @property
    def failure(self) -> str:
        """Why the load cut itself off, in one sentence; empty when it did not."""

    @property
    def limit_hit(self) -> str:
        """The hard limit that a generator cut its load off for, in one sentence; empty when none did."""

    @property
    def losses(self) -> tuple[str, ...]:
        """How generators were lost, a sentence for each."""

    def stop(self) -> None:
        """Cut the load off now; what was measured stays."""

    async def execute(self, observer: Observer) -> Summary:
        """Carry out the plan and return its figures."""


def aggregator_of(plan: Plan, origin_ns: int) -> Aggregator:
    """Return an empty aggregator for a plan whose load began at a moment, in monotonic nanoseconds."""
    beside = [endpoint.name for endpoint in plan.excluded]
    return Aggregator(plan.endpoint_names, outlines_of(plan), origin_ns, excluded=beside)


def outlines_of(plan: Plan) -> list[PhaseOutline]:
    """Return what is known of each phase before it begins."""
    return [
        _outline(phase, plan.planned(phase.index), workload.name)
        for workload in plan.workloads
        for phase in workload.phases
    ]


def _outline(phase: PhasePlan, planned: Mapping[int, int] | None, workload: str) -> PhaseOutline:
    shape, offered = phase.spec.shape, None
    duration_s = shape.duration_s
    is_sure = planned is not None and phase.arrivals and phase.traffic.is_fixed
    if isinstance(shape, Open) and duration_s is not None and planned is not None and is_sure:
        # An arrival of a session or a flow is as many requests as it has on the average; where that is not sure,
        # what is offered cannot be said in requests.
        offered = Ramp.of(shape, duration_s).times(Fraction(sum(planned.values()), phase.arrivals))
    length_s = None if duration_s is None or not phase.is_counted else float(duration_s)
    arrivals = phase.arrivals if isinstance(shape, Open) else 0
    single = isinstance(phase.traffic, MixPlan)
    return PhaseOutline(
        phase.spec.name,
        phase.spec.warmup,
        planned,
        offered,
        workload,
        length_s,
        arrivals,
        sends_single=single,
    )
