"""The reply of a message: the first row of a table that matches, by the scenario's expressions or by the defaults."""

import pytest

from stressrunner.http.exchange import Exchange, Failure, FailureKind, Request
from stressrunner.plan.messages import MAX_SESSION_ID, Messages
from stressrunner.plan.reply import Reply
from stressrunner.scenario.delivery import Delivery, Listing, ReadBack

READ_BACK = ReadBack("history", Listing("body.messages"))


def messages(**expressions):
    """Return the messages of a scenario with some expressions."""
    return Messages(Delivery(READ_BACK, **expressions), refused=None, burst=1)


def exchange(status=0, kind=None, sent_ns=5):
    """Return an exchange that ended so."""
    failure = None if kind is None else Failure(kind, "it failed")
    return Exchange(Request("POST", "/"), 1, sent_ns, None, 9, status=status, failure=failure)


def reply(of, ended, **names):
    """Return the reply of an exchange."""
    return of.reply(ended, {"status": ended.status, **names})


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Reply.ACKNOWLEDGED),
        (299, Reply.ACKNOWLEDGED),
        (304, Reply.UNKNOWN),
        (400, Reply.REFUSED),
        (429, Reply.REFUSED),
        (499, Reply.REFUSED),
        (500, Reply.UNKNOWN),
        (503, Reply.UNKNOWN),
    ],
)
def test_replies_by_default(status, expected):
    """Without expressions the status code decides."""
    assert reply(messages(), exchange(status)) is expected


@pytest.mark.parametrize(
    ("kind", "sent_ns", "expected"),
    [
        (FailureKind.TIMEOUT, 5, Reply.UNANSWERED),
        (FailureKind.TIMEOUT, None, Reply.UNSENT),
        (FailureKind.REFUSED, None, Reply.UNSENT),
        (FailureKind.DNS, None, Reply.UNSENT),
        (FailureKind.GENERATOR, None, Reply.UNSENT),
        (FailureKind.RESET, None, Reply.UNSENT),
        (FailureKind.RESET, 5, Reply.UNKNOWN),
        (FailureKind.PROTOCOL, 5, Reply.UNKNOWN),
        (FailureKind.TOO_LARGE, 5, Reply.UNKNOWN),
    ],
)
def test_replies_without_a_response(kind, sent_ns, expected):
    """What never came is told apart by whether a byte of the message was written, and by whether time ran out."""
    assert reply(messages(), exchange(0, kind, sent_ns)) is expected


def test_the_first_expression_that_holds_counts():
    """Acknowledged comes before superseded, and that before refused; what none of them says is unknown."""
    of = messages(acknowledged="body.a", superseded="body.b", refused="body.c")
    table = {"abc": Reply.ACKNOWLEDGED, "bc": Reply.SUPERSEDED, "c": Reply.REFUSED, "": Reply.UNKNOWN}
    for letters, expected in table.items():
        body = {letter: letter in letters for letter in "abc"}
        assert reply(of, exchange(200), body=body) is expected


def test_a_success_that_is_not_acknowledged_is_refused():
    """By default a 2xx that is not acknowledged says no, as a 4xx does."""
    of = messages(acknowledged="status == 201")
    assert reply(of, exchange(200)) is Reply.REFUSED
    assert reply(of, exchange(500)) is Reply.UNKNOWN


def test_what_is_refused_can_be_said():
    """With an expression of its own, other 4xx are unknown; the endpoint's own `refused` counts too."""
    assert reply(messages(refused="status == 422"), exchange(429)) is Reply.UNKNOWN
    of = Messages(Delivery(READ_BACK, refused="status == 422"), refused="status == 429", burst=1)
    assert [reply(of, exchange(status)) for status in (422, 429, 404)] == [
        Reply.REFUSED,
        Reply.REFUSED,
        Reply.UNKNOWN,
    ]


def test_an_expression_that_cannot_be_evaluated_does_not_hold():
    """A reply without JSON is not acknowledged by `body.success`, and is no crash."""
    assert reply(messages(acknowledged="body.success"), exchange(502)) is Reply.UNKNOWN


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"id": "a"}, "a"),
        ({"id": 7}, "7"),
        ({"id": None}, ""),
        ({}, ""),
        ({"id": "x" * 999}, "x" * MAX_SESSION_ID),
    ],
)
def test_the_id_of_a_session(body, expected):
    """An id is text, cut to a length that can be kept; where there is none it is empty."""
    assert messages(session_id="body.id").session_id({"body": body}) == expected
    assert messages().session_id({"body": body}) == ""


@pytest.mark.parametrize(
    ("expressions", "needed"),
    [
        ({}, False),
        ({"acknowledged": "status == 201"}, False),
        ({"acknowledged": "body.ok"}, True),
        ({"superseded": "'gone' in text"}, True),
        ({"session_id": "body.id"}, True),
    ],
)
def test_bodies_are_read_only_when_asked_for(expressions, needed):
    """A body is decoded when an expression asks about it."""
    assert messages(**expressions).needs_body is needed
