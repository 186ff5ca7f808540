"""The coordinator's ear: watches processes, feeds the thresholds that are live, and tells how the load goes on."""

from stressrunner.engine.clock import Clock
from stressrunner.fleet.beat import Beat, Fleet
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.ledger import Summary
from stressrunner.metrics.tally import Tally
from stressrunner.plan.outcome import Outcome
from stressrunner.plan.plan import Plan
from stressrunner.run.judgement import Measured
from stressrunner.run.listener import Listener, Progress
from stressrunner.run.monitors import Monitors
from stressrunner.run.outline import planned_s
from stressrunner.scenario.model import Limits, Scenario
from stressrunner.scenario.threshold import Threshold
from stressrunner.units import format_bytes, format_duration
from stressrunner.verdict.watchdog import Watchdog

__all__ = ["Watcher"]


class Watcher:
    """Hears a load, and has it cut off when a threshold says so."""

    def __init__(self, scenario: Scenario, plan: Plan, monitors: Monitors, listener: Listener) -> None:
        self._phases = [phase.name for phase in scenario.load]
        self._monitors = monitors
        self._listener = listener
        self._watchdog = Watchdog(scenario.thresholds, endpoints=plan.endpoint_names, phases=scenario.load)
        planned = [plan.planned(index) for index in range(len(plan.phases))]
        self._planned = None if None in planned else sum(sum(each.values()) for each in planned if each)
        self._planned_s = planned_s(scenario)
        self._limits = scenario.limits
        self._limit_hit = ""
        self.aborted_by: Threshold | None = None  #: the threshold that cut the load off

    def heard(self, beat: Beat, total: Tally) -> bool:
        """Pass on where the load stands; return whether a threshold or a hard limit cuts it off."""
        self._listener.progress(self._progress(beat, total), total)
        due = self._watchdog.feed(beat, self._monitors.figures())
        if due is not None and self.aborted_by is None:
            self.aborted_by = due
            self._listener.note(f"{due.text} is broken: the load is cut off")
        self._limit_hit = self._limit_hit or _limit_hit(self._limits, beat, total)
        return self.aborted_by is not None or bool(self._limit_hit)

    async def watch_processes(self, clock: Clock) -> None:
        """Look at the processes once a second, until cancelled."""
        await self._monitors.watch(clock.now_ns())

    async def finish(self) -> None:
        """Look at the processes for the last time."""
        await self._monitors.finish()

    def measured(self, summary: Summary, fleet: Fleet) -> Measured:
        """Return all that was measured; memory growth counts from the end of the warm-up on."""
        warm = any(phase.warmup for phase in summary.phases)
        since_s = next((p.started_at_s for p in summary.phases if warm and not p.warmup), 0.0)
        return Measured(
            summary=summary,
            generator=self._monitors.generator(since_s),
            generators=self._monitors.generators(since_s),
            transport=fleet.transport,
            loop=fleet.loop,
            monitors=self._monitors.figures(since_s),
            live=self._watchdog.records(),
            failure=fleet.failure,
            limit_hit=self._limit_hit or fleet.limit_hit,
            losses=fleet.losses,
        )

    def _progress(self, beat: Beat, total: Tally) -> Progress:
        sent = completed = failed = recent = 0
        for cell in total.cells.values():
            sent += cell.sent
            completed += cell.sent - cell.outcomes[Outcome.UNFINISHED]
            failed += cell.outcomes[Outcome.FAILED]
        times = Histogram()
        for cell in beat.tally.cells.values():
            recent += cell.sent - cell.outcomes[Outcome.UNFINISHED]
            times.merge(cell.response_time)
        return Progress(
            at_s=beat.at_s,
            phase="finishing" if beat.phase is None else self._phases[beat.phase],
            planned=self._planned,
            planned_s=self._planned_s,
            sent=sent,
            completed=completed,
            failed=failed,
            in_flight=beat.tally.in_flight,
            recent_per_s=recent / beat.duration_s if beat.duration_s else 0.0,
            recent_p50_s=times.percentile_s(50),
            recent_p95_s=times.percentile_s(95),
        )


def _limit_hit(limits: Limits, beat: Beat, total: Tally) -> str:
    """Say which cap the load has gone beyond; those on requests are the generators' own, who never do."""
    goes_on = beat.phase is not None or beat.tally.in_flight > 0
    if limits.duration_s is not None and goes_on and beat.at_s >= limits.duration_s:
        return f"a hard limit was hit: limits.duration allows {format_duration(limits.duration_s)}"
    size = sum(cell.bytes_sent + cell.bytes_received for cell in total.cells.values())
    if limits.size is not None and size > limits.size:
        return f"a hard limit was hit: limits.bytes allows {format_bytes(limits.size)}"
    return ""
