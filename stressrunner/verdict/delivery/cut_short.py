"""Sessions that ended at a failed message, before all of their messages were sent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from stressrunner.engine.attempt import Attempt
from stressrunner.plan.reply import Reply

__all__ = ["CutShort", "cut_short"]

#: Replies that end a session: a message that was replaced by a later one is no failure.
_ENDING = frozenset({Reply.UNANSWERED, Reply.UNSENT, Reply.REFUSED, Reply.UNKNOWN})


class CutShort(NamedTuple):
    """What failures have kept from being sent."""

    sessions: int
    messages: int


def cut_short(sessions: Iterable[Sequence[Attempt]], planned: Mapping[int, int]) -> CutShort:
    """Count sessions that a failed message ended, and the messages that they did not send.

    Args:
        sessions: the messages of each.
        planned: how many messages a session of a phase has, of the phases that count; sessions of others are left out.
    """
    missing = [
        planned[attempts[0].phase] - len(attempts)
        for attempts in sessions
        if attempts and attempts[0].phase in planned and any(one.reply in _ENDING for one in attempts)
    ]
    short = [messages for messages in missing if messages > 0]
    return CutShort(len(short), sum(short))
