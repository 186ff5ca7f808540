"""Frozen figures of a run: what leaves the live deltas.

planned = sent + dropped + skipped + not_reached
sent = completed + unfinished
completed = ok + failed + refused + superseded
error_ratio = failed / (ok + failed)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from stressrunner.metrics.delta import Delta, Series
from stressrunner.metrics.error_key import ErrorKey
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.lateness import LateTimes, without_lag
from stressrunner.plan.outcome import Outcome

__all__ = [
    "ErrorGroup",
    "ErrorSampleRecord",
    "IterationStats",
    "LateRecord",
    "Latency",
    "PhaseStats",
    "SetupFailure",
    "SetupStats",
    "Stats",
    "error_groups",
    "ranked",
    "setup_stats",
    "stats_of",
]


@dataclass(frozen=True, slots=True)
class LateRecord:
    """Of which durations the generator was a part: histograms as `Histogram.encode` writes them, see `metrics.lateness`."""

    measured: str  #: those that were late, as they were measured
    without: str  #: the same without the generator's part; timeouts of its making are left out
    wake: str  #: those without that part that began in, or soon after, a freeze of the generator

    @classmethod
    def of(cls, late: LateTimes) -> "LateRecord":
        """Freeze live ones."""
        return cls(late.measured.encode(), late.without.encode(), late.wake.encode())

    def times(self) -> LateTimes:
        """Return the live form again."""
        return LateTimes(*map(Histogram.decode, (self.measured, self.without, self.wake)))


@dataclass(frozen=True)
class Latency:
    """A distribution of durations in seconds; a percentile that falls among what never ended is None."""

    count: int  #: durations that ended
    never: int  #: durations that did not, and rank last
    min_s: float | None
    mean_s: float | None
    stddev_s: float | None
    p50_s: float | None
    p90_s: float | None
    p95_s: float | None
    p99_s: float | None
    p99_9_s: float | None
    max_s: float | None
    histogram: str  #: everything that was counted, as `Histogram.encode` writes it
    late: LateRecord | None = None  #: what of it the generator was a part of; None for nothing

    @classmethod
    def of(cls, histogram: Histogram, late: LateTimes | None = None) -> "Latency":
        """Freeze a live histogram, of which some were late."""
        return cls(
            count=histogram.count,
            never=histogram.never,
            min_s=None if histogram.min_ns is None else histogram.min_ns / 1e9,
            mean_s=histogram.mean_s,
            stddev_s=histogram.stddev_s,
            p50_s=histogram.percentile_s(50),
            p90_s=histogram.percentile_s(90),
            p95_s=histogram.percentile_s(95),
            p99_s=histogram.percentile_s(99),
            p99_9_s=histogram.percentile_s(99.9),
            max_s=None if histogram.max_ns is None else histogram.max_ns / 1e9,
            histogram=histogram.encode(),
            late=None if late is None or late.is_empty else LateRecord.of(late),
        )

    @cached_property
    def distribution(self) -> Histogram:
        """The live form again, for percentiles that have no field."""
        return Histogram.decode(self.histogram)

    @cached_property
    def without_lag(self) -> tuple[Histogram, ...]:
        """Without what the generator added; and again without the wakes of its freezes, where there are any."""
        return (
            (self.distribution,) if self.late is None else without_lag(self.distribution, self.late.times())
        )


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of the requests of an endpoint, a phase or a whole run."""

    planned: int
    sent: int
    completed: int
    ok: int
    failed: int
    refused: int
    superseded: int
    unfinished: int  #: in flight when the run was cut off
    dropped: int  #: arrivals given up because too much was in flight
    skipped: int  #: prevented by an earlier failure of their iteration
    not_reached: int  #: the run ended before they were due
    error_ratio: float | None  #: None when nothing was ok or failed
    throughput_per_s: float  #: completed
    goodput_per_s: float  #: ok
    bytes_sent: int
    bytes_received: int
    redirects: int  #: requests that redirects asked for, not among `sent`
    resent: int  #: requests sent a second time over a new connection, counted once in `sent`
    status: Mapping[str, int]
    response_time: Latency  #: successes, from the moment due; what never ended ranks last
    service_time: Latency  #: successes, from the first byte written
    ttfb: Latency  #: successes, from the first byte written to the first byte received
    connect: Latency  #: opening connections
    response_time_failed: Latency
    late: int = 0  #: requests of which more than 5 ms were the generator's own time, or timeouts or drops of its making
    certain: int = 0  #: of the failed ones: wrong replies, and what failed while the generator was punctual
    certain_replies: int = (
        0  #: of those: complete replies whose status or content is wrong, whenever they came
    )
    #: the part of the planned requests, or of the planned time where that alone ends phases, that was not reached, the
    #: larger of both; None where neither was planned
    not_reached_ratio: float | None = None
    #: of the failed and the dropped ones: those that may be the generator's doing, as it did not read or released them
    #: late, or that were due in the wake of a freeze; wrong replies are not among them
    failed_by_lag: int = 0
    dropped_by_lag: int = 0


@dataclass(frozen=True, slots=True)
class IterationStats:
    """What became of iterations."""

    ended: int  #: those that could not begin included
    in_error: int  #: could not begin, or failed although none of their requests failed or was refused


