"""How long users pause."""

from stressrunner.expressions.functions import random_stream
from stressrunner.units import NS_PER_S

__all__ = ["think_ns"]


def think_ns(low_s: float, high_s: float, *parts: object) -> int:
    """Return a pause in nanoseconds between two bounds, drawn for the parts given."""
    if low_s == high_s:
        return round(low_s * NS_PER_S)
    return round(random_stream(*parts).uniform(low_s, high_s) * NS_PER_S)
