"""A trial is one iteration as the load would run it, in virtual time against the fake transport, shown in full."""

import json
import os
from pathlib import Path

import pytest
import trio
import trio.testing

from stressrunner.engine.clock import EventLoopClock
from stressrunner.errors import UsageError
from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.fake import FakeAnswer, FakeTransports
from stressrunner.masking import Masker
from stressrunner.plan.plan import compile_plan
from stressrunner.run.trial import iteration_of, try_iteration
from stressrunner.run.trial_text import trial_text
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

GOLDEN = Path(__file__).parent.parent / "golden" / "trial"
TOP = """\
stressrunner: 1
name: Shop
target:
  base_url: http://shop.example
  headers: {authorization: "Bearer ${secret:TOKEN}", x-trace: "for ${secret:TOKEN}"}
"""
MIX = """\
load: {concurrency: 1, requests: 10}
variables: {color: blue}
endpoints:
  list: {get: "/items", query: {color: "{{ color }}", api_key: not-a-secret-by-origin}}
  buy:
    post: "/items/{{ iteration }}/buy"
    json: {amount: 3, note: "{{ message.token }} with ${secret:TOKEN}", color: "{{ color }}"}
    checks: [status == 201, body.items | length == 2, body.nothing.here, response_time < 1]
    capture: {order: body.order.id, first: "body['items'][0]"}
  upload: {put: /blob, body: "ab\\tc", refused: "status == 429"}
  broken: {get: "/{{ color + 1 }}"}
mix: {list: 1, buy: 1, upload: 1, broken: 1}
"""
SESSION = """\
load: {concurrency: 1, sessions: 1}
endpoints:
  say: {post: /say, json: {text: "{{ message.token }}"}, checks: [body.ok], capture: {last: body.n}}
session: {send: say, messages: 4, burst: 2, gap: 1ms, think: 1s}
"""
FLOW = """\
load: {concurrency: 1, iterations: 1}
endpoints:
  login: {post: /login, json: {user: me}, capture: {token: body.token}}
  job: {get: "/jobs/{{ token }}", checks: [status == 200]}
flow:
  - login
  - think: 1s
  - send: job
    name: wait
    checks: [body.done]
    repeat: {until: body.done, delay: 1s, times: %d}
  - {send: job, if: body.count > 1, capture: {count: body.count}}
"""
ITEMS = {"order": {"id": "o-1"}, "items": [{"n": 1}, {"n": 2}], "echo": "sesame-open", "wide": "é" * 90}


DELIVERY = """\
load: {concurrency: 1, sessions: 1}
endpoints:
  say:
    post: /say
    json: {text: "{{ message.token }} and ${secret:TOKEN}"}
    checks: [body.ok]
  history: {get: "/sessions/{{ session.id }}", query: {size: 2}}
session: {send: say, messages: 2}
invariants:
  delivery:
    session_id: body.id
    read_back:
      endpoint: history
      messages: {jsonpath: "$.rows[?@.by=='user'].text"}
      pages: body.pages
      timeout: 5s
teardown: [{delete: /sessions}]
"""


def answer(body, status=200, *headers, service_s=0.0123):
    """Return a response in JSON."""
    lines = (("content-type", "application/json"), *headers)
    return FakeAnswer(service_s, status=status, headers=lines, body=json.dumps(body).encode())


def tried(text, answers, endpoint=None):
    """Try an iteration of a scenario; return the trial and its text."""
    document = load_text(TOP + text, environ={"TOKEN": "sesame-open"})
    scenario = build(document)
    plan = compile_plan(scenario, seed=0, run_id="0000abcd")

    async def main():
        clock = EventLoopClock()
        transports = FakeTransports(clock, lambda number, request: answers[number])
        to = (transports, "http://shop.example", clock)
        part, number = iteration_of(plan, endpoint)
        return await try_iteration(part, scenario, number, to, Masker(document.secrets), [].append)

    trial = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return trial, trial_text(trial, Masker(document.secrets))


RESET = FakeAnswer(0.5, failure=Failure(FailureKind.RESET, "the server closed the connection"))


