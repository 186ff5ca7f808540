"""Thresholds: what must hold of a run, read from one line of text.

[NAME.]stat[(metric)] op quantity [over WINDOW] [in PHASE] [else warn|abort [after DURATION]]

errors < 1%
login.p99.9(service_time) <= 1.5s over 10s else abort after 30s
server.memory_growth < 50MB
"""

from dataclasses import dataclass
from typing import Literal

from stressrunner.units import Dimension

__all__ = ["METRICS", "MONITOR_STATS", "Metric", "Operator", "Threshold"]

Metric = Literal["response_time", "service_time", "ttfb", "connect", "response_time_failed"]
Operator = Literal["<", "<=", ">", ">=", "==", "!="]

METRICS: tuple[Metric, ...] = ("response_time", "service_time", "ttfb", "connect", "response_time_failed")

#: Figures of a watched process, and what they measure.
MONITOR_STATS: dict[str, Dimension] = {
    "cpu": "ratio",
    "memory": "size",
    "memory_growth": "size",
    "memory_slope": "size",  # per hour
    "open_files": "count",
    "connections": "count",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """One statement about an aggregate, compared with a limit."""

    text: str  #: as it was written, or as the mapping form reads in one line
    stat: str  #: `p95`, `min`, `mean`, `max`, `errors`, `throughput`, ... or a monitor's figure
    op: Operator
    limit: float  #: in the base unit of `dimension`
    dimension: Dimension
    of: str | None = None  #: endpoint, `session` or monitor; None for all requests
    metric: Metric = "response_time"
    percentile: float | None = None  #: 0 to 100, when `stat` is a percentile
    window_s: float | None = None  #: judged in every window of that length instead of over the whole run
    phase: str | None = None
    action: Literal["fail", "warn", "abort"] = "fail"
    after_s: float = 0.0  #: broken for so long without a break before it counts
    min_samples: int | None = None
    no_data: Literal["fail", "pass"] = "fail"
    is_default: bool = False  #: added because the scenario says nothing about errors
