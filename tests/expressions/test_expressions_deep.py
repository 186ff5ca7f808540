"""Compiling takes work in proportion to a text, however deep it is."""

import sys

import pytest

from stressrunner.expressions.expression import compile_expression


def work(source):
    """Return how many calls the compiling of an expression makes."""
    calls = 0

    def count(_frame, _event, _argument):
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        compile_expression(source)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    ("before", "after"),
    [("- ", ""), ("not ", ""), ("", ".b"), ("", " and a"), ("", " ~ a"), ("", "|abs")],
    ids=["minus", "not", "attributes", "and", "joined", "filters"],
)
def test_work_grows_little_faster_than_depth(before, after):
    """An expression of twice the depth takes less than three and a half times the work, not eight times."""
    compile_expression("1 + a")  # what is made once is made
    shallow, deep = (work(before * count + "a" + after * count) for count in (40, 80))
    assert deep < 3.5 * shallow
