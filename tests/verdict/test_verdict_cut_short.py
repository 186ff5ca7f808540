"""Sessions that ended early: which replies end one, and what is counted of it."""

import pytest

from stressrunner.engine.attempt import Attempt
from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.cut_short import cut_short


def session(*replies, phase=0):
    """Return the messages of a session that got these replies."""
    return [Attempt(0, k, k, phase, k, k + 1, reply) for k, reply in enumerate(replies)]


@pytest.mark.parametrize(
    ("reply", "counted"),
    [
        (Reply.UNKNOWN, (1, 18)),
        (Reply.UNANSWERED, (1, 18)),
        (Reply.REFUSED, (1, 18)),
        (Reply.UNSENT, (1, 18)),
        (Reply.SUPERSEDED, (0, 0)),
        (Reply.ACKNOWLEDGED, (0, 0)),
    ],
)
def test_a_failed_message_ends_its_session(reply, counted):
    """What it would still have sent is counted; sessions that an end of the load cut off are another matter."""
    assert cut_short([session(Reply.ACKNOWLEDGED, reply)], {0: 20}) == counted


def test_only_what_was_not_sent_counts():
    """A failure in the last message costs nothing; sessions of a warm-up and messages of other traffic are left out."""
    sessions = [
        session(*[Reply.ACKNOWLEDGED] * 3, Reply.UNKNOWN),
        session(Reply.REFUSED, phase=1),
        session(Reply.UNKNOWN),
        session(Reply.UNKNOWN, Reply.UNKNOWN),
        [],
    ]
    assert cut_short(sessions, {0: 4}) == (2, 5)
