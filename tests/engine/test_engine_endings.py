"""How a load ends: what may still begin, what ends by its own timeout, what is cut off, and what that prevents."""

from fractions import Fraction

import pytest
from virtual_load import endpoint, scenario, scenario_of, virtual_run

from stressrunner.http.fake import FakeAnswer
from stressrunner.scenario.model import Closed, Open, Phase, Timeout

HANGS = FakeAnswer(1e6)


def hanging(*names, service_s=0.01):
    """Return a server that never answers requests for some paths."""
    return lambda _number, request: HANGS if request.target[1:] in names else FakeAnswer(service_s)


def counts(totals):
    """Return what became of the planned requests."""
    return (
        totals.planned,
        totals.ok,
        totals.failed,
        totals.unfinished,
        totals.skipped,
        totals.dropped,
        totals.not_reached,
    )


def flow(steps, load="{concurrency: 1, iterations: 1}", timeout="30s"):
    """Return a scenario of one flow over three endpoints."""
    return scenario_of(
        f"endpoints: {{a: {{get: /a, timeout: {timeout}}}, b: {{get: /b}}, c: {{get: /c}}}}\n"
        f"load: {load}\nflow: {steps}"
    )


def test_requests_that_hang_end_by_their_own_timeout():
    """With a timeout as long as graceful_stop, those that hang are errors, and the load ends when the last one is."""

    def answer(number, _request):
        return HANGS if number >= 9 else FakeAnswer(0.01)

    ran = virtual_run(scenario(Phase("p", Open(Fraction(50), Fraction(1)))), answer)
    assert counts(ran.totals) == (50, 9, 41, 0, 0, 0, 0)
    assert {error.kind for error in ran.summary.errors} == {"timeout"}
    assert ran.summary.duration_s == pytest.approx(0.98 + 30)


@pytest.mark.parametrize("direct", [True, False])
def test_a_timeout_longer_than_graceful_stop_is_waited_for(direct):
    """What is in flight when no more requests may begin still has what is left of its timeout."""
    of = scenario(Phase("p", Closed(2, duration_s=Fraction(1))), endpoints=[endpoint(timeout=Timeout(90))])
    ran = virtual_run(of, lambda number, _: HANGS if number == 5 else FakeAnswer(0.3), direct=direct)
    assert (ran.totals.failed, ran.totals.unfinished) == (1, 0)
    assert ran.summary.duration_s == pytest.approx(0.6 + 90)


@pytest.mark.parametrize("direct", [True, False])
def test_a_written_graceful_stop_cuts_hard(direct):
    """What it cuts off is unfinished and ranks last, however long its timeout is."""
    phase = Phase("p", Closed(2, duration_s=Fraction(1)), graceful_stop_s=30.0)
    of = scenario(phase, endpoints=[endpoint(timeout=Timeout(90))])
    ran = virtual_run(of, lambda number, _: HANGS if number == 5 else FakeAnswer(0.3), direct=direct)
    assert (ran.totals.failed, ran.totals.unfinished, ran.totals.response_time.never) == (0, 1, 1)
    assert ran.summary.duration_s == pytest.approx(31)


def test_requests_that_wait_for_a_connection_are_cut_off_in_the_end():
    """Nobody waits for a queue in front of a shared pool longer than for the longest timeout and a second."""
    of = scenario(Phase("p", Closed(50, duration_s=Fraction(1))), connections=1)
    ran = virtual_run(of, lambda *_: HANGS)
    assert (ran.totals.sent, ran.totals.failed, ran.totals.unfinished) == (50, 2, 48)
    assert ran.summary.duration_s == pytest.approx(1 + 30 + 31)


@pytest.mark.parametrize("direct", [True, False])
def test_arrivals_that_wait_begin_within_graceful_stop(direct):
    """A backlog is worked off for that long; what is then left of it is dropped, and what was begun ends."""
    of = scenario(
        Phase("p", Open(Fraction(20), Fraction(5), max_in_flight=1)), endpoints=[endpoint(body=None)]
    )
    ran = virtual_run(of, lambda *_: FakeAnswer(1.3), direct=direct)
    assert counts(ran.totals) == (100, 27, 0, 0, 0, 73, 0)
    assert ran.summary.duration_s == pytest.approx(27 * 1.3)


def test_an_iteration_begins_no_request_after_graceful_stop():
    """It ends with the request that it has in flight; what it would have sent is skipped, and not its failure."""
    ran = virtual_run(flow("[a, b, c]"), hanging("a"))
    assert counts(ran.totals) == (3, 0, 1, 0, 2, 0, 0)
    ran = virtual_run(flow("[{repeat: 60, steps: [a]}, b]"), lambda *_: FakeAnswer(0.999))
    assert counts(ran.totals) == (61, 31, 0, 0, 30, 0, 0)
    assert ran.summary.duration_s == pytest.approx(31 * 0.999)
    assert not ran.summary.errors


