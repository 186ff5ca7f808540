"""What flows do: steps, their modifiers, and what a failure means for those that follow, all in virtual time."""

import json

import pytest
from virtual_load import scenario_of, virtual_run

from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.fake import FakeAnswer

ENDPOINTS = """
endpoints:
  a: {get: /a}
  b: {get: /b}
  c: {get: /c}
"""


def answering(*answers):
    """Return a server that answers one request after the other: with a status, a JSON body, or an answer."""

    def answer(number, request):
        given = answers[min(number, len(answers) - 1)]
        if isinstance(given, FakeAnswer):
            return given
        if isinstance(given, int):
            return FakeAnswer(0.01, status=given)
        return FakeAnswer(0.01, body=json.dumps(given).encode())

    return answer


def paths(ran):
    """Return the paths of the requests in the order of completion."""
    return [exchange.request.target for exchange in ran.exchanges if exchange]


def flow(steps, answer=None, *, endpoints=ENDPOINTS, **changes):
    """Run one iteration of a flow."""
    return virtual_run(scenario_of(f"{endpoints}\nflow: {steps}"), answer, **changes)


def balanced(stats):
    """Return whether all planned requests are accounted for and nothing was cut off."""
    return stats.planned == stats.sent + stats.dropped + stats.skipped and stats.not_reached == 0


