"""The class of every message of many sessions: planted faults must come back exactly."""

import os
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import ANSWERED, RUN, SEPARATOR, attempt, planted

from stressrunner.engine.history import History
from stressrunner.engine.tokens import MessageToken, TokenReader, token_text
from stressrunner.plan.reply import Reply
from stressrunner.verdict.delivery.classes import MessageClass
from stressrunner.verdict.delivery.classification import classify


@given(planted())
def test_planted_faults_come_back(world):
    """Whatever a server does with messages, each gets its class: no fault is invented and none is missed."""
    found = classify(world.attempts, world.histories())
    assert found.classes == world.classes
    assert found.unread == 0
    assert found.fabricated == list(world.classes.values()).count(MessageClass.FABRICATED)


@given(planted(), st.data())
def test_what_was_not_read_has_no_class(world, data):
    """Messages of a session that could not be read are unread, unless they were seen to be at fault; the sum holds."""
    unread = data.draw(st.sets(st.sampled_from(sorted(world.texts))))
    read = [h for h in world.histories() if h.session not in unread]
    found = classify(world.attempts, [*read, *(History(session, unread="HTTP 503") for session in unread)])
    assert len(found.classes) + found.unread == len(world.attempts) + list(found.classes.values()).count(
        MessageClass.FABRICATED
    )
    for token, of in found.classes.items():
        if token.session in unread:
            assert of in (MessageClass.MISROUTED, MessageClass.FABRICATED)


@given(planted(), st.integers(1, 4))
def test_classes_of_phases_add_up(world, phases):
    """Every attempted message counts in the phase in which it was due, and in no other."""
    attempts = [a._replace(phase=(a.session + a.message) % phases) for a in world.attempts]
    found = classify(attempts, world.histories())
    by_phase = sum((Counter(found.counts([phase])) for phase in range(phases)), Counter())
    assert by_phase + Counter({MessageClass.FABRICATED: found.fabricated}) == Counter(world.classes.values())
    assert +Counter(found.counts(range(phases))) == by_phase
    replies = sum((Counter(found.replies([phase])) for phase in range(phases)), Counter())
    assert replies == Counter(attempt.reply for attempt in attempts)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Reply)), st.integers(0, 40), st.integers(1, 10)),
        min_size=1,
        max_size=9,
    ),
    st.data(),
)
def test_reordered_pairs_are_counted(sent, data):
    """A pair is reordered when one was answered before the other was sent, and yet stands behind it."""
    attempts = [attempt(0, i, reply, at=at, took=took) for i, (reply, at, took) in enumerate(sent)]
    order = data.draw(st.permutations(range(len(sent))))
    texts = TokenReader(RUN).read([f"m {token_text(RUN, 0, i)}" for i in order])
    place = {i: order.index(i) for i in order}
    pairs = [(a, b) for x, y in combinations(attempts, 2) for a, b in ((x, y), (y, x))]
    wanted = sum(
        a.reply in ANSWERED and a.ended_ns < b.sent_ns and place[b.message] < place[a.message]
        for a, b in pairs
    )
    assert classify(attempts, [History(0, texts)], newest_first=False).sessions[0].reordered == wanted


def test_order_inside_a_merged_message_counts():
    """Messages that were joined stand in the order of their tokens."""
    attempts = [attempt(0, i, at=10 * i) for i in range(3)]
    text = SEPARATOR.join(token_text(RUN, 0, i) for i in (2, 0, 1))
    assert classify(attempts, [History(0, TokenReader(RUN).read([text]))]).sessions[0].reordered == 2


@pytest.mark.parametrize(
    ("replies", "unanswered"),
    [
        ("unanswered unanswered", 1),
        ("superseded superseded", 1),
        ("superseded acknowledged", 0),
        ("unanswered refused", 0),
        ("superseded unknown", 0),
        ("unsent unsent", 0),
        ("unsent superseded", 1),
    ],
)
def test_bursts_without_answer(replies, unanswered):
    """A burst that was sent lacks an answer when all of it is silence, or leaves the answer to a later message."""
    attempts = [attempt(0, i, Reply(reply), burst=0) for i, reply in enumerate(replies.split())]
    assert classify(attempts, []).sessions[0].bursts_without_answer == unanswered


def test_a_connection_that_was_lost_is_no_answer():
    """An unknown reply without a response leaves its burst without an answer."""
    attempts = [attempt(0, 0, Reply.UNKNOWN, status=0)]
    figures = classify(attempts, []).sessions[0]
    assert (figures.bursts, figures.bursts_without_answer) == (1, 1)


def test_ids_of_a_session_are_counted():
    """Different ids that were returned for one session count; replies without one do not."""
    ids = ["a", "b", "a", ""]
    found = classify([attempt(0, i, session_id=each) for i, each in enumerate(ids)], [])
    assert found.sessions[0].session_ids == 2
    assert not found.sessions[0].is_plain


def test_splits_are_counted():
    """A token that was cut is delivered, and the cut is counted in the session whose history has it."""
    texts = TokenReader(RUN).read(["hello sr.0badc", "afe.0.0 there"])
    found = classify([attempt(0, 0)], [History(0, texts)])
    assert found.classes == {MessageToken(0, 0): MessageClass.DELIVERED}
    assert found.sessions[0].splits == 1


_LARGE = """
import time
from pathlib import Path
from planted import RUN, attempt
from stressrunner.engine.history import History
from stressrunner.engine.tokens import TokenReader, token_text
from stressrunner.verdict.delivery.classification import classify

attempts = [attempt(s, m, at=20_000 * s + 10 * m, session_id=f"id-{s}") for s in range(5_000) for m in range(20)]
reader = TokenReader(RUN, "\\n---\\n")
began = time.process_time()
histories = [
    History(s, reader.read([f"some prompt of a user {token_text(RUN, s, m)}" for m in range(20)]))
    for s in range(5_000)
]
found = classify(attempts, histories)
# Not ru_maxrss, which a child takes over from the process that started it.
peak_kb = next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(len(found.classes), time.process_time() - began, peak_kb)
"""


def test_a_hundred_thousand_messages():
    """100,000 messages of 5,000 sessions are read and classified in less than 10 s and 300 MB."""
    of_this_room = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    run = subprocess.run(
        [sys.executable, "-c", _LARGE], env=of_this_room, capture_output=True, text=True, check=True
    )
    messages, took_s, peak_kb = run.stdout.split()
    assert int(messages) == 100_000
    assert float(took_s) < 10
    assert int(peak_kb) < 300_000
