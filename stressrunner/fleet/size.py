"""How many generator processes share a plan."""

import os
from typing import Literal

__all__ = ["cores", "fleet_size"]


def fleet_size(wanted: int | Literal["auto"], most: int) -> int:
    """Return how many generators are to share a plan: as many as wanted, but never more than `most`.

    `auto` is one for every core but one, which is left to the coordinator and the rest of the machine.
    """
    return min(max(1, cores() - 1) if wanted == "auto" else wanted, most)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
