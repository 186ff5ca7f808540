"""What a threshold measures: the one figure that it names, with the samples that the figure rests on.

The same functions read the frozen figures of a run and the live counts of a window.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from types import MappingProxyType

from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.summary import Stats
from stressrunner.scenario.threshold import Metric, Threshold

__all__ = ["Aggregate", "Measurement", "count_against", "holds", "measure", "measure_group", "measure_times"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure in the base unit of its threshold."""

    value: float | None  #: infinite for a duration that did not end; None when there is no figure
    samples: int | None = None  #: how many it rests on; None for a figure that rests on none, such as memory
    against: int = 0  #: of a percentile of a whole run: samples that speak against the threshold
    note: str = ""  #: why there is no figure, or what it leaves out
    skipped: bool = False  #: there can be no figure, for a reason that is nobody's fault
    fails: bool = False  #: whatever the figure is, the threshold does not hold; the note says why
    without_lag: float | None = (
        None  #: the figure without the generator's own lag; None where that has no part in it
    )
    certain: float | None = (
        None  #: of errors: the figure, if only those counted that no doubt about the generator explains
    )
    certain_replies: float | None = None  #: the same, if only complete replies counted


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Requests that a threshold speaks about: of a whole run, a phase, an endpoint or a window."""

    planned: int
    sent: int
    completed: int
    ok: int
    failed: int
    refused: int
    dropped: int
    unfinished: int
    throughput_per_s: float | None  #: None when no time was measured
    goodput_per_s: float | None
    times: Histogram  #: of the threshold's metric
    not_reached: int | None = None  #: None while a load goes on
    not_reached_ratio: float | None = None  #: part of the requests or of the time, as in `Stats`
    without_lag: tuple[Histogram, ...] = ()  #: the same without the generator's own lag, in one or two ways
    certain: int = 0  #: failed requests that no doubt about the generator explains
    certain_replies: int = 0  #: of those, complete replies
    present: float = 1.0  #: part of the time in which the event loops of a closed load were not late
    failed_by_lag: int = 0  #: of the failed and the dropped: what may be the generator's doing
    dropped_by_lag: int = 0

    @classmethod
    def of(cls, stats: Stats, metric: Metric, present: float = 1.0) -> "Aggregate":
        """Take them from frozen figures; where nothing was planned there is no throughput."""
        times = getattr(stats, metric)
        return cls(
            planned=stats.planned,
            sent=stats.sent,
            completed=stats.completed,
            ok=stats.ok,
            failed=stats.failed,
            refused=stats.refused,
            dropped=stats.dropped,
            unfinished=stats.unfinished,
            throughput_per_s=stats.throughput_per_s if stats.planned else None,
            goodput_per_s=stats.goodput_per_s if stats.planned else None,
            not_reached=stats.not_reached,
            not_reached_ratio=_not_reached_ratio(stats),
            times=times.distribution,
            without_lag=times.without_lag if times.late is not None else (),
            certain=stats.certain,
            certain_replies=stats.certain_replies,
            present=present,
            failed_by_lag=stats.failed_by_lag,
            dropped_by_lag=stats.dropped_by_lag,
        )

    @classmethod
    def counts(cls, several: Collection[Stats]) -> "Aggregate":
        """Sum the counts of several; what is no count is left out."""
        names = (
            "planned",
            "sent",
            "completed",
            "ok",
            "failed",
            "refused",
            "dropped",
            "unfinished",
            "certain",
            "certain_replies",
            "failed_by_lag",
            "dropped_by_lag",
        )
        sums = {name: sum(getattr(stats, name) for stats in several) for name in names}
        return cls(**sums, throughput_per_s=None, goodput_per_s=None, times=Histogram())


def holds(threshold: Threshold, value: float) -> bool:
    """Return whether a figure satisfies the threshold; an infinite one is above every limit."""
    return threshold.is_satisfied_by(value)


def measure(threshold: Threshold, aggregate: Aggregate) -> Measurement:
    """Return the figure of requests that the threshold names.

    A stat that requests do not have gives a measurement without a value, and a note.
    """
    if threshold.percentile is not None or threshold.stat in _TIMES:
        return measure_times(threshold, aggregate.times, aggregate.without_lag)
    if threshold.stat not in _COUNTED:
        return Measurement(None, note=f"requests have no figure '{threshold.stat}'")
    return _COUNTED[threshold.stat](threshold, aggregate)


def measure_group(
    threshold: Threshold, times: Histogram, failed: int, without_lag: Sequence[Histogram] = ()
) -> Measurement:
    """Return the figure that the threshold names of what is measured as a whole: a time, `errors` or `count`."""
    ended = times.count + failed
    if threshold.stat == "errors":
        return Measurement(failed / ended if ended else None, ended)
    if threshold.stat == "count":
        return Measurement(ended, ended)
    return measure_times(threshold, times, without_lag)


def measure_times(
    threshold: Threshold, times: Histogram, without_lag: Sequence[Histogram] = ()
) -> Measurement:
    """Return the percentile, min, mean or max that the threshold names, in seconds.

    min, mean and max are of what ended; the note says how many did not. Without lag it is the lowest of those that
    `without_lag` have, and 0 where the generator had a part in everything.
    """
    found = _measure_times(threshold, times)
    if found.value is None or not without_lag:
        return found
    values = [_measure_times(threshold, each).value for each in without_lag]
    lowest = min(0.0 if value is None else value for value in values)
    return replace(found, without_lag=lowest) if lowest < found.value else found


def _measure_times(threshold: Threshold, times: Histogram) -> Measurement:
    samples = times.count + times.never
    if threshold.percentile is None:
        if threshold.stat not in _TIMES:
            return Measurement(None, samples, note=f"only times are measured of it, not '{threshold.stat}'")
        never = f"{times.never:,} that never ended are left out" if times.never else ""
        return Measurement(_TIMES[threshold.stat](times), samples, note=never)
    if samples == 0:
        return Measurement(None, 0)
    value = times.percentile_s(threshold.percentile)
    if value is None:
        part = f"{100 - threshold.percentile:g}"
        return Measurement(inf, samples, note=f"never: more than {part} % did not finish")
    return Measurement(value, samples)


def count_against(threshold: Threshold, times: Histogram) -> int:
    """Return how many durations speak against a threshold on a percentile; it costs a walk over all buckets."""
    samples = times.count + times.never
    over = round(times.share_over(threshold.limit) * samples)
    return samples - over if threshold.op in (">", ">=") else over


_TIMES: Mapping[str, Callable[[Histogram], float | None]] = MappingProxyType(
    {
        "min": lambda times: None if times.min_ns is None else times.min_ns / 1e9,
        "mean": lambda times: times.mean_s,
        "max": lambda times: None if times.max_ns is None else times.max_ns / 1e9,
    }
)


def _ratio(part: int, whole: int) -> Measurement:
    return Measurement(part / whole if whole else None, whole)


def _errors(a: Aggregate) -> Measurement:
    measurement = _without(_ratio, a.failed, a.ok + a.failed, a.failed_by_lag)
    if not a.completed:
        return measurement
    return replace(
        measurement, certain=a.certain / a.completed, certain_replies=a.certain_replies / a.completed
    )


def _without(measured: Callable[[int, int], Measurement], part: int, whole: int, by_lag: int) -> Measurement:
    """Return a part of some requests, and what it is without those in it that may be the generator's doing."""
    found = measured(part, whole)
    if not by_lag:
        return found
    return replace(found, without_lag=measured(part - by_lag, whole - by_lag).value or 0.0)