def test_steps_follow_one_another():
    """Steps are sent in order, each due when the one before it has ended."""
    ran = flow("[a, b, {get: /d?x=1}, {send: c}]")
    assert paths(ran) == ["/a", "/b", "/d?x=1", "/c"]
    assert [s.due_ns // 1_000_000 for s in ran.samples] == [0, 10, 20, 30]
    assert all(s.released_ns == s.due_ns for s in ran.samples)
    assert set(ran.summary.endpoints) == {"a", "b", "c", "GET /d"}


def test_a_think_is_no_part_of_any_time():
    """A pause moves what follows, and counts for no request and for no whole."""
    ran = flow("[a, {think: 5s}, {name: pair, steps: [b, {think: 2s}, c]}, {think: 1s}]")
    assert ran.summary.duration_s == pytest.approx(7.03)
    assert ran.totals.response_time.max_s == pytest.approx(0.01)
    assert ran.summary.groups["flow"].max_s == pytest.approx(0.03)
    assert ran.summary.groups["pair"].max_s == pytest.approx(0.02)


def test_the_first_failure_ends_the_iteration():
    """What follows a failure is not sent; what the plan counted on is skipped."""
    ran = flow("[a, {steps: [b, c]}, {repeat: 3, send: a}]", answering(200, 500))
    assert paths(ran) == ["/a", "/b"]
    totals = ran.totals
    assert (totals.planned, totals.sent, totals.skipped, totals.failed) == (6, 2, 4, 1)
    assert ran.summary.groups_failed == {"flow": 1}
    assert ran.summary.groups["flow"].count == 0


def test_steps_that_ask_how_it_went_run_after_a_failure():
    """`always()` and `failure()` run after a failure; `failure()` does not without one."""
    steps = "[a, {if: failure(), send: b}, {if: always(), send: c}]"
    assert paths(flow(steps, answering(500, 200))) == ["/a", "/b", "/c"]
    assert paths(flow(steps)) == ["/a", "/c"]


def test_a_failure_that_is_forgiven_ends_nothing():
    """With continue_on_error the iteration goes on as if the step had passed."""
    ran = flow("[{send: a, continue_on_error: true}, {if: failure(), send: b}, c]", answering(500, 200))
    assert paths(ran) == ["/a", "/c"]
    assert ran.summary.groups["flow"].count == 1
    assert ran.totals.failed == 1


def test_a_request_that_cannot_be_filled_in_leaves_no_response():
    """What follows it does not take the response to an earlier request for its own."""
    endpoints = ENDPOINTS + "  d: {get: '/{{ 1 // zero }}'}\nvariables: {zero: '{{ user.id * 0 }}'}\n"
    step = "{send: d, continue_on_error: true}"
    assert paths(flow(f"[a, {step}, {{if: status == 200, send: b}}]", endpoints=endpoints)) == ["/a"]
    assert paths(flow("[a, {if: status == 200, send: b}]")) == ["/a", "/b"]


def test_a_condition_decides():
    """A step is done when its condition holds on the latest response, and is planned for in neither case."""
    steps = "[a, {if: body.more, send: b}, {if: not body.more, send: c}]"
    ran = flow(steps, answering({"more": True}))
    assert paths(ran) == ["/a", "/b"]
    assert balanced(ran.totals)
    assert paths(flow(steps, answering({"more": False}))) == ["/a", "/c"]


def test_a_condition_that_makes_no_sense_is_an_error():
    """A step whose condition cannot be evaluated sends nothing, and its iteration is in error: nothing is silent."""
    ran = flow("[a, {if: body.more, send: b}, c]", answering({}))
    assert paths(ran) == ["/a"]
    assert [(e.kind, e.samples[0].endpoint) for e in ran.summary.errors] == [("template", "b")]
    assert "if: body.more" in ran.summary.errors[0].samples[0].message
    assert (ran.totals.failed, ran.totals.skipped, ran.summary.iterations.in_error) == (0, 2, 1)
    assert balanced(ran.totals)


def test_each_element_has_its_turn():
    """`each` does a step for every element, under the name that `as` gives it."""
    ran = flow("[a, {each: body.ids, as: id, get: '/x/{{ id }}'}]", answering({"ids": [7, 8, 9]}, {}))
    assert paths(ran) == ["/a", "/x/7", "/x/8", "/x/9"]
    assert balanced(ran.totals)


@pytest.mark.parametrize("ids", ["abc", {"a": 1}, 7, None])
def test_each_wants_a_list(ids):
    """What is no list has no elements: the step fails and says so."""
    ran = flow("[a, {each: body.ids, get: '/x/{{ item }}'}]", answering({"ids": ids}))
    assert paths(ran) == ["/a"]
    assert "no list" in ran.summary.errors[0].samples[0].message


def test_repeats_are_counted():
    """A step is done so often, each pass with its number, and a delay lies between two of them."""
    ran = flow("[{repeat: 3, get: '/x/{{ repeat.index }}'}, {repeat: {times: 2, delay: 1s}, send: a}]")
    assert paths(ran) == ["/x/0", "/x/1", "/x/2", "/a", "/a"]
    assert ran.summary.duration_s == pytest.approx(1.05)
    assert (ran.totals.planned, ran.totals.sent) == (5, 5)


def test_polling_until_a_job_is_done():
    """`until` is asked after each pass, every pass is a request of its own, and the wait is part of the whole."""
    states = [{"state": "queued"}] * 3 + [{"state": "done"}]
    steps = "[{get: /job, name: job, repeat: {until: body.state == 'done', delay: 1s, times: 9}}, a]"
    ran = flow(steps, answering(*states))
    assert paths(ran) == ["/job"] * 4 + ["/a"]
    assert ran.summary.groups["job"].max_s == pytest.approx(3.04)
    assert ran.totals.planned == 5
    assert balanced(ran.totals)


def test_a_pass_that_fails_is_tried_again():
    """While `until` is false a pass may fail, also without any response; the others are counted as failed."""
    reset = FakeAnswer(0.01, failure=Failure(FailureKind.RESET, "gone"))
    ran = flow("[a, {send: b, repeat: {until: status == 200, times: 5}}]", answering(200, reset, 503, 200))
    assert paths(ran) == ["/a", "/b", "/b", "/b"]
    assert (ran.totals.failed, ran.totals.ok) == (2, 2)
    assert ran.summary.groups["flow"].count == 1


def test_a_failed_pass_that_ends_the_loop_fails_the_step():
    """When `until` holds after a pass that failed, the step has failed."""
    ran = flow("[{send: a, repeat: {until: status != 429, times: 5}}, b]", answering(429, 500))
    assert paths(ran) == ["/a", "/a"]
    assert ran.totals.skipped == 1


def test_waiting_out_a_429():
    """The server says how long to wait; the request is sent again when that time is over."""
    busy = FakeAnswer(0.01, status=429, headers=(("Retry-After", "7"),))
    steps = "[{send: a, repeat: {until: status != 429, delay: '{{ headers.retry_after | default(0) }}s', times: 3}}]"
    ran = flow(steps, answering(busy, 200))
    assert ran.summary.duration_s == pytest.approx(7.02)
    assert (ran.totals.ok, ran.totals.failed) == (1, 1)


def test_a_429_that_is_refused_is_no_error():
    """A reply that the endpoint calls refused is tried again too, and is an outcome of its own."""
    endpoints = "endpoints: {a: {get: /a, refused: status == 429}}"
    ran = flow(
        "[{send: a, repeat: {until: status != 429, times: 3}}]", answering(429, 200), endpoints=endpoints
    )
    assert (ran.totals.ok, ran.totals.failed, ran.totals.refused) == (1, 0, 1)


def test_paging_until_there_are_no_more():
    """A cursor that is captured from each page leads to the next one."""
    pages = [{"next": "p2"}, {"next": "p3"}, {"next": None}]
    steps = """
    - get: "/items?page={{ page | default('p1') }}"
      capture: {page: body.next}
      repeat: {until: page is none, times: 100}
    """
    assert paths(flow(steps, answering(*pages))) == [f"/items?page=p{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("bound", "passes", "why"),
    [
        ("times: 4", 4, "not so after 4 passes"),
        ("delay: 1s, timeout: 2500ms", 3, "not so within 2.5 s"),
        ("delay: 1h, timeout: 5s", 1, "not so within 5 s"),
    ],
)
def test_a_bound_that_is_reached_fails_the_step(bound, passes, why):
    """When `until` never holds, the step fails at its bound, and the errors say so."""
    ran = flow(f"[{{send: a, repeat: {{until: body.done, {bound}}}}}, b]", answering({"done": False}))
    assert paths(ran) == ["/a"] * passes
    assert [(e.kind, e.count) for e in ran.summary.errors] == [("until", 1)]
    assert why in ran.summary.errors[0].samples[0].message
    assert (ran.totals.skipped, ran.summary.groups_failed) == (1, {"flow": 1})
    assert balanced(ran.totals)


def test_a_delay_that_makes_no_sense_is_an_error():
    """A delay that is no duration fails the step."""
    ran = flow(
        "[{send: a, repeat: {until: body.done, delay: '{{ body.wait }}', times: 3}}]",
        answering({"wait": "soon"}),
    )
    assert paths(ran) == ["/a"]
    assert ran.summary.errors[0].kind == "template"


@pytest.mark.parametrize(
    "branches",
    [
        "a, a, a",
        "a, {steps: [a, a, a]}",
        "{steps: [a, a]}, a, {parallel: [a, {steps: [a, a]}]}",
        "{think: 1s}, a",
    ],
)
def test_messages_after_parallel_steps_have_numbers_of_their_own(branches):
    """However many requests each branch sends, no message after them has the token of one of theirs."""
    endpoints = "endpoints: {a: {post: /a, json: {token: '{{ message.token }}'}}}"
    ran = flow(f"[{{parallel: [{branches}]}}, a, {{parallel: [{branches}]}}, a]", endpoints=endpoints)
    tokens = [json.loads(exchange.request.body)["token"] for exchange in ran.exchanges]
    assert len(set(tokens)) == len(tokens)


def test_parallel_steps_are_sent_at_once():
    """Branches begin together, and what follows waits for the last of them."""
    times = {"/a": 1, "/b": 3, "/c": 2, "/d": 0.5}
    ran = flow(
        "[{name: page, parallel: [a, {steps: [b, {think: 10s}]}, c]}, {get: /d}]",
        lambda number, request: FakeAnswer(times[request.target]),
    )
    assert paths(ran) == ["/a", "/c", "/b", "/d"]
    assert [s.due_ns // 1_000_000 for s in ran.samples] == [0, 0, 0, 13_000]
    assert ran.transports.max_in_flight == 3
    assert ran.summary.groups["page"].max_s == pytest.approx(3)
    assert ran.summary.groups["flow"].max_s == pytest.approx(3.5)


def test_a_branch_that_fails_cuts_off_no_other():
    """The other branches run to their end; then the step has failed."""
    ran = flow(
        "[{parallel: [a, {steps: [b, c]}]}, a]",
        lambda number, request: FakeAnswer(0.01, status=500 if request.target == "/a" else 200),
    )
    assert sorted(paths(ran)) == ["/a", "/b", "/c"]
    assert ran.totals.skipped == 1
    assert balanced(ran.totals)


def test_branches_see_their_own_responses():
    """Two jobs that are polled side by side do not see each other's answers."""
    seen = {"/x": 0, "/y": 0}

    def answer(number, request):
        seen[request.target] += 1
        done = seen[request.target] >= {"/x": 2, "/y": 5}[request.target]
        return FakeAnswer(0.01, body=json.dumps({"done": done}).encode())

    poll = "repeat: {until: body.done, delay: 1s, times: 9}"
    flow(f"[{{parallel: [{{get: /x, {poll}}}, {{get: /y, {poll}}}]}}]", answer)
    assert seen == {"/x": 2, "/y": 5}


def test_captures_reach_later_steps():
    """What a step captures fills what follows; checks of the step come on top of the endpoint's own."""
    endpoints = (
        "endpoints: {login: {post: /login}, me: {get: /me, headers: {x: '{{ token }}'}, checks: body.ok}}"
    )
    steps = "[{send: login, capture: {token: body.token}}, {send: me, checks: 'body.name == \"ada\"'}]"
    answers = [{"token": "t1"}, {"ok": True, "name": "bob"}]
    ran = flow(steps, answering(*answers), endpoints=endpoints)
    assert ran.exchanges[1].request.headers == (("x", "t1"),)
    assert ran.summary.errors[0].kind == "check"
    assert "'bob'" in ran.summary.errors[0].samples[0].message


def test_flows_run_flows():
    """A step may run a flow, which is measured under its own name and under that of the step."""
    ran = virtual_run(
        scenario_of(ENDPOINTS + "\nflows: {pair: [a, b]}\nflow: [pair, {send: pair, name: again}, c]")
    )
    assert paths(ran) == ["/a", "/b", "/a", "/b", "/c"]
    assert {name: whole.count for name, whole in ran.summary.groups.items()} == {
        "flow": 1,
        "pair": 2,
        "again": 1,
    }


def test_a_mix_of_flows_and_endpoints():
    """Personas are picked by weight, exactly, and each is measured under its name."""
    ran = virtual_run(
        scenario_of(
            ENDPOINTS
            + "\nflows: {browser: [a, b], buyer: [a, {think: 1s}, c]}\nmix: {browser: 70, buyer: 25, c: 5}"
            + "\nload: {concurrency: 3, iterations: 200}"
        )
    )
    assert {name: whole.count for name, whole in ran.summary.groups.items()} == {"browser": 140, "buyer": 50}
    assert {name: stats.sent for name, stats in ran.summary.endpoints.items()} == {
        "a": 190,
        "b": 140,
        "c": 60,
    }
    assert ran.totals.planned == ran.totals.sent == 390


def test_a_session_has_steps_around_its_messages():
    """`open` comes before the first message and `close` after the last; both are part of the session."""
    text = """
    endpoints:
      create: {post: /sessions, capture: {id: body.id}}
      message: {post: '/sessions/{{ id }}', json: {n: "{{ message.index }}"}}
      remove: {delete: '/sessions/{{ id }}'}
    session: {messages: 3, send: message, open: [create], close: [{if: always(), send: remove}]}
    """
    ran = virtual_run(scenario_of(text), answering({"id": 5}))
    assert paths(ran) == ["/sessions"] + ["/sessions/5"] * 4
    assert [e.request.body for e in ran.exchanges[1:4]] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert ran.summary.groups["session"].max_s == pytest.approx(0.05)
    broken = virtual_run(scenario_of(text), answering({"id": 5}, 500, 200))
    assert (broken.totals.sent, broken.totals.skipped) == (3, 2)
    assert balanced(broken.totals)


def test_phases_may_differ():
    """A phase sends its own mix with its own variables."""
    text = """
    endpoints: {a: {get: '/a/{{ pages }}'}, b: {get: '/b/{{ pages }}'}}
    variables: {pages: 1}
    mix: {a: 1}
    load:
      - {concurrency: 1, requests: 2}
      - {concurrency: 1, requests: 2, mix: {b: 1}, variables: {pages: 9}}
    """
    ran = virtual_run(scenario_of(text))
    assert paths(ran) == ["/a/1", "/a/1", "/b/9", "/b/9"]
    assert [phase.totals.planned for phase in ran.summary.phases] == [2, 2]


@pytest.mark.parametrize(("stop_at_s", "never"), [(None, 2), (2, 0)])
@pytest.mark.parametrize("traffic", ["flow: [{name: part, steps: [a]}]", "session: {send: a, messages: 1}"])
def test_what_outlasts_graceful_stop_ranks_last_as_a_whole(traffic, stop_at_s, never):
    """Flows and sessions that are cut off at the end of graceful_stop never ended; an interrupt tells nothing."""
    load = "load: {concurrency: 2, duration: 5s, graceful_stop: 1s}"
    ran = virtual_run(
        scenario_of(f"{ENDPOINTS}\n{traffic}\n{load}"), lambda n, r: FakeAnswer(20), stop_at_s=stop_at_s
    )
    assert ran.totals.unfinished == 2
    groups = ran.summary.groups
    assert [whole.never for whole in groups.values()] == [never] * len(groups)
    measured = {"flow", "part"} if "flow" in traffic else {"session"}
    assert set(groups) == (measured if never else set())
