"""A Document without mistakes becomes a Scenario with every default filled in."""

from fractions import Fraction

import pytest

from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text
from stressrunner.scenario.model import (
    ApiKey,
    Basic,
    Bearer,
    Capture,
    Closed,
    Form,
    Json,
    Mix,
    MonitorSpec,
    OAuth2,
    Open,
    Raw,
    Session,
    Timeout,
)
from stressrunner.scenario.steps import Group, Parallel, Repeat, Send, Step, Think

TOP = 'stressrunner: 1\nname: shop\ntarget: {base_url: "http://127.0.0.1:8080/api/"}\n'


def built(text):
    """Return the scenario of a text, below a common head."""
    return build(load_text(TOP + text, environ={}))


def with_load(load):
    """Return the phases of a load."""
    return built(f"endpoints: {{home: {{get: /}}}}\nload: {load}\n").load


def test_the_smallest_scenario():
    """Five keys are a scenario; the rest are defaults."""
    scenario = built(
        "endpoints: {home: {get: /}, away: {get: /away}}\nload: {concurrency: 10, duration: 5s}\n"
    )
    assert scenario.target.base_url == "http://127.0.0.1:8080/api"
    assert scenario.target.timeout == Timeout(30.0, 30.0)
    assert scenario.workloads[0].traffic == Mix({"home": Fraction(1), "away": Fraction(1)})
    assert scenario.endpoints["home"].method == "GET"
    (phase,) = scenario.load
    assert (phase.name, phase.warmup, phase.graceful_stop_s, phase.grace_s) == ("load", False, None, 30.0)
    assert phase.shape == Closed(10, None, Fraction(5))


@pytest.mark.parametrize(
    ("load", "shape"),
    [
        ("{concurrency: 2, requests: 7}", Closed(2, 7)),
        ("{concurrency: 2, iterations: 7}", Closed(2, 7)),
        ("{concurrency: 2, duration: 1m, think: 2s}", Closed(2, None, Fraction(60), 2.0, 2.0)),
        (
            "{concurrency: 2, duration: 1m, think: {min: 1s, max: 2s}}",
            Closed(2, None, Fraction(60), 1.0, 2.0),
        ),
        ("{rate: 30/m, duration: 100ms}", Open(Fraction(1, 2), Fraction(1, 10))),
        ("{rate: 0.1/s, duration: 1s, max_in_flight: 5}", Open(Fraction(1, 10), Fraction(1), 5)),
    ],
)
def test_shapes_of_load(load, shape):
    """Every shape of load, its quantities exact."""
    assert with_load(load)[0].shape == shape


def test_phases_have_names():
    """Phases keep their names, and get numbers where they have none."""
    load = with_load("[{rate: 1/s, duration: 1s, warmup: true}, {name: hold, rate: 1/s, duration: 1s}]")
    assert [(phase.name, phase.warmup) for phase in load] == [("phase_1", True), ("hold", False)]


def test_a_session():
    """A session sends one endpoint several times."""
    scenario = built(
        "endpoints: {chat: {post: /chat}}\n"
        "session: {messages: 20, send: chat, burst: 5, gap: 1ms, think: 2s}\n"
        "load: {sessions: 10, concurrency: 3}\n"
    )
    assert scenario.workloads[0].traffic == Session("chat", 20, 5, 0.001, 2.0, 2.0)
    assert scenario.load[0].shape == Closed(3, 10)


def test_weights_are_exact():
    """A weight of 0.1 is a tenth."""
    scenario = built(
        "endpoints: {a: {get: /a}, b: {get: /b}}\nmix: {a: 0.1, b: 3}\nload: {rate: 1/s, duration: 1s}\n"
    )
    assert scenario.workloads[0].traffic == Mix({"a": Fraction(1, 10), "b": Fraction(3)})


def test_bodies():
    """Each kind of body, and a payload taken by its name."""
    endpoints = built(
        "payloads: {message: {text: 1.10}}\n"
        "endpoints:\n"
        "  a: {post: /, json: {$payload: message}}\n"
        "  b: {put: /, json: [1, null, x]}\n"
        "  c: {patch: /, form: {a: 1.10, b: null, c: [x, y]}}\n"
        "  d: {delete: /, body: 1.10}\n"
        "load: {rate: 1/s, duration: 1s}\n"
    ).endpoints
    assert endpoints["a"].body == Json({"text": 1.1})
    assert endpoints["b"].body == Json([1, None, "x"])
    assert endpoints["c"].body == Form({"a": "1.10", "b": None, "c": ["x", "y"]})
    assert endpoints["d"].body == Raw("1.10")


@pytest.mark.parametrize(
    ("target", "own", "timeout"),
    [
        ("10s", None, Timeout(10.0, 10.0)),
        ("{connect: 1s}", None, Timeout(30.0, 1.0)),
        ("{connect: 1s, total: 5s}", "9s", Timeout(9.0, 1.0)),
        ("{connect: 1s, total: 5s}", "{connect: 3s}", Timeout(5.0, 3.0)),
        ("10s", "2s", Timeout(2.0, 2.0)),
    ],
)
def test_timeouts_are_inherited(target, own, timeout):
    """An endpoint's timeout replaces what it names of the target's, and connecting never outlasts the whole."""
    line = f", timeout: {own}" if own else ""
    text = (
        TOP.replace('api/"', f'api/", timeout: {target}')
        + f"endpoints: {{home: {{get: /{line}}}}}\nload: {{rate: 1/s, duration: 1s}}\n"
    )
    scenario = build(load_text(text, environ={}))
    assert scenario.endpoints["home"].timeout == timeout


