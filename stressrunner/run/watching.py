"""The coordinator's observer: watches processes, feeds the thresholds that are live, and tells how the load goes on."""

from stressrunner.engine.clock import Clock
from stressrunner.fleet.snapshot import Fleet, Snapshot
from stressrunner.metrics.aggregator import Summary
from stressrunner.metrics.delta import Delta
from stressrunner.run.judgement import Measured, RunOrigin, SentMessages
from stressrunner.run.listener import Listener
from stressrunner.run.monitors import Monitors
from stressrunner.run.progress import ProgressTracker
from stressrunner.scenario.model import Limits
from stressrunner.scenario.threshold import Threshold
from stressrunner.units import format_bytes, format_duration
from stressrunner.verdict.setup_patience import NOBODY, SetupPatience, nobody_set_up
from stressrunner.verdict.watchdog import Watchdog

__all__ = ["Watcher"]


class Watcher:
    """Hears a load, and has it cut off when a threshold says so."""

    def __init__(self, origin: RunOrigin, monitors: Monitors, listener: Listener) -> None:
        scenario, plan = origin.scenario, origin.plan
        self._monitors = monitors
        self._listener = listener
        self._watchdog = Watchdog(
            scenario.thresholds, endpoints=plan.endpoint_names, workloads=scenario.workloads
        )
        self._masker = origin.masker
        self._tracker = ProgressTracker(scenario, plan, origin.masker)
        self._limits = scenario.limits
        self._workloads = scenario.workloads
        self._limit_hit = ""
        self._patience = SetupPatience()
        self._nobody_set_up = False
        self.aborted_by: Threshold | None = None  #: the threshold that cut the load off
        self.sent = SentMessages()  #: the messages whose delivery is checked

    def observe(self, snapshot: Snapshot, total: Delta) -> bool:
        """Pass on where the load stands; return whether a threshold or a hard limit cuts it off."""
        self._masker.learn((*snapshot.delta.exemplars.credentials, *snapshot.delta.tokens))
        self.sent.attempts, self.sent.origin_ns = total.attempts, snapshot.origin_ns
        due = self._watchdog.feed(snapshot, self._monitors.figures())
        generators = self._monitors.generators() or {"generator": self._monitors.generator()}
        progress = self._tracker.after(snapshot, total, self._watchdog.latest(), generators.values())
        self._listener.progress(progress, total)
        if due is not None and self.aborted_by is None:
            self.aborted_by = due
            self._listener.note(f"{due.text} is broken: the load is cut off")
        self._limit_hit = self._limit_hit or _limit_hit(self._limits, snapshot, total)
        if not self._nobody_set_up and self._patience.is_over(snapshot, total):
            self._nobody_set_up = True
            self._listener.note(f"{NOBODY}: the load is cut off")
        return self.aborted_by is not None or self._nobody_set_up or bool(self._limit_hit)

    async def watch_processes(self, clock: Clock) -> None:
        """Look at the processes once a second, until cancelled."""
        await self._monitors.watch(clock.now_ns())

    async def finish(self) -> None:
        """Look at the processes for the last time."""
        await self._monitors.finish()

    def measured(self, summary: Summary, fleet: Fleet) -> Measured:
        """Return all that was measured; memory growth counts from the end of the warm-up on."""
        since_s = self._warm_at_s(summary)
        return Measured(
            summary=summary,
            generator=self._monitors.generator(since_s),
            generators=self._monitors.generators(since_s),
            transport=fleet.transport,
            loop=fleet.loop,
            monitors=self._monitors.figures(since_s),
            target_unwatched=self._monitors.target_unwatched,
            live=self._watchdog.records(),
            failure=fleet.failure or (nobody_set_up(summary.user_setup) if self._nobody_set_up else ""),
            limit_hit=self._limit_hit or fleet.limit_hit,
            losses=fleet.losses,
        )

    def _warm_at_s(self, summary: Summary) -> float:
        """Return when the last workload had warmed up."""
        started_at_s = {phase.name: phase.started_at_s for phase in summary.phases}
        warm = [workload.load for workload in self._workloads if any(phase.warmup for phase in workload.load)]
        firsts = [next((phase.name for phase in load if not phase.warmup), None) for load in warm]
        return max((started_at_s[name] for name in firsts if name is not None), default=0.0)


def _limit_hit(limits: Limits, snapshot: Snapshot, total: Delta) -> str:
    """Say which cap the load has gone beyond; those on requests are the generators' own, who never do."""
    goes_on = bool(snapshot.phases) or snapshot.delta.in_flight > 0
    if limits.duration_s is not None and goes_on and snapshot.at_s >= limits.duration_s:
        return f"a hard limit was hit: limits.duration allows {format_duration(limits.duration_s)}"
    size = sum(series.bytes_sent + series.bytes_received for series in total.series.values())
    if limits.size is not None and size > limits.size:
        return f"a hard limit was hit: limits.bytes allows {format_bytes(limits.size)}"
    return ""
