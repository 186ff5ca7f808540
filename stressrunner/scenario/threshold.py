"""Thresholds: what must hold of a run, read from one line of text.

[NAME.]stat[(metric)] op quantity [over WINDOW] [in PHASE] [else warn|abort [after DURATION]]

errors < 1%
login.p99.9(service_time) <= 1.5s over 10s else abort after 30s
server.memory_growth < 50MB
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from stressrunner.units import Dimension

__all__ = ["METRICS", "MONITOR_STATS", "OVERALL_STATS", "Exempt", "Metric", "Operator", "Threshold"]

Metric = Literal["response_time", "service_time", "ttfb", "connect", "response_time_failed"]
Operator = Literal["<", "<=", ">", ">=", "==", "!="]

METRICS: tuple[Metric, ...] = ("response_time", "service_time", "ttfb", "connect", "response_time_failed")

#: Figures of a watched process, and what they measure.
MONITOR_STATS: dict[str, Dimension] = {
    "cpu": "ratio",
    "memory": "size",
    "memory_growth": "size",
    "memory_slope": "size_rate",
    "open_files": "count",
    "connections": "count",
}

#: Figures under names of the language, which nothing in a scenario can be called.
OVERALL_STATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "endpoints": ("errors",),  # the highest of all endpoints that were sent often enough
        "workloads": ("errors",),  # the highest of all workloads of `traffic`, what did not finish included
        "iterations": ("errors", "count"),  # in error: could not begin, or failed by none of their requests
        "user_setup": ("errors", "count"),  # of all attempts; users that could never be set up
    }
)

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "==": operator.eq,
        "!=": operator.ne,
    }
)


class Exempt(NamedTuple):
    """Requests that a default does not judge, as another threshold does: by phase and endpoint, None for all."""

    phase: str | None
    endpoint: str | None

    def covers(self, other: "Exempt") -> bool:
        """Return whether a phase and endpoint are among these."""
        return self.phase in (None, other.phase) and self.endpoint in (None, other.endpoint)


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
    is_default: bool = False  #: a guard that every scenario has, see `default_guards`
    exempt: frozenset[Exempt] = frozenset()  #: requests that a default leaves to other thresholds
    remedy: str = ""  #: of a default that a threshold of the scenario contradicts: how to lift it, in words

    def is_satisfied_by(self, value: float) -> bool:
        """Return whether a figure satisfies the limit; an infinite one is above every limit."""
        return _COMPARISONS[self.op](value, self.limit)

    def leaves_out(self, phase: str, endpoint: str) -> bool:
        """Return whether the requests of an endpoint in a phase are left to other thresholds."""
        return any(one.covers(Exempt(phase, endpoint)) for one in self.exempt)
