"""The names that templates and expressions see: whose they are, how long they last, and what hides what."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_load import feeder, scenario

from stressrunner.engine.names import HeaderFields, IterationScope, RequestNames, ResponseNames
from stressrunner.expressions import FUNCTIONS, CannotEvaluate, compile_expression, compile_template
from stressrunner.http.exchange import Exchange, Request
from stressrunner.plan.bodies import REQUEST_NUMBER
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.model import Closed, Phase, Session

PHASE = Phase("p", Closed(1, iterations=1))


def scope_of(iteration=0, *, user=0, user_iteration=0, seed=1, uuid_salt="", **changes):
    """Return an iteration of a scenario."""
    plan = compile_plan(scenario(PHASE, **changes), seed=seed, run_id="r1", uuid_salt=uuid_salt)
    return IterationScope(plan, iteration=iteration, user=user, user_iteration=user_iteration)


def filled(text, scope, message=0):
    """Return a text with its placeholders filled for a request of an iteration."""
    return compile_template(text).render(RequestNames(scope, message))


def response(exchange=None, *, scope=None, base_url="http://target", due_ns=0, **fields):
    """Return the names that checks see of a response."""
    defaults = {"request": Request("GET", "/a"), "acquired_ns": 0, "sent_ns": 0, "first_byte_ns": 0}
    exchange = exchange or Exchange(**{**defaults, "completed_ns": 0, "status": 200, **fields})
    return ResponseNames(RequestNames(scope or scope_of(), 0), exchange, base_url, due_ns)


def value_of(source, names):
    """Return the value of an expression."""
    return compile_expression(source).evaluate(names)


HEADERS = HeaderFields(
    (("Content-Type", "text/html"), ("Retry-After", "5"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2"))
)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("headers.content_type", "text/html"),
        ("headers.Content_Type", "text/html"),
        ("headers['CONTENT-TYPE']", "text/html"),
        ("headers['retry_after'] == '5'", True),
        ("headers.set_cookie", "a=1, b=2"),
        ("headers.location is defined", False),
        ("headers.location|default('none')", "none"),
        ("'Retry-After' in headers", True),
        ("headers|length", 3),
    ],
)
def test_headers_ignore_case(source, value):
    """Header fields are found in any case and with `_` for `-`; repeated ones are joined."""
    assert value_of(source, {"headers": HEADERS}) == value


@pytest.mark.parametrize("source", ["headers.location", "headers.items", "headers.get", "headers['x y']"])
def test_a_header_that_is_missing_has_a_sentence(source):
    """A field that the response does not have, or a method of a mapping, is told as such."""
    with pytest.raises(CannotEvaluate, match=r"^there is no field '"):
        value_of(source, {"headers": HEADERS})


def test_headers_can_be_sent_and_captured():
    """All fields together are data as any other."""
    assert json.loads(compile_template("<{{ headers }}>").render({"headers": HEADERS})[1:-1]) == {
        "content-type": "text/html",
        "retry-after": "5",
        "set-cookie": "a=1, b=2",
    }


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("status", 201),
        ("body.items[0].id", 5),
        ("text", '{"items": [{"id": 5}], "null": null, "é": 1}'),
        ("size", 45),
        ("headers.x", "y"),
        ("url", "http://target/a?b=c"),
        ("response_time", 0.004),
        ("service_time", 0.002),
        ("body.null", None),
        ("session.index", 7),
    ],
)
def test_what_checks_see(source, value):
    """A response is known by its status, headers, body, text, size, URL and times, over the names of its request."""
    names = response(
        scope=scope_of(7),
        due_ns=1_000_000,
        request=Request("GET", "/a?b=c"),
        sent_ns=3_000_000,
        completed_ns=5_000_000,
        status=201,
        headers=(("X", "y"),),
        body='{"items": [{"id": 5}], "null": null, "é": 1}'.encode(),
    )
    assert value_of(source, names) == value


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"", "the body is empty"),
        (b"<html>", "the body is not JSON"),
        (b"\xff\xfe\x00", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
    ],
)
def test_a_body_that_is_not_json(octets, sentence):
    """What is not JSON has no fields and says so; its text and size are there all the same."""
    names = response(body=octets)
    with pytest.raises(CannotEvaluate) as caught:
        value_of("body.id == 1", names)
    assert str(caught.value) == sentence
    assert value_of("size", names) == len(octets)
    assert value_of("text", names) == octets.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("base_url", "target", "url"),
    [
        ("http://target:81", "/a?b=c", "http://target:81/a?b=c"),
        ("http://target/api", "/api/a", "http://target/api/a"),
        ("http://target", "https://other/x", "https://other/x"),
    ],
)
def test_the_url_is_the_one_that_was_asked_for(base_url, target, url):
    """The URL of a response has the base URL's path once, and another origin where one was asked."""
    assert value_of("url", response(base_url=base_url, request=Request("GET", target))) == url


