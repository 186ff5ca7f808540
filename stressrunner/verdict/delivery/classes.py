"""The class of every message: what was answered against what the history shows.

Each class is a row of a table and the first row that matches counts, so that every combination has exactly one
(test_every_combination_has_one_class):

    fabricated   a token that was never attempted
    misrouted    anywhere under another session than its own
    duplicated   more than once
    phantom      once, although refused or unsent; or once alone, although superseded
    merged       once, in a message together with other tokens of its session
    delivered    once alone, acknowledged
    recovered    once alone, reply unknown or unanswered
    lost         never, although acknowledged
    superseded   never, reply superseded
    refused      never, reply refused or unsent
    dropped      never, reply unknown or unanswered
"""

from enum import StrEnum
from typing import NamedTuple

from stressrunner.plan.reply import Reply

__all__ = ["MessageClass", "Sighting", "class_of"]

_NOT_TAKEN = (Reply.REFUSED, Reply.UNSENT)


class MessageClass(StrEnum):
    """What became of a message, in the order of the table."""

    FABRICATED = "fabricated"
    MISROUTED = "misrouted"
    DUPLICATED = "duplicated"
    PHANTOM = "phantom"
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
    is_elsewhere: bool = False  #: at least once under another session than its own
    is_alone: bool = True  #: without another token of its session in the same message, wherever it stands


def class_of(reply: Reply | None, sighting: Sighting) -> MessageClass:
    """Return the class of a message; the reply is None when nothing was attempted under its token."""
    if reply is None:
        return MessageClass.FABRICATED
    if sighting.is_elsewhere:
        return MessageClass.MISROUTED
    if sighting.times > 1:
        return MessageClass.DUPLICATED
    if sighting.times == 1:
        return _seen_once(reply, sighting)
    return _never_seen(reply)


def _seen_once(reply: Reply, sighting: Sighting) -> MessageClass:
    if reply in _NOT_TAKEN or (reply is Reply.SUPERSEDED and sighting.is_alone):
        return MessageClass.PHANTOM
    if not sighting.is_alone:
        return MessageClass.MERGED
    return MessageClass.DELIVERED if reply is Reply.ACKNOWLEDGED else MessageClass.RECOVERED


def _never_seen(reply: Reply) -> MessageClass:
    if reply is Reply.ACKNOWLEDGED:
        return MessageClass.LOST
    if reply is Reply.SUPERSEDED:
        return MessageClass.SUPERSEDED
    return MessageClass.REFUSED if reply in _NOT_TAKEN else MessageClass.DROPPED
