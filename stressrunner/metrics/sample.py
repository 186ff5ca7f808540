"""One HTTP exchange as figures.

T due      D released      A acquired      S sent      F first byte      E completed

response_time = E - T        service_time = E - S        ttfb = F - S
lag = D - T   (ours)         queue = A - D   (the limit's)        blocked = S - A   (connecting, writing)

response_time = lag + queue + blocked + service_time
"""

from enum import IntEnum
from typing import NamedTuple

__all__ = ["Outcome", "Problem", "Sample"]


class Outcome(IntEnum):
    """What became of a request."""

    OK = 0  #: a response that passed its checks
    FAILED = 1  #: no response, or one that failed a check
    REFUSED = 2  #: a reply that the scenario calls refused
    SUPERSEDED = 3  #: a reply that says a later message took over
    UNFINISHED = 4  #: cut off while in flight, by an interrupt or the end of graceful_stop


class Problem(NamedTuple):
    """Why a request failed."""

    kind: str  #: a failure kind of the transport, `http 500`, `check` or `template`
    message: str  #: one sentence
    excerpt: str = ""  #: start of the response's body


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