def rows(*texts, pages=1):
    """Return a page of a history in which the user and the service said some texts by turns."""
    said = [{"by": "user" if number % 2 == 0 else "us", "text": text} for number, text in enumerate(texts)]
    return answer({"rows": said, "pages": pages})


SAID = [answer({"ok": True, "id": "abc"})] * 2
FIRST = rows("sr.0000abcd.0.0 and sesame-open", "yes", pages=2)
SECOND = rows("sr.0000abcd.0.1 and sesame-open", "no", pages=2)
GONE = answer({"gone": True})
CASES = {
    "delivered": (DELIVERY, None, [*SAID, FIRST, SECOND, FIRST, SECOND, GONE], 0),
    "lost": (DELIVERY, None, [*SAID, *[rows("sr.0000abcd.0.0", "yes")] * 2, GONE], 3),
    "refused_page": (DELIVERY, None, [*SAID, answer({"detail": "size sesame-open"}, 422), GONE], 4),
    "second_page_refused": (DELIVERY, None, [*SAID, FIRST, answer("no", 403), GONE], 4),
    "no_such_session": (DELIVERY, None, [*SAID, *[answer({"detail": "Not Found"}, 404)] * 2, GONE], 4),
    "reset_page": (DELIVERY.partition("teardown")[0], None, [*SAID, *[RESET] * 20], 4),
    "no_pages": (DELIVERY.replace("body.pages", "body.page_count"), None, [*SAID, FIRST, GONE], 4),
    "no_id": (DELIVERY.replace("body.id", "body.nothing | default('')"), None, [*SAID, GONE], 4),
    "list": (MIX, "list", [FakeAnswer(0.001, status=204, headers=(("Set-Cookie", "id=1"), ("X", "a\x1b[31mb")))], 0),
    "buy": (MIX, "buy", [answer(ITEMS, 201)], 3),
    "buy_passed": (MIX.replace("body.nothing.here, ", ""), "buy", [answer(ITEMS, 201)], 0),
    "refused": (MIX, "upload", [answer("slow down", 429, ("Retry-After", "3"))], 3),
    "binary": (MIX, "upload", [FakeAnswer(0.2, body=b"\xff\xfe\x00" * 1000)], 0),
    "long": (MIX, "upload", [FakeAnswer(0.2, body=b"".join(b"line %d\n" % n for n in range(500)))], 0),
    "reset": (MIX, "upload", [RESET], 4),
    "broken": (MIX, "broken", [], 4),
    "session": (SESSION, None, [answer({"ok": True, "n": 1}), answer({"ok": False, "n": 2})], 3),
    "flow": (
        FLOW % 3,
        None,
        [answer({"token": "t1"}), answer({"done": False}), answer({"done": True, "count": 2}), answer({"count": 2})],
        0,
    ),
    "flow_never": (FLOW % 1, None, [answer({"token": "t1"}), answer({"done": False})], 3),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_trial_is_shown_in_full(case):
    """What was sent, what came back, every check with its values and every capture; secrets and credentials masked."""
    text, endpoint, answers, code = CASES[case]
    trial, shown = tried(text, answers, endpoint)
    assert trial.exit_code == code
    assert "sesame-open" not in shown
    assert "not-a-secret-by-origin" not in shown
    golden = GOLDEN / f"{case}.txt"
    if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN"):
        golden.write_text(shown, "utf-8")
    assert shown == golden.read_text("utf-8")


def test_the_endpoint_can_be_chosen():
    """The iteration is the first of the load that sends the endpoint; one that the traffic does not send is told."""
    trial, _ = tried(MIX, [FakeAnswer(0)], "list")
    assert [attempt.endpoint for attempt in trial.attempts] == ["list"]
    with pytest.raises(UsageError, match="the traffic has no endpoint 'lst'; did you mean 'list'"):
        tried(MIX, [], "lst")


def test_a_trial_repeats():
    """The same seed makes the same iteration, and the text of the same answers is the same."""
    assert tried(MIX, [answer(ITEMS, 201)], "buy")[1] == tried(MIX, [answer(ITEMS, 201)], "buy")[1]


AROUND = """\
load: {concurrency: 1, requests: 1}
endpoints: {a: {get: "/a/{{ token }}/{{ name }}"}}
setup: [{post: /login, capture: {token: body.token}}]
user_setup: [{post: /users, capture: {name: body.name}}]
teardown: [{delete: /login}]
mix: {a: 1}
"""


def test_a_trial_does_what_is_done_around_the_load():
    """Setup, the user's setup and teardown are run and shown, and their captures are there."""
    trial, _ = tried(AROUND, [answer({"token": "t"}), answer({"name": "n"}), answer({}), answer({})])
    assert [attempt.endpoint for attempt in trial.attempts] == [
        "POST /login",
        "POST /users",
        "a",
        "DELETE /login",
    ]
    assert trial.attempts[2].exchange.request.target == "/a/t/n"
    assert trial.passed


def test_a_trial_ends_with_a_setup_that_fails():
    """After a setup that failed there is teardown and nothing else."""
    trial, _ = tried(AROUND, [answer({}, 401), answer({})])
    assert [attempt.endpoint for attempt in trial.attempts] == ["POST /login", "DELETE /login"]
    assert not trial.passed
    assert trial.exit_code == 3


def test_what_is_tried_again_around_the_load_is_no_failure():
    """A request of setup that is repeated until it passes does not make the trial fail; a teardown that fails does."""
    polled = AROUND.replace(
        "capture: {token: body.token}",
        "capture: {token: body.token}, repeat: {until: status == 200, times: 2}",
    )
    answers = [answer({}, 503), answer({"token": "t"}), answer({"name": "n"}), answer({}), answer({})]
    trial, _ = tried(polled, answers)
    assert trial.passed
    trial, shown = tried(polled, [*answers[:-1], answer({}, 500)])
    assert not trial.passed
    assert "teardown failed: status was 500" in shown


WORKLOADS = """\
endpoints: {list: {get: /items}, note: {post: /notes, body: "{{ session.index }} {{ user.id }}"}}
traffic:
  browse: {mix: {list: 1}, load: {concurrency: 3, requests: 9}}
  write: {flow: [note, list], load: {concurrency: 1, iterations: 1}}
"""


def test_an_iteration_of_a_workload_is_tried():
    """It is the first one of the first workload, or of the first workload that sends the endpoint."""
    trial, _ = tried(WORKLOADS, [answer({})])
    assert [attempt.endpoint for attempt in trial.attempts] == ["list"]
    trial, _ = tried(WORKLOADS, [answer({}), answer({})], "note")
    assert [attempt.endpoint for attempt in trial.attempts] == ["note", "list"]
    assert trial.attempts[0].exchange.request.body == b"1 3"  # the numbers that it has in the load
    assert trial.exit_code == 0


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("{each: 'range(100)', send: a}", "each: range(100): this is no list"),
        ("{if: 'random_int(0, 0) / 0', send: a}", "if: random_int(0, 0) / 0: division by zero"),
        (
            "{repeat: {times: 2, delay: 'soon{{ 1 }}'}, send: a}",
            "delay: 'soon1' is not a quantity: write a number with its unit, such as 500ms, 1% or 100/s",
        ),
    ],
)
def test_a_step_that_makes_no_sense_has_its_reason(step, reason):
    """What cannot be evaluated is told in the words in which a run tells it, and not as requests that were skipped."""
    text = f"load: {{concurrency: 1, iterations: 1}}\nendpoints: {{a: {{get: /a}}, b: {{get: /b}}}}\nflow: [{step}, b]\n"
    trial, shown = tried(text, [answer({})])
    assert not trial.passed
    assert trial.failures == (reason,)
    assert f"✗ {reason}" in shown


def test_a_delay_that_is_computed_is_waited_for():
    """However Python writes the number."""
    text = AROUND.partition("endpoints")[0] + (
        "endpoints: {a: {get: /a}}\nflow: [{repeat: {times: 2, delay: '{{ 0.1 + 0.2 }}s'}, send: a},"
        " {repeat: {times: 2, delay: '{{ 1 / 100000 }}s'}, send: a}]\n"
    )
    trial, _ = tried(text.replace("requests", "iterations"), [answer({})] * 4)
    assert (trial.passed, len(trial.attempts)) == (True, 4)
