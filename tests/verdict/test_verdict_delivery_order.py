"""Which way round histories are listed, told by pairs of messages of the whole run."""

import pytest
from planted import RUN, attempt

from stressrunner.engine.history import History
from stressrunner.engine.tokens import MessageToken, TokenReader, token_text
from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.classification import classify
from stressrunner.verdict.delivery.order import Direction, Pairs, direction_of

READER = TokenReader(RUN)


def one_by_one(session, messages):
    """Return messages of which each was answered before the next was sent."""
    return [attempt(session, i, at=10 * i) for i in range(messages)]


def history(session, order):
    """Return a history that lists messages in some order."""
    return History(session, READER.read([token_text(RUN, session, i) for i in order]))


@pytest.mark.parametrize(
    ("sessions", "direction"),
    [
        ([Pairs(10, 9), Pairs(5, 5), Pairs(5, 4)], Direction.NEWEST_FIRST),
        ([Pairs(10, 8), Pairs(5, 5), Pairs(5, 4)], Direction.OLDEST_FIRST),  # 17 of 20
        ([Pairs(10, 10), Pairs(10, 10)], Direction.DOUBTFUL),  # of two sessions
        ([Pairs(10, 10), Pairs(10, 10), Pairs()], Direction.DOUBTFUL),  # the third one tells nothing
        ([Pairs(7, 7), Pairs(6, 6), Pairs(6, 6)], Direction.DOUBTFUL),  # 19 pairs
        ([Pairs(1, 1)], Direction.DOUBTFUL),
        ([Pairs(2, 1)], Direction.OLDEST_FIRST),  # no majority
        ([Pairs(3, 0)], Direction.OLDEST_FIRST),
        ([Pairs()], Direction.OLDEST_FIRST),
        ([], Direction.OLDEST_FIRST),
    ],
)
def test_pairs_tell_the_direction(sessions, direction):
    """Nearly all of many pairs in several sessions tell newest first; a majority of few is a doubt."""
    assert direction_of(sessions) is direction


def test_histories_listed_newest_first_are_turned():
    """Where all sessions list the newest message first, that is no fault of the order."""
    attempts = [a for session in range(3) for a in one_by_one(session, 5)]
    found = classify(attempts, [history(session, (4, 3, 2, 1, 0)) for session in range(3)])
    assert found.newest_first
    assert [found.sessions[session].pairs for session in range(3)] == [Pairs(10, 0)] * 3


def test_what_is_out_of_order_there_is_reordered():
    """In histories listed newest first, messages that are out of that order are a fault."""
    attempts = [a for session in range(4) for a in one_by_one(session, 5)]
    listed = [(4, 3, 2, 1, 0)] * 3 + [(4, 3, 2, 0, 1)]
    found = classify(attempts, [history(session, order) for session, order in enumerate(listed)])
    assert found.newest_first
    assert [found.sessions[session].reordered for session in range(4)] == [0, 0, 0, 1]


def test_a_token_cut_in_two_is_found_either_way_round():
    """Histories are turned before tokens are looked for that begin in one message and end in the next."""
    attempts = [a for session in range(3) for a in one_by_one(session, 6)]
    texts = {s: [f"hello {token_text(RUN, s, i)}" for i in range(6)] for s in range(3)}
    cut = texts[0].pop()
    texts[0] += [cut[:12], f"{cut[12:]} there"]
    histories = []
    for session, chronological in texts.items():
        listed = chronological[::-1]
        histories.append(History(session, READER.read(listed), turned=READER.read(listed[::-1])))
    assert MessageToken(0, 5) not in {token for stored in histories[0].messages for token in stored.tokens}
    found = classify(attempts, histories)
    assert found.classes[MessageToken(0, 5)] == "delivered"
    assert found.sessions[0].splits == 1


@pytest.mark.parametrize("newest_first", [True, False])
def test_what_the_scenario_says_is_not_doubted(newest_first):
    """Where `order_by` says how histories are listed, one pair is reordered or kept, and nothing is guessed."""
    found = classify(one_by_one(0, 2), [history(0, (1, 0))], newest_first=newest_first)
    assert not found.is_order_doubtful
    assert found.sessions[0].reordered == (0 if newest_first else 1)


def test_two_swapped_messages_are_a_doubt():
    """One session whose two messages are swapped may be a fault, or a history that is listed newest first."""
    found = classify(one_by_one(0, 2), [history(0, (1, 0))])
    assert found.is_order_doubtful
    assert not found.newest_first


def test_bursts_bind_nothing():
    """Messages under way together may stand in any order, and tell nothing of how they are listed."""
    attempts = [attempt(s, i, at=i, took=100, burst=0) for s in range(3) for i in range(10)]
    found = classify(attempts, [history(s, range(9, -1, -1)) for s in range(3)])
    assert not found.newest_first
    assert not found.is_order_doubtful
    assert all(figures.pairs == Pairs(0, 0) for figures in found.sessions.values())


def test_under_different_ids_there_is_no_order():
    """Messages that stand under different ids of a session are compared with those under the same one alone."""
    stored = [
        stored._replace(ids=(under,))
        for under, order in (("x", (0, 2)), ("y", (1, 3)))
        for stored in READER.read([token_text(RUN, 0, i) for i in order])
    ]
    found = classify(one_by_one(0, 4), [History(0, tuple(stored))])
    assert found.sessions[0].pairs == Pairs(2, 0)


def test_unanswered_messages_bind_nobody():
    """A message without an answer may stand anywhere."""
    attempts = [attempt(0, 0, Reply.UNANSWERED), attempt(0, 1, at=10)]
    assert classify(attempts, [history(0, (1, 0))]).sessions[0].pairs == Pairs(0, 0)
