"""Messages whose delivery is checked are logged with their replies, and replies are outcomes of their own."""

import json
from collections import Counter
from fractions import Fraction

import pytest
from virtual_load import endpoint, scenario, virtual_run

from stressrunner.engine.tokens import MessageToken, TokenReader
from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.fake import FakeAnswer
from stressrunner.plan.reply import Reply
from stressrunner.scenario.delivery import Delivery, Listing, ReadBack
from stressrunner.scenario.model import Closed, Mix, Open, Phase, Session, Timeout

DELIVERY = Delivery(
    ReadBack("history", Listing("body.messages")),
    superseded="status == 500 and 'replaced' in text",
    session_id="body.id",
)
HISTORY = endpoint("history", method="GET", path="/s", body=None)


def run(*phases, answer=None, delivery=DELIVERY, **changes):
    """Run phases of an endpoint with a token, and of a second one without."""
    plain = endpoint("plain", method="GET", body=None)
    of = scenario(*phases, endpoints=(endpoint(), plain, HISTORY), delivery=delivery, **changes)
    return virtual_run(of, answer)


def tokens_sent(ran):
    """Return the tokens in the bodies of all requests."""
    reader = TokenReader("r")
    bodies = [exchange.request.body.decode() for exchange in ran.exchanges if exchange]
    return [token for stored in reader.read(bodies) for token in stored.tokens]


def test_every_message_is_logged_once():
    """The log has the token of every message that was sent, with its burst, its times and its session's id."""
    load = Phase("load", Closed(2, 3))
    ran = run(
        load,
        traffic=Session("one", messages=5, burst=2),
        answer=lambda i, r: FakeAnswer(0.5, body=b'{"id": 7}'),
    )
    logged = [MessageToken(each.session, each.message) for each in ran.attempts]
    assert (
        sorted(logged) == sorted(tokens_sent(ran)) == [MessageToken(s, m) for s in range(3) for m in range(5)]
    )
    assert {(each.message, each.burst) for each in ran.attempts} == {(0, 0), (1, 0), (2, 2), (3, 2), (4, 4)}
    assert {each.ended_ns - each.sent_ns for each in ran.attempts} == {500_000_000}
    assert {(each.reply, each.status, each.session_id) for each in ran.attempts} == {
        (Reply.ACKNOWLEDGED, 200, "7")
    }


def test_requests_without_a_token_are_not_logged():
    """Of a mix, only the endpoints that render the token send messages."""
    ran = run(Phase("load", Open(10, 1)), traffic=Mix({"one": Fraction(1), "plain": Fraction(1)}))
    assert ran.totals.sent == 10
    assert len(ran.attempts) == 5
    assert len({each.session for each in ran.attempts}) == 5


def test_without_the_check_nothing_is_logged():
    """A scenario without `invariants.delivery` keeps no log."""
    ran = run(Phase("load", Closed(1, 3)), delivery=None, traffic=Session("one", messages=1))
    assert ran.totals.sent == 3
    assert ran.attempts == []


@pytest.mark.parametrize(
    ("answer", "outcome", "reply"),
    [
        (FakeAnswer(status=500, body=b"replaced"), "superseded", Reply.SUPERSEDED),
        (FakeAnswer(status=422), "refused", Reply.REFUSED),
        (FakeAnswer(status=503), "failed", Reply.UNKNOWN),
        (FakeAnswer(service_s=99), "failed", Reply.UNANSWERED),
        (FakeAnswer(failure=Failure(FailureKind.RESET, "lost")), "failed", Reply.UNKNOWN),
        (FakeAnswer(connect_s=99), "failed", Reply.UNSENT),
    ],
    ids=["superseded", "refused", "unknown", "unanswered", "lost", "unsent"],
)
def test_replies_are_outcomes(answer, outcome, reply):
    """Superseded and refused replies are neither success nor error, and no check applies to them."""
    checked = endpoint(checks=("status == 200",), timeout=Timeout(5, 5))
    of = scenario(
        Phase("load", Closed(1, 1)),
        endpoints=(checked, HISTORY),
        traffic=Session("one", messages=1),
        delivery=DELIVERY,
    )
    ran = virtual_run(of, lambda i, r: answer)
    assert [each.reply for each in ran.attempts] == [reply]
    assert getattr(ran.totals, outcome) == 1
    assert ran.totals.error_ratio == (1.0 if outcome == "failed" else None)


def test_a_session_goes_on_after_superseded_messages():
    """A message that a later one replaced is no failure of its session; one that was refused is."""

    def answer(status, body):
        return lambda i, request: FakeAnswer(status=status, body=body) if i == 1 else FakeAnswer()

    load, traffic = Phase("load", Closed(1, 1)), Session("one", messages=6, burst=2)
    assert run(load, traffic=traffic, answer=answer(500, b"replaced")).totals.sent == 6
    for status in (422, 503):
        failed = run(load, traffic=traffic, answer=answer(status, b""))
        assert (failed.totals.sent, failed.totals.skipped) == (2, 4)
    silent = run(load, traffic=traffic, answer=lambda i, _: FakeAnswer(99) if i == 1 else FakeAnswer())
    assert (silent.totals.sent, silent.totals.skipped) == (2, 4)


@pytest.mark.parametrize(("graceful_stop_s", "stop_at_s"), [(1.0, None), (30.0, 5)], ids=["end", "stopped"])
def test_what_is_cut_off_is_unanswered(graceful_stop_s, stop_at_s):
    """A message that was still waited for when the load was cut off has got no reply."""
    load = Phase("load", Closed(1, 1), graceful_stop_s=graceful_stop_s)
    traffic = Session("one", messages=3, burst=3)
    of = scenario(load, endpoints=(endpoint(), HISTORY), traffic=traffic, delivery=DELIVERY)
    ran = virtual_run(of, lambda i, r: FakeAnswer(20), stop_at_s=stop_at_s)
    assert Counter(each.reply for each in ran.attempts) == {Reply.UNANSWERED: 3}
    assert ran.totals.unfinished == 3


def test_a_row_of_the_log_is_small():
    """What crosses the pipe for a message is far below a kilobyte."""
    ran = run(
        Phase("load", Closed(1, 1)),
        traffic=Session("one", messages=1),
        answer=lambda i, r: FakeAnswer(body=json.dumps({"id": "x" * 5000}).encode()),
    )
    assert len(json.dumps(ran.attempts[0])) < 400