@dataclass(frozen=True, slots=True)
class SetupFailure:
    """A request of `user_setup` that failed."""

    endpoint: str
    kind: str  #: of the error, such as `http 401`
    count: int


@dataclass(frozen=True, slots=True)
class SetupStats:
    """How users were set up, in all phases; the times of their attempts are among what is measured as a whole."""

    users_failed: int  #: users that could never be set up
    failures: tuple[SetupFailure, ...]  #: the most frequent first


@dataclass(frozen=True, slots=True)
class PhaseStats:
    """A phase of the load and what became of its requests."""

    name: str
    warmup: bool
    started_at_s: float  #: after the load began
    duration_s: float  #: that its rates are over: its own length, or until 99 % of its requests had ended
    totals: Stats
    late: int = 0  #: requests that ended later
    late_s: float = 0.0  #: how much later the last of them did


@dataclass(frozen=True, slots=True)
class ErrorSampleRecord:
    """One error of a group."""

    at_s: float  #: after the load began
    endpoint: str
    status: int | None
    message: str
    excerpt: str  #: start of the response's body


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """All errors of one kind, with the same check or capture and the same status."""

    kind: str
    count: int
    first_at_s: float  #: after the load began
    last_at_s: float
    samples: tuple[ErrorSampleRecord, ...]
    rule: str = ""  #: the check or `until` that failed, or the name of the capture; empty for other kinds
    status: int | None = None  #: of the responses; None without one

    @property
    def key(self) -> ErrorKey:
        """What the errors have in common."""
        return ErrorKey(self.kind, self.rule, self.status or 0)


def stats_of(
    all_series: Iterable[Series], *, planned: int, duration_s: float, missing_time: float | None = None
) -> Stats:
    """Freeze the sum of some series; rates are over `duration_s`, what is missing from `planned` was not reached.

    `missing_time` is the part of the time of phases that was not reached, where time alone ends them.
    """
    total = Series()
    for series in all_series:
        total.merge(series)
    ok, failed = total.outcomes[Outcome.OK], total.outcomes[Outcome.FAILED]
    completed = total.sent - total.outcomes[Outcome.UNFINISHED]
    accounted = total.sent + total.dropped + total.skipped
    return Stats(
        planned=planned,
        sent=total.sent,
        completed=completed,
        ok=ok,
        failed=failed,
        refused=total.outcomes[Outcome.REFUSED],
        superseded=total.outcomes[Outcome.SUPERSEDED],
        unfinished=total.outcomes[Outcome.UNFINISHED],
        dropped=total.dropped,
        skipped=total.skipped,
        not_reached=planned - accounted,
        error_ratio=failed / (ok + failed) if ok + failed else None,
        throughput_per_s=completed / duration_s if duration_s > 0 else 0.0,
        goodput_per_s=ok / duration_s if duration_s > 0 else 0.0,
        bytes_sent=total.bytes_sent,
        bytes_received=total.bytes_received,
        redirects=total.redirects,
        resent=total.resent,
        status={str(code): n for code, n in sorted(total.status.items())},
        response_time=Latency.of(total.response_time, total.late_times.get("response_time")),
        service_time=Latency.of(total.service_time, total.late_times.get("service_time")),
        ttfb=Latency.of(total.ttfb, total.late_times.get("ttfb")),
        connect=Latency.of(total.connect, total.late_times.get("connect")),
        response_time_failed=Latency.of(total.failed_time, total.late_times.get("failed_time")),
        late=total.late,
        certain=total.certain,
        certain_replies=total.certain_replies,
        not_reached_ratio=_larger((planned - accounted) / planned if planned else None, missing_time),
        failed_by_lag=total.failed_by_lag,
        dropped_by_lag=total.dropped_by_lag,
    )


def _larger(one: float | None, other: float | None) -> float | None:
    known = [ratio for ratio in (one, other) if ratio is not None]
    return max(known, default=None)


def setup_stats(delta: Delta, endpoints: Sequence[str]) -> SetupStats:
    """Freeze what a delta has of `user_setup`; its indices are into `endpoints`."""
    failures = [
        SetupFailure(endpoints[endpoint], kind, count)
        for (stage, endpoint, kind), count in delta.excluded_failures.items()
        if stage == "user_setup"
    ]
    failures.sort(key=lambda each: (-each.count, each.endpoint, each.kind))
    return SetupStats(delta.not_set_up, tuple(failures))


def error_groups(delta: Delta, endpoints: tuple[str, ...], origin_ns: int) -> tuple[ErrorGroup, ...]:
    """Freeze the errors of a delta, the most frequent group first."""

    def at_s(ns: int) -> float:
        return (ns - origin_ns) / 1e9

    groups = [
        ErrorGroup(
            key.kind,
            errors.count,
            at_s(errors.first_ns),
            at_s(errors.last_ns),
            tuple(
                ErrorSampleRecord(
                    at_s(s.at_ns), endpoints[s.endpoint], s.status or None, s.message, s.excerpt
                )
                for s in errors.samples
            ),
            key.rule,
            key.status or None,
        )
        for key, errors in delta.errors.items()
    ]
    return ranked(groups)


def ranked(groups: Iterable[ErrorGroup]) -> tuple[ErrorGroup, ...]:
    """Return groups of errors in the order of reports: the most frequent first."""
    return tuple(sorted(groups, key=lambda group: (-group.count, group.key)))
