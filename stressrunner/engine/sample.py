"""One HTTP exchange as figures.

T due      D released      A acquired      S sent      F first byte      E completed

response_time = E - T        service_time = E - S        ttfb = F - S
lag = D - T   (ours)         queue = A - D   (the limit's)        connecting = S - A   (connecting, writing)

response_time = lag + queue + connecting + service_time
"""

from typing import NamedTuple

from stressrunner.engine.loop_watch import Late
from stressrunner.plan.outcome import Outcome, Problem

__all__ = ["Sample"]


class Sample(NamedTuple):
    """A request that was sent, as figures; times are monotonic nanoseconds."""

    endpoint: int  #: index into the plan's endpoints
    phase: int  #: index into the plan's phases: the one in which the request was due
    outcome: Outcome
    due_ns: int
    released_ns: int
    acquired_ns: int
    sent_ns: int | None  #: None when no byte was written
    first_byte_ns: int | None
    completed_ns: int
    connect_ns: int | None = None
    status: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    never: bool = False  #: did not finish in time: ranks last in latencies
    problem: Problem | None = None
    redirects: int = 0  #: requests beyond the first that redirects asked for
    resent: bool = False  #: sent a second time over a new connection
    late: Late | None = None  #: what the generator added to it; None for nothing