def test_service_time_of_what_was_never_sent():
    """Without a first byte sent the time is from when the request was due."""
    assert value_of("service_time", response(sent_ns=None, completed_ns=3_000_000, due_ns=1_000_000)) == 0.002


def test_captures_hide_variables_until_the_iteration_ends():
    """A capture takes the place of a variable of its name, in this iteration alone."""
    variables = {"token": "none", "key": "{{ iteration }}"}
    scope = scope_of(variables=variables)
    scope.captures.update(token="t1", key="k1")
    assert filled("{{ token }} {{ key }}", scope) == "t1 k1"
    assert filled("{{ token }} {{ key }}", scope_of(3, variables=variables)) == "none 3"


def test_variables_with_placeholders_are_evaluated_once_per_iteration():
    """A variable that draws is the same in all requests of an iteration, and another one in the next."""
    variables = {
        "key": "{{ uuid() }}",
        "other": "{{ uuid() }}",
        "deep": {"n": ["{{ random_int(1, 10**9) }}"]},
    }
    scope, following = scope_of(0, variables=variables), scope_of(1, variables=variables)
    key, deep = filled("{{ key }}", scope, 0), filled("{{ deep }}", scope, 0)
    assert filled("{{ key }}", scope, 5) == key
    assert filled("{{ deep.n[0] }}", scope, 5) == deep["n"][0]
    assert len({key, filled("{{ other }}", scope), filled("{{ key }}", following)}) == 3


def test_draws_differ_between_requests_and_repeat():
    """Each request draws for itself, and the same iteration draws the same whenever it is run."""
    text = "{{ uuid() }} {{ random_int(1, 10**9) }}"
    drawn = {
        (iteration, message): filled(text, scope_of(iteration), message)
        for iteration in (0, 1)
        for message in (0, 1)
    }
    assert len(set(drawn.values())) == 4
    assert drawn[1, 1] == filled(text, scope_of(1), 1)
    assert drawn[0, 0] != filled(text, scope_of(seed=2))
    assert filled("{{ uuid() }}", scope_of(uuid_salt="a")) != filled("{{ uuid() }}", scope_of(uuid_salt="b"))


def test_two_draws_of_a_request_differ():
    """A function that is called twice in a request draws twice."""
    first, second = filled("{{ uuid() }} {{ uuid() }}", scope_of()).split()
    assert first != second


@pytest.mark.parametrize(
    ("per", "rows"),
    [
        ("iteration", [3, 3, 3]),
        ("user", [2, 2, 2]),
        ("request", [9, 0, 1]),
    ],
)
def test_rows_last_as_long_as_the_feeder_says(per, rows):
    """A row is kept for the iteration, for the user, or for one request."""
    scope = scope_of(
        3,
        user=2,
        feeders={"rows": feeder(*range(10), per=per)},
        traffic=Session("one", messages=3),
    )
    assert [filled("{{ rows }}", scope, message) for message in range(3)] == rows


