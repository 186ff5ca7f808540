"""What is to be expected of a load before it is sent, as far as that can be known."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple
from urllib.parse import urlsplit

from stressrunner.engine.names import IterationScope, RequestNames
from stressrunner.expressions import CannotEvaluate
from stressrunner.http.h1_head import HeadWriter
from stressrunner.plan.phases import PhasePlan, WorkloadPlan
from stressrunner.plan.plan import Plan, compile_plan
from stressrunner.run.outline import planned_s
from stressrunner.scenario.default_guards import sent_by
from stressrunner.scenario.model import Closed, Limits, Open, Scenario
from stressrunner.scenario.steps import Flow
from stressrunner.units import counted, format_bytes, format_duration

__all__ = ["Expected", "expected_load"]

_RENDERED = 200  #: requests that are filled in to learn how large they are


class Expected(NamedTuple):
    """One figure of a load, in words; `about` and `unknown` say where it cannot be told exactly."""

    figure: str
    words: str


def expected_load(scenario: Scenario) -> tuple[Expected, ...]:
    """Return what a scenario's load is expected to be: requests, in flight, duration, connections, bytes."""
    plan = compile_plan(scenario, seed=0, run_id="00000000")
    in_flight = _in_flight(plan)
    pool = plan.connections
    return (
        Expected("requests", _requests(plan)),
        *_setting_up(scenario, plan),
        Expected("in flight", in_flight),
        Expected("duration", _duration(scenario)),
        Expected("connections", in_flight if pool is None else f"at most {pool:,}, shared by all users"),
        Expected("bytes sent", _bytes_sent(plan)),
        Expected("bytes received", "unknown, as it is for the target to say"),
        *_limits(scenario.limits, plan),
    )


def _setting_up(scenario: Scenario, plan: Plan) -> Iterator[Expected]:
    """Yield the requests beside the load: those of `setup` once, those of `user_setup` for each user."""
    once, each = (
        sum(1 for _ in sent_by(Flow(steps), scenario.flows))
        for steps in (scenario.setup, scenario.user_setup)
    )
    words = [f"{counted(once, 'request')} before the load"] if once else []
    if each:
        users = sum(
            max(_most_users(workload, phase) for phase in workload.phases) for workload in plan.workloads
        )
        words.append(f"{each:,} for each of at most {counted(users, 'user')}, {each * users:,} in all")
    if words:
        yield Expected("setting up", f"{'; '.join(words)}; not counted")


def _limits(limits: Limits, plan: Plan) -> Iterator[Expected]:
    words = []
    if limits.requests is not None:
        planned = _totals(plan)
        is_beyond = planned is not None and planned.total() > limits.requests
        words.append(f"{limits.requests:,} requests{', which will cut the load off' if is_beyond else ''}")
    if limits.duration_s is not None:
        words.append(format_duration(limits.duration_s))
    if limits.size is not None:
        words.append(f"{format_bytes(limits.size)} sent and received")
    if words:
        yield Expected("hard limits", "; ".join(words))


def _totals(plan: Plan) -> Counter[int] | None:
    """Return the requests of each endpoint in all phases; None when time alone ends one of them."""
    totals: Counter[int] = Counter()
    for phase in (phase for workload in plan.workloads for phase in workload.phases):
        planned = plan.planned(phase.index)
        if planned is None:
            return None
        totals.update(planned)
    return totals


def _is_random(plan: Plan) -> bool:
    """Whether the number of arrivals is drawn, so that it is another one in every run."""
    shapes = (phase.spec.shape for phase in plan.phases)
    return any(isinstance(shape, Open) and shape.arrivals == "poisson" for shape in shapes)


def _requests(plan: Plan) -> str:
    totals = _totals(plan)
    if totals is None:
        timed = next(phase.spec.name for phase in plan.phases if phase.iterations is None)
        words = f"unknown, because users send as fast as they are answered until '{timed}' is over"
    else:
        is_fixed = all(phase.traffic.is_fixed for phase in plan.phases)
        words = f"{'' if is_fixed else 'at least '}{'about ' if _is_random(plan) else ''}{totals.total():,}"
        if len(totals) > 1:
            words += f": {', '.join(f'{n:,} {plan.endpoints[i].name}' for i, n in totals.items())}"
        warmup = sum(sum((plan.planned(p.index) or {}).values()) for p in plan.phases if p.spec.warmup)
        words += f"; {warmup:,} of them warm up and are not counted" if warmup else ""
    for workload in plan.workloads:
        if workload.iteration_limit is not None:
            ended = f"the workload '{workload.name}'" if workload.name else "the load"
            words += f"; a feeder ends {ended} after at most {workload.iteration_limit * workload.stride:,}"
    return words


