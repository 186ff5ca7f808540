"""What was read back of one session."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from stressrunner.engine.tokens import MessageToken, Stored

__all__ = ["History", "Response"]


class Response(NamedTuple):
    """The response by which a history could not be read; nothing of it is masked."""

    url: str
    status: int
    text: str  #: its beginning


@dataclass(frozen=True, slots=True)
class History:
    """The messages of a session as the server shows them, once they no longer change."""

    session: int  #: its index
    #: under one id of the session after the other, and under each in the order in which the server lists them
    messages: tuple[Stored, ...] = ()
    #: why the history is not known, in one sentence; empty when it was read and had become quiet. Messages that were
    #: read all the same show what cannot be undone by reading more.
    unread: str = ""
    #: when a token was first seen, in monotonic nanoseconds; of those that were seen while the load ran
    first_seen_ns: Mapping[MessageToken, int] = field(default_factory=dict)
    #: the same messages the other way round, where a token that is cut in two makes a difference
    turned: tuple[Stored, ...] | None = None
    #: why there may be more than was read, in one sentence: what was found counts, and what was not is not known
    partial: str = ""
    #: rows of its fullest page, where that may have no room for more: it is the only one that was asked for, and it
    #: does not say that it is all
    page_rows: int = 0
    response: Response | None = None  #: that made it unread

    def reversed(self) -> "History":
        """Return the history of a server that lists the newest message first."""
        messages = tuple(reversed(self.messages)) if self.turned is None else self.turned
        return replace(self, messages=messages, turned=self.messages)
