"""What can become of a request."""

from enum import IntEnum
from typing import NamedTuple

__all__ = ["Outcome", "Problem"]


class Outcome(IntEnum):
    """What became of a request."""

    OK = 0  #: a response that passed its checks
    FAILED = 1  #: no response, or one that failed a check
    REFUSED = 2  #: a reply that the scenario calls refused
    SUPERSEDED = 3  #: a reply that says a later message took over
    UNFINISHED = 4  #: cut off while in flight, by an interrupt or the end of graceful_stop


class Problem(NamedTuple):
    """Why a request failed."""

    kind: str  #: a failure kind of the transport, `http 500`, `check`, `graphql`, `capture`, `template` or `auth`
    message: str  #: one sentence
    excerpt: str = ""  #: start of the response's body
    #: the check or `until` that failed, as the scenario has it, or the name of the capture; empty for other kinds
    rule: str = ""
    is_of_time: bool = False  #: the check or capture asks how long the request took
