"""The phases of a plan and the workloads that they belong to, with what each draws its values from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import isqrt
from typing import Any

from stressrunner.expressions import ValueTemplate, compile_value
from stressrunner.expressions.functions import random_stream
from stressrunner.plan.feeders import Rows
from stressrunner.plan.pacing import Even, First, Pacing, Poisson, Ramp
from stressrunner.plan.shard import Shard
from stressrunner.plan.traffic import TrafficPlan
from stressrunner.plan.traffic_compiler import TrafficCompiler
from stressrunner.scenario.draws import drawn_by
from stressrunner.scenario.model import Closed, Open, Phase, Scenario, Workload

__all__ = ["PhasePlan", "Variables", "WorkloadPlan", "compile_workloads"]


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a phase, or of the scenario."""

    constants: Mapping[str, Any]  #: those without placeholders
    evaluated: Mapping[str, ValueTemplate]  #: those with placeholders, evaluated once per iteration

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Variables":
        """Compile variables; raises ExpressionError where one makes no sense."""
        compiled = {name: compile_value(value) for name, value in values.items()}
        return cls(
            {name: values[name] for name, value in compiled.items() if value.is_constant},
            {name: value for name, value in compiled.items() if not value.is_constant},
        )


@dataclass(frozen=True, slots=True)
class PhasePlan:
    """A phase of the load with its arrivals."""

    index: int  #: among the phases of all workloads
    spec: Phase
    traffic: TrafficPlan  #: what its iterations do
    pacing: Pacing | None  #: of an open phase
    variables: Variables

    @property
    def arrivals(self) -> int:
        """Arrivals in the whole plan; none in a closed phase."""
        return 0 if self.pacing is None else self.pacing.count

    def due_ns(self, arrival: int) -> int:
        """When an arrival is due, in nanoseconds after the phase began; raises IndexError where there is none."""
        if self.pacing is None:
            raise IndexError(arrival)
        return self.pacing.due_ns(arrival)

    is_counted: bool = True  #: it is known how many arrivals it has, where it has a rate

    @property
    def iterations(self) -> int | None:
        """Iterations in the whole plan; None when time alone ends the phase, or what earlier ones leave of rows."""
        if not self.is_counted:
            return None
        if self.pacing is not None:
            return self.pacing.count
        return self.spec.shape.iterations if isinstance(self.spec.shape, Closed) else None


@dataclass(frozen=True, slots=True)
class WorkloadPlan:
    """Phases that run one after the other, with users of their own; beside those of other workloads, if there are some.

    What its iterations draw depends on its name and on nothing else that other workloads have.
    """

    name: str  #: empty where it is the only one and has none
    seed: int  #: that its draws come from
    phases: tuple[PhasePlan, ...]
    rows: Mapping[str, Rows]  #: of the feeders, in the order in which its iterations draw them
    drawn: frozenset[str] = frozenset()  #: the feeders that may be drawn from
    sessions: Shard = field(
        default_factory=Shard
    )  #: how its sessions are numbered among those of all workloads
    first_user: int = 0  #: the number of its first user among those of all workloads
    user_limit: int | None = None  #: how many users have rows of their own; None when no feeder is per user

    @property
    def stride(self) -> int:
        """How far apart the requests of two iterations are in the rows of a feeder that has one for every request."""
        return max(phase.traffic.requests for phase in self.phases)

    @property
    def at_once(self) -> int:
        """Requests of one iteration that may be on their way together."""
        return max(phase.traffic.at_once for phase in self.phases)

    @property
    def most_users(self) -> int:
        """The most users that it may come to have."""
        most = max(phase.spec.shape.most for phase in self.phases)
        return most if self.user_limit is None else min(most, self.user_limit)

    @property
    def most_closed(self) -> int:
        """The users of its largest closed phase."""
        return max((p.spec.shape.most for p in self.phases if isinstance(p.spec.shape, Closed)), default=0)

    @property
    def iteration_limit(self) -> int | None:
        """How many iterations have rows; the workload ends there. None when rows repeat."""
        return min(self._limits.values(), default=None)

    @property
    def ending_feeder(self) -> str | None:
        """The feeder that the workload ends with; None when rows repeat."""
        limits = self._limits
        return min(limits, key=lambda name: (limits[name], name), default=None)

    @property
    def _limits(self) -> Mapping[str, int]:
        """How many iterations the rows of each feeder are enough for that does not repeat them."""
        limits = {}
        for name in self.drawn:
            rows = self.rows[name]
            if rows.limit is not None and rows.per == "iteration":
                limits[name] = rows.limit
            elif rows.limit is not None and rows.per == "request":
                limits[name] = rows.limit // self.stride
        return limits

    def bounded(self) -> "WorkloadPlan":
        """Return the same workload with what rows leave for its last phase as that one's work, if nothing else ends it."""
        last, limit = self.phases[-1], self.iteration_limit
        if last.spec.shape.is_bounded or limit is None:
            return self
        before = [phase.iterations for phase in self.phases[:-1]]
        left = limit if None in before else max(0, limit - sum(n for n in before if n is not None))
        return replace(
            self, phases=(*self.phases[:-1], _with_work(last, left, None not in before, self.seed))
        )


