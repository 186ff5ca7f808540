"""What is kept whole of a load: bounded, told apart, and the same however many generators there were."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics_samples import MS, sample

from stressrunner.http.exchange import Exchange, Request
from stressrunner.metrics.error_key import ErrorKey
from stressrunner.metrics.exemplars import (
    MAX_GROUPS,
    MAX_PER_GROUP,
    MAX_SLOWEST,
    ExemplarRecorder,
    Exemplars,
    exemplars_from_wire,
    exemplars_to_wire,
)
from stressrunner.plan.captures import Captures
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.scenario.model import Capture


def exchange(body=b'{"ok": true}', request_body=b"", *, status=500, encoding="", headers=()):
    """Return an exchange of which only the content matters."""
    request = Request("POST", "/x", (("content-type", "application/json"),), request_body)
    return Exchange(request, 0, 0, 1, 2, status=status, headers=headers, body=body, content_encoding=encoding)


HTTP_500 = ErrorKey("http 500", status=500)


def failed(kind="http 500", message="status was 500", **changes):
    """Return a request that failed."""
    return sample(outcome=Outcome.FAILED, problem=Problem(kind, message), **changes)


def seen(*samples, warmups=(), of=None):
    """Return what a recorder keeps of samples."""
    recorder = ExemplarRecorder(warmups)
    for one in samples:
        recorder(one, of or exchange())
    return recorder.hand_over()


def test_the_slowest_of_each_endpoint_are_kept():
    """Of many requests in any order, the slowest few of every endpoint are kept, the slowest first."""
    samples = [sample(took_ms=n, endpoint=n % 2) for n in range(1, 200)]
    random.Random(7).shuffle(samples)
    kept = seen(*samples).slowest
    times = {endpoint: [one.response_time_ns // MS for one in ones] for endpoint, ones in kept.items()}
    assert times == {0: [198, 196, 194], 1: [199, 197, 195]}


def test_warm_up_is_not_among_the_slowest():
    """A slow request of a phase that warms up is nothing to look at; its errors are."""
    kept = seen(sample(took_ms=900, phase=0), failed(phase=0), sample(took_ms=5, phase=1), warmups=[0])
    assert [one.response_time_ns for one in kept.slowest[0]] == [5 * MS]
    assert list(kept.errors) == [HTTP_500]


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.SUPERSEDED, Outcome.UNFINISHED])
def test_only_successes_are_slow(outcome):
    """Replies that the scenario expects to be none, and requests that were cut off, are not among the slowest."""
    assert seen(sample(took_ms=900, outcome=outcome)).slowest == {}


def test_errors_are_kept_once_for_each_message_and_endpoint():
    """The same error over and over is one; another message, or another endpoint, is another one."""
    kept = seen(
        *[failed()] * 50, failed(endpoint=1), failed(message="status was 500, again"), failed(endpoint=2)
    )
    assert [(one.endpoint, one.message) for one in kept.errors[HTTP_500]] == [
        (0, "status was 500"),
        (1, "status was 500"),
        (0, "status was 500, again"),
    ]


def test_what_is_kept_is_bounded():
    """Errors of any number of kinds and messages, with large bodies and heads, keep a bounded number of characters."""
    big = exchange(b"x" * 5_000_000, b"y" * 5_000_000, headers=(("h", "z" * 100_000),) * 500)
    kept = seen(*(failed(f"kind {i % 100}", f"message {i}") for i in range(2_000)), of=big)
    kept.merge(seen(*(sample(took_ms=n, endpoint=n) for n in range(500)), of=big))
    assert len(kept.errors) == MAX_GROUPS
    assert {len(ones) for ones in kept.errors.values()} == {MAX_PER_GROUP}
    exemplars = kept.exemplars(0)
    assert len(exemplars) == MAX_GROUPS * MAX_PER_GROUP + 30
    assert max(len(json.dumps(one)) for one in exemplars) < 100_000


def test_every_endpoint_has_its_slowest_before_any_has_its_second():
    """With more endpoints than there is room for, the second slowest of each give way."""
    kept = seen(*(sample(took_ms=n + k, endpoint=n) for n in range(29) for k in range(MAX_SLOWEST)))
    slow = [one.endpoint for one in kept.exemplars(0)]
    assert set(slow) == set(range(29))
    assert slow == sorted(slow)
    assert len(slow) == 30
    assert slow.count(28) == 2  # the slowest of those that are second


def test_requests_that_took_no_time_are_kept_while_there_is_room():
    """The slowest of an endpoint are kept however fast it is."""
    kept = seen(*[sample(took_ms=0)] * MAX_SLOWEST).slowest[0]
    assert [one.response_time_ns for one in kept] == [0] * MAX_SLOWEST


@pytest.mark.parametrize(
    ("body", "text", "kept"),
    [
        (b"", "", "all"),
        (b'{"a": 1}', '{"a": 1}', "all"),
        (b"a" * 1000, "a" * 1000, "all"),
        (b"a" * 1001, "a" * 1000, "start"),
        ("ä".encode() * 2001, "ä" * 1000, "start"),
        (b"a" + "\U0001f600".encode() * 1200, "a" + "\U0001f600" * 999, "start"),
        ("\U0001f600".encode() * 1000, "\U0001f600" * 1000, "all"),
        (b"a" * 3999 + b"\xff", "", "none"),
        (b"\x89PNG\r\n\x1a\n", "", "none"),
        (b"nul\0", "", "none"),
        (b"a" * 9000 + b"\xff", "a" * 1000, "start"),
    ],
)
def test_the_start_of_a_body_is_kept_as_text(body, text, kept):
    """Text is kept up to a number of characters, whole ones; what is no text is not kept, its size always."""
    request = seen(failed(), of=exchange(request_body=body)).errors[HTTP_500][0].request
    assert (request.body, request.body_bytes, request.kept) == (text, len(body), kept)


def test_a_failed_check_is_counted_by_its_text():
    """How often each check failed is counted, also when the exchange is not kept."""
    problem = Problem("check", "status == 200: status was 204", rule="status == 200")
    kept = seen(*[sample(outcome=Outcome.FAILED, problem=problem)] * 9)
    assert kept.checks == {(0, "status == 200"): 9}


def test_checks_and_statuses_have_exchanges_of_their_own():
    """A check that fails with another status, and another check, are kept even when the first has all its room."""
    problems = [Problem("check", f"{rule}: {n}", rule=rule) for rule in ("a", "b") for n in range(9)]
    failures = [sample(outcome=Outcome.FAILED, problem=problem) for problem in problems]
    kept = seen(*failures, of=exchange(status=404))
    kept.merge(seen(*failures, of=exchange(status=500)))
    assert {key: len(ones) for key, ones in kept.errors.items()} == {
        ErrorKey("check", rule, status): MAX_PER_GROUP for status in (404, 500) for rule in ("a", "b")
    }
    assert exemplars_from_wire(json.loads(json.dumps(exemplars_to_wire(kept, 0))), 0).errors == kept.errors


def test_a_failed_capture_is_no_failed_check():
    """What is counted by its text is checks alone, although captures have names too."""
    problem = Problem("capture", "capture token: nothing is found", rule="token")
    assert seen(sample(outcome=Outcome.FAILED, problem=problem)).checks == {}


def test_a_request_that_could_not_be_filled_in_has_no_exchange():
    """There is nothing to keep of a request that was never sent, and nothing goes wrong."""
    recorder = ExemplarRecorder()
    recorder(failed("template", "no rows"), None)
    recorder(sample(took_ms=5), None)
    assert recorder.hand_over() == Exemplars()


def test_nothing_is_handed_over_twice():
    """What was handed over once comes again only if there is something slower, or an error that is new."""
    recorder = ExemplarRecorder()
    for one in (failed(), sample(took_ms=9)):
        recorder(one, exchange())
    recorder.hand_over()
    for one in (failed(), *[sample(took_ms=ms) for ms in (8, 7, 6, 5)]):
        recorder(one, exchange())
    later = recorder.hand_over()
    assert later.errors == {}
    assert [one.response_time_ns // MS for one in later.slowest[0]] == [8, 7]


def test_an_encoded_body_is_shown_decoded():
    """A body that nobody needed when it came is decoded for those who look at it."""
    import gzip  # noqa: PLC0415  used once

    of = exchange(gzip.compress(b'{"ok": false}'), encoding="gzip")
    assert seen(failed(), of=of).errors[HTTP_500][0].response.body == '{"ok": false}'


samples = st.builds(
    lambda fails, message, **fields: failed("check", message, **fields) if fails else sample(**fields),
    st.booleans(),
    st.sampled_from("ab"),
    took_ms=st.integers(0, 50),
    endpoint=st.integers(0, 1),
)


@given(st.lists(samples, max_size=30), st.integers(0, 30))
def test_deltas_add_up(load, cut):
    """Two deltas merge to what one recorder of everything keeps, on this side of a pipe and on the other."""
    recorder = ExemplarRecorder()
    merged, across = Exemplars(), Exemplars()
    for part in (load[:cut], load[cut:]):
        for one in part:
            recorder(one, exchange())
        delta = recorder.hand_over()
        merged.merge(delta)
        wire = json.loads(json.dumps(exemplars_to_wire(delta, 5)))
        across.merge(exemplars_from_wire(wire, 5))
    whole = seen(*load)
    assert merged.exemplars(0) == across.exemplars(0) == whole.exemplars(0)
    assert merged.checks == across.checks == whole.checks


def test_captured_credentials_are_kept_beside_what_they_were_in():
    """What a kept response gave for later requests to be authorized with is known, so that it can be masked."""
    token, none = Capture("body.token"), Capture("body.nothing.at.all")
    recorder = ExemplarRecorder(credentials={1: [Captures({"a": none}), Captures({"token": token})]})
    login = exchange(b'{"token": "t0ken-of-one-user"}')
    for endpoint in (0, 1):
        recorder(sample(took_ms=5, endpoint=endpoint), login)
        recorder(failed(endpoint=endpoint), login)
    kept = exemplars_from_wire(json.loads(json.dumps(exemplars_to_wire(recorder.hand_over(), 0))), 0)
    found = {
        one.endpoint: one.credentials for one in (*kept.errors[HTTP_500], *kept.slowest[0], *kept.slowest[1])
    }
    assert found == {0: (), 1: ("t0ken-of-one-user",)}
