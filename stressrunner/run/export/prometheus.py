"""An endpoint that Prometheus scrapes while a run is under way."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import start_http_server
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector, CollectorRegistry

from stressrunner.errors import UsageError
from stressrunner.metrics.delta import Delta
from stressrunner.run.export.figures import BOUNDS_S, Buckets, Family, families
from stressrunner.run.listener import Progress

__all__ = ["PrometheusListener", "serving_prometheus"]


_UNKNOWN_S = 15.0  #: between two scrapes, of which only one has come yet
_MOST_PATIENCE_S = 60.0


class PrometheusListener(Collector):
    """A listener whose latest figures are scraped, from threads of the server."""

    def __init__(self, phases: Sequence[str]) -> None:
        """`phases` are the names of the load's phases."""
        self._phases = phases
        self._latest: tuple[Family, ...] = ()
        self._scraped_s: float | None = None  # when somebody did last, monotonic
        self._interval_s: float | None = None  # between the last two
        self.is_up_to_date = True  #: the latest figures were scraped, or there are none

    def note(self, text: str) -> None:
        """Leave it to others."""

    def warn(self, text: str) -> None:
        """Leave it to others."""

    def progress(self, progress: Progress, total: Delta) -> None:
        """Keep where the load stands, frozen, for whoever scrapes next."""
        self._latest = families(progress, total, self._phases)
        self.is_up_to_date = False

    @property
    def patience_s(self) -> float:
        """How long the next scrape may take to come: twice as long as from the one before to the last; 0 if none came."""
        if self._scraped_s is None:
            return 0.0
        return min(_MOST_PATIENCE_S, _UNKNOWN_S if self._interval_s is None else 2 * self._interval_s)

    def collect(self) -> Iterable[Metric]:
        """Return the figures in Prometheus' own form; none before the load began."""
        now_s = time.monotonic()
        self._interval_s = None if self._scraped_s is None else now_s - self._scraped_s
        self._scraped_s, self.is_up_to_date = now_s, True
        return [_metric(family) for family in self._latest]


@contextmanager
def serving_prometheus(
    host: str, port: int, phases: Sequence[str]
) -> Iterator[tuple[PrometheusListener, int]]:
    """Serve `/metrics` until the context is left; yields the listener and the port, which 0 leaves to the system.

    Raises:
        UsageError: the port cannot be listened at.
    """
    listener = PrometheusListener(phases)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(listener)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise UsageError(f"--prometheus: cannot listen at {host}:{port}: {error.strerror}") from error
    try:
        yield listener, server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _metric(family: Family) -> Metric:
    metric: Metric
    if family.kind == "histogram":
        return _histogram(family)
    if family.kind == "counter":
        metric = CounterMetricFamily(family.name, family.about)
    else:
        metric = GaugeMetricFamily(family.name, family.about)
    suffix = "_total" if family.kind == "counter" else ""
    for point in family.points:
        if not isinstance(point.value, Buckets):
            metric.add_sample(family.name + suffix, dict(point.labels), point.value)
    return metric


def _histogram(family: Family) -> Metric:
    metric = HistogramMetricFamily(family.name, family.about)
    ends = (*map(str, BOUNDS_S), "+Inf")
    for point in family.points:
        if isinstance(point.value, Buckets):
            labels = dict(point.labels)
            for end, count in zip(ends, point.value.cumulative, strict=True):
                metric.add_sample(f"{family.name}_bucket", {**labels, "le": end}, count)
            metric.add_sample(f"{family.name}_count", labels, point.value.count)
            metric.add_sample(f"{family.name}_sum", labels, point.value.sum_s)
    return metric
