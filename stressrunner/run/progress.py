"""Where a load stands: what is told of it once a second, from what was counted in that second."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import isfinite
from typing import Literal, NamedTuple

from stressrunner.fleet.snapshot import Snapshot, outlines_of
from stressrunner.masking import Masker
from stressrunner.metrics.aggregator import PhaseOutline
from stressrunner.metrics.delta import Delta, Series
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.timeline import Offer
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.plan.outcome import Outcome
from stressrunner.plan.phases import WorkloadPlan
from stressrunner.plan.plan import Plan
from stressrunner.run.listener import (
    RECENT_S,
    EndpointProgress,
    ErrorProgress,
    GeneratorProgress,
    PhaseProgress,
    Progress,
    ThresholdProgress,
)
from stressrunner.run.outline import planned_s
from stressrunner.run.target import shown
from stressrunner.scenario.model import Scenario
from stressrunner.scenario.threshold import Threshold
from stressrunner.units import NS_PER_S
from stressrunner.verdict.measure import Measurement, holds
from stressrunner.verdict.rolling import Rolling, Slice

__all__ = ["ProgressTracker"]

_MAX_ERRORS = 20  #: groups that are told


class ProgressTracker:
    """Hears every second of a load, and tells where it stands."""

    def __init__(self, scenario: Scenario, plan: Plan, masker: Masker) -> None:
        self._name = masker.text(scenario.name)
        self._target = masker.text(shown(plan.base_url, plan.target.proxy))
        self._run_id = plan.run_id
        self._masker = masker
        planned = [plan.planned(index) for index in range(len(plan.phases))]
        self._planned = None if None in planned else sum(sum(each.values()) for each in planned if each)
        self._planned_s = planned_s(scenario)
        self._phases = _Phases(plan)
        self._names = plan.endpoint_names
        self._recent = Rolling(RECENT_S)
        self._recent_of = [Rolling(RECENT_S) for _ in self._names]

    def after(
        self,
        snapshot: Snapshot,
        total: Delta,
        latest: Mapping[Threshold, Measurement | None],
        generators: Collection[ProcessFigures],
    ) -> Progress:
        """Take the next second; `latest` is what thresholds would be judged by, `generators` send the load."""
        all_series = list(snapshot.delta.series.values())
        self._recent.add(Slice.of(all_series, "response_time", snapshot.duration_s))
        times = self._recent.aggregate().times
        counted = _sum(total.series.values())
        recent = sum(series.sent - series.outcomes[Outcome.UNFINISHED] for series in all_series)
        return Progress(
            scenario=self._name,
            target=self._target,
            at_s=snapshot.at_s,
            phases=self._phases.after(snapshot),
            planned=self._planned,
            planned_s=self._planned_s,
            sent=counted.sent,
            completed=counted.completed,
            failed=counted.failed,
            in_flight=snapshot.delta.in_flight,
            recent_per_s=recent / snapshot.duration_s if snapshot.duration_s else 0.0,
            recent_p50_s=times.percentile_s(50),
            recent_p95_s=times.percentile_s(95),
            recent_p99_s=times.percentile_s(99),
            endpoints=self._endpoints(snapshot, total),
            thresholds=tuple(_threshold(threshold, found) for threshold, found in latest.items()),
            errors=self._errors(total),
            generator=_generator(snapshot.delta, generators),
            run_id=self._run_id,
        )

    def _endpoints(self, snapshot: Snapshot, total: Delta) -> tuple[EndpointProgress, ...]:
        recent, everything = _by_endpoint(snapshot.delta), _by_endpoint(total)
        return tuple(
            self._endpoint(index, recent.get(index, []), everything.get(index, []), snapshot.duration_s)
            for index in range(len(self._names))
        )

    def _endpoint(
        self, index: int, recent: list[Series], everything: list[Series], lasted_s: float
    ) -> EndpointProgress:
        rolling, counted = self._recent_of[index], _sum(everything)
        rolling.add(Slice.of(recent, "response_time", lasted_s))
        now = rolling.aggregate()
        return EndpointProgress(
            name=self._names[index],
            completed=counted.completed,
            failed=counted.failed,
            recent_per_s=now.throughput_per_s or 0.0,
            p50_s=now.times.percentile_s(50),
            p95_s=now.times.percentile_s(95),
            p99_s=now.times.percentile_s(99),
        )

    def _errors(self, total: Delta) -> tuple[ErrorProgress, ...]:
        groups = sorted(total.errors.items(), key=lambda item: -item[1].count)[:_MAX_ERRORS]
        return tuple(
            ErrorProgress(
                key.kind,
                group.count,
                self._masker.text(group.samples[0].message),
                self._masker.text(key.rule),
                key.status,
            )
            for key, group in groups
        )


class _Phases:
    """Knows which phases are running, for how long they will, and what they ask for."""

    def __init__(self, plan: Plan) -> None:
        self._workloads = [_Workload(workload, outlines_of(plan)) for workload in plan.workloads]

    def after(self, snapshot: Snapshot) -> tuple[PhaseProgress, ...]:
        running = [
            progress for workload in self._workloads if (progress := workload.after(snapshot)) is not None
        ]
        count = max(workload.count for workload in self._workloads)
        return tuple(running) or (PhaseProgress("finishing", count, count, None, None),)


class _Workload:
    """Knows that of one workload."""

    def __init__(self, workload: WorkloadPlan, outlines: Sequence[PhaseOutline]) -> None:
        """`outlines` are those of the phases of all workloads."""
        self._indices = [phase.index for phase in workload.phases]
        self._outlines = [outlines[index] for index in self._indices]
        self._lengths = [phase.spec.shape.duration_s for phase in workload.phases]
        self._running: int | None = None
        self._begun_s = 0.0  # of the running one, after the load began
        self.count = len(self._indices)

    def after(self, snapshot: Snapshot) -> PhaseProgress | None:
        number = next((n for n, index in enumerate(self._indices) if index in snapshot.phases), None)
        if number is None:
            return None
        if number != self._running:
            self._running, self._begun_s = number, self._begin_s(number, snapshot)
        length, outline = self._lengths[number], self._outlines[number]
        left_s = None if length is None else max(0.0, self._begun_s + float(length) - snapshot.at_s)
        offered = None
        if outline.offered is not None and snapshot.duration_s:
            offer = Offer(self._begun_s, outline.offered)
            offered = offer.between(max(self._begun_s, snapshot.at_s - snapshot.duration_s), snapshot.at_s)
        lasted_s = min(snapshot.duration_s, snapshot.at_s - self._begun_s)
        return PhaseProgress(
            outline.name,
            number + 1,
            self.count,
            left_s,
            offered / lasted_s if offered and lasted_s > 0 else None,
        )

    def _begin_s(self, number: int, snapshot: Snapshot) -> float:
        """Return when a phase of a snapshot began: exactly where time ended all before it, else as it was seen."""
        before = self._lengths[:number]
        if None in before:
            return snapshot.at_s - snapshot.duration_s
        return float(sum(length for length in before if length is not None))


class _Counts(NamedTuple):
    sent: int
    completed: int
    failed: int


def _sum(all_series: Iterable[Series]) -> _Counts:
    sent = unfinished = failed = 0
    for series in all_series:
        sent += series.sent
        unfinished += series.outcomes[Outcome.UNFINISHED]
        failed += series.outcomes[Outcome.FAILED]
    return _Counts(sent, sent - unfinished, failed)


def _by_endpoint(delta: Delta) -> dict[int, list[Series]]:
    found: dict[int, list[Series]] = {}
    for (_, endpoint), series in delta.series.items():
        found.setdefault(endpoint, []).append(series)
    return found


def _threshold(threshold: Threshold, found: Measurement | None) -> ThresholdProgress:
    if found is None or found.value is None:
        return ThresholdProgress(threshold.text, "open", None, threshold.dimension)
    state: Literal["holds", "broken"] = "holds" if holds(threshold, found.value) else "broken"
    measured = found.value if isfinite(found.value) else None
    return ThresholdProgress(threshold.text, state, measured, threshold.dimension)


def _generator(delta: Delta, generators: Collection[ProcessFigures]) -> GeneratorProgress:
    lag = Histogram()
    for series in delta.series.values():
        lag.merge(series.lag)
    stall_ns = delta.stalls.max_ns
    return GeneratorProgress(
        lag_p99_s=lag.percentile_s(99),
        stall_max_s=None if stall_ns is None else stall_ns / NS_PER_S,
        cpu=max((figures.points[-1].cpu for figures in generators if figures.points), default=None),
    )
