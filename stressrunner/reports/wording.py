"""Figures in words, the same in every report.

What was not measured reads `-`. A percentile that falls among requests that did not finish in time reads `never`;
wherever that word appears, `NEVER` says what it means.
"""

from collections.abc import Callable

from stressrunner.metrics.summary import Latency
from stressrunner.spelling import printable
from stressrunner.units import format_bytes, format_duration, format_ratio

__all__ = [
    "NEVER",
    "NONE",
    "count",
    "duration",
    "encodable",
    "optional",
    "percentile",
    "printable",
    "ratio",
    "size",
]

NONE = "-"
NEVER = "never: too many requests did not finish in time, or were dropped"


def optional(value: float | None, write: Callable[[float], str]) -> str:
    """Write a figure, or `-` where there is none."""
    return NONE if value is None else write(value)


def count(n: int | None) -> str:
    """Write a whole number with its thousands apart."""
    return NONE if n is None else f"{n:,}"


def duration(seconds: float | None) -> str:
    """Write seconds in the unit that suits."""
    return optional(seconds, format_duration)


def size(octets: float | None) -> str:
    """Write a number of bytes in the unit that suits."""
    return optional(octets, format_bytes)


def ratio(part: float | None) -> str:
    """Write a part of one as a percentage."""
    return optional(part, format_ratio)


def percentile(latency: Latency, value: float | None) -> str:
    """Write a percentile of a distribution in seconds; None is `never` when something did not finish."""
    if value is None and latency.never:
        return "never"
    return duration(value)


def encodable(text: str) -> str:
    """Return text that can be written as UTF-8: halves of characters, which JSON can hold, become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
