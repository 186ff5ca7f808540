"""Captures: what is taken from a response by expression, JSONPath and regular expression, and what when nothing is there."""

import pytest
from plan_scenarios import endpoint

from stressrunner.expressions import CannotEvaluate, ExpressionError
from stressrunner.plan.captures import Captures, NothingCaptured
from stressrunner.plan.judging import Judge
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.scenario.model import Capture


class Page(dict):
    """Names of a response whose body is not JSON."""

    def __getitem__(self, name):
        """Return a name, but no body."""
        if name == "body":
            raise CannotEvaluate("the body is not JSON")
        return super().__getitem__(name)


BODY = {"items": [{"id": 7}, {"id": 8}], "next": None}
ANSWERED = {"status": 200, "body": BODY, "text": "<a href='/job?id=7'>", "headers": {"x": "1"}}
PAGE = Page(status=200, text="<p>sorry</p>")


@pytest.mark.parametrize(
    ("capture", "found"),
    [
        (Capture("body.items[1].id"), 8),
        (Capture("headers.x"), "1"),
        (Capture("$.items[1].id", "jsonpath"), 8),
        (Capture("$.items[*].id", "jsonpath"), [7, 8]),
        (Capture("$.next", "jsonpath"), None),
        (Capture(r"id=(\d+)", "regex"), "7"),
        (Capture("$.items[1].id", "jsonpath", ("none",)), 8),
    ],
)
def test_values_are_found_with_their_types(capture, found):
    """Each way finds its value, with its type; a default stands aside."""
    assert Captures({"x": capture}).take(ANSWERED) == {"x": found}


@pytest.mark.parametrize(
    ("capture", "reason"),
    [
        (Capture("body.gone"), "capture x: body.gone: there is no field 'gone'"),
        (Capture("$.gone", "jsonpath"), "capture x: $.gone: nothing is found"),
        (Capture("$.items[?@.id > 8]", "jsonpath"), "capture x: $.items[?@.id > 8]: nothing is found"),
        (Capture("id=(x)", "regex"), "capture x: id=(x): nothing matches"),
    ],
)
def test_a_capture_that_finds_nothing_says_which(capture, reason):
    """Without a default, a capture that finds nothing fails the request under the kind `capture`."""
    with pytest.raises(NothingCaptured) as caught:
        Captures({"x": capture}).take(ANSWERED)
    assert str(caught.value) == reason
    judged = Judge(endpoint(capture={"x": capture})).judge(200, ANSWERED, {})
    assert judged == (Outcome.FAILED, Problem("capture", reason, rule="x"))


def test_a_page_has_no_json_to_search():
    """A JSONPath into a body that is no JSON finds nothing, and says why."""
    with pytest.raises(NothingCaptured, match="the body is not JSON"):
        Captures({"x": Capture("$.id", "jsonpath")}).take(PAGE)


@pytest.mark.parametrize("by", ["expression", "jsonpath", "regex"])
@pytest.mark.parametrize(
    ("default", "value"),
    [(None, None), ("none", "none"), ([1, "{{ status }}"], [1, 200]), ("{{ status }}", 200)],
)
def test_a_default_stands_for_what_is_not_found(by, default, value):
    """A default, filled in and with its type, takes the place of what is not there, also in a page."""
    sources = {"expression": "body.gone", "jsonpath": "$.gone", "regex": "gone"}
    captures = Captures({"x": Capture(sources[by], by, (default,))})
    assert captures.take(ANSWERED) == {"x": value}
    assert captures.take(PAGE) == {"x": value}


def test_a_search_that_was_given_up_has_no_default():
    """A default does not stand for what might be there: a search that was given up fails."""
    captures = Captures({"x": Capture("(a|aa)+$", "regex", ("none",))})
    with pytest.raises(NothingCaptured, match="given up"):
        captures.take({"text": "a" * 500 + "!"})


@pytest.mark.parametrize(
    "capture",
    [Capture("a b"), Capture("body.id", "jsonpath"), Capture("(", "regex"), Capture("x", "regex", ("{{",))],
)
def test_captures_are_compiled_beforehand(capture):
    """What makes no sense fails before the first request."""
    with pytest.raises(ExpressionError):
        Captures({"x": capture})


@pytest.mark.parametrize("capture", [Capture("$.id", "jsonpath"), Capture("id", "regex")])
def test_captures_from_bodies_need_them(capture):
    """A capture by JSONPath or regular expression makes the body worth decoding."""
    assert Judge(endpoint(capture={"x": capture})).needs_body
