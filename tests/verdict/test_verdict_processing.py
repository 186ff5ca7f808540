"""What a sink saw, joined with what was answered and stored: every message counts once, for what became of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import RUN, attempt
from test_verdict_delivery_judgement import KNOWN, history, judged, sent

from stressrunner.engine.tokens import MessageToken, token_text
from stressrunner.plan.reply import Reply
from stressrunner.scenario.delivery import DEFAULT_LIMITS
from stressrunner.sink import SinkLog, TokenObservation
from stressrunner.verdict.delivery.classes import MessageClass, Sighting, class_of
from stressrunner.verdict.delivery.processing import PROCESSED, processing_of

replies = st.sampled_from(list(Reply))
#: Reply, whether the history shows it, calls to the model, and how many of them failed.
messages = st.lists(
    st.tuples(replies, st.booleans(), st.integers(0, 3), st.integers(0, 3)).filter(lambda m: m[3] <= m[2]),
    max_size=30,
)


def log_of(calls, run=RUN, **changes):
    """Return a sink's log; `calls` are (calls, failed) by (session, message)."""
    seen = {
        token_text(run, *token): TokenObservation(n, failed, 10, 20)
        for token, (n, failed) in calls.items()
        if n > 0
    }
    return SinkLog(seen, **{"requests": sum(n for n, _ in calls.values()), "unlogged": 0, **changes})


@given(messages)
def test_each_message_counts_for_what_became_of_it(planted):
    """A call that failed is no processing; the rest is counted against the message's reply and class."""
    attempts = [attempt(0, i, reply) for i, (reply, *_) in enumerate(planted)]
    classes = {
        MessageToken(0, i): class_of(reply, Sighting(int(is_stored)))
        for i, (reply, is_stored, *_) in enumerate(planted)
    }
    calls = {(0, i): (n, failed) for i, (_, _, n, failed) in enumerate(planted)}
    found = processing_of(attempts, classes, log_of(calls), RUN)
    done = {i: n - failed for i, (_, _, n, failed) in enumerate(planted)}
    assert found.times == {MessageToken(0, i): n for i, n in done.items() if n}
    assert {name: {token.message for token in tokens} for name, tokens in found.faults.items()} == {
        "processed.twice": {i for i, n in done.items() if n > 1},
        "processed.refused": {
            i for i, n in done.items() if n and planted[i][0] in (Reply.REFUSED, Reply.UNSENT)
        },
        "processed.not_stored": {i for i, n in done.items() if n and not planted[i][1]},
    }


def test_other_runs_and_messages_never_sent_are_passed_over():
    """Tokens of another run, or with numbers that this one never sent, are not the messages of this run."""
    log = log_of({(0, 0): (1, 0), (0, 7): (2, 0)})
    other = log_of({(0, 0): (5, 0)}, run="ffffffff")
    both = replace(log, observations={**log.observations, **other.observations})
    found = processing_of([attempt(0, 0)], {MessageToken(0, 0): MessageClass.DELIVERED}, both, RUN)
    assert found.times == {MessageToken(0, 0): 1}
    assert not any(found.faults.values())


@pytest.mark.parametrize(
    ("reply", "stored", "calls", "fault", "reason"),
    [
        (Reply.ACKNOWLEDGED, ["0"], 2, "processed.twice", "1 of 1 message was processed more than once"),
        (Reply.REFUSED, [], 1, "processed.refused", "1 of 1 message was processed although not taken on"),
    ],
)
def test_a_fault_that_only_the_sink_sees_fails_the_run(reply, stored, calls, fault, reason):
    """A history without a fault is not enough; the evidence says how often the model was asked."""
    log = log_of({(0, 0): (calls, 0)})
    outcome = judged([sent(0, 0, reply)], [history(0, *stored)], sink=log)
    assert (outcome.outcome, outcome.reasons) == ("failed", (reason,))
    (evidence,) = outcome.evidence
    assert evidence.fault == fault
    (message,) = evidence.sessions[0].messages
    assert (message.processed, message.is_fault) == (calls, True)


def test_what_is_thrown_away_is_counted_and_allowed():
    """Messages that were processed and superseded are in the figures; a limit on them can be set."""
    log = log_of({(0, 0): (1, 0), (0, 1): (1, 0)})
    attempts = [sent(0, 0, Reply.SUPERSEDED), sent(0, 1)]
    lenient = {"superseded": "allowed", "bursts_without_answer": "allowed"}
    allowed = judged(attempts, [history(0, "1")], lenient, sink=log)
    assert (allowed.outcome, allowed.sink.not_stored, allowed.sink.messages) == ("passed", 1, 2)
    limited = {**lenient, "processed.not_stored": "0"}
    assert judged(attempts, [history(0, "1")], limited, sink=log).reasons == (
        "1 of 2 messages was processed and not stored",
    )


@pytest.mark.parametrize(
    ("sink", "reason"),
    [
        (log_of({}), "the sink answered none of the messages: give its address to the service"),
        (log_of({(0, 0): (1, 1)}), "the sink answered none of the messages: give its address to the service"),
        (log_of({(0, 0): (1, 0)}, unlogged=4), "the sink had no room to follow all messages: 4 times"),
        ("it was reset", "what the sink saw is not known: it was reset"),
    ],
)
def test_a_sink_that_saw_too_little_proves_nothing(sink, reason):
    """Without what the sink was there for the verdict is unknown; a fault that was found all the same fails."""
    outcome = judged([sent(0, 0)], [history(0, "0")], sink=sink)
    assert outcome.outcome == "unknown"
    assert outcome.reasons[0].startswith(reason)
    assert judged([sent(0, 0)], [history(0)], sink=sink).outcome == "failed"


def test_without_a_sink_nothing_is_said_of_processing():
    """There are no figures and no requirements of it, and messages say that nothing is known."""
    outcome = judged([sent(0, 0)], [history(0)])
    assert outcome.sink is None
    assert not any(each.name.startswith(PROCESSED) for each in outcome.requirements)
    assert outcome.evidence[0].sessions[0].messages[0].processed is None
    assert any(name.startswith(PROCESSED) for name in DEFAULT_LIMITS)
    assert KNOWN.sink is None
