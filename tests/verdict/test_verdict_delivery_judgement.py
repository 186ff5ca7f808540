"""The verdict on deliveries: what is required holds, does not hold, or cannot be known, with the evidence for it."""

from dataclasses import replace

import pytest
from planted import RUN, SEPARATOR, attempt

from stressrunner.engine.history import History, Response
from stressrunner.engine.tokens import TokenReader, token_text
from stressrunner.plan.reply import Reply
from stressrunner.scenario.delivery import DEFAULT_LIMITS, parse_limit
from stressrunner.verdict.delivery.evidence import MAX_MESSAGES, MAX_SESSIONS, MAX_STORED
from stressrunner.verdict.delivery.judgement import Circumstances, judge_delivery, unknown_reasons
from stressrunner.verdict.delivery.outcome import ReadBackFigures

READ = ReadBackFigures(10, 0, 20, 0, 2.0, 2.0, ())
KNOWN = Circumstances(
    run_id=RUN,
    origin_ns=0,
    phases=[("warm", True), ("low", False), ("high", False)],
    require=DEFAULT_LIMITS,
    read_back=READ,
    doubts=(),
    mask=lambda text: text.replace("hunter2", "***"),
    looked=False,
)


def sent(session, message, reply=Reply.ACKNOWLEDGED, **changes):
    """Return a message of the phase `low`, sent in a second of its own."""
    return attempt(session, message, reply, **{"at": message * 10**9, "took": 10**8, "phase": 1, **changes})


def history(session, *texts):
    """Return a history of some texts, in which `3` stands for the token of the session's message 3."""
    full = [SEPARATOR.join(token_text(RUN, session, int(n)) for n in text.split("+")) for text in texts]
    return History(session, TokenReader(RUN, SEPARATOR).read(full))


def judged(attempts, histories, require=None, **changes):
    """Return the verdict, with some requirements changed."""
    limits = {**DEFAULT_LIMITS, **{name: parse_limit(text) for name, text in (require or {}).items()}}
    return judge_delivery(attempts, histories, replace(KNOWN, require=limits, **changes))


def test_all_delivered_is_a_pass():
    """With every message merged or delivered nothing is said against the run, and nothing is in evidence."""
    outcome = judged([sent(0, i) for i in range(4)], [history(0, "0", "1+2", "3")])
    assert (outcome.outcome, outcome.reasons, outcome.evidence) == ("passed", (), ())
    assert {name: n for name, n in outcome.classes.items() if n} == {"merged": 2, "delivered": 2}
    assert (outcome.messages, outcome.sessions, outcome.bursts) == (4, 1, 4)


