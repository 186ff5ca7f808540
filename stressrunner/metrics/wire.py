"""Deltas as JSON values and back, so that a generator can hand them to a coordinator in another process.

Moments cross as nanoseconds after the load began, because clocks of different machines have nothing in common.
Histograms are lists of numbers here and not the text of the result file: that text is a third of the size and takes
twenty times as long to write, on the event loop that sends the load.

Merging what was read back is the same as merging what was written (test_wire_copies_merge_as_originals).
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from stressrunner.engine.attempt import Attempt
from stressrunner.metrics.delta import Delta, ErrorCounts, ErrorSample, Series
from stressrunner.metrics.ends import Ends
from stressrunner.metrics.error_key import ErrorKey
from stressrunner.metrics.exemplars import exemplars_from_wire, exemplars_to_wire
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.lateness import LateTimes
from stressrunner.plan.reply import Reply

__all__ = ["delta_from_wire", "delta_to_wire"]


def _slots_of(kind: type) -> tuple[str, ...]:
    """Return which slots of a series hold a value of a kind, so that one that is added crosses too."""
    series = Series()
    return tuple(
        name for name in Series.__slots__ if type(getattr(series, name)) is kind and name != "last_ns"
    )


_COUNTS = _slots_of(int)
_HISTOGRAMS = _slots_of(Histogram)


def _histogram_to_wire(histogram: Histogram) -> list[Any] | None:
    """Return a histogram as lists of numbers; None stands for an empty one."""
    if not histogram.count and not histogram.never:
        return None
    sums = [histogram.count, histogram.never, histogram.sum_ns, histogram.sum_squares]
    ends = [histogram.min_ns, histogram.max_ns]
    return [*sums, *ends, list(histogram.counts), list(histogram.counts.values())]


def _histogram_from_wire(wire: Any) -> Histogram:
    """Read what `_histogram_to_wire` wrote.

    Raises:
        ValueError: it is no histogram, or its parts contradict each other.
    """
    histogram = Histogram()
    if wire is None:
        return histogram
    count, never, sum_ns, sum_squares, min_ns, max_ns, buckets, counts = wire
    if sum(counts) != count or len(set(buckets)) != len(counts):
        raise ValueError("the parts of a histogram contradict each other")
    histogram.count, histogram.never = count, never
    histogram.sum_ns, histogram.sum_squares = sum_ns, sum_squares
    histogram.min_ns, histogram.max_ns = min_ns, max_ns
    histogram.counts = dict(zip(map(_shared, buckets), counts, strict=True))
    return histogram


@lru_cache(maxsize=50_000)
def _shared(bucket: int) -> int:
    """Return the number of a bucket as an object that all histograms share.

    Each message brings numbers of its own, and those of the first one that tells of a bucket stay for the whole run:
    in all histograms of all endpoints that would be a third of what these take.
    """
    return bucket


def delta_to_wire(delta: Delta, origin_ns: int) -> dict[str, Any]:
    """Return a delta as JSON values; the load began at `origin_ns` of the clock that the delta was counted by."""
    return {
        "series": [[*key, _series_to_wire(series, origin_ns)] for key, series in delta.series.items()],
        "ends": [[phase, *_ends_to_wire(ends, origin_ns)] for phase, ends in delta.ends.items()],
        "errors": [[*key, _errors_to_wire(errors, origin_ns)] for key, errors in delta.errors.items()],
        "groups": [[*key, _histogram_to_wire(lengths)] for key, lengths in delta.groups.items()],
        "groups_failed": [[*key, count] for key, count in delta.groups_failed.items()],
        "groups_late": [[*key, _late_to_wire(late)] for key, late in delta.groups_late.items()],
        "iterations": [[phase, n, delta.iterations_in_error[phase]] for phase, n in delta.iterations.items()],
        "not_set_up": delta.not_set_up,
        "excluded_failures": [[*key, count] for key, count in delta.excluded_failures.items()],
        "excluded": {kind: _series_to_wire(series, origin_ns) for kind, series in delta.excluded.items()},
        "in_flight": delta.in_flight,
        "tokens": [delta.token_requests, delta.token_failures, delta.tokens],
        "stalls": _histogram_to_wire(delta.stalls),
        "absences": [delta.absent_ns, delta.idle_ns, delta.freezes],
        "late_arrivals": list(delta.late_arrivals.items()),
        "collections": _histogram_to_wire(delta.collections),
        "exemplars": exemplars_to_wire(delta.exemplars, origin_ns),
        "attempts": [
            attempt._replace(sent_ns=attempt.sent_ns - origin_ns, ended_ns=attempt.ended_ns - origin_ns)
            for attempt in delta.attempts
        ],
    }


def delta_from_wire(wire: Any, origin_ns: int) -> Delta:
    """Read what `delta_to_wire` wrote; the load began at `origin_ns` of the reader's clock.

    Raises:
        ValueError: it is no delta.
    """
    delta = Delta()
    try:
        for phase, endpoint, series in wire["series"]:
            delta.series[phase, endpoint] = _series_from_wire(series, origin_ns)
        for phase, moments_ns, counts in wire["ends"]:
            delta.ends[phase] = Ends()
            delta.ends[phase].add(zip((ns + origin_ns for ns in moments_ns), counts, strict=True))
        for kind, rule, status, errors in wire["errors"]:
            delta.errors[ErrorKey(kind, rule, status)] = _errors_from_wire(errors, origin_ns)
        for phase, name, lengths in wire["groups"]:
            delta.groups[phase, name] = _histogram_from_wire(lengths)
        delta.groups_failed.update({(phase, name): count for phase, name, count in wire["groups_failed"]})
        for phase, name, late in wire["groups_late"]:
            delta.groups_late[phase, name] = _late_from_wire(late)
        for phase, count, in_error in wire["iterations"]:
            delta.iterations[phase], delta.iterations_in_error[phase] = count, in_error
        delta.not_set_up = wire["not_set_up"]
        delta.excluded_failures.update({tuple(key): count for *key, count in wire["excluded_failures"]})
        for kind, series in wire["excluded"].items():
            delta.excluded[kind] = _series_from_wire(series, origin_ns)
        delta.in_flight = wire["in_flight"]
        delta.stalls = _histogram_from_wire(wire["stalls"])
        delta.absent_ns, delta.idle_ns, delta.freezes = wire["absences"]
        delta.late_arrivals.update(dict(wire["late_arrivals"]))
        delta.collections = _histogram_from_wire(wire["collections"])
        delta.token_requests, delta.token_failures, delta.tokens = wire["tokens"]
        delta.exemplars = exemplars_from_wire(wire["exemplars"], origin_ns)
        delta.attempts = [_attempt_from_wire(row, origin_ns) for row in wire["attempts"]]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"this is no delta: {error!r}") from error
    return delta


def _attempt_from_wire(row: Any, origin_ns: int) -> Attempt:
    attempt = Attempt(*row)
    return attempt._replace(
        sent_ns=attempt.sent_ns + origin_ns,
        ended_ns=attempt.ended_ns + origin_ns,
        reply=Reply(attempt.reply),
    )


def _series_to_wire(series: Series, origin_ns: int) -> dict[str, Any]:
    return {
        "counts": {name: getattr(series, name) for name in _COUNTS},
        "last_ns": series.last_ns - origin_ns if series.last_ns else None,
        "outcomes": series.outcomes,
        "status": list(series.status.items()),
        "times": {name: _histogram_to_wire(getattr(series, name)) for name in _HISTOGRAMS},
        "late": {name: _late_to_wire(late) for name, late in series.late_times.items()},
    }


def _series_from_wire(wire: Mapping[str, Any], origin_ns: int) -> Series:
    series = Series()
    for name in _COUNTS:
        setattr(series, name, wire["counts"][name])
    series.last_ns = 0 if wire["last_ns"] is None else wire["last_ns"] + origin_ns
    series.outcomes = list(wire["outcomes"])
    series.status = Counter(dict(wire["status"]))
    for name in _HISTOGRAMS:
        setattr(series, name, _histogram_from_wire(wire["times"][name]))
    series.late_times = {name: _late_from_wire(late) for name, late in wire["late"].items()}
    return series


def _ends_to_wire(ends: Ends, origin_ns: int) -> tuple[list[int], list[int]]:
    return [at_ns - origin_ns for at_ns in ends.counts], list(ends.counts.values())


def _late_to_wire(late: LateTimes) -> list[Any]:
    return [_histogram_to_wire(part) for part in (late.measured, late.without, late.wake)]


def _late_from_wire(wire: Any) -> LateTimes:
    measured, without, wake = map(_histogram_from_wire, wire)
    return LateTimes(measured, without, wake)


def _errors_to_wire(errors: ErrorCounts, origin_ns: int) -> list[Any]:
    samples = [
        [sample.at_ns - origin_ns, sample.endpoint, sample.status, sample.message, sample.excerpt]
        for sample in errors.samples
    ]
    return [errors.first_ns - origin_ns, errors.last_ns - origin_ns, errors.count, samples]


def _errors_from_wire(wire: Any, origin_ns: int) -> ErrorCounts:
    first_ns, last_ns, count, samples = wire
    kept = [ErrorSample(at_ns + origin_ns, *rest) for at_ns, *rest in samples]
    return ErrorCounts(first_ns + origin_ns, last_ns + origin_ns, count, kept)
