"""What counts the rows of a page, from what finds its messages: whatever a scenario may say there compiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions import CannotEvaluate, ExpressionError
from stressrunner.expressions.jsonpath import compile_jsonpath
from stressrunner.plan.paging import Paging, compile_paging, row_counter
from stressrunner.scenario.delivery import Listing, ReadBack, path_to_rows

BODY = {
    "messages": [
        {"role": "user", "content": "a", "parts": [1, 2]},
        {"role": "x", "content": "b", "parts": []},
    ],
    "by_id": {"m1": {"role": "user"}, "m2": {"role": "x"}, "m3": {}},
    "a?b": [1, 2, 3],
    "groups": [{"of": [1, 2]}, {"of": [3]}, {"of": 4}],
}


def counted(messages, rows=None, by="jsonpath"):
    """Return how many rows are counted in the body."""
    return row_counter(ReadBack("history", Listing(messages, by), rows=rows))({"body": BODY})


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("$.messages[?@.role=='user'].content", 2),
        ("$.messages[ ?@.role=='user' ].content", 2),
        ("$.messages[?@.parts[?@ > 1]].content", 2),
        ("$.messages[0, ?@.role=='x']", 2),
        ("$.by_id[?@.role=='user']", 3),
        ("$['a?b'][?@ > 1]", 3),
        ('$["a?b"][?@ > 1]', 3),
        ("$.groups[*].of[?@ > 1]", 3),
        ("$.groups[?@.of].of", 3),
        ("$.messages[*].content", 2),  # without a filter, what is found
        ("$.nothing[?@.x]", 0),
        ("$..[?@.role=='user']", None),  # filters wherever it can
        ("$.messages['[', ?@.role]", None),  # is not taken apart
    ],
)
def test_rows_are_what_a_query_filters(query, rows):
    """A JSONPath filters rows, and those are counted, whatever stands in its names and texts."""
    assert counted(query) == rows


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("body.messages | selectattr('role', 'eq', 'user') | map(attribute='content') | list", 2),
        ("body.by_id", 3),
        ("body['a?b']", 3),
        ("body.messages + body.groups", None),
        ("[1, 2]", None),
        ("body.nothing | default([])", None),
    ],
)
def test_rows_are_what_an_expression_begins_from(expression, rows):
    """An expression begins from one list of the body; where it does not, rows are not known."""
    assert counted(expression, by="expression") == rows


@pytest.mark.parametrize(("rows", "n"), [("body.groups", 3), ("7", 7), ("body.by_id", 3), ("[]", 0)])
def test_rows_may_be_said(rows, n):
    """`rows` is a list or a number."""
    assert counted("$..x", rows) == n


@pytest.mark.parametrize("rows", ["'7'", "true", "1.5", "none"])
def test_rows_that_are_no_number_are_refused(rows):
    """A text is no number of rows, nor is a truth."""
    with pytest.raises(CannotEvaluate, match="no list and no number"):
        counted("$..x", rows)


@given(
    st.lists(
        st.sampled_from(
            ["$", ".a", "..", "[?@.b]", "['?']", "[0]", "[*]", '["["', ",", " ?@.c]", "\\'", "'"]
        ),
        max_size=7,
    )
)
def test_whatever_is_a_query_can_be_counted(parts):
    """A JSONPath that is accepted as `messages` never fails when its rows are looked for."""
    query = "$" + "".join(parts)
    try:
        compile_jsonpath(query)
    except ExpressionError:
        path_to_rows(query)
        return
    counted(query)


@pytest.mark.parametrize("value", [None, True, "x", 1e400, [], {}])
def test_a_number_of_pages_is_a_number(value):
    """What is no number of pages is said, instead of taken for the last page."""
    paging = compile_paging(ReadBack("history", Listing("body"), pages="body"))
    with pytest.raises(CannotEvaluate, match="is no number of pages"):
        paging.after({"body": value}, 1, 3, on_page=3)


def test_offset_needs_rows():
    """Where rows cannot be counted, the next offset is not known."""
    with pytest.raises(CannotEvaluate, match="add 'rows'"):
        Paging("offset").after({}, 0, None, on_page=None)
    assert Paging("offset").after({}, 4, 6, on_page=2) == 6
    assert Paging("offset").after({}, 6, 6, on_page=0) is None
