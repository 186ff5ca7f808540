"""A condition that is decided beforehand is found, and one that is not is let pass."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions import CannotEvaluate, compile_expression
from stressrunner.expressions.foregone import Number, Words, foregone

KNOWN = {"status": Number(100, 999), "size": Number(0, inf), "took": Number(1e-9, 30, "the timeout is 30 s"), "url": Words(False), "text": Words()}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("status", ["status"]),
        ("not status", ["status"]),
        ("status == 200 or 404", ["404"]),
        ("not (status == 200 or 'x') and body.ok", ["'x'"]),
        ("200 <= status <= 2000", []),
        ("200 <= status < 2000 and size", []),
        ("100 <= status < 2000", ["100 <= status < 2000"]),
        ("status == '200'", ["status == '200'"]),
        ("'200' in status", []),
        ("status in [99, '200']", ["status in [99, '200']"]),
        ("status not in [99, 200]", []),
        ("status not in [99]", ["status not in [99]"]),
        ("status in '200'", ["status in '200'"]),
        ("took * 1000 < 200", []),
        ("took < 31", ["took < 31"]),
        ("31 > took", ["31 > took"]),
        ("took <= 30", []),
        ("-took < 0", ["-took < 0"]),
        ("took + 1 > 1 and took - 31 >= 0", ["took - 31 >= 0", "took + 1 > 1"]),
        ("size", []),
        ("size >= 0", ["size >= 0"]),
        ("body | length", []),
        ("url", ["url"]),
        ("text", []),
        ("text == 5", ["text == 5"]),
        ("text != 'a'", []),
        ("[] or {}", ["[]", "{}"]),
        ("true if status == 204 else body.ok", []),
        ("200 if status == 204 else 100", ["200 if status == 204 else 100"]),
        ("1 == 1 or body", ["1 == 1"]),
        ("status is defined or took | abs < 99", ["took | abs < 99"]),
    ],
)
def test_what_is_foregone_is_found(source, parts):
    """The part that is always the same is shown, and nothing else is."""
    found = list(foregone(source, KNOWN))
    shown = [source[part.offset :][: part.width] for part in found]
    assert sorted(shown) == sorted(part if part in source else source for part in parts)


operands = st.sampled_from(
    ["status", "size", "took", "text", "status * 2", "took + 1", "0 - status", "-took", "took / 10"]
)
limits = st.sampled_from(
    ["0", "-1", "1", "30", "31", "99", "100", "200", "999", "1000", "1998", "'200'", "''", "true", "none"]
)
orders = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
comparisons = st.builds(lambda a, o, b, turned: f"{b} {o} {a}" if turned else f"{a} {o} {b}", operands, orders, limits, st.booleans())  # fmt: skip
conditions = st.recursive(
    comparisons | operands | limits,
    lambda inner: (
        st.builds(lambda a, o, b: f"({a}) {o} ({b})", inner, st.sampled_from(["and", "or"]), inner)
        | st.builds(lambda a: f"not ({a})", inner)
    ),
    max_leaves=4,
)
names = st.fixed_dictionaries(
    {
        "status": st.integers(100, 999),
        "size": st.integers(0, 10**9),
        "took": st.floats(1e-9, 30),
        "text": st.text(max_size=3),
    }
)


@given(comparisons | operands, st.lists(names, min_size=5, max_size=5))
def test_what_is_told_is_true(source, several):
    """What is said to be always so is so whatever comes."""
    told = [part.message for part in foregone(source, KNOWN)]
    for met in several:
        try:
            holds = compile_expression(source).holds(met)
        except CannotEvaluate:
            assert not told or "true" not in told[0]
            continue
        if told and "always true" in told[0]:
            assert holds
        if told and ("always false" in told[0] or "cannot be compared" in told[0]):
            assert not holds


@given(conditions)
def test_every_condition_is_looked_at(source):
    """Whatever a condition is made of, its parts are found inside it."""
    for part in foregone(source, KNOWN):
        assert 0 <= part.offset < len(source)
        assert 1 <= part.width <= len(source) - part.offset
