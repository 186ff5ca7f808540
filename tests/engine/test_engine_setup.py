"""What is done around iterations: once per user, and once before and after the load, all in virtual time."""

import json
from dataclasses import replace

import pytest
import trio
import trio.testing
from virtual_load import scenario_of, virtual_run

from stressrunner.engine.clock import EventLoopClock
from stressrunner.engine.sending import Cut, Sender
from stressrunner.engine.setup_teardown import ExecutionTarget, run_once
from stressrunner.http.fake import FakeAnswer, FakeTransports
from stressrunner.metrics.collector import Collector
from stressrunner.metrics.error_key import ErrorKey
from stressrunner.plan.plan import compile_plan

USERS = """
endpoints:
  register: {post: "/users/{{ user.id }}/{{ random_int(0, 10**9) }}", capture: {token: body.token}}
  a: {get: /a, headers: {token: "{{ token }}"}}
user_setup: [register]
mix: {a: 1}
load: {concurrency: 3, iterations: 12}
"""


def registering(number, request):
    """Answer a registration after two seconds with a token and a cookie, and anything else at once."""
    if request.method == "POST":
        user = request.target.split("/")[2]
        cookie = ("Set-Cookie", f"user={user}; Path=/")
        return FakeAnswer(2, body=json.dumps({"token": f"t{user}"}).encode(), headers=(cookie,))
    return FakeAnswer(0.01)


def sent(ran):
    """Return target and headers of every request of the load."""
    return [(e.request.target, dict(e.request.headers)) for e in ran.exchanges if e]


def test_every_user_is_set_up_once():
    """What user_setup captures and its cookies stay with the user; its requests are reported and not counted."""
    ran = virtual_run(scenario_of(USERS), registering)
    assert ran.transports.requests == 15
    assert (ran.totals.planned, ran.totals.sent, ran.totals.ok) == (12, 12, 12)
    assert {(h["token"], h["Cookie"]) for _, h in sent(ran)} == {(f"t{n}", f"user={n}") for n in range(3)}
    assert (ran.summary.excluded["user_setup"].sent, ran.summary.excluded["user_setup"].ok) == (3, 3)
    assert list(ran.summary.endpoints) == ["a"]
    assert sum(point.sent for point in ran.summary.timeline) == 12


def test_the_setup_of_a_user_is_in_no_time():
    """An arrival whose user has to be set up first is due when that is done: it is no lag and no response time."""
    text = USERS.replace("concurrency: 3, iterations: 12", "rate: 1/s, duration: 5s")
    ran = virtual_run(scenario_of(text), registering)
    assert ran.totals.sent == 5
    assert ran.summary.lag.max_s == 0
    assert ran.totals.response_time.max_s == pytest.approx(0.01)


def test_pauses_are_no_part_of_how_long_a_user_took_to_be_set_up():
    """As of any whole."""
    ran = virtual_run(scenario_of(USERS.replace("[register]", "[register, {think: 5s}, a]")), registering)
    lengths = ran.summary.groups["user_setup"]
    assert (lengths.count, lengths.min_s, lengths.max_s) == (3, pytest.approx(2.01), pytest.approx(2.01))


def test_a_user_tries_again_and_draws_anew():
    """When user_setup fails, the user tries again after a tenth of a second, and takes no iteration for it."""

    def failing(number, request):
        return FakeAnswer(0.01, status=500) if number == 0 else registering(number, request)

    text = USERS.replace("concurrency: 3, iterations: 12", "concurrency: 1, iterations: 3")
    targets = []
    ran = virtual_run(
        scenario_of(text), lambda n, request: targets.append(request.target) or failing(n, request)
    )
    assert [target.split("/")[1] for target in targets] == ["users", "users", "a", "a", "a"]
    assert targets[0] != targets[1]
    assert (ran.totals.planned, ran.totals.sent, ran.totals.skipped) == (3, 3, 0)
    assert [(error.kind, error.count) for error in ran.summary.errors] == [("user_setup: http 500", 1)]


