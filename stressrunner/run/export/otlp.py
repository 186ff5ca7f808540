"""Figures pushed to an OpenTelemetry collector while a run is under way, as OTLP over HTTP."""

import logging
import threading
import time
import uuid
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
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from stressrunner import __version__
from stressrunner.errors import UsageError
from stressrunner.metrics.delta import Delta
from stressrunner.run.export.figures import BOUNDS_S, Buckets, Family, MetricPoint, families
from stressrunner.run.listener import Progress

__all__ = ["OtlpListener", "pushing_otlp"]

_PATH = "/v1/metrics"
_INTERVAL_S = 5.0  #: between two pushes
_TIMEOUT_S = 5.0
_LAST_WITHIN_S = 1.0  #: so long the end of a run waits for the last push
_LAST_AT_ONCE_S = 0.1  #: so long it does when somebody has had enough of it
_LONGEST_REASON = 200  #: characters
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
        self._run_id = ""
        self._instance = str(uuid.uuid4())
        self._thread = threading.Thread(target=self._push, daemon=True)
        self._thread.start()
        self.failed = 0  #: pushes that were not taken, the one included that was not waited for
        self.is_complete = True  #: the last figures were taken
        self.is_in_haste = False  #: hardly wait for the last push
        self.reason = ""  #: why the latest of them was not taken, once it is known

    def note(self, text: str) -> None:
        """Leave it to others."""

    def warn(self, text: str) -> None:
        """Leave it to others."""

    def progress(self, progress: Progress, total: Delta) -> None:
        """Keep where the load stands, and have it pushed when it is time to."""
        self._run_id = progress.run_id
        self._latest = families(progress, total, self._phases)
        if progress.at_s >= self._next_s:
            self._next_s = progress.at_s + _INTERVAL_S
            self._wake.set()

    def close(self) -> None:
        """Push for the last time, and wait for a second at most until that is done."""
        self._is_over = True
        self._wake.set()
        self._thread.join(_LAST_AT_ONCE_S if self.is_in_haste else _LAST_WITHIN_S)
        if self._thread.is_alive():
            self.failed, self.is_complete = self.failed + 1, False
        else:
            self._exporter.shutdown()

    @property
    def is_abandoned(self) -> bool:
        """Whether a push is still under way that nobody waits for any more."""
        return self._is_over and self._thread.is_alive()

    def _push(self) -> None:
        is_over = False
        while not is_over:
            self._wake.wait()
            self._wake.clear()
            is_over = self._is_over  # before the push, so that the last one has the last figures
            if self._latest:
                result = self._exporter.export(self._message(), timeout_millis=_TIMEOUT_S * 1000)
                self.is_complete = result is MetricExportResult.SUCCESS
                self.failed += not self.is_complete

    def _message(self) -> MetricsData:
        metrics = [
            _metric(family, self._begun_ns, time.time_ns()) for family in self._latest if family.points
        ]
        scope = ScopeMetrics(InstrumentationScope("stressrunner", __version__), metrics, "")
        return MetricsData([ResourceMetrics(self._resource(), [scope], "")])

    def _resource(self) -> Resource:
        """Return what the figures are of; what the environment says of it comes first."""
        own = {
            "service.name": "stressrunner",
            "service.version": __version__,
            "service.instance.id": self._instance,
            "stressrunner.run.id": self._run_id,
        }
        return Resource(own).merge(OTELResourceDetector().detect())


class _Reasons(logging.Handler):
    """Keeps why a push was not taken, as the exporter words it."""

    def __init__(self) -> None:
        super().__init__()
        self.latest = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first line of a message."""
        lines = record.getMessage().strip().splitlines()
        self.latest = lines[0][:_LONGEST_REASON] if lines else self.latest


@contextmanager
def pushing_otlp(url: str, phases: Sequence[str]) -> Iterator[OtlpListener]:
    """Push to a collector until the context is left, and once more then; what was not taken is on the listener.

    Raises:
        UsageError: the URL is none of HTTP.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"--otlp {url}: write a URL such as http://localhost:4318")
    listener = OtlpListener(url if parts.path.strip("/") else url.rstrip("/") + _PATH, phases)
    # Failed pushes are counted, and told once by whoever asked for them.
    logger, reasons = logging.getLogger("opentelemetry.exporter"), _Reasons()
    logger.addHandler(reasons)
    before, logger.propagate = logger.propagate, False
    try:
        yield listener
    finally:
        listener.close()
        listener.reason = reasons.latest
        if not listener.is_abandoned:
            logger.removeHandler(reasons)
            logger.propagate = before


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


def _distribution(point: MetricPoint, begun_ns: int, now_ns: int) -> HistogramDataPoint:
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