def test_an_iteration_that_waits_when_graceful_stop_is_over_ends_at_once():
    """Thinking is no request: nobody waits for the end of a pause after which nothing may begin."""
    ran = virtual_run(flow("[a, {think: 10m}, b]"))
    assert counts(ran.totals) == (2, 1, 0, 0, 1, 0, 0)
    assert ran.summary.duration_s == pytest.approx(0.01)
    ran = virtual_run(flow("[{repeat: {times: 3, delay: 5m}, steps: [a]}]"))
    assert counts(ran.totals) == (3, 1, 0, 0, 2, 0, 0)


def test_the_last_request_of_a_flow_ends_it():
    """A flow whose last requests outlast graceful_stop has its length, as any that came to its end."""
    steps = "[{parallel: [a, b]}]"
    ran = virtual_run(flow(steps, timeout="90s"), lambda *_: FakeAnswer(29.5))
    assert counts(ran.totals) == (2, 2, 0, 0, 0, 0, 0)
    slow = virtual_run(flow(steps, timeout="90s"), lambda _, r: FakeAnswer(40 if r.target == "/a" else 20))
    assert (slow.summary.groups["flow"].count, slow.summary.groups["flow"].never) == (1, 0)
    assert slow.summary.groups["flow"].max_s == pytest.approx(40)


def test_branches_end_with_the_last_one_in_flight():
    """A branch that would begin a request waits for those of the others to end, and what it owes is skipped."""
    steps = "[{parallel: [a, {steps: [b, {think: 25s}, c]}, {steps: [b, {think: 1h}, c]}]}, c]"
    ran = virtual_run(flow(steps, timeout="90s"), lambda _, r: FakeAnswer(50 if r.target == "/a" else 10))
    assert counts(ran.totals) == (6, 3, 0, 0, 3, 0, 0)
    assert ran.summary.endpoints["c"].skipped == 3
    assert ran.summary.duration_s == pytest.approx(50)
    assert ran.summary.groups["flow"].never == 1


def test_a_session_begins_no_message_after_graceful_stop():
    """Nor the rest of a burst, nor its closing steps; the messages in flight are answered."""
    text = (
        "endpoints: {chat: {post: /chat}, bye: {get: /bye}}\n"
        "session: {messages: 40, burst: 2, gap: 1s, send: chat, close: [bye]}\n"
        "load: {concurrency: 1, sessions: 1}"
    )
    ran = virtual_run(scenario_of(text), lambda *_: FakeAnswer(4.2))
    chat, bye = ran.summary.endpoints["chat"], ran.summary.endpoints["bye"]
    assert (chat.ok, chat.skipped, chat.unfinished) == (12, 28, 0)
    assert (bye.sent, bye.skipped) == (0, 1)


def test_a_straggler_is_told_apart_from_the_rate():
    """One request of 12 s under 100/s for 2 s: the phase offered and got 100/s, and one ended later."""
    ran = virtual_run(
        scenario(Phase("p", Open(Fraction(100), Fraction(2)))),
        lambda number, _: FakeAnswer(12 if number == 50 else 0.009),
    )
    assert ran.totals.throughput_per_s == ran.totals.goodput_per_s == 100
    (phase,) = ran.summary.phases
    assert (phase.duration_s, phase.late, phase.late_s) == (2.0, 1, pytest.approx(10.5))
    assert ran.summary.duration_s == pytest.approx(12.5)


FALLING = "[{name: many, concurrency: 4, duration: 2s}, {name: few, concurrency: 1, duration: 200s%s}]"


@pytest.mark.parametrize(("written", "ended"), [("", (4, 0)), (", graceful_stop: 10s", (1, 3))])
def test_falling_concurrency_loses_no_request_unless_it_is_told_to(written, ended):
    """Requests of users that are no longer wanted have their own timeout, or the graceful_stop that is written."""
    ran = virtual_run(flow("[a, c]", FALLING % written, timeout="80s"), hanging("a"))
    many = ran.summary.phase_endpoints["many", "a"]
    assert (many.failed, many.unfinished) == ended
    assert ran.summary.phase_endpoints["many", "c"].skipped == 4


def test_falling_concurrency_lets_iterations_begin_requests_for_graceful_stop():
    """And no longer: three of four users end with the request that they are in, and skip the rest of their flow."""
    of = flow("[{repeat: 100, steps: [b]}]", FALLING % "")
    ran = virtual_run(of, lambda *_: FakeAnswer(0.997))
    many = ran.summary.phase_endpoints["many", "b"]
    assert (many.ok, many.skipped, many.unfinished) == (100 + 3 * 33, 3 * 67, 0)
