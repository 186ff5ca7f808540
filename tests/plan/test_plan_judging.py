"""Checks and captures: what a response must satisfy, and what is taken from it."""

import pytest
from plan_scenarios import endpoint, plan

from stressrunner.expressions import CannotEvaluate, ExpressionError
from stressrunner.plan.judging import Finding, Judge
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.scenario.model import Capture, GraphQL


class Names(dict):
    """Names of a response whose body is not JSON."""

    def __getitem__(self, name):
        """Return a name, but no body."""
        if name == "body":
            raise CannotEvaluate("the body is not JSON")
        return super().__getitem__(name)


def judged(status=200, body=None, captures=None, **fields):
    """Return outcome and problem of a response."""
    names = {"status": status, "body": {} if body is None else body}
    return Judge(endpoint(**fields)).judge(status, names, {} if captures is None else captures)


@pytest.mark.parametrize("status", [100, 200, 204, 302, 399])
def test_below_400_passes(status):
    """Without checks a response below 400 passes."""
    assert judged(status) == (Outcome.OK, None)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 599])
def test_from_400_on_fails(status):
    """Without checks a response from 400 on fails, under the name of its status."""
    assert judged(status) == (Outcome.FAILED, Problem(f"http {status}", f"status was {status}"))


@pytest.mark.parametrize(
    ("fields", "is_of_status"),
    [
        ({}, True),
        ({"checks": ("status == 200",), "refused": "status == 409"}, True),
        ({"checks": ("status == 200", "body.ok")}, False),
        ({"checks": ("response_time < 1",)}, False),
        ({"refused": "body.busy"}, False),
        ({"capture": {"id": Capture("body.id")}}, False),
        ({"capture": {"code": Capture("status")}}, False),
        ({"body": GraphQL("query { x }")}, False),
    ],
)
def test_the_status_decides_where_nothing_else_is_asked(fields, is_of_status):
    """A response is judged by its status alone only where neither a check nor a capture wants more of it."""
    assert Judge(endpoint(**fields)).is_of_status is is_of_status


def test_findings_tell_of_every_check():
    """Also of those after one that failed, with what was looked at; below 400 is a check where none names the status."""
    judge = Judge(endpoint(checks=("body.n == 1", "body.ok", "body.gone"), refused="status == 409"))
    body = {"n": 2, "ok": True}
    assert judge.findings(400, {"status": 400, "body": body}) == [
        Finding("status < 400", passed=False, values="status was 400"),
        Finding("body.n == 1", passed=False, values="body.n was 2"),
        Finding("body.ok", passed=True, values="body.ok was True"),
        Finding("body.gone", passed=False, values="there is no field 'gone'"),
    ]
    assert judge.findings(399, {"status": 399, "body": body})[0].passed
    (refused,) = judge.findings(409, {"status": 409, "body": body})
    assert refused == Finding("refused: status == 409", passed=True, values="status was 409")


def test_other_checks_do_not_excuse_the_status():
    """Checks that do not name the status leave the default in force."""
    assert judged(500, {"ok": True}, checks=("body.ok",))[1] == Problem("http 500", "status was 500")


@pytest.mark.parametrize("check", ["status == 404", "status in (200, 404)", "body.x or status < 500"])
def test_a_check_that_names_the_status_decides(check):
    """Where a check names the status, it alone says which are right."""
    assert judged(404, {"x": 0}, checks=(check,)) == (Outcome.OK, None)


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        (("body.ok",), "body.ok: body.ok was False"),
        (("body.n == 1", "body.ok"), "body.ok: body.ok was False"),
        (("body.n > 5", "body.ok"), "body.n > 5: body.n was 1"),
        (("body.gone",), "body.gone: there is no field 'gone'"),
        (("status == 201",), "status == 201: status was 200"),
    ],
)
def test_the_first_check_that_fails_is_the_problem(checks, message):
    """A failed check fails the request and says what it met."""
    problem = Problem("check", message, rule=message.split(": ")[0])
    assert judged(200, {"ok": False, "n": 1}, checks=checks) == (Outcome.FAILED, problem)


def test_a_body_that_is_not_json_fails_the_check():
    """A check on the body of a page is a failed check, not a crash."""
    judge = Judge(endpoint(checks=("status == 200", "body.ok")))
    outcome, problem = judge.judge(200, Names(status=200, body=""), {})
    assert (outcome, problem.message) == (Outcome.FAILED, "body.ok: the body is not JSON")


@pytest.mark.parametrize("status", [429, 503])
def test_refused_comes_first(status):
    """A reply that the scenario calls refused is that, whatever its status and the checks say."""
    captures = {}
    found = judged(
        status,
        {"id": 1},
        captures,
        refused="status in (429, 503)",
        checks=("status == 200",),
        capture={"id": Capture("body.id")},
    )
    assert found == (Outcome.REFUSED, None)
    assert captures == {}


def test_refused_that_cannot_be_evaluated_is_false():
    """A reply without the field that tells of a refusal is not refused."""
    assert judged(200, {}, refused="body.error.code == 'busy'") == (Outcome.OK, None)


def test_captures_are_taken_from_what_passed():
    """Captures are added, with their types, when the response has passed."""
    captures = {"before": 1}
    assert (
        judged(
            200,
            {"user": {"id": 5}},
            captures,
            capture={"id": Capture("body.user.id"), "all": Capture("body")},
        )[0]
        is Outcome.OK
    )
    assert captures == {"before": 1, "id": 5, "all": {"user": {"id": 5}}}


@pytest.mark.parametrize("status", [200, 500])
def test_nothing_is_captured_from_what_failed(status):
    """A response that failed changes no capture."""
    captures = {"id": "kept"}
    judged(status, {"id": 5, "ok": False}, captures, checks=("body.ok",), capture={"id": Capture("body.id")})
    assert captures == {"id": "kept"}


def test_a_capture_that_finds_nothing_fails():
    """When one capture finds nothing the request fails, and none is taken."""
    captures = {}
    found = judged(
        200, {"id": 5}, captures, capture={"id": Capture("body.id"), "token": Capture("body.token")}
    )
    assert found == (
        Outcome.FAILED,
        Problem("capture", "capture token: body.token: there is no field 'token'", rule="token"),
    )
    assert captures == {}


@pytest.mark.parametrize(
    "fields", [{"checks": ("a b",)}, {"capture": {"x": Capture("a b")}}, {"refused": "a b"}]
)
def test_expressions_are_compiled_beforehand(fields):
    """What makes no sense fails before the first request."""
    with pytest.raises(ExpressionError):
        Judge(endpoint(**fields))


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        ({}, False),
        ({"checks": ("status == 200", "headers.x == '1'", "response_time < 1")}, False),
        ({"checks": ("status == 200", "body.ok")}, True),
        ({"checks": ("size < 100",)}, True),
        ({"capture": {"id": Capture("text")}}, True),
        ({"refused": "body.busy is defined"}, True),
        ({"refused": "status == 429"}, False),
    ],
)
def test_bodies_are_needed_where_they_are_asked_about(fields, needed):
    """Only checks, captures and `refused` that name the body make it worth decoding."""
    one = endpoint(**fields)
    assert Judge(one).needs_body is needed
    (compiled,) = plan(one).endpoints
    assert compiled.request.render({}).needs_body is needed
