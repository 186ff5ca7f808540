"""Values that do not fit are told in the words of scenarios, and never in Python's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions import CannotEvaluate, compile_expression

NAMES = {
    "text": "12",
    "word": "abc",
    "number": 5,
    "share": 0.5,
    "yes": True,
    "null": None,
    "list": [1, 2],
    "mapping": {"a": 1},
}
#: Words that only Python has.
PYTHON = re.compile(
    r"NoneType|'(str|int|float|dict|list|tuple|bool)'|\bobject\b|instances? of|concatenate|unhashable|len\(\)|\bint\("
)


def why_not(source, names=NAMES):
    """Return why an expression cannot be evaluated."""
    with pytest.raises(CannotEvaluate) as caught:
        compile_expression(source).evaluate(names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("text < number", "'<' cannot compare a text with a number"),
        ("number >= null", "'>=' cannot compare a number with null"),
        ("list > mapping", "'>' cannot compare a list with a mapping"),
        ("text - number", "'-' cannot be done with a text and a number"),
        ("word + number", "'+' cannot be done with a text and a number; '~' joins texts"),
        ("list + text", "'+' cannot be done with a list and a text; '~' joins texts"),
        ("null * number", "'*' cannot be done with null and a number"),
        ("text * share", "'*' cannot be done with a text or list and a number"),
        ("-text", "'-' cannot be done with a text"),
        ("number / 0", "division by zero"),
        ("number // 0", "division by zero"),
        ("number % 0", "division by zero"),
        ("share % 0", "division by zero"),
        ("1 in number", "'in' cannot look into a number"),
        ("1 in null", "'in' cannot look into null"),
        ("1 in text", "'in' looks for a text in a text, and not for a number"),
        ("list.a", "a list has no field 'a'"),
        ("null.a", "null has no field 'a'"),
        ("mapping.b.c", "there is no field 'b'"),
        ("list[7]", "a list has no element 7"),
        ("number[0]", "a number has no element 0"),
        ("number | length", "a number has no length"),
        ("null | join", "null has no length"),
        ("{list: 1}", "a list cannot be a key"),
        ("text | round", "only numbers can be rounded"),
    ],
)
def test_values_that_do_not_fit_are_told(source, why):
    """The kinds of the values, and what cannot be done with them."""
    assert why_not(source) == why


OPERANDS = st.sampled_from(sorted(NAMES))
OPERATORS = st.sampled_from(["<", ">=", "+", "-", "*", "/", "//", "%", "**", "in", "not in", "~"])
FILTERS = st.sampled_from(
    ["length", "join", "round", "abs", "int", "float", "first", "sort", "sum", "upper", "list", "max"]
)


@given(OPERANDS, OPERATORS, OPERANDS, FILTERS)
def test_no_word_of_python_is_told(left, op, right, filtered):
    """Whatever two values meet in an operator or an index, and whatever meets a filter."""
    for source in (f"{left} {op} {right}", f"{left} | {filtered}", f"{left}[{right}]"):
        try:
            compile_expression(source).evaluate(NAMES)
        except CannotEvaluate as error:
            assert not PYTHON.search(str(error)), (source, str(error))  # noqa: PT017  most combinations fit
