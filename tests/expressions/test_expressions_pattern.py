"""Regular expressions: what they find, and that they end."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions import CannotEvaluate, ExpressionError
from stressrunner.expressions.pattern import MAX_SEARCH_S, TooSlow, compile_pattern


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (r"id=(\d+)", "7"),
        (r"id=\d+", "id=7"),
        (r"id=(\d+).*id=(\d+)", "7"),
        (r"(?P<name>\w+)=", "id"),
        (r"(?s)id=(.)", "7"),
        (r"(?i)ID=(\d)", "7"),
        (r"id=8()", ""),
    ],
)
def test_the_first_group_of_the_first_match(source, found):
    """The first match gives its first group, or all of it when there are no groups."""
    assert compile_pattern(source).find("a id=7, id=8") == found


@pytest.mark.parametrize(
    ("source", "message"),
    [("id=9", "nothing matches"), ("(x)?id=7", "the group is no part of the match")],
)
def test_nothing_found_says_why(source, message):
    """Where nothing is found, it is told whether that is the pattern or the group."""
    with pytest.raises(CannotEvaluate, match=message):
        compile_pattern(source).find("id=7")


@pytest.mark.parametrize(
    ("source", "offset"), [(r"id=(\d+", 7), ("[a", 1), ("*", 0), ("a{2,1}", 2), ("", 0), ("x" * 10_001, 0)]
)
def test_mistakes_have_a_place(source, offset):
    """What is no regular expression has a mistake at a place in it."""
    with pytest.raises(ExpressionError) as caught:
        compile_pattern(source)
    assert min(offset, max(0, len(source) - 1)) == caught.value.offset


@pytest.mark.parametrize("source", ["(a|aa)+$", "(a|a?)+$", r"^(a|[a-b])*$"])
def test_searches_are_given_up(source):
    """A pattern whose time doubles with every character is given up, and says so."""
    started = time.process_time()
    with pytest.raises(TooSlow, match="given up"):
        compile_pattern(source).find("a" * 500 + "!")
    assert time.process_time() - started < 20 * MAX_SEARCH_S


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_pattern_or_a_mistake(source, text):
    """Whatever is written for a pattern, it is one, or has a mistake at a place in it."""
    with suppress(ExpressionError):
        pattern = compile_pattern(source)
        with suppress(CannotEvaluate):
            assert pattern.find(text) in text
        return
    with pytest.raises(ExpressionError) as caught:
        compile_pattern(source)
    assert 0 <= caught.value.offset <= max(0, len(source) - 1)
