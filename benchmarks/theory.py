"""What the figures are compared with: pure arithmetic on lists of seconds. No clock, no I/O.

A queue in front of `servers` equal servers, first come first served, serves request i from the moment it has come and
a server is free (Lindley's recursion for one server, Kiefer and Wolfowitz's for several):

    begin(i) = max(due(i), earliest end of a server)      response(i) = begin(i) + service(i) - due(i)
"""

from collections.abc import Sequence
from heapq import heapreplace
from math import ceil
from typing import NamedTuple


class Cost(NamedTuple):
    """What one run of a client took."""

    requests: int
    cpu_s: float  #: user and system, of all its processes


def slope_s(short: Cost, long: Cost) -> float:
    """Return the processor time of one more request in seconds; what starting up costs falls out.

    Raises:
        ValueError: the longer run did not send more.
    """
    if long.requests <= short.requests:
        raise ValueError(f"{long.requests} requests are not more than {short.requests}")
    return (long.cpu_s - short.cpu_s) / (long.requests - short.requests)


def response_times_s(due_s: Sequence[float], service_s: Sequence[float], servers: int = 1) -> list[float]:
    """Return how long each request takes from the moment it was due, in the order of the due times.

    Raises:
        ValueError: there are not as many service times as due times.
    """
    free = [float("-inf")] * servers
    responses = []
    for due, service in zip(due_s, service_s, strict=True):
        end = max(due, free[0]) + service
        heapreplace(free, end)
        responses.append(end - due)
    return responses


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the nearest-rank percentile.

    Raises:
        IndexError: there are no values.
    """
    ordered = sorted(values)
    return ordered[max(1, ceil(percent * len(ordered) / 100)) - 1]


def thawed_s(arrived_s: float, service_s: float, freeze: tuple[float, float]) -> float:
    """Return when a request that comes at a moment is answered by a server that stands still during a freeze.

    Work that is under way when the freeze begins goes on when it ends; a request that comes meanwhile is begun then.
    """
    begins_s, ends_s = freeze
    if arrived_s >= ends_s or arrived_s + service_s <= begins_s:
        return arrived_s + service_s
    if arrived_s >= begins_s:
        return ends_s + service_s
    return arrived_s + service_s + (ends_s - begins_s)
