"""Fused functions give what the expressions in them give one by one, and leave to those whatever is not ordinary."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_expressions import expressions, of_literals, surroundings

from stressrunner.expressions import ExpressionError, compile_expression
from stressrunner.expressions.environment import to_json, to_text
from stressrunner.expressions.fusing import Encoded, fuse_judgement, fuse_text


def understood(source):
    """Return whether an expression compiles."""
    try:
        compile_expression(source)
    except ExpressionError:
        return False
    return True


compiled = expressions.filter(understood).map(compile_expression)
several = st.lists(compiled, max_size=3)


def given_by(function, names):
    """Return what a function gives, or None where it gives up."""
    try:
        return [function(names)]
    except Exception:  # noqa: BLE001  whatever it is, the slower way decides
        return None


@of_literals
@settings(max_examples=200)
@given(several, several, surroundings)
def test_fused_forms_agree(checks, captured, names):
    """What a fused judgement gives is what its expressions give one by one; where one fails, it gives up."""
    judgement = fuse_judgement(checks, {str(i): one for i, one in enumerate(captured)})
    given = None if judgement is None else given_by(judgement, names)
    if given is None:
        return
    # Checks behind one that does not hold are not asked.
    assert all(one.evaluate(names) for one in checks) == (given[0] is not None)
    if given[0] is not None:
        assert repr([*given[0].values()]) == repr([one.evaluate(names) for one in captured])


@of_literals
@settings(max_examples=200)
@given(several, surroundings, st.sampled_from(["", "{", 'a"\n\u2028{}']))
def test_fused_texts_agree(made, names, literal):
    """A fused text is its literals and its values as text, and one in JSON reads as that text, or as its only value."""
    plain = [part for one in made for part in (literal, one)]
    fused = fuse_text([*plain, Encoded(tuple(plain[1:]))])
    text = None if fused is None else given_by(fused, names)
    if text is None:
        return
    values = [one.evaluate(names) for one in made]
    parts = [part for value in values for part in (literal, value)]
    before = "".join(map(to_text, parts))
    assert text[0].startswith(before)
    if len(made) == 1:
        assert text[0].removeprefix(before) == to_json(values[0])
    else:
        assert json.loads(text[0].removeprefix(before)) == "".join(map(to_text, parts[1:]))


def test_what_is_simple_is_fused():
    """Checks, captures and bodies of names, fields and comparisons need no way beside the fused one."""
    names = {"status": 200, "body": {"ok": True, "id": 7}}
    status, ok, number = (compile_expression(source) for source in ("status == 200", "body.ok", "body.id"))
    judgement = fuse_judgement([status, ok], {"id": number})
    assert judgement(names) == {"id": 7}
    assert judgement({**names, "status": 500}) is None
    assert fuse_judgement([], {})({}) == {}
    assert fuse_text(["{", Encoded(("n ", number)), ",", Encoded((number,)), "}"])(names) == '{"n 7",7}'


@pytest.mark.parametrize("source", ["a ** 2", "[a]", "+".join(["random_int(0, 1)"] * 9)])
def test_what_is_not_simple_is_not_fused(source):
    """Where one expression is left to its template, or makes lists or draws without end, nothing is fused."""
    one, other = compile_expression(source), compile_expression("a")
    assert fuse_text([other, one]) is fuse_judgement([], {"one": one, "other": other}) is None
