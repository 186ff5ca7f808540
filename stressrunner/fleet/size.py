"""How many generator processes share a plan."""

import os
from typing import Literal

from stressrunner.plan.plan import Plan

__all__ = ["fleet_size"]


def fleet_size(wanted: int | Literal["auto"], plan: Plan) -> int:
    """Return how many generators are to share a plan: as many as wanted, but never more than it can be split into.

    `auto` is one for every core but one, which is left to the coordinator and the rest of the machine.
    """
    number = max(1, _cores() - 1) if wanted == "auto" else wanted
    return min(number, plan.most_shards)


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
