"""Where to read on when a threshold has failed."""

from collections.abc import Mapping
from types import MappingProxyType

from stressrunner.result.model import Result

__all__ = ["ADVICE", "advice"]

#: Topic of a threshold to the command that shows the section of the documentation that helps.
ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "errors": "stressrunner help high-error-rate",
        "latency": "stressrunner help high-latency",
        "memory": "stressrunner help memory-growth",
    }
)


def advice(result: Result) -> tuple[str, ...]:
    """Return the commands that belong to the failed thresholds, each once; none when nothing was measured."""
    if not result.totals.completed:
        return ()
    topics = (threshold.topic for threshold in result.thresholds if threshold.state == "failed")
    return tuple(dict.fromkeys(ADVICE[topic] for topic in topics if topic in ADVICE))
