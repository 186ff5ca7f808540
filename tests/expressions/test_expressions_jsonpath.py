"""JSONPath: what queries find, that they are those of RFC 9535, and that they end."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions import CannotEvaluate, ExpressionError
from stressrunner.expressions.jsonpath import MAX_FOUND, compile_jsonpath
from stressrunner.expressions.pattern import TooSlow

BODY = {
    "items": [{"id": 7, "role": "admin"}, {"id": 8, "role": None}, {"id": 9}],
    "next": None,
    "first name": "Ada",
}

# Not the control characters, whose escapes the package does not read.
names = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("$.items[0].id", 7),
        ("$.items[-1].id", 9),
        ("$['first name']", "Ada"),
        ("$.next", None),
        ("$", BODY),
        ("$.items[*].id", [7, 8, 9]),
        ("$..id", [7, 8, 9]),
        ("$.items[0:2].id", [7, 8]),
        ("$.items[?@.role].id", [7, 8]),
        ("$.items[?@.role == 'admin'].id", [7]),
        ("$.items[?@.role == null].id", [8]),
        ("$.items[?match(@.role, 'a.*')].id", [7]),
        ("$.items[?search(@.role, 'dm')].id", [7]),
        ("$.items[?length(@.role) == 5].id", [7]),
        ("$[?count(@.*) > 2]", [BODY["items"]]),
    ],
)
def test_queries_find(query, found):
    """A query that can find one value at the most gives it, every other one a list."""
    compiled = compile_jsonpath(query)
    assert compiled.find(BODY) == found
    assert compiled.all(BODY) == ([found] if compiled.is_singular else found)


@pytest.mark.parametrize("query", ["$.gone", "$.items[3]", "$.items.id", "$.items[?@.id > 9]", "$.next.x"])
def test_nothing_found_says_so(query):
    """Where there is nothing, `all` is empty and `find` tells."""
    compiled = compile_jsonpath(query)
    assert compiled.all(BODY) == []
    with pytest.raises(CannotEvaluate, match="nothing is found"):
        compiled.find(BODY)


@pytest.mark.parametrize("scalar", ['{"id": 1}', "text", 5, True, None])
def test_texts_are_not_taken_for_json(scalar):
    """A body that is no mapping or list has only itself to give, also when it is a text that looks like JSON."""
    assert compile_jsonpath("$").find(scalar) == scalar
    assert compile_jsonpath("$.id").all(scalar) == []


@pytest.mark.parametrize(
    ("query", "message", "offset"),
    [
        ("body.id", "a JSONPath begins with '$'", 0),
        ("", "a JSONPath begins with '$'", 0),
        ("$.items[0", "invalid JSONPath: unexpected end of segment", 8),
        ("$.a | $.b", "invalid JSONPath: unexpected token '|'", 4),
        ("$.a[?lower(@.x)]", "invalid JSONPath: function 'lower' is not defined", 5),
        ("$.a[?length(@.x)]", "invalid JSONPath: result of length() must be compared", 4),
        ("$.a[01]", "invalid JSONPath: leading zero in index selector", 4),
        ("$ ", "invalid JSONPath: unexpected trailing whitespace", 1),
        ("$" + ".a" * 5_001, "a JSONPath has at most 10,000 characters", 0),
    ],
)
def test_mistakes_have_a_place(query, message, offset):
    """What RFC 9535 does not have is a mistake, with the place where the query stops making sense."""
    with pytest.raises(ExpressionError) as caught:
        compile_jsonpath(query)
    assert (caught.value.message, caught.value.offset) == (message, offset)
    assert caught.value.offset + caught.value.width <= max(1, len(query))


def test_patterns_in_filters_are_given_up():
    """A pattern that would be searched for until doomsday is given up."""
    with pytest.raises(TooSlow):
        compile_jsonpath("$[?search(@, '(a|aa)+$')]").all(["a" * 200 + "b"])


def test_what_is_found_is_bounded():
    """A query that finds too much is given up, and so is one that meets a body nested too deeply."""
    with pytest.raises(CannotEvaluate, match="more than"):
        compile_jsonpath("$[*]").all([0] * (MAX_FOUND + 1))
    nested = []
    for _ in range(900):
        nested = [nested]
    with pytest.raises(CannotEvaluate, match="too deeply"):
        compile_jsonpath("$..x").all(nested)


@given(st.dictionaries(names, values, min_size=1, max_size=4), st.data())
def test_a_member_is_found_by_its_name(body, data):
    """Whatever the name of a member, its quoted selector finds its value and nothing else."""
    name = data.draw(st.sampled_from(sorted(body)))
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    assert compile_jsonpath(f"$['{escaped}']").find(body) == body[name]


@given(st.text(max_size=40))
def test_any_text_is_a_query_or_a_mistake(text):
    """Whatever is written for a query, it is one or has a mistake at a place in it."""
    source = "$" + text
    with suppress(ExpressionError):
        compile_jsonpath(source)
        return
    with pytest.raises(ExpressionError) as caught:
        compile_jsonpath(source)
    assert 0 <= caught.value.offset <= len(text)


@pytest.mark.parametrize(
    "source",
    [
        "$..[?count($..*)>1]",
        "$..[?count($..a) > 1]",
        "$" + "[*,*]" * 40 + ".zzz",
    ],
)
def test_a_query_that_never_ends_is_given_up(source):
    """A query that goes through a body for each of its values is given up with a failure that no default stands for."""
    body = [{"a": n, "b": [1, 2]} for n in range(2_000)]
    with pytest.raises(TooSlow, match=r"^the query was given up: it takes too long for a body of this size$"):
        compile_jsonpath(source).all(body)


def test_a_body_is_gone_through_once():
    """What looks at each value once is not given up, however large the body."""
    body = [{"a": n} for n in range(5_000)]
    assert len(compile_jsonpath("$[?@.a >= 0].a").all(body)) == 5_000