def test_monitors_and_checks():
    """Monitors are found in one of three ways; one check or a list of them is the same."""
    scenario = built(
        "endpoints: {a: {get: /, checks: status == 200}, b: {get: /, checks: [body.ok], refused: status == 429}}\n"
        "monitors: {one: {pid: 7}, two: {port: 80}, three: {command: x}}\n"
        "load: {rate: 1/s, duration: 1s}\n"
    )
    assert scenario.endpoints["a"].checks == ("status == 200",)
    assert scenario.endpoints["b"].checks == ("body.ok",)
    assert scenario.endpoints["b"].refused == "status == 429"
    assert scenario.monitors == {
        "one": MonitorSpec("one", pid=7),
        "two": MonitorSpec("two", port=80),
        "three": MonitorSpec("three", command="x"),
    }


def test_captures_say_by_what_they_are_found():
    """A capture is an expression unless it says otherwise, and null is a default like any other."""
    capture = """{a: body.id, b: {expression: body.id}, c: {jsonpath: $.id, default: null}, d: {regex: 'id=(\\d+)'}}"""
    scenario = built(
        f"endpoints: {{home: {{get: /, capture: {capture}}}}}\nload: {{concurrency: 1, duration: 1s}}\n"
    )
    assert scenario.endpoints["home"].capture == {
        "a": Capture("body.id"),
        "b": Capture("body.id"),
        "c": Capture("$.id", "jsonpath", (None,)),
        "d": Capture(r"id=(\d+)", "regex"),
    }


STEPPED = "endpoints: {home: {get: /}, login: {post: /login, checks: body.ok}, spare: {get: /spare}}\n"


def test_steps_become_typed():
    """Every action and modifier of a step has its place, with every default filled in."""
    text = (
        STEPPED
        + """
flow:
  - home
  - {send: login, checks: status == 201, capture: {token: body.token}, name: entry, continue_on_error: true}
  - {think: {min: 1s, max: 3s}}
  - {if: status == 200, each: body.ids, as: id, repeat: {until: body.ok, delay: 1s, timeout: 2m}, steps: [home]}
  - {parallel: [home, {repeat: 3, get: /x?a=b}]}
load: {concurrency: 1, iterations: 1}
"""
    )
    flow = built(text).workloads[0].traffic
    token = {"token": Capture("body.token")}
    assert flow.steps == (
        Step(Send("home", (), {})),
        Step(Send("login", ("status == 201",), token), name="entry", continue_on_error=True),
        Step(Think(1.0, 3.0)),
        Step(
            Group((Step(Send("home", (), {})),)),
            condition="status == 200",
            each="body.ids",
            item="id",
            repeat=Repeat(None, "body.ok", "1s", 120.0),
        ),
        Step(Parallel((Step(Send("home", (), {})), Step(Send("GET /x", (), {}), repeat=Repeat(3))))),
    )


def test_requests_in_steps_have_names_of_their_own():
    """Requests in place are called by method and path, without query and secrets; those that are alike are one."""
    text = (
        STEPPED
        + """
flow:
  - {get: "/a/${secret:KEY}?x=1"}
  - {get: /b}
  - {get: /b, checks: body.ok}
  - {get: /b, name: again}
load: {concurrency: 1, iterations: 1}
"""
    )
    scenario = build(load_text(TOP + text, environ={"KEY": "s3cr3t-key"}))
    assert list(scenario.endpoints)[3:] == ["GET /a/***", "GET /b", "GET /b (2)"]
    assert [step.action.endpoint for step in scenario.workloads[0].traffic.steps[1:]] == [
        "GET /b",
        "GET /b (2)",
        "GET /b",
    ]
    assert scenario.endpoints["GET /a/***"].path == "/a/s3cr3t-key?x=1"


def test_without_traffic_what_steps_name_is_not_sent_alone():
    """Endpoints that a flow names are sent by it, and the others in equal shares."""
    text = STEPPED + "flows: {enter: [login]}\nload: {concurrency: 1, iterations: 1}\n"
    assert set(built(text).workloads[0].traffic.weights) == {"home", "spare"}


def test_authorization_is_inherited():
    """An endpoint has the target's authorization, unless it has its own or says that it wants none."""
    scenario = build(
        load_text(
            """stressrunner: 1
name: shop
target: {base_url: "http://127.0.0.1:8080", auth: {bearer: abc}}
endpoints:
  inherits: {get: /}
  none: {get: /, auth: none}
  basic: {get: /, auth: {basic: {username: ada, password: 007}}}
  header: {get: /, auth: {api_key: {header: X-Key, value: abc}}}
  query: {get: /, auth: {api_key: {query: key, value: abc}}}
  oauth2: {get: /, auth: {oauth2: {token_url: /token, client_id: a, client_secret: b, scope: r w, audience: c}}}
load: {concurrency: 1, duration: 1s}
""",
            environ={},
        )
    )
    assert {name: endpoint.auth for name, endpoint in scenario.endpoints.items()} == {
        "inherits": Bearer("abc"),
        "none": None,
        "basic": Basic("ada", "007"),
        "header": ApiKey("header", "X-Key", "abc"),
        "query": ApiKey("query", "key", "abc"),
        "oauth2": OAuth2("/token", "a", "b", "r w", "c"),
    }