def _with_work(phase: PhasePlan, iterations: int, is_counted: bool, seed: int) -> PhasePlan:
    """Return a phase without an end with so many iterations, or at most so many where they cannot be counted yet."""
    match phase.spec.shape:
        case Closed() as shape:
            work = replace(shape, iterations=iterations if is_counted else None)
            return replace(phase, spec=replace(phase.spec, shape=work))
        case Open() as shape:
            # Poisson arrivals are as many as their rate and chance make them: there have to be enough.
            spare = 0 if shape.arrivals == "constant" else 10 * isqrt(iterations) + 30
            pacing = First(_pacing(shape, (iterations + spare) / shape.rate, seed, phase.index), iterations)
            timed = replace(shape, duration_s=iterations / shape.rate)
            return replace(phase, spec=replace(phase.spec, shape=timed), pacing=pacing, is_counted=is_counted)


def compile_workloads(scenario: Scenario, traffic: TrafficCompiler, seed: int) -> tuple[WorkloadPlan, ...]:
    """Compile the workloads of a scenario; raises what `compile_plan` does."""
    places = _places(scenario)
    plans: list[WorkloadPlan] = []
    for workload, (first_user, user_limit) in zip(scenario.workloads, places, strict=True):
        own = _seed_of(workload, seed)
        begin = sum(len(before.phases) for before in plans)
        plan = WorkloadPlan(
            name=workload.name,
            seed=own,
            phases=tuple(
                _phase(begin, k, scenario, workload, (traffic, own)) for k in range(len(workload.load))
            ),
            # Users of different workloads must not share a row, so for them there is one order.
            rows={name: Rows(f, seed if f.per == "user" else own) for name, f in scenario.feeders.items()},
            drawn=drawn_by(workload, scenario),
            sessions=Shard(len(plans), len(scenario.workloads)),
            first_user=first_user,
            user_limit=user_limit,
        )
        plans.append(plan.bounded())
    return tuple(plans)


def _seed_of(workload: Workload, seed: int) -> int:
    return random_stream(seed, "traffic", workload.name).getrandbits(62) if workload.name else seed


def _phase(
    begin: int, number: int, scenario: Scenario, workload: Workload, by: tuple[TrafficCompiler, int]
) -> PhasePlan:
    traffic, seed = by
    phase = workload.load[number]
    shape = phase.shape
    variables = Variables.of({**scenario.variables, **phase.variables})
    pacing = None
    if isinstance(shape, Open) and shape.duration_s is not None:
        pacing = _pacing(shape, shape.duration_s, seed, number)
    return PhasePlan(begin + number, phase, traffic.of(workload.traffic, phase, seed), pacing, variables)


def _pacing(shape: Open, duration_s: Fraction, seed: int, number: int) -> Pacing:
    ramp = Ramp.of(shape, duration_s)
    return Even(ramp) if shape.arrivals == "constant" else Poisson(ramp, seed, number)


def _places(scenario: Scenario) -> list[tuple[int, int | None]]:
    """Return for each workload the number of its first user, and how many users have rows of their own.

    Closed phases say how many users they need, so workloads that have nothing else come first. The others share the
    rows that are left, and are capped by them.
    """
    rows = min((len(f.rows) for f in scenario.feeders.values() if f.per == "user"), default=None)
    counts = [max(phase.shape.most for phase in workload.load) for workload in scenario.workloads]
    is_open = [any(isinstance(p.shape, Open) for p in workload.load) for workload in scenario.workloads]
    order = sorted(range(len(counts)), key=lambda i: is_open[i])
    places: dict[int, tuple[int, int | None]] = {}
    first = 0
    for k, i in enumerate(order):
        if rows is None or not is_open[i]:
            places[i] = (first, None if rows is None else rows - first)
            first += counts[i]
        else:
            share = Shard(0, len(order) - k).share(max(0, rows - first))
            places[i] = (first, share)
            first += share
    return [places[i] for i in range(len(counts))]
