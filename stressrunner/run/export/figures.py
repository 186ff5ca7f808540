"""What is exported of a load, as families of points that Prometheus and OTLP both have: counters, gauges, histograms.

Requests carry the labels `phase` and `endpoint`, so that a warm-up can be left out by name. Times are seconds.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from stressrunner.metrics.delta import Delta, Series
from stressrunner.metrics.histogram import Histogram
from stressrunner.plan.outcome import Outcome
from stressrunner.run.listener import Progress

__all__ = ["BOUNDS_S", "Buckets", "Family", "MetricPoint", "families"]

#: Upper bounds of the buckets of times: three for every power of ten.
BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0)


@dataclass(frozen=True, slots=True)
class Buckets:
    """How many times were in each bucket."""

    counts: tuple[int, ...]  #: a bucket for every bound, and one for what is above the last or never ended
    sum_s: float  #: of those that ended
    min_s: float  #: of those that ended, 0 without any
    max_s: float

    @classmethod
    def of(cls, histogram: Histogram) -> "Buckets":
        """Sum the finer buckets of a histogram; what never ended is in the last one."""
        counts = [0] * (len(BOUNDS_S) + 1)
        for value_us, count in histogram.values_us():
            counts[bisect_left(BOUNDS_S, value_us / 1e6)] += count
        counts[-1] += histogram.never
        ends = ((ns or 0) / 1e9 for ns in (histogram.min_ns, histogram.max_ns))
        return cls(tuple(counts), histogram.sum_ns / 1e9, *ends)

    @property
    def count(self) -> int:
        """All of them."""
        return sum(self.counts)

    @property
    def cumulative(self) -> tuple[int, ...]:
        """How many were in each bucket and those below it."""
        return tuple(accumulate(self.counts))


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One figure, or one distribution."""

    labels: Mapping[str, str]
    value: float | Buckets


@dataclass(frozen=True, slots=True)
class Family:
    """Figures of one kind."""

    name: str  #: without the suffixes that a format adds
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    points: tuple[MetricPoint, ...]
    unit: str = ""


def families(progress: Progress, total: Delta, phases: Sequence[str]) -> tuple[Family, ...]:
    """Return everything that is exported of a load.

    Args:
        progress: where it stands.
        total: everything counted so far.
        phases: the names of its phases, in the order of their numbers.
    """
    endpoints = [endpoint.name for endpoint in progress.endpoints]
    all_series = [
        ({"phase": _name(phases, phase), "endpoint": _name(endpoints, endpoint)}, series)
        for (phase, endpoint), series in total.series.items()
    ]
    run = {"scenario": progress.scenario, "target": progress.target}
    return (
        Family("stressrunner_run", "gauge", "Which run it is; always 1", (MetricPoint(run, 1),)),
        Family("stressrunner_elapsed_seconds", "gauge", "Since the load began", _one(progress.at_s), "s"),
        Family(
            "stressrunner_phase",
            "gauge",
            "The phases that are running, of each workload one; 1",
            tuple(_point(1, phase=phase.name) for phase in progress.phases),
        ),
        Family("stressrunner_in_flight", "gauge", "Requests on their way", _one(progress.in_flight)),
        Family(
            "stressrunner_requests",
            "counter",
            "Requests by what became of them",
            tuple(_outcomes(all_series)),
        ),
        Family(
            "stressrunner_dropped",
            "counter",
            "Arrivals that were given up",
            tuple(MetricPoint(labels, series.dropped) for labels, series in all_series),
        ),
        Family(
            "stressrunner_response_time_seconds",
            "histogram",
            "From the moment a request was due; of successes, and of what never ended",
            tuple(MetricPoint(labels, Buckets.of(series.response_time)) for labels, series in all_series),
            "s",
        ),
        Family("stressrunner_errors", "counter", "Failed requests by kind", tuple(_errors(total))),
        Family(
            "stressrunner_threshold_holds", "gauge", "1 while a threshold holds, 0 while not", _held(progress)
        ),
        *_of_generator(progress),
    )


def _name(names: Sequence[str], index: int) -> str:
    return names[index] if index < len(names) else str(index)


def _point(value: float, **labels: str) -> MetricPoint:
    return MetricPoint(labels, value)


def _one(value: float | None) -> tuple[MetricPoint, ...]:
    return () if value is None else (_point(value),)


def _outcomes(all_series: Iterable[tuple[Mapping[str, str], Series]]) -> Iterator[MetricPoint]:
    for labels, series in all_series:
        for outcome in Outcome:
            if series.outcomes[outcome] or outcome in (Outcome.OK, Outcome.FAILED):
                yield MetricPoint({**labels, "outcome": outcome.name.lower()}, series.outcomes[outcome])


def _errors(total: Delta) -> Iterator[MetricPoint]:
    return (_point(count, kind=kind) for kind, count in total.errors_by_kind.items())


def _held(progress: Progress) -> tuple[MetricPoint, ...]:
    judged = [threshold for threshold in progress.thresholds if threshold.state != "open"]
    return tuple(_point(float(one.state == "holds"), threshold=one.text) for one in judged)


def _of_generator(progress: Progress) -> Iterator[Family]:
    """Yield how well stressrunner itself keeps up, as far as that is known."""
    figures = progress.generator
    about = {
        "lag_p99_seconds": (
            "Sent later than due, 99th percentile of the last second",
            figures.lag_p99_s,
            "s",
        ),
        "stall_max_seconds": ("Longest stall of its event loop in the last second", figures.stall_max_s, "s"),
        "cpu_cores": ("Cores in use by its busiest process", figures.cpu, ""),
    }
    for name, (words, value, unit) in about.items():
        yield Family(f"stressrunner_generator_{name}", "gauge", words, _one(value), unit)