def _in_flight(plan: Plan) -> str:
    """Return the most requests that can be on their way together."""
    most = sum(_most_in_flight(workload) for workload in plan.workloads)
    if plan.connections is not None:
        most = min(most, plan.connections)
    a_second = float(sum(_most_a_second(workload) for workload in plan.workloads))
    if not a_second:
        return f"at most {most:,}"
    return f"unknown, at most {most:,}: about {a_second:,.3g} for every second that a response takes"


def _most_in_flight(workload: WorkloadPlan) -> int:
    return max(_most_users(workload, phase) for phase in workload.phases) * workload.at_once


def _most_a_second(workload: WorkloadPlan) -> Fraction:
    """Return the requests that the highest rate of a workload asks for; 0 where it has none."""
    shapes = [phase.spec.shape for phase in workload.phases]
    rates = [max(s.rate, s.rate_from or s.rate) for s in shapes if isinstance(s, Open)]
    return max(rates, default=Fraction(0)) * workload.stride


def _most_users(workload: WorkloadPlan, phase: PhasePlan) -> int:
    shape = phase.spec.shape
    limits = [shape.most]
    if isinstance(shape, Closed) and shape.iterations is not None:
        limits.append(shape.iterations)
    if workload.user_limit is not None:
        limits.append(workload.user_limit)
    return min(limits)


def _duration(scenario: Scenario) -> str:
    length_s = planned_s(scenario)
    longest_s = max(endpoint.timeout.total_s for endpoint in scenario.endpoints.values())
    last = [workload.load[-1] for workload in scenario.workloads]
    grace_s = max(p.grace_s + (longest_s if p.graceful_stop_s is None else 0.0) for p in last)
    grace = f"up to {format_duration(grace_s)} for what is then in flight"
    if length_s is not None:
        return f"{format_duration(length_s)}, and {grace}"
    timed_s = float(
        max(sum(p.shape.duration_s or 0 for p in workload.load) for workload in scenario.workloads)
    )
    so_long = f", but more than {format_duration(timed_s)}" if timed_s else ""
    return f"unknown{so_long}, because it takes as long as the work does"


def _bytes_sent(plan: Plan) -> str:
    means: list[tuple[float, int | None]] = []  # bytes of a request, and how many there are
    for workload in plan.workloads:
        part = plan.of_workload(workload)
        sizes, totals = list(_sizes(part)), _totals(part)
        if not sizes:
            return "unknown, because the requests need what others capture"
        means.append((sum(sizes) / len(sizes), None if totals is None else totals.total()))
    counted = [(mean, count) for mean, count in means if count is not None]
    if len(counted) < len(means):
        each = " or ".join(dict.fromkeys(f"about {format_bytes(mean)}" for mean, _ in means))
        return f"{each} a request"
    total = sum(mean * count for mean, count in counted)
    return f"about {format_bytes(total)}, about {format_bytes(total / sum(n for _, n in counted))} a request"


def _sizes(plan: Plan) -> Iterator[int]:
    """Yield the sizes of the first requests of a workload, head and body, as HTTP/1.1 writes them."""
    writer = HeadWriter(urlsplit(plan.base_url).netloc)
    first = plan.workload.phases[0]
    traffic = first.traffic
    for iteration in range(max(1, _RENDERED // traffic.requests)):
        scope = IterationScope(plan, iteration=iteration, user=0, user_iteration=iteration, phase=first.index)
        for endpoint, count in traffic.requests_of(iteration).items():
            for number in range(min(count, _RENDERED)):
                try:
                    request = plan.endpoints[endpoint].request.render(RequestNames(scope, number))
                    yield writer.message(request, request.target).size
                except (CannotEvaluate, ValueError):
                    continue