def _rate(per_s: float | None, a: Aggregate) -> Measurement:
    """Return a rate; without lag it is over the time in which the event loops of a closed load were there."""
    if per_s is None or not 0 < a.present < 1:
        return Measurement(per_s, a.completed)
    return Measurement(per_s, a.completed, without_lag=per_s / a.present)


def _count_or_ratio(threshold: Threshold, part: int, whole: int, by_lag: int = 0) -> Measurement:
    """Compare a count with a count, and a ratio with a ratio: the limit decides."""
    return _without(Measurement if threshold.dimension == "count" else _ratio, part, whole, by_lag)


def _not_reached_ratio(stats: Stats) -> float | None:
    if stats.not_reached_ratio is None and stats.planned:  # a file of before this was kept
        return stats.not_reached / stats.planned
    return stats.not_reached_ratio


def _unfinished(threshold: Threshold, aggregate: Aggregate) -> Measurement:
    found = _count_or_ratio(threshold, aggregate.unfinished, aggregate.sent)
    return replace(found, note=_CUT_OFF) if aggregate.unfinished else found


def _not_reached(threshold: Threshold, aggregate: Aggregate) -> Measurement:
    is_count = threshold.dimension == "count"
    return Measurement(aggregate.not_reached if is_count else aggregate.not_reached_ratio, aggregate.planned)


_CUT_OFF = (
    "what was in flight at the end was cut off: leave out graceful_stop, so that requests end by their own "
    "timeouts, or write a longer one"
)

_COUNTED: Mapping[str, Callable[[Threshold, Aggregate], Measurement]] = MappingProxyType(
    {
        "errors": lambda _, a: _errors(a),
        "refused": lambda _, a: _ratio(a.refused, a.completed),
        "throughput": lambda _, a: _rate(a.throughput_per_s, a),
        "goodput": lambda _, a: _rate(a.goodput_per_s, a),
        "dropped": lambda threshold, a: _count_or_ratio(threshold, a.dropped, a.planned, a.dropped_by_lag),
        "unfinished": _unfinished,
        "not_reached": _not_reached,
        "count": lambda _, a: Measurement(a.completed, a.completed),
    }
)