def test_a_users_first_request_waits_for_a_user_and_not_for_its_setup():
    """Waiting for `max_in_flight` is still queue, and response time, when a user is set up on top of it."""
    text = USERS.replace("concurrency: 3, iterations: 12", "rate: 1/s, duration: 3s, max_in_flight: 1")
    ran = virtual_run(scenario_of(text), registering)
    assert ran.summary.lag.max_s == 0
    assert ran.summary.queue.max_s == pytest.approx(
        1.01
    )  # arrived a second in, while the user was set up for two


def registrations(count):
    """Return what the users of so many generators register with, in the order of the users."""
    targets = []

    def answer(number, request):
        if request.method == "POST":
            targets.append(request.target)
        return registering(number, request)

    for index in range(count):
        virtual_run(scenario_of(USERS), answer, shard=(index, count))
    return sorted(targets)


def test_generators_set_users_up_alike():
    """What a user draws in user_setup depends on the user, whichever generator it is in."""
    assert registrations(3) == registrations(1)
    assert len(set(registrations(1))) == 3


def once(text, kind, answer, **changes):
    """Run the steps of a kind; return how they ended, and what was counted."""
    plan = replace(compile_plan(scenario_of(text), seed=1, run_id="r"), **changes)
    collector = Collector()

    async def main():
        clock = EventLoopClock()
        transports = FakeTransports(clock, answer)
        sender = Sender("http://target", clock, collector, Cut("interrupt"))
        target = ExecutionTarget("http://target", transports, sender, clock, collector)
        return await run_once(kind, getattr(plan, kind), plan, target)

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)), collector.drain()


SETUP = """
endpoints:
  login: {post: /login, capture: {token: body.token}}
  a: {get: /a, headers: {token: "{{ token }}"}}
setup: [login, {send: login, repeat: {until: token == 't2', delay: 1s, times: 9}}]
mix: {a: 1}
"""


def test_setup_hands_on_what_it_captures():
    """The captures and cookies of setup are those that every iteration of the load begins with."""
    done, delta = once(
        SETUP,
        "setup",
        lambda number, request: FakeAnswer(
            0.01, body=json.dumps({"token": f"t{number}"}).encode(), headers=(("Set-Cookie", "s=1"),)
        ),
    )
    assert (done.problem, done.captures) == ("", {"token": "t2"})
    assert delta.excluded["setup"].sent == 3
    assert not delta.series
    plan = replace(
        compile_plan(scenario_of(SETUP), seed=1, run_id="r"), captures=done.captures, cookies=done.cookies
    )
    ran = virtual_run(scenario_of(SETUP), prepared=plan)
    assert sent(ran) == [("/a", {"token": "t2", "Cookie": "s=1"})]


def test_setup_says_why_it_failed():
    """The first failure ends setup, and its message is what a reader is told."""
    done, delta = once(SETUP, "setup", lambda number, request: FakeAnswer(0.01, status=401))
    assert done.problem == "status was 401"
    assert list(delta.errors) == [ErrorKey("setup: http 401", status=401)]


def test_what_cannot_be_handed_on_fails_setup():
    """A capture that is no plain value is told, and not left out in silence."""
    text = "endpoints: {a: {get: /a, capture: {all: headers}}, b: {get: /b}}\nsetup: [a]\nmix: {b: 1}"
    done, _ = once(text, "setup", lambda number, request: FakeAnswer(0.01))
    assert "cannot be handed on" in done.problem


def test_teardown_sees_what_setup_captured():
    """Teardown begins with the captures of setup."""
    targets = []
    text = SETUP + "\nteardown: [{delete: '/tokens/{{ token }}'}]"
    done, delta = once(
        text,
        "teardown",
        lambda n, request: targets.append(request.target) or FakeAnswer(0.01),
        captures={"token": "t2"},
    )
    assert (done.problem, targets) == ("", ["/tokens/t2"])
    assert delta.excluded["teardown"].sent == 1
