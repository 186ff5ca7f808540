"""What generators hand over, added up, and the summary drawn from it.

Rates of a phase are over its own length, or over the time until 99 % of what it sent had ended if that is longer: a
backlog that is worked off after the end flatters nothing, and a straggler does not make a rate of it that nobody saw.
Where work alone ends a phase, its length is that time and the last hundredth at the same pace.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from stressrunner.metrics.delta import Delta, Series
from stressrunner.metrics.exemplars import Exemplar
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.lateness import LateTimes
from stressrunner.metrics.spell import Second, WorstSpell
from stressrunner.metrics.summary import (
    ErrorGroup,
    IterationStats,
    Latency,
    PhaseStats,
    SetupStats,
    Stats,
    error_groups,
    setup_stats,
    stats_of,
)
from stressrunner.metrics.timeline import Offer, Timeline, TimelinePoint
from stressrunner.plan.outcome import Outcome
from stressrunner.plan.pacing import Ramp

__all__ = ["Aggregator", "PhaseOutline", "Summary"]

_MOST = Fraction(99, 100)  #: of the requests of a phase; the others are stragglers


@dataclass(frozen=True, slots=True)
class PhaseOutline:
    """What the aggregator needs to know of a phase."""

    name: str
    warmup: bool
    planned: Mapping[int, int] | None  #: requests per endpoint; None when time alone ends the phase
    offered: Ramp | None = None  #: requests that it is to send over time; None without a rate
    workload: str = ""  #: that it is a part of, if that has a name
    length_s: float | None = None  #: that it is planned to have; None when work alone ends it
    arrivals: int = 0  #: of a phase with a rate
    sends_single: bool = True  #: each of its iterations is one request, and is not counted apart


@dataclass(frozen=True, slots=True)
class Summary:
    """Frozen figures of a load: warm-up is in its phase, the timeline and the errors, and in nothing else."""

    duration_s: float  #: from the beginning of the load until its last request ended
    totals: Stats
    endpoints: Mapping[str, Stats]
    phases: tuple[PhaseStats, ...]
    workloads: Mapping[str, Stats]  #: those that have names
    phase_endpoints: Mapping[tuple[str, str], Stats]  #: (phase, endpoint)
    timeline: tuple[TimelinePoint, ...]
    groups: Mapping[str, Latency]  #: lengths of what is measured as a whole and has passed, such as `session`
    groups_failed: Mapping[str, int]  #: how many of them failed; each has an entry in `groups` too
    phase_groups: Mapping[
        tuple[str, str], tuple[Latency, int]
    ]  #: both by the phase that they began in, and name
    iterations: IterationStats
    phase_iterations: Mapping[str, IterationStats]
    user_setup: SetupStats
    excluded: Mapping[
        str, Stats
    ]  #: requests beside the load, by their kind; they are in nothing else but the errors
    errors: tuple[ErrorGroup, ...]
    lag: Latency
    queue: Latency
    connecting: Latency
    stalls: Latency  #: how much later than asked timers of the generator's event loop fired
    freezes: int  #: how often the generator was away for 50 ms or more and did not work
    absent_s: float  #: how long its event loops were late, in all
    idle_s: float  #: of that, how long their processes were kept from running, each time by more than 5 ms
    apart_from_spell: (
        Latency  #: response times without the two neighbouring seconds with most of the generator's own time
    )
    late_in_spell: int  #: requests of these two seconds that were late
    offered: (
        float | None
    )  #: part of the arrivals of phases with a rate that were released in time; None without
    collections: Latency  #: pauses of the generator's garbage collection
    token_requests: int  #: sent for access tokens, and counted nowhere else
    token_failures: int  #: of them, that gave no token
    exemplars: tuple[Exemplar, ...]  #: exchanges that were kept whole, timed from the beginning of the load
    failed_checks: Mapping[tuple[str, str], int]  #: by endpoint and check


class Aggregator:
    """Adds up deltas."""

    def __init__(
        self,
        endpoints: Sequence[str],
        phases: Sequence[PhaseOutline],
        origin_ns: int,
        *,
        excluded: Sequence[str] = (),
    ) -> None:
        """Begin with nothing counted.

        Args:
            endpoints: names of those that the load sends.
            phases: what is known of each phase.
            origin_ns: when the load began, monotonic.
            excluded: names of the endpoints that are sent beside it alone, whose indices go on.
        """
        self._endpoints = tuple(endpoints)
        self._named = (*endpoints, *excluded)
        self._phases = tuple(phases)
        self._origin_ns = origin_ns
        self._timeline = Timeline()
        self._lasted_s: Mapping[int, float] = {}  # the phases that have begun
        self._spell = WorstSpell()
        self.total = Delta()

    def add(self, delta: Delta, from_ns: int, to_ns: int) -> None:
        """Add what was counted between two moments."""
        self.total.merge(delta)
        self._spell.add(
            Second.of(series for (p, _), series in delta.series.items() if not self._phases[p].warmup)
        )
        self._timeline.add(delta, (from_ns - self._origin_ns) / 1e9, (to_ns - from_ns) / 1e9)

    def summary(self, spans: Mapping[int, tuple[int, int]]) -> Summary:
        """Freeze the figures; `spans` are beginning and end of the phases that have begun, by their indices."""
        self._lasted_s = {i: (end - start) / 1e9 for i, (start, end) in spans.items()}
        phases = {i: (start, self._end_ns(i, start, end)) for i, (start, end) in spans.items()}
        counted = [i for i in range(len(self._phases)) if not self._phases[i].warmup]
        duration_s = _duration_s(counted, phases)
        everywhere = range(len(self._endpoints))
        totals = self._stats(counted, everywhere, duration_s)
        all_series = self._series(counted, everywhere)
        everything = Second.of(all_series)
        return Summary(
            duration_s=(self._last_ns(spans) - self._origin_ns) / 1e9,
            totals=totals,
            endpoints={name: self._stats(counted, [i], duration_s) for i, name in enumerate(self._endpoints)},
            phases=tuple(self._phase(i, phases.get(i)) for i in range(len(self._phases))),
            workloads=self._workloads(counted, phases),
            phase_endpoints={
                (self._phases[p].name, name): self._stats([p], [i], (end - start) / 1e9)
                for p, (start, end) in phases.items()
                for i, name in enumerate(self._endpoints)
            },
            timeline=self._timeline.points(self._offers(spans)),
            groups=self._groups(),
            groups_failed=_by_name(self.total.groups_failed),
            phase_groups={
                (self._phases[p].name, name): (
                    Latency.of(lengths, self.total.groups_late.get((p, name))),
                    self.total.groups_failed[p, name],
                )
                for (p, name), lengths in self.total.groups.items()
            },
            iterations=self._iterations(counted),
            phase_iterations={self._phases[i].name: self._iterations([i]) for i in range(len(self._phases))},
            user_setup=setup_stats(self.total, self._named),
            excluded={
                kind: stats_of([series], planned=series.sent, duration_s=0)
                for kind, series in self.total.excluded.items()
            },
            errors=error_groups(self.total, self._named, self._origin_ns),
            lag=Latency.of(_merged(series.lag for series in all_series)),
            queue=Latency.of(_merged(series.queue for series in all_series)),
            connecting=Latency.of(_merged(series.connecting for series in all_series)),
            stalls=Latency.of(self.total.stalls),
            freezes=self.total.freezes,
            absent_s=self.total.absent_ns / 1e9,
            idle_s=self.total.idle_ns / 1e9,
            apart_from_spell=Latency.of(*self._spell.rest(everything.times, everything.late_times)),
            late_in_spell=self._spell.worst.late,
            offered=self._offered(counted),
            collections=Latency.of(self.total.collections),
            token_requests=self.total.token_requests,
            token_failures=self.total.token_failures,
            exemplars=self.total.exemplars.exemplars(self._origin_ns),
            failed_checks={
                (self._endpoints[endpoint], check): count
                for (endpoint, check), count in self.total.exemplars.checks.items()
            },
        )

    def _groups(self) -> Mapping[str, Latency]:
        found: dict[str, list[Histogram]] = {}
        for (_, name), lengths in self.total.groups.items():
            found.setdefault(name, []).append(lengths)
        late: dict[str, LateTimes] = {}
        for (_, name), times in self.total.groups_late.items():
            late.setdefault(name, LateTimes()).merge(times)
        return {name: Latency.of(_merged(found[name]), late.get(name)) for name in sorted(found)}

    def _iterations(self, phases: Sequence[int]) -> IterationStats:
        """Return the iterations of some phases; where they are single requests, those that ended."""
        single = {i for i in phases if self._phases[i].sends_single}
        all_series = [series for (phase, _), series in self.total.series.items() if phase in single]
        ended = sum(series.sent - series.outcomes[Outcome.UNFINISHED] for series in all_series)
        return IterationStats(
            ended + sum(self.total.iterations[i] for i in phases),
            sum(self.total.iterations_in_error[i] for i in phases),
        )

    def _workloads(self, counted: Sequence[int], spans: Mapping[int, tuple[int, int]]) -> Mapping[str, Stats]:
        """Return the counts of each workload that has a name, over the time from its beginning to its end."""
        everywhere = range(len(self._endpoints))
        of: dict[str, list[int]] = {outline.workload: [] for outline in self._phases if outline.workload}
        for i in counted:
            if self._phases[i].workload:
                of[self._phases[i].workload].append(i)
        return {name: self._stats(own, everywhere, _duration_s(own, spans)) for name, own in of.items()}

    def _offered(self, phases: Sequence[int]) -> float | None:
        arrivals = sum(self._phases[i].arrivals for i in phases)
        late = sum(self.total.late_arrivals[i] for i in phases)
        return 1 - late / arrivals if arrivals else None

    def _offers(self, spans: Mapping[int, tuple[int, int]]) -> list[Offer]:
        begun = ((self._phases[i].offered, start) for i, (start, _) in spans.items())
        return [
            Offer((start - self._origin_ns) / 1e9, offered) for offered, start in begun if offered is not None
        ]

    def _end_ns(self, phase: int, start_ns: int, end_ns: int) -> int:
        """Return when a phase ended as far as its rates are concerned; by itself it did at `end_ns`."""
        ends = self.total.ends.get(phase)
        most_ns = None if ends is None else ends.reached_ns(_MOST)
        if most_ns is None:
            return end_ns
        if self._phases[phase].length_s is None:
            most_ns = start_ns + round((most_ns - start_ns) / _MOST)
        return max(end_ns, min(most_ns, self._last_of_ns(phase)))

    def _last_of_ns(self, phase: int) -> int:
        """Return when the last request of a phase ended."""
        return max(
            (series.last_ns for (of, _), series in self.total.series.items() if of == phase), default=0
        )

    def _last_ns(self, spans: Mapping[int, tuple[int, int]]) -> int:
        """Return when the last phase and the last request had ended."""
        ends = [max(end, self._last_of_ns(phase)) for phase, (_, end) in spans.items()]
        return max(ends, default=self._origin_ns)

    def _series(self, phases: Iterable[int], endpoints: Iterable[int]) -> list[Series]:
        wanted = {(p, e) for p in phases for e in endpoints}
        return [series for key, series in self.total.series.items() if key in wanted]

    def _stats(self, phases: Sequence[int], endpoints: Sequence[int], duration_s: float) -> Stats:
        return stats_of(
            self._series(phases, endpoints),
            planned=self._planned(phases, endpoints),
            duration_s=duration_s,
            missing_time=self._missing_time(phases),
        )

    def _missing_time(self, phases: Sequence[int]) -> float | None:
        """Return the part of the time of some phases that was not reached; None where none is ended by time alone."""
        timed = {i: s for i in phases if (s := self._phases[i].length_s) and self._phases[i].planned is None}
        if not timed:
            return None
        missing_s = sum(max(0.0, length_s - self._lasted_s.get(i, 0.0)) for i, length_s in timed.items())
        return missing_s / sum(timed.values())

    def _planned(self, phases: Sequence[int], endpoints: Sequence[int]) -> int:
        """Return the planned requests, with those that came up on the way.

        In a phase that time alone ends, planned are the ones it came to.
        """
        planned = 0
        for phase in phases:
            fixed = self._phases[phase].planned
            if fixed is None:
                all_series = self._series([phase], endpoints)
                planned += sum(series.sent + series.dropped + series.skipped for series in all_series)
            else:
                planned += sum(fixed.get(endpoint, 0) for endpoint in endpoints)
                planned += sum(series.unplanned for series in self._series([phase], endpoints))
        return planned

    def _phase(self, index: int, span: tuple[int, int] | None) -> PhaseStats:
        outline = self._phases[index]
        start, end = span or (self._origin_ns, self._origin_ns)
        duration_s = (end - start) / 1e9
        totals = self._stats([index], range(len(self._endpoints)), duration_s)
        ends, last = self.total.ends.get(index), self._last_of_ns(index)
        return PhaseStats(
            outline.name,
            outline.warmup,
            (start - self._origin_ns) / 1e9,
            duration_s,
            totals,
            late=0 if ends is None or last <= end else max(1, ends.after(end)),
            late_s=max(0, last - end) / 1e9,
        )


def _duration_s(phases: Iterable[int], spans: Mapping[int, tuple[int, int]]) -> float:
    """Return how long it was from the beginning of the first of some phases to the end of the last one."""
    begun = [spans[i] for i in phases if i in spans]
    return (max(end for _, end in begun) - min(start for start, _ in begun)) / 1e9 if begun else 0.0


def _by_name(counts: Mapping[tuple[int, str], int]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for (_, name), count in counts.items():
        found[name] += count
    return dict(sorted(found.items()))


def _merged(histograms: Iterable[Histogram]) -> Histogram:
    total = Histogram()
    for histogram in histograms:
        total.merge(histogram)
    return total
