"""The plan of a run: compiled endpoints, picks, pacing and data; what a generator process executes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stressrunner.plan.captures import Captures
from stressrunner.plan.delivery import ReadBackPlan, compile_read_back
from stressrunner.plan.endpoints import EndpointPlan
from stressrunner.plan.feeders import Rows
from stressrunner.plan.phases import PhasePlan, Variables, WorkloadPlan, compile_workloads
from stressrunner.plan.shard import Shard
from stressrunner.plan.steps import StepsPlan
from stressrunner.plan.tokens import AccessToken
from stressrunner.plan.traffic_compiler import TrafficCompiler
from stressrunner.scenario.model import Limits, Scenario, Target

__all__ = [
    "MAX_SHARDS",
    "PhasePlan",
    "Plan",
    "Shard",
    "compile_plan",
]


MAX_SHARDS = 1024  #: generators of one run


@dataclass(frozen=True, slots=True)
class Plan:
    """What is executed. Frozen, but for the caches inside its compiled parts."""

    seed: int  #: that draws come from; in the part of a workload it is the workload's own
    run_seed: int
    run_id: str
    uuid_salt: str  #: makes UUIDs differ between runs; empty when the seed was given
    target: Target  #: as the scenario says
    endpoints: tuple[EndpointPlan, ...]
    phases: tuple[PhasePlan, ...]  #: of all workloads, by their indices
    workloads: tuple[WorkloadPlan, ...]  #: that are carried out side by side
    variables: Variables  #: outside of phases
    rows: Mapping[str, Rows]
    limits: Limits = field(default_factory=Limits)
    excluded: tuple[EndpointPlan, ...] = ()  #: endpoints that are sent beside the load alone
    setup: StepsPlan | None = None  #: once before the load
    user_setup: StepsPlan | None = None  #: once per user
    teardown: StepsPlan | None = None  #: once after the load
    captures: Mapping[str, Any] = field(default_factory=dict)  #: what setup has captured, once it has run
    cookies: tuple[Any, ...] = ()  #: what it was given, as `CookieJar.to_wire` has them
    tokens: tuple[AccessToken, ...] = ()  #: access tokens that requests carry; whoever sends keeps them valid
    #: by the indices of endpoints: captures that are credentials
    credentials: Mapping[int, Sequence[Captures]] = field(default_factory=dict)
    read_back: ReadBackPlan | None = None  #: of the sessions whose messages are checked; None checks none
    part: Shard = field(default_factory=Shard)
    #: how far apart the requests of two iterations are in the rows of a feeder that has one for every request
    stride: int = field(init=False)

    def __post_init__(self) -> None:
        """Work out what is asked for with every request."""
        object.__setattr__(self, "stride", max(workload.stride for workload in self.workloads))

    def shard(self, index: int, count: int) -> "Plan":
        """Return the part of this plan that generator `index` of `count` executes.

        Raises:
            ValueError: there is no such generator, or so many that some would have no user.
        """
        if not 0 <= index < count <= self.most_shards:
            raise ValueError(f"there is no shard {index} of {count}, of at most {self.most_shards}")
        return replace(self, part=Shard(index, count))

    def of_workload(self, workload: WorkloadPlan) -> "Plan":
        """Return the part of this plan that one of its workloads is."""
        return replace(self, seed=workload.seed, rows=workload.rows, workloads=(workload,))

    def of_session(self, session: int) -> tuple["Plan", int]:
        """Return the part that a session is of, by its number, and the iteration that it is."""
        iteration, index = divmod(session, len(self.workloads))
        return self.of_workload(self.workloads[index]), iteration

    @property
    def workload(self) -> WorkloadPlan:
        """The workload that this plan is the part of; of a whole plan the first one."""
        return self.workloads[0]

    def earliest(self, running: Iterable[int]) -> frozenset[int]:
        """Return of some phases the first one of each workload: with fixed work, generators do not end together."""
        indices = frozenset(running)
        firsts = (next((p.index for p in s.phases if p.index in indices), None) for s in self.workloads)
        return frozenset(index for index in firsts if index is not None)

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
        caps = (*(s.user_limit for s in self.workloads), self.connections, self.limits.requests)
        limits += [cap for cap in caps if cap is not None]
        return min(MAX_SHARDS, *limits)

    @property
    def most_connections(self) -> int:
        """Connections of this shard that are sure to be open at once: those of the users of closed phases.

        How many an open phase needs depends on the target; it is not counted.
        """
        if self.connections is not None:
            return self.part.share(self.connections)
        return sum(self.part.share(workload.most_closed) * workload.at_once for workload in self.workloads)

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


def compile_plan(scenario: Scenario, *, seed: int, run_id: str, uuid_salt: str = "") -> Plan:
    """Compile a scenario.

    Raises:
        ExpressionError: a text makes no sense.
        ValueError: weights, header names or feeders do not fit.
        Neither comes from a scenario that was built from a document without mistakes.
    """
    traffic = TrafficCompiler(scenario, seed)
    workloads = compile_workloads(scenario, traffic, seed)
    return Plan(
        seed=seed,
        run_seed=seed,
        run_id=run_id,
        uuid_salt=uuid_salt,
        target=scenario.target,
        phases=tuple(phase for workload in workloads for phase in workload.phases),
        workloads=workloads,
        endpoints=traffic.endpoints.plans,
        variables=Variables.of(scenario.variables),
        rows={name: Rows(feeder, seed) for name, feeder in scenario.feeders.items()},
        limits=scenario.limits,
        excluded=traffic.endpoints.excluded,
        setup=traffic.steps(scenario.setup),
        user_setup=traffic.steps(scenario.user_setup),
        teardown=traffic.steps(scenario.teardown),
        tokens=traffic.endpoints.tokens,
        credentials=traffic.endpoints.credentials,
        read_back=compile_read_back(scenario, traffic.endpoints.common),
    )
