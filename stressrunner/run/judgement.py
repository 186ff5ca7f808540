"""The end of the road: what was measured is judged, masked, and becomes the result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from stressrunner import __version__
from stressrunner.engine.attempt import Attempt
from stressrunner.masking import Masker
from stressrunner.metrics.aggregator import Summary
from stressrunner.metrics.summary import ErrorGroup
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.plan.plan import Plan
from stressrunner.result.model import GeneratorFigures, Result, RunRecord, ScenarioRecord
from stressrunner.run.early_end import rows_ended, why_ended_early
from stressrunner.run.exchanges import check_records, exchange_records
from stressrunner.run.outline import load_in_words
from stressrunner.run.target import is_embedded, shown
from stressrunner.scenario.default_guards import GUARDS
from stressrunner.scenario.document import Document
from stressrunner.scenario.model import Open, Scenario
from stressrunner.scenario.threshold import Threshold
from stressrunner.verdict.delivery.outcome import DeliveryOutcome
from stressrunner.verdict.figures import Figures, LiveRecord, present_in
from stressrunner.verdict.outcome import ThresholdOutcome, Validity, Verdict
from stressrunner.verdict.overall import culprit
from stressrunner.verdict.thresholds import evaluate
from stressrunner.verdict.validity import Lag, Observation, judge_validity, off_in
from stressrunner.verdict.verdict import judge

__all__ = ["Ending", "Measured", "RunOrigin", "SentMessages", "result_of"]


#: Guards on what an interrupt, a limit or an abort leaves unfinished by its nature.
_OF_THE_END = frozenset(guard.text for guard in GUARDS if guard.is_of_the_end)


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """Where a run comes from: all that is known before it begins."""

    document: Document
    scenario: Scenario
    plan: Plan
    overrides: tuple[str, ...]
    started_at: datetime
    masker: Masker
    workers: int  #: generator processes; 0 when the load is sent from this one


@dataclass(slots=True)
class SentMessages:
    """The messages that generators have told of so far; grows while the load runs."""

    attempts: Sequence[Attempt] = ()
    origin_ns: int = 0  #: when the load began, monotonic


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run has measured."""

    summary: Summary
    generator: ProcessFigures  #: all processes of the generator together
    generators: Mapping[str, ProcessFigures] = field(default_factory=dict)  #: those that send the load
    transport: str = "none"  #: that sent the requests
    loop: str = "none"  #: event loop that it ran on
    monitors: Mapping[str, ProcessFigures] = field(default_factory=dict)
    target_unwatched: str = ""  #: why the target's process was not watched, although it is on this machine
    live: Mapping[Threshold, LiveRecord] = field(default_factory=dict)
    failure: str = ""  #: why the load cut itself off, in one sentence
    limit_hit: str = ""  #: the hard limit that cut the load off, in one sentence
    losses: tuple[str, ...] = ()  #: how generators were lost, a sentence for each
    deliveries: tuple[DeliveryOutcome, ...] = ()  #: what became of all messages, if that was checked


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run came to its end, when it did not end by itself."""

    interrupted: bool = False
    unreachable: str = ""  #: why no load could be sent, in one sentence
    aborted_by: Threshold | None = None  #: that cut the load off
    strict: bool = False  #: what is unproven has failed
    target_ended: str = ""  #: how the embedded target ended by itself, in a few words


def result_of(origin: RunOrigin, measured: Measured, ending: Ending) -> Result:
    """Judge a run and return all that it leaves behind."""
    summary, mask = measured.summary, origin.masker
    interrupted = "interrupted by the user" if ending.interrupted else ""
    cut_off = (ending.unreachable, *measured.losses, measured.limit_hit, measured.failure)
    early = why_ended_early(
        origin.plan,
        summary,
        mask,
        cut_off=tuple(filter(None, cut_off)),
        broken=ending.aborted_by,
        interrupted=interrupted,
    )
    was_cut_off = bool(early) and early != rows_ended(origin.plan, summary)
    thresholds = _thresholds(origin.scenario, measured, was_cut_off=was_cut_off)
    validity = _validity(origin, measured, ending, thresholds)
    verdict = judge(
        thresholds,
        validity,
        measured.deliveries,
        interrupted=interrupted,
        failure=measured.failure,
        strict=ending.strict,
    )
    offered_per_s, achieved_per_s = _rates(origin.plan, summary)
    return Result(
        run=_run_record(origin, summary.duration_s, early),
        verdict=replace(verdict, reasons=tuple(map(mask.text, (*_cause(verdict, ending), *verdict.reasons)))),
        validity=replace(validity, reasons=tuple(map(mask.text, validity.reasons))),
        totals=summary.totals,
        endpoints=summary.endpoints,
        groups=summary.groups,
        groups_failed=summary.groups_failed,
        excluded=summary.excluded,
        iterations=summary.iterations,
        user_setup=summary.user_setup,
        workloads=summary.workloads,
        phases=summary.phases,
        timeline=summary.timeline,
        thresholds=thresholds,
        invariants=measured.deliveries,
        generator=GeneratorFigures(
            transport=measured.transport,
            loop=measured.loop,
            lag=summary.lag,
            queue=summary.queue,
            connecting=summary.connecting,
            stalls=summary.stalls,
            collections=summary.collections,
            offered_per_s=offered_per_s,
            achieved_per_s=achieved_per_s,
            process=measured.generator,
            processes=measured.generators,
            token_requests=summary.token_requests,
            token_failures=summary.token_failures,
            absent_s=_absent_s(measured),
            freezes=summary.freezes,
            offered=summary.offered,
        ),
        monitors=measured.monitors,
        errors=tuple(_masked(group, mask) for group in summary.errors),
        exchanges=exchange_records(summary.exemplars, origin.plan, origin.document.secret_names, mask),
        checks=check_records(origin.scenario, summary.endpoints, summary.failed_checks, mask),
    )


def _cause(verdict: Verdict, ending: Ending) -> Iterator[str]:
    """Yield what has to be known before the reasons of a verdict."""
    if ending.target_ended and verdict.outcome != "passed":
        yield f"the embedded target was gone before the end of the load: {ending.target_ended}"


def _rates(plan: Plan, summary: Summary) -> tuple[float | None, float | None]:
    """Return the requests per second that the phases with a rate offered, and those that they achieved.

    Those of workloads, which run at the same time, add up.
    """
    measured = {phase.name: phase for phase in summary.phases}
    offered_per_s, achieved_per_s = [], []
    for workload in plan.workloads:
        spec = [p.spec for p in workload.phases if isinstance(p.spec.shape, Open) and p.is_counted]
        phases = [measured[phase.name] for phase in spec]
        took_s = sum(phase.duration_s for phase in phases)
        if took_s:
            planned_s = float(sum(phase.shape.duration_s or 0 for phase in spec))
            offered_per_s.append(sum(phase.totals.planned for phase in phases) / planned_s)
            achieved_per_s.append(sum(phase.totals.sent for phase in phases) / took_s)
    return (sum(offered_per_s), sum(achieved_per_s)) if offered_per_s else (None, None)


def _thresholds(scenario: Scenario, measured: Measured, *, was_cut_off: bool) -> tuple[ThresholdOutcome, ...]:
    """Judge the thresholds, without the guards on how a load ends where it did not end by itself."""
    summary = measured.summary
    figures = Figures(
        totals=summary.totals,
        endpoints=summary.endpoints,
        phases={phase.name: phase for phase in summary.phases},
        workloads=summary.workloads,
        monitors=measured.monitors,
        target_unwatched=measured.target_unwatched,
        phase_endpoints=summary.phase_endpoints,
        groups=summary.groups,
        groups_failed=summary.groups_failed,
        phase_groups=summary.phase_groups,
        iterations=summary.iterations,
        phase_iterations=summary.phase_iterations,
        user_setup=summary.user_setup,
        phase_streams={
            phase.name: workload.name for workload in scenario.workloads for phase in workload.load
        },
        setup_requests=summary.excluded.get("user_setup"),
        live=measured.live,
        off=off_in(summary.totals, summary.endpoints, scenario.max_lag_s),
        freezes=summary.freezes,
        present=_present(scenario, measured),
    )
    judged = [t for t in scenario.thresholds if not (was_cut_off and t.is_default and t.text in _OF_THE_END)]
    return tuple(evaluate(threshold, figures) for threshold in judged)


def _present(scenario: Scenario, measured: Measured) -> float:
    """Return the part of the time in which event loops were not late, where that makes a load smaller."""
    if _has_rate(scenario):
        return 1.0
    return present_in(_absent_s(measured), measured.summary.duration_s)


def _idle_s(scenario: Scenario, measured: Measured) -> float:
    """Return how long the generators were kept from running, on the average, where that makes a load smaller."""
    return 0.0 if _has_rate(scenario) else measured.summary.idle_s / max(1, len(measured.generators))


def _has_rate(scenario: Scenario) -> bool:
    return any(isinstance(phase.shape, Open) for phase in scenario.load)


def _absent_s(measured: Measured) -> float:
    return measured.summary.absent_s / max(1, len(measured.generators))


def _validity(
    origin: RunOrigin, measured: Measured, ending: Ending, thresholds: Sequence[ThresholdOutcome]
) -> Validity:
    max_lag_s = origin.scenario.max_lag_s
    if ending.unreachable:
        return Validity("invalid", (ending.unreachable,), "else", max_lag_s)
    summary = measured.summary
    observation = Observation(
        totals=summary.totals,
        errors=summary.errors,
        endpoints=summary.endpoints,
        lag=Lag(
            rest=summary.apart_from_spell,
            late_in_spell=summary.late_in_spell,
            longest_s=summary.stalls.max_s or 0.0,
            idle_s=_idle_s(origin.scenario, measured),
            duration_s=summary.duration_s,
            offered=summary.offered,
            max_lag_s=max_lag_s,
            made_overflow=_made_overflow(summary),
        ),
        thresholds=thresholds,
        generators=tuple(measured.generators.values()) or (measured.generator,),
        open_load=_has_rate(origin.scenario),
        stopped_early=ending.interrupted
        or ending.aborted_by is not None
        or bool(measured.failure or measured.limit_hit or measured.losses)
        or any(workload.iteration_limit is not None for workload in origin.plan.workloads),
        cut_itself_off=bool(measured.failure),
    )
    if summary.totals.sent == 0 and (setup := summary.excluded.get("user_setup")) is not None:
        # No user could begin: what is known is what the target said to that.
        failed = culprit(summary.user_setup) if setup.failed else ""
        observation = replace(observation, setup_replied=bool(setup.status), setup_failed=failed)
    validity = judge_validity(observation)
    stopped = (*measured.losses, *((measured.limit_hit,) if measured.limit_hit else ()))
    if not stopped:
        return validity
    return Validity(
        "invalid", (*stopped, *(validity.reasons if summary.totals.sent else ())), "else", max_lag_s
    )


def _made_overflow(summary: Summary) -> bool:
    """Return whether arrivals were dropped, warm-ups included, and all of them may be the generator's doing."""
    dropped = sum(phase.totals.dropped for phase in summary.phases)
    return 0 < dropped == sum(phase.totals.dropped_by_lag for phase in summary.phases)


def _run_record(origin: RunOrigin, duration_s: float, ended_early: str) -> RunRecord:
    document, scenario, plan, mask = origin.document, origin.scenario, origin.plan, origin.masker
    return RunRecord(
        id=plan.run_id,
        started_at=origin.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        duration_s=duration_s,
        version=__version__,
        scenario=ScenarioRecord(
            name=mask.text(scenario.name),
            description=mask.text(scenario.description),
            path=document.name,
            sha256=document.sha256,
            composed=mask.text(document.composed),
            overrides=tuple(map(mask.text, origin.overrides)),
        ),
        environment=document.environment,
        target=mask.text(shown(plan.base_url, plan.target.proxy)),
        embedded=is_embedded(plan.base_url),
        seed=plan.seed,
        workers=origin.workers,
        load=load_in_words(scenario),
        ended_early=ended_early,
    )


def _masked(group: ErrorGroup, mask: Masker) -> ErrorGroup:
    samples = tuple(
        replace(sample, message=mask.text(sample.message), excerpt=mask.text(sample.excerpt))
        for sample in group.samples
    )
    return replace(group, samples=samples, rule=mask.text(group.rule))