@pytest.mark.parametrize(
    ("attempts", "stored", "fault", "reason"),
    [
        ([sent(0, 0)], [], "lost", "1 of 1 message was acknowledged and lost"),
        ([sent(0, 0), sent(0, 1)], ["0", "0", "1"], "duplicated", "1 of 2 messages was found more than once"),
        (
            [sent(0, 0, Reply.REFUSED), sent(0, 1, Reply.REFUSED)],
            ["0", "1"],
            "phantom",
            "2 of 2 messages were found although not taken on",
        ),
        (
            [sent(0, 0, Reply.UNKNOWN)],
            [],
            "dropped",
            "1 of 1 message got no certain reply and was not found",
        ),
        ([sent(0, 0)], ["0", "9"], "fabricated", "1 token in the histories was never sent"),
        ([sent(0, 0), sent(0, 1)], ["1", "0"], "order", "the order of 1 pair of messages was not kept"),
        (
            [sent(0, 0, session_id="a"), sent(0, 1, session_id="b")],
            ["0", "1"],
            "session_ids",
            "1 of 1 session got ids that differ",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_fails_the_run(attempts, stored, fault, reason):
    """A fault is said in a sentence, and its evidence shows the session."""
    outcome = judged(attempts, [history(0, *stored)], newest_first=False)
    assert (outcome.outcome, outcome.reasons) == ("failed", (reason,))
    assert [each.fault for each in outcome.evidence] == [fault]
    assert [each.name for each in outcome.evidence[0].sessions] == [f"sr-{RUN}-0"]


def test_an_order_that_may_be_the_other_way_round_is_unknown():
    """Two swapped messages are no proof of a fault, and no pass: the scenario is to say how histories are listed."""
    outcome = judged([sent(0, 0), sent(0, 1)], [history(0, "1", "0")])
    assert outcome.outcome == "unknown"
    assert "say 'order_by: newest_first' or" in outcome.reasons[0]
    assert [each.name for each in outcome.requirements if each.state == "unknown"] == ["order"]
    ascending = judged([sent(0, 0), sent(0, 1)], [history(0, "0", "1")])
    assert ascending.outcome == "passed"


def test_what_may_not_have_been_read_is_unknown():
    """Messages that were not found are not lost where there may be more than was read, and the reason says so."""
    part = replace(history(0, "0"), partial="its replies named two ids")
    outcome = judged([sent(0, 0), sent(0, 1), sent(0, 2)], [part])
    assert (outcome.outcome, outcome.unread, outcome.classes["lost"]) == ("unknown", 2, 0)
    assert outcome.reasons == (
        "2 messages that were not found may stand where nothing was read: its replies named two ids",
    )
    assert judged([sent(0, 0)], [part]).outcome == "passed"


def test_evidence_says_which_reply_named_which_id():
    """Of a message under another id than its reply named, the evidence has both, and places under each id."""
    stored = [
        s._replace(ids=(under,)) for under, n in (("x", "0"), ("y", "1")) for s in history(0, n).messages
    ]
    attempts = [
        sent(0, 0, session_id="x"),
        sent(0, 1, session_id="x"),
        sent(0, 2, Reply.REFUSED, session_id="y"),
    ]
    outcome = judged(attempts, [History(0, tuple(stored))], {"session_ids": "allowed"})
    assert outcome.reasons == ("1 of 3 messages was found under another id of the session",)
    (session,) = outcome.evidence[0].sessions
    assert [(m.session_id, m.became, m.found) for m in session.messages] == [
        ("x", "delivered", (0,)),
        ("x", "elsewhere", (1,)),
        ("y", "refused", ()),
    ]
    assert [(each.ids, each.position) for each in session.stored] == [(("x",), 0), (("y",), 0)]


def test_reasons_show_the_response():
    """Why histories are not known comes with the URL, the status and the beginning of a response, without secrets."""
    response = Response("http://t/s?key=hunter2", 403, "no:\n  hunter2 " + 192 * "x" + "hunter2")
    others = [History(i, unread="status was 403", response=response._replace(status=i)) for i in (2, 1)]
    histories = [others[0], History(0, unread="status was 403", response=response), others[1]]
    (reason,) = unknown_reasons(histories, lambda text: text.replace("hunter2", "***"))
    assert reason == f"status was 403; http://t/s?key=*** answered 403: no: *** {192 * 'x'}"


def test_messages_in_other_sessions_are_in_the_evidence():
    """Of a message that was misrouted, the evidence shows where it stands."""
    stranger = History(1, TokenReader(RUN).read([token_text(RUN, 0, 0)]))
    outcome = judged([sent(0, 0), sent(1, 0)], [history(0), stranger], {"lost": "allowed"})
    (evidence,) = outcome.evidence
    (session,) = evidence.sessions
    assert evidence.fault == "misrouted"
    assert [(stored.session, stored.position) for stored in session.stored] == [(f"sr-{RUN}-1", 0)]
    assert session.messages[0].found == (0,)


def test_limits_are_numbers_or_parts():
    """A requirement holds up to its limit: a number, or a percentage of all messages."""
    attempts, histories = [sent(0, i) for i in range(100)], [history(0, *map(str, range(2, 100)))]
    limits = {
        "0": "failed",
        "1": "failed",
        "2": "passed",
        "1%": "failed",
        "2%": "passed",
        "allowed": "passed",
    }
    assert {text: judged(attempts, histories, {"lost": text}).outcome for text in limits} == limits
    assert judged(attempts, histories, {"lost": "1%"}).reasons == (
        "2 of 100 messages were acknowledged and lost, limit 1%",
    )


@pytest.mark.parametrize("reply", Reply)
def test_replies_can_be_limited(reply):
    """Each reply can be required, with `unanswered` not allowed by default."""
    found = judged([sent(0, 0, reply)], [history(0)], {f"reply.{reply}": "0"})
    broken = [each.name for each in found.requirements if each.state == "failed"]
    assert f"reply.{reply}" in broken
    by_default = judged([sent(0, 0, reply)], [history(0)])
    assert (f"reply.{reply}" in {e.name for e in by_default.requirements}) == (reply is Reply.UNANSWERED)


def test_what_could_not_be_read_is_unknown():
    """A history that is not known is no pass; a fault that was found elsewhere still fails the run."""
    figures = replace(READ, sessions=2, unread=1, reasons=("status was 503",))
    unread = History(1, unread="status was 503")
    outcome = judged([sent(0, 0), sent(1, 0)], [history(0, "0"), unread], read_back=figures)
    assert outcome.outcome == "unknown"
    assert outcome.reasons == ("the history of 1 of 2 sessions is not known: status was 503",)
    assert outcome.unread == 1
    faulty = judged([sent(0, 0), sent(1, 0)], [history(0, "0", "0"), unread], read_back=figures)
    assert faulty.outcome == "failed"


def test_what_unread_messages_could_break_is_unknown():
    """A requirement on what histories show is no pass where messages without a class would exceed it; others stand."""
    figures = replace(READ, sessions=2, unread=1, reasons=("status was 503",))
    attempts = [sent(0, i) for i in range(9)] + [sent(1, 0)]
    histories = [history(0, *map(str, range(8))), History(1, unread="status was 503")]
    limits = {"lost": "20%", "dropped": "0", "refused": "1", "reply.refused": "0", "merged": "0"}
    outcome = judged(attempts, histories, limits, read_back=figures)
    states = {each.name: each.state for each in outcome.requirements}
    assert outcome.outcome == "unknown"
    assert {name for name, state in states.items() if state == "passed"} == {
        *("lost", "refused", "reply.refused", "reply.unanswered", "bursts_without_answer", "session_ids")
    }
    assert set(states.values()) == {"passed", "unknown"}
    worse = judged(attempts, histories, {**limits, "lost": "1"}, read_back=figures)
    assert {each.state for each in worse.requirements if each.name == "lost"} == {"unknown"}


def test_doubts_come_before_faults():
    """When what was sent is not known as a whole, what seems to be a fault is none."""
    outcome = judged([sent(0, 0)], [history(0, "0", "5")], doubts=("a generator was lost",))
    assert outcome.outcome == "unknown"
    assert "a generator was lost" in outcome.reasons


def test_warm_up_is_reported_and_never_counted():
    """Faults of messages of a warm-up are in its phase, and fail nothing."""
    attempts = [sent(0, 0, phase=0), sent(1, 0, phase=1), sent(2, 0, phase=2)]
    outcome = judged(attempts, [history(0), history(1, "0"), history(2, "0")])
    assert outcome.outcome == "passed"
    assert (outcome.messages, outcome.sessions, outcome.classes["lost"]) == (2, 2, 0)
    assert [(phase.name, phase.classes["lost"]) for phase in outcome.phases] == [
        ("warm", 1),
        ("low", 0),
        ("high", 0),
    ]


def test_phases_show_where_it_begins():
    """Losses are told phase by phase, so that the load from which on they happen can be seen."""
    attempts = [sent(i, 0, phase=1 + i // 5) for i in range(10)]
    histories = [history(i, *(["0"] if i < 7 else [])) for i in range(10)]
    phases = judged(attempts, histories).phases
    assert [(phase.classes["delivered"], phase.classes["lost"]) for phase in phases[1:]] == [(5, 0), (2, 3)]


def test_times_of_replies_and_of_visibility():
    """Replies have times of their own, and acknowledged messages the time until they were seen."""
    attempts = [sent(0, 0), sent(0, 1, Reply.SUPERSEDED, took=3 * 10**8), sent(0, 2, Reply.UNANSWERED)]
    seen = replace(history(0, "0"), first_seen_ns={(0, 0): 6 * 10**8})
    outcome = judged(attempts, [seen], looked=True)
    assert {name: times.max_s for name, times in outcome.reply_times.items()} == {
        "acknowledged": 0.1,
        "superseded": 0.3,
    }
    assert (outcome.visibility.count, outcome.visibility.max_s) == (1, 0.5)
    assert judged(attempts, [seen]).visibility is None


def test_evidence_is_bounded():
    """However much is wrong, a few sessions are shown, and of each a part around what is at fault."""
    attempts = [sent(s, m) for s in range(20) for m in range(200)]
    kept = [str(m) for m in range(200) if m != 150]
    outcome = judged(attempts, [history(s, *kept) for s in range(20)])
    (evidence,) = outcome.evidence
    assert (len(evidence.sessions), evidence.more_sessions) == (MAX_SESSIONS, 20 - MAX_SESSIONS)
    session = evidence.sessions[0]
    assert (len(session.messages), session.more_messages) == (MAX_MESSAGES, 200 - MAX_MESSAGES)
    assert (len(session.stored), session.more_stored) == (MAX_STORED, 199 - MAX_STORED)
    assert [message.token for message in session.messages if message.is_fault] == [f"sr.{RUN}.0.150"]
    assert f"sr.{RUN}.0.149" in {token for stored in session.stored for token in stored.tokens}


def test_secrets_are_hidden_in_evidence():
    """What a history or a reply says is masked before it is kept."""
    texts = [f"my password is hunter2 {token_text(RUN, 0, 0)}"] * 2
    found = History(0, TokenReader(RUN).read(texts))
    (evidence,) = judged([sent(0, 0, session_id="hunter2")], [found]).evidence
    assert evidence.sessions[0].ids == ("***",)
    assert evidence.sessions[0].stored[0].excerpt.startswith("my password is *** sr.")


def test_the_most_frequent_reason_comes_first():
    """Why histories are not known is told once for each reason."""
    histories = [*[History(i, unread="b") for i in range(3)], History(7, unread="a"), History(8)]
    assert unknown_reasons(histories) == ("b", "a")
