"""Lowered expressions are Jinja2's own, only faster: whatever one gives, the compiled template gives too."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Undefined, UndefinedError
from made_expressions import Fields, expressions, of_literals, scalars, surroundings, values

from stressrunner.expressions import (
    FUNCTIONS,
    CannotEvaluate,
    Draws,
    ExpressionError,
    compile_expression,
    compile_json,
    compile_template,
    compile_value,
)
from stressrunner.expressions.environment import environment
from stressrunner.expressions.lowering import lower
from stressrunner.expressions.references import parse


class Failed(Exception):
    """The lowered form gave up and would ask the template."""


def lowered(source):
    """Return the lowered form of an expression, which raises Failed where it would ask the template."""

    def otherwise(_):
        raise Failed

    return lower(parse(f"{{{{ {source} }}}}").body[0].nodes[0], otherwise)


def outcome(evaluate, names):
    """Return the value with its type at every depth, or the sentence of the failure."""
    try:
        return repr(evaluate(names))
    except (CannotEvaluate, ExpressionError) as error:  # constants that do not fit are mistakes: `(0).a ~ a`
        return f"cannot: {error}"


def by_jinja2(source, names):
    """Return the value that Jinja2 gives; raises whatever the expression runs into."""
    value = environment().compile_expression(source, undefined_to_none=False)(names)
    if isinstance(value, Undefined):
        raise UndefinedError("undefined in the end")
    return value


def holds_undefined(value):
    """Return whether a value, or what is in it at any depth, is one that is not there."""
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, Undefined) or (
        isinstance(value, list | tuple) and any(map(holds_undefined, value))
    )


def test_what_is_simple_is_lowered():
    """Expressions of names, fields, operators, tests, calls and plain filters are lowered and need no template."""
    names = {
        "status": 200,
        "body": {"ok": True, "items": [1, 2], "n": 3},
        "headers": Fields({"retry-after": "5"}),
        "text": "Ab",
        "uuid": lambda: "u",
        "random_int": lambda low, high: low + high,
    }
    for source, value in {
        "status == 200": True,
        "100 < status <= 200 != 3": True,
        "status in (200, 201) and body.ok": True,
        "body['items'][1] + body.items[0] * 2 - 7 // 2": 1,
        "body.items|length > 1 and not body.items is none": True,
        "text|lower ~ '-' ~ status ~ none": "ab-200None",
        "body.gone|default('x')": "x",
        "gone is defined or body.gone is not defined": True,
        "body.n is odd and text is string and body is mapping": True,
        "headers['retry-after']|int if status == 200 else 0": 5,
        "uuid() ~ random_int(1, high=body.n)": "u4",
        "[1, {'a': -body.n, 'b': (1,)}]": [1, {"a": -3, "b": (1,)}],
        "text[:1] + text[-1]": "Ab",
        "body.items": [1, 2],
    }.items():
        assert lowered(source)(names) == value, source


@pytest.mark.parametrize(
    "source",
    ["a|map('upper')", "a|list", "a if b", "a ** 2", "range(3)", "self", "1e999", "'a'.b", "a is filter",
     "now(None='iso')", "uuid(*a)", "a['b']()", "a and b|list"],
)  # fmt: skip
def test_what_is_not_simple_stays_a_template(source):
    """What Jinja2 alone understands, or Python would read otherwise, is left to the template as a whole."""
    assert lowered(source) is None


@of_literals
@settings(max_examples=400)  # in a quarter of them nothing is missing and all operators fit
@given(expressions, surroundings)
def test_lowered_forms_agree(source, names):
    """What the lowered form gives is what Jinja2 gives; where Jinja2 fails, so does the lowered form."""
    evaluate = lowered(source)
    if evaluate is None:
        return
    try:
        value = evaluate(names)
    except Failed:
        return
    assert repr(value) == repr(by_jinja2(source, names))


@of_literals
@given(expressions, surroundings)
def test_expressions_are_what_jinja2_makes_of_them(source, names):
    """An expression succeeds where Jinja2 does, with its value, and fails where Jinja2 fails."""
    found = outcome(lambda names: compile_expression(source).evaluate(names), names)
    try:
        expected = by_jinja2(source, names)
    except Exception:  # noqa: BLE001  any failure at all is one
        assert found.startswith("cannot: ")
        return
    if found.startswith("cannot: ") and holds_undefined(expected):
        return  # a constant in it that is nowhere: told beforehand, where Jinja2 waits until it is used
    if found.startswith("cannot: this fails whatever comes: "):
        return  # a constant in it that fails, on a way that these values do not go
    assert found == repr(list(expected) if hasattr(expected, "__next__") else expected)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("a.b.c is defined", "cannot: there is no field 'b'"),
        ("a.b.c|default(1)", "cannot: there is no field 'b'"),
        ("gone.x is defined", "cannot: 'gone' is undefined"),
        ("gone == gone", "cannot: 'gone' is undefined"),
        ("gone or 1", "cannot: 'gone' is undefined"),
        ("1 or gone", "1"),
        ("0 and gone", "0"),
        ("0 == 1 == gone", "False"),
        ("1 if true else gone", "1"),
        ("[a, gone]|length", "2"),
        ("{'a': 1, 'a': 2}", "{'a': 2}"),
        ("text['upper']", "cannot: a text has no field 'upper'"),
        ("text.upper", "cannot: a text has no field 'upper'"),
        ("list.0 + list[1]", "3"),
        ("list['0']", "cannot: a list has no field '0'"),
        ("list[true]", "2"),
        ("list[9]", "cannot: a list has no element 9"),
        ("list[list]", "cannot: a list has no element [1, 2]"),
        ("number[0]", "cannot: a number has no element 0"),
        ("fields.x", "'y'"),
        ("fields.gone", "cannot: there is no field 'gone'"),
        ("a.items is defined", "False"),
        ("result + 1", "6"),
        ("none ~ true ~ 1.0", "'NoneTrue1.0'"),
        ("text ~ list", "'abc[1, 2]'"),
        ("'\\ud800' ~ text == '\\ud800abc'", "True"),
        ("-number ** 2", "25"),
        ("-2.0 // number", "-1.0"),
        ("not number in list", "True"),
        ("not (number in list)", "True"),
        ("number / 0", "cannot: division by zero"),
        ("'%d' % text", "cannot: %d format: a real number is required, not str"),
        ("text is divisibleby 2", "cannot: only numbers are odd, even or divisible"),
        ("gone is none", "cannot: 'gone' is undefined"),
        ("text|int(default=gone)", "cannot: 'gone' is undefined"),
        ("text|default(gone)", "'abc'"),
        ("text(1)", None),
        ("1 if text is sequence and text is not mapping else 2", "1"),
        ("(text, number)[1]", "5"),
        ("[1, 2][0]", "1"),
        ("list|reverse", "[2, 1]"),
    ],
)  # fmt: skip
def test_traps(source, result):
    """What Python and Jinja2 could disagree about comes out as Jinja2 has it."""
    names = {"a": {}, "text": "abc", "list": [1, 2], "number": 5, "result": 5}
    names["fields"] = Fields({"x": "y"})
    if result is None:
        with pytest.raises(ValueError, match="there is no function 'text'"):
            compile_expression(source)
    else:
        assert outcome(compile_expression(source).evaluate, names) == result


class Response(Fields):
    """Names of a response whose body cannot be read."""

    def __getitem__(self, name):
        if name == "body":
            raise CannotEvaluate("the body is not JSON")
        return super().__getitem__(name)


@pytest.mark.parametrize("detour", ["", "|list|first"])
@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("status == 204 or [body.ok]", "True"),
        ("status == 200 and [body.ok]", "False"),
        ("[status]", "204"),
        ("[body.ok]", "cannot: the body is not JSON"),
        ("body is defined", "False"),
        ("[body|default('none')]", "'none'"),
        ("[body.ok|default('none')]", "cannot: the body is not JSON"),
    ],
)
def test_names_fail_when_they_are_used(source, result, detour):
    """A name whose value cannot be made fails where it is used and not before, lowered or not."""
    source = source.replace("]", f"]{detour or '[0]'}")
    assert outcome(compile_expression(source).evaluate, Response({"status": 204})) == result


@given(st.integers(), st.integers(0, 9), st.integers(10, 99))
def test_functions_draw_the_same(seed, low, high):
    """A lowered call draws what the template draws, once."""
    source = "[random_int(a, high=b), uuid(), choice([a, b]), sha256('x')|length]"
    named = {"a": low, "b": high}
    drawn, expected = Draws(seed, 0, "a"), Draws(seed, 0, "a")
    found = lowered(source)({**named, **{name: drawn.function(name) for name in FUNCTIONS}})
    assert found == by_jinja2(source, {**named, **{name: expected.function(name) for name in FUNCTIONS}})
    assert drawn.random_int(0, 10**9) == expected.random_int(0, 10**9)


@pytest.mark.parametrize(
    "source", ["random_int(low=1, low=2)", "{[1]: 2}.a", "+".join("a" * 2000), "[" * 300 + "]" * 300]
)
def test_what_python_cannot_compile_is_a_mistake(source):
    """An argument given twice, a key that is none and a nest too deep are mistakes in the scenario, not crashes."""
    with pytest.raises(ValueError, match=r"repeated|cannot be a key|nested too deeply"):
        compile_expression(source)


placeholders = st.sampled_from(
    ["{{ a }}", "{{ b }}", "x{{ a }}y{{ b.a }}", "{{ gone }}", "{{ [a, b] }}", "{{ {'k': a} }}"]
)
texts = st.text(st.characters(codec="utf-8", exclude_characters="{}"), max_size=4)
trees = st.recursive(
    placeholders | scalars | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.booleans() | st.none(), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(trees, values | st.text(), values)
def test_pieces_make_the_whole(tree, a, b):
    """A body encoded in pieces is, byte for byte, what encoding the rendered tree gives, and fails where that does."""
    names = {"a": a, "b": b}

    def whole(names):
        value = compile_value(tree).render(names)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    assert outcome(compile_json(tree), names) == outcome(whole, names)


@pytest.mark.parametrize("value", ["\ud800", lambda: 1, {(1, 2): 3}])
@pytest.mark.parametrize("tree", ["{{ a }}", {"k": ["x{{ a }}"]}])
def test_what_json_cannot_write_cannot_be_filled(tree, value):
    """A value that is no JSON, or no UTF-8, is told as a placeholder that cannot be filled."""
    with pytest.raises(CannotEvaluate):
        compile_json(tree)({"a": value})


@given(st.lists(placeholders | texts), values, values)
def test_texts_are_joined(parts, a, b):
    """A text is its parts, one after the other."""
    names = {"a": a, "b": b}

    def whole(names):
        return "".join(compile_template(part).render_text(names) for part in parts)

    assert outcome(compile_template("".join(parts)).render_text, names) == outcome(whole, names)
