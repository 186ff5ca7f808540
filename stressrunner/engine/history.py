"""What was read back of one session."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from stressrunner.engine.tokens import Stored, Token

__all__ = ["History"]


@dataclass(frozen=True, slots=True)
class History:
    """The messages of a session as the server shows them, once they no longer change."""

    session: int  #: its index
    messages: tuple[Stored, ...] = ()  #: in the order in which the server lists them
    #: why the history is not known, in one sentence; empty when it was read and had become quiet
    unread: str = ""
    #: when a token was first seen, in monotonic nanoseconds; of those that were seen while the load ran
    first_seen_ns: Mapping[Token, int] = field(default_factory=dict)
