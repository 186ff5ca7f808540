"""Figures pushed to an OpenTelemetry collector while a run is under way, as OTLP over HTTP."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from stressrunner import __version__
from stressrunner.errors import UsageError
from stressrunner.metrics.tally import Tally
from stressrunner.run.export.figures import BOUNDS_S, Buckets, Family, Point, families
from stressrunner.run.listener import Progress

__all__ = ["OtlpListener", "pushing_otlp"]

_PATH = "/v1/metrics"
_INTERVAL_S = 5.0  #: between two pushes
_TIMEOUT_S = 5.0
_CUMULATIVE = AggregationTemporality.CUMULATIVE


class OtlpListener:
    """A listener that pushes every five seconds and at the end, from a thread of its own.

    A collector that does not answer changes nothing about the run: what it did not take is counted.
    """

    def __init__(self, url: str, phases: Sequence[str]) -> None:
        """`url` is the whole address, path included; `phases` are the names of the load's phases."""
        self._exporter = OTLPMetricExporter(url, timeout=_TIMEOUT_S)
        self._phases = phases
        self._latest: tuple[Family, ...] = ()
        self._begun_ns = time.time_ns()
        self._next_s = 0.0
        self._wake = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._push, daemon=True)
        self._thread.start()
        self.failed = 0  #: pushes that were not taken

    def note(self, text: str) -> None:
        """Leave it to others."""

    def progress(self, progress: Progress, total: Tally) -> None:
        """Keep where the load stands, and have it pushed when it is time to."""
        self._latest = families(progress, total, self._phases)
        if progress.at_s >= self._next_s:
            self._next_s = progress.at_s + _INTERVAL_S
            self._wake.set()

    def close(self) -> None:
        """Push for the last time, and wait until that is done."""
        self._is_over = True
        self._wake.set()
        self._thread.join()
        self._exporter.shutdown()

    def _push(self) -> None:
        is_over = False
        while not is_over:
            self._wake.wait()
            self._wake.clear()
            is_over = self._is_over  # before the push, so that the last one has the last figures
            if self._latest:
                result = self._exporter.export(self._message(), timeout_millis=_TIMEOUT_S * 1000)
                self.failed += result is not MetricExportResult.SUCCESS

    def _message(self) -> MetricsData:
        metrics = [
            _metric(family, self._begun_ns, time.time_ns()) for family in self._latest if family.points
        ]
        scope = ScopeMetrics(InstrumentationScope("stressrunner", __version__), metrics, "")
        resource = Resource({"service.name": "stressrunner", "service.version": __version__})
        return MetricsData([ResourceMetrics(resource, [scope], "")])


@contextmanager
def pushing_otlp(url: str, phases: Sequence[str]) -> Iterator[OtlpListener]:
    """Push to a collector until the context is left, and once more then.

    Raises:
        UsageError: the URL is none of HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"--otlp {url}: write a URL such as http://localhost:4318")
    listener = OtlpListener(url if parts.path.strip("/") else url.rstrip("/") + _PATH, phases)
    logger = logging.getLogger("opentelemetry.exporter")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # failed pushes are counted, and told once by whoever asked for them
    try:
        yield listener
    finally:
        listener.close()
        logger.setLevel(level)


def _metric(family: Family, begun_ns: int, now_ns: int) -> Metric:
    data: Sum | Gauge | Histogram
    if family.kind == "histogram":
        data = Histogram([_distribution(point, begun_ns, now_ns) for point in family.points], _CUMULATIVE)
    else:
        numbers = [
            NumberDataPoint(dict(point.labels), begun_ns, now_ns, point.value)
            for point in family.points
            if not isinstance(point.value, Buckets)
        ]
        data = Sum(numbers, _CUMULATIVE, is_monotonic=True) if family.kind == "counter" else Gauge(numbers)
    return Metric(family.name, family.about, family.unit, data)


def _distribution(point: Point, begun_ns: int, now_ns: int) -> HistogramDataPoint:
    buckets = point.value
    assert isinstance(buckets, Buckets)  # noqa: S101  # those of a histogram are
    return HistogramDataPoint(
        dict(point.labels),
        begun_ns,
        now_ns,
        buckets.count,
        buckets.sum_s,
        buckets.counts,
        BOUNDS_S,
        min=buckets.min_s,
        max=buckets.max_s,
    )
