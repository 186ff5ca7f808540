"""The plan of a run: compiled endpoints, picks, pacing and data; what a generator process executes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stressrunner.expressions import ValueTemplate, compile_value
from stressrunner.plan.captures import Captures
from stressrunner.plan.delivery import ReadBackPlan, compile_read_back
from stressrunner.plan.endpoints import EndpointPlan
from stressrunner.plan.feeders import Rows
from stressrunner.plan.pacing import Even, Pacing, Poisson, Ramp
from stressrunner.plan.steps import StepsPlan
from stressrunner.plan.tokens import Token
from stressrunner.plan.traffic import TrafficPlan
from stressrunner.plan.traffic_compiler import TrafficCompiler
from stressrunner.scenario.model import Closed, Limits, Open, Phase, Scenario, Target

__all__ = [
    "MAX_SHARDS",
    "PhasePlan",
    "Plan",
    "Shard",
    "compile_plan",
]


MAX_SHARDS = 1024  #: generators of one run


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of a plan that one of several generators executes: every `count`-th iteration from `index` on."""

    index: int = 0
    count: int = 1

    def share(self, total: int) -> int:
        """Return how many of `total` things, dealt in turn, fall to this shard."""
        return max(0, (total - self.index + self.count - 1) // self.count)

    def number(self, local: int) -> int:
        """Return the number in the whole plan of this shard's thing number `local`."""
        return local * self.count + self.index


@dataclass(frozen=True, slots=True)
class Variables:
    """The variables of a phase, or of the scenario."""

    constants: Mapping[str, Any]  #: those without holes
    evaluated: Mapping[str, ValueTemplate]  #: those with holes, evaluated once per iteration

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

    index: int
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

    @property
    def iterations(self) -> int | None:
        """Iterations in the whole plan; None when time alone ends the phase."""
        if self.pacing is not None:
            return self.pacing.count
        return self.spec.shape.iterations if isinstance(self.spec.shape, Closed) else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is executed. Frozen, but for the caches inside its compiled parts."""

    seed: int
    run_id: str
    uuid_salt: str  #: makes UUIDs differ between runs; empty when the seed was given
    target: Target  #: as the scenario says
    endpoints: tuple[EndpointPlan, ...]
    phases: tuple[PhasePlan, ...]
    variables: Variables  #: outside of phases
    rows: Mapping[str, Rows]
    limits: Limits = field(default_factory=Limits)
    apart: tuple[EndpointPlan, ...] = ()  #: endpoints that are sent beside the load alone
    setup: StepsPlan | None = None  #: once before the load
    user_setup: StepsPlan | None = None  #: once per user
    teardown: StepsPlan | None = None  #: once after the load
    captures: Mapping[str, Any] = field(default_factory=dict)  #: what setup has captured, once it has run
    cookies: tuple[Any, ...] = ()  #: what it was given, as `CookieJar.to_wire` has them
    tokens: tuple[Token, ...] = ()  #: access tokens that requests carry; whoever sends keeps them valid
    #: by the indices of endpoints: captures that are credentials
    credentials: Mapping[int, Sequence[Captures]] = field(default_factory=dict)
    read_back: ReadBackPlan | None = None  #: of the sessions whose messages are checked; None checks none
    part: Shard = field(default_factory=Shard)
    #: how far apart the requests of two iterations are in the rows of a feeder that has one for every request
    stride: int = field(init=False)

    def __post_init__(self) -> None:
        """Work out what is asked for with every request."""
        object.__setattr__(self, "stride", max(phase.traffic.requests for phase in self.phases))

    def shard(self, index: int, count: int) -> "Plan":
        """Return the part of this plan that generator `index` of `count` executes.

        Raises:
            ValueError: there is no such generator, or so many that some would have no user.
        """
        if not 0 <= index < count <= self.most_shards:
            raise ValueError(f"there is no shard {index} of {count}, of at most {self.most_shards}")
        return replace(self, part=Shard(index, count))

    @property
    def base_url(self) -> str:
        """The target's base URL as the scenario says."""
        return self.target.base_url

    @property
    def connections(self) -> int | None:
        """The size of the pool that all users share; None when each has connections of its own."""
        return self.target.connections

    @property
    def most_shards(self) -> int:
        """How many generators can share the plan so that each has a user in every phase, a connection and a request."""
        limits = [phase.spec.shape.most for phase in self.phases]
        caps = (self.user_limit, self.connections, self.limits.requests)
        limits += [cap for cap in caps if cap is not None]
        return min(MAX_SHARDS, *limits)

    @property
    def most_connections(self) -> int:
        """Connections of this shard that are sure to be open at once: those of the users of the largest closed phase.

        How many an open phase needs depends on the target; it is not counted.
        """
        if self.connections is not None:
            return self.part.share(self.connections)
        closed = [phase.spec.shape for phase in self.phases if isinstance(phase.spec.shape, Closed)]
        return self.part.share(max((shape.most for shape in closed), default=0)) * self.at_once

    @property
    def endpoint_names(self) -> tuple[str, ...]:
        """The endpoints' names in the order of their indices."""
        return tuple(endpoint.name for endpoint in self.endpoints)

    @property
    def warmups(self) -> tuple[int, ...]:
        """The phases that warm up."""
        return tuple(phase.index for phase in self.phases if phase.spec.warmup)

    def planned(self, phase: int) -> Mapping[int, int] | None:
        """Return how many requests of each endpoint a phase is sure to send in the whole plan.

        None when time alone ends it. Requests that depend on what happens are not among them.
        """
        iterations = self.phases[phase].iterations
        return None if iterations is None else self.phases[phase].traffic.planned(iterations)

    @property
    def at_once(self) -> int:
        """Requests of one iteration that may be on their way together."""
        return max(phase.traffic.at_once for phase in self.phases)

    @property
    def iteration_limit(self) -> int | None:
        """How many iterations have data; the load ends there. None when data repeats."""
        limits = []
        for rows in self.rows.values():
            if rows.limit is not None and rows.per == "iteration":
                limits.append(rows.limit)
            elif rows.limit is not None and rows.per == "request":
                limits.append(rows.limit // self.stride)
        return min(limits, default=None)

    @property
    def user_limit(self) -> int | None:
        """How many users have data of their own; None when no feeder is per user."""
        return min((len(rows) for rows in self.rows.values() if rows.per == "user"), default=None)


def compile_plan(scenario: Scenario, *, seed: int, run_id: str, uuid_salt: str = "") -> Plan:
    """Compile a scenario.

    Raises:
        ExpressionError: a text makes no sense.
        ValueError: weights, header names or feeders do not fit.
        Neither comes from a scenario that was built from a document without mistakes.
    """
    traffic = TrafficCompiler(scenario, seed)
    return Plan(
        seed=seed,
        run_id=run_id,
        uuid_salt=uuid_salt,
        target=scenario.target,
        phases=tuple(_phase(i, phase, scenario, traffic, seed) for i, phase in enumerate(scenario.load)),
        endpoints=traffic.endpoints.plans,
        variables=Variables.of(scenario.variables),
        rows={name: Rows(feeder, seed) for name, feeder in scenario.feeders.items()},
        limits=scenario.limits,
        apart=traffic.endpoints.apart,
        setup=traffic.steps(scenario.setup),
        user_setup=traffic.steps(scenario.user_setup),
        teardown=traffic.steps(scenario.teardown),
        tokens=traffic.endpoints.tokens,
        credentials=traffic.endpoints.credentials,
        read_back=compile_read_back(scenario, traffic.endpoints.common),
    )


def _phase(index: int, phase: Phase, scenario: Scenario, traffic: TrafficCompiler, seed: int) -> PhasePlan:
    shape = phase.shape
    variables = Variables.of({**scenario.variables, **phase.variables})
    pacing: Pacing | None = None
    if isinstance(shape, Open):
        ramp = Ramp.of(shape)
        pacing = Even(ramp) if shape.arrivals == "constant" else Poisson(ramp, seed, index)
    return PhasePlan(index, phase, traffic.of(phase), pacing, variables)
