"""Where to read on when a threshold has failed."""

from collections.abc import Mapping
from types import MappingProxyType

from stressrunner.result.model import Result

__all__ = ["ADVICE", "advice"]

#: Topic of a threshold to the section of the documentation that helps.
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "errors": "docs/troubleshooting.md#high-error-rate",
        "latency": "docs/troubleshooting.md#high-latency",
        "memory": "docs/troubleshooting.md#memory-growth",
    }
)


def advice(result: Result) -> tuple[str, ...]:
    """Return the sections that belong to the failed thresholds, each once; none when nothing was measured."""
    if not result.totals.completed:
        return ()
    topics = (threshold.topic for threshold in result.thresholds if threshold.state == "failed")
    return tuple(dict.fromkeys(ADVICE[topic] for topic in topics if topic in ADVICE))
