"""What thresholds are judged on: figures of a run that has ended, whether just measured or read from a file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from stressrunner.metrics.summary import IterationStats, Latency, PhaseStats, SetupStats, Stats
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.scenario.threshold import Threshold
from stressrunner.verdict.measure import Measurement

__all__ = ["Figures", "LiveRecord", "present_in"]


@dataclass(frozen=True, slots=True)
class LiveRecord:
    """What was seen of a threshold while the load ran."""

    worst: Measurement  #: of the full windows the worst one; without a value when there was none
    fewest: int | None  #: samples of the window that had fewest; None when its figure rests on none
    broken_s: float | None  #: the longest time that it was broken without a break; None when it never was
    aborted_at_s: float | None = None  #: when it stopped the load, after the load began
    without_lag: "LiveRecord | None" = (
        None  #: without the generator's own lag; None where that had no part in it
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """The measured part of a run, by the names that thresholds use.

    `phase_endpoints`, `groups`, `phase_groups` and `live` are None where they are not held, as in a result file; a threshold that needs one is skipped then
    and says so.
    """

    totals: Stats
    endpoints: Mapping[str, Stats]
    phases: Mapping[str, PhaseStats]
    #: Processes that were configured, found or not, and `target` if it was there to watch: its absence means that
    #: the target is not on this machine and nobody asked to watch it.
    monitors: Mapping[str, ProcessFigures]
    target_unwatched: str = ""  #: why a target that nobody asked to watch was not, where that is known
    workloads: Mapping[str, Stats] = field(default_factory=dict)  #: those of `traffic`
    phase_streams: Mapping[str, str] = field(default_factory=dict)  #: which of them a phase belongs to
    phase_endpoints: Mapping[tuple[str, str], Stats] | None = None  #: by phase and endpoint
    groups: Mapping[str, Latency] | None = None  #: what is measured as a whole, such as `session`
    phase_groups: Mapping[tuple[str, str], tuple[Latency, int]] | None = None  #: both by phase and name
    groups_failed: Mapping[str, int] = field(default_factory=dict)  #: how many of those failed
    #: Those of an old result file are not known.
    iterations: IterationStats | None = None
    phase_iterations: Mapping[str, IterationStats] | None = None
    user_setup: SetupStats | None = None
    setup_requests: Stats | None = None  #: those of `user_setup`; None where there are none
    live: Mapping[Threshold, LiveRecord] | None = None  #: what the Watchdog saw
    off: Collection[
        str | None
    ] = ()  #: endpoints whose times are off through the generator's own lag; None for all together
    freezes: int = 0  #: how often the generator stood still
    present: float = 1.0  #: part of the time in which the event loops of a closed load were not late


def present_in(absent_s: float, duration_s: float) -> float:
    """Return the part of some time in which event loops were there, that were late for so much of it."""
    return max(0.0, 1 - absent_s / duration_s) if duration_s > 0 else 1.0
