"""The class of every message: what was answered against what the history shows.

Each class is a row of a table and the first row that matches counts, so that every combination has exactly one
(test_every_combination_has_one_class). What the server promised not to take on comes before how often it is there,
since that it is there at all is the worse fault:

    fabricated   a token that was never attempted
    misrouted    anywhere under another session than its own
    phantom      there, although refused or unsent
    duplicated   more than once
    phantom      once alone, although superseded; or in a merged group of which no member was acknowledged, unanswered
                 or unknown
    elsewhere    once, under another id of its session than its home
    merged       once, in a message together with other tokens of its session, except what `recovered` names
    delivered    once alone, acknowledged
    recovered    once, reply unknown or unanswered, alone or in a group without an acknowledged member
    lost         never, although acknowledged
    superseded   never, reply superseded
    refused      never, reply refused or unsent
    dropped      never, reply unknown or unanswered
"""

from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import NamedTuple

from stressrunner.plan.reply import Reply

__all__ = ["MessageClass", "Sighting", "class_of"]

_NOT_TAKEN = (Reply.REFUSED, Reply.UNSENT)
_UNCERTAIN = (Reply.UNKNOWN, Reply.UNANSWERED)
#: Replies of members that explain why a group was stored.
_STORED_FOR = frozenset({Reply.ACKNOWLEDGED, *_UNCERTAIN})


class MessageClass(StrEnum):
    """What became of a message, in the order of the table."""

    FABRICATED = "fabricated"
    MISROUTED = "misrouted"
    DUPLICATED = "duplicated"
    PHANTOM = "phantom"
    ELSEWHERE = "elsewhere"
    MERGED = "merged"
    DELIVERED = "delivered"
    RECOVERED = "recovered"
    LOST = "lost"
    SUPERSEDED = "superseded"
    REFUSED = "refused"
    DROPPED = "dropped"


class Sighting(NamedTuple):
    """Where and how often a token stands in the histories."""

    times: int = 0
    is_misrouted: bool = False  #: at least once under another session than its own
    is_elsewhere: bool = False  #: at least once under another id of its session than its home
    is_alone: bool = True  #: without another token of its session in the same message, wherever it stands
    #: replies of the messages that stand together with it, its own left out; those of made-up tokens are not among them
    company: AbstractSet[Reply] = frozenset()


def class_of(reply: Reply | None, sighting: Sighting) -> MessageClass:
    """Return the class of a message; the reply is None when nothing was attempted under its token."""
    if reply is None:
        return MessageClass.FABRICATED
    if sighting.is_misrouted:
        return MessageClass.MISROUTED
    if not sighting.times:
        return _never_seen(reply)
    if reply in _NOT_TAKEN:
        return MessageClass.PHANTOM
    return MessageClass.DUPLICATED if sighting.times > 1 else _seen_once(reply, sighting)


def _seen_once(reply: Reply, sighting: Sighting) -> MessageClass:
    """Return the class of a message that the server may have taken on."""
    group = sighting.company | {reply}
    if not group & _STORED_FOR:
        return MessageClass.PHANTOM
    if sighting.is_elsewhere:
        return MessageClass.ELSEWHERE
    if reply in _UNCERTAIN and Reply.ACKNOWLEDGED not in group:
        return MessageClass.RECOVERED
    return MessageClass.DELIVERED if sighting.is_alone else MessageClass.MERGED


def _never_seen(reply: Reply) -> MessageClass:
    if reply is Reply.ACKNOWLEDGED:
        return MessageClass.LOST
    if reply is Reply.SUPERSEDED:
        return MessageClass.SUPERSEDED
    return MessageClass.REFUSED if reply in _NOT_TAKEN else MessageClass.DROPPED