def test_rows_with_columns():
    """A row with columns is looked into by their names."""
    feeders = {"rows": feeder({"text": "a", "n": "1"}, {"text": "b", "n": "2"})}
    assert filled("{{ rows.text }}{{ rows['n'] }}", scope_of(1, feeders=feeders)) == "b2"


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_tokens_tell_run_session_and_message(iteration, message):
    """Token and session name are made of the run, the session and the message, and lead back to them."""
    scope = scope_of(iteration)
    assert filled("{{ message.token }}", scope, message) == f"sr.r1.{iteration}.{message}"
    assert filled("{{ session.name }}", scope, message) == f"sr-r1-{iteration}"
    assert filled("{{ session.index }} {{ message.index }}", scope, message) == f"{iteration} {message}"


def test_numbers_of_run_iteration_and_user():
    """Run, iteration and user are known by their numbers, from 0."""
    scope = scope_of(12, user=3, user_iteration=4, seed=99)
    text = "{{ run.id }} {{ run.seed }} {{ iteration }} {{ user.id }} {{ user.iteration }}"
    assert filled(text, scope) == "r1 99 12 3 4"


def test_names_are_a_mapping():
    """The names can be listed, each has a value, and no other is known."""
    scope = scope_of(variables={"v": 1, "w": "{{ iteration }}"}, feeders={"rows": feeder(1)})
    scope.captures["c"] = 2
    names = RequestNames(scope, 0)
    assert set(names) == {
        "v",
        "w",
        "rows",
        "c",
        "run",
        "iteration",
        "user",
        "session",
        "message",
        "fake",
        *FUNCTIONS,
    }
    assert len(names) == len(list(names))
    assert all(name in names and names[name] is not None for name in names)
    assert "status" not in names
    with pytest.raises(KeyError):
        names["status"]
    seen = response(scope=scope, body=b"{}")
    assert set(seen) == {
        *names,
        "status",
        "headers",
        "body",
        "text",
        "size",
        "url",
        "response_time",
        "service_time",
    }
    assert len(seen) == len(list(seen))
    assert "body" in seen
    assert "c" in seen


def test_the_body_is_parsed_once():
    """Every look at the body of a response is at the same value."""
    names = response(body=b'{"a": [1]}')
    assert names["body"] is names["body"]


def test_what_is_asked_for_twice_is_made_once():
    """A body is parsed once for all checks, and a name of the request is the same in all of its texts."""
    seen = response(body=b'{"items": []}', headers=(("X", "y"),))
    for name in ("body", "headers", "text", "message", "session", "uuid"):
        assert seen[name] is seen[name]


@given(
    st.binary(max_size=40)
    | st.tuples(
        st.recursive(
            st.none() | st.floats() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]),
        st.sampled_from(["", " ", "\n", "x"]),
    ).map(
        lambda made: (made[2] + json.dumps(made[0], ensure_ascii=False) + made[2]).encode(
            made[1], "surrogatepass"
        )
    )
)
def test_bodies_are_read_as_json_is(octets):
    """`body` is what the standard library makes of the octets, whatever they are."""
    try:
        expected = json.loads(octets)
    except ValueError:
        expected = "no JSON"
    try:
        found = response(body=octets)["body"]
    except CannotEvaluate:
        found = "no JSON"
    assert repr(found) == repr(expected)


def test_requests_have_numbers_that_no_template_can_spell():
    """Every request of a run has a number of its own, by which it picks what it sends, and which is no name."""
    session = Session("one", 3)
    numbers = [
        RequestNames(scope_of(iteration, traffic=session), message)[REQUEST_NUMBER]
        for iteration in range(3)
        for message in range(3)
    ]
    assert numbers == list(range(9))
    assert REQUEST_NUMBER not in set(RequestNames(scope_of(), 0))
