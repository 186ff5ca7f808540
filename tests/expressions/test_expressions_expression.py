"""Bare expressions: they see data alone, are strict about what is not there, and say where they are wrong."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions import CannotEvaluate, ExpressionError, compile_expression
from stressrunner.expressions.expression import value_at, why_not

METHODS = ("items", "count", "get", "values", "keys", "index", "pop", "update", "upper", "format", "copy")
INNER = ("__class__", "__init__", "__globals__", "__mro__", "__dict__", "mro", "gi_frame", "func_globals")


def value_of(source, **names):
    """Return the value of an expression."""
    return compile_expression(source).evaluate(names)


def sentence_of(source, **names):
    """Return why an expression cannot be evaluated."""
    with pytest.raises(CannotEvaluate) as caught:
        value_of(source, **names)
    return str(caught.value)


def mistake_in(source):
    """Return message, hint and the part of the text that the mistake points at."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    error = caught.value
    return error.message, error.hint, source[error.offset :][: error.width]


@pytest.mark.parametrize("name", METHODS + INNER)
def test_attributes_are_data(name):
    """`body.items` is the field of that name where there is one, and nothing where there is not."""
    assert value_of(f"body.{name}", body={name: 7}) == 7
    assert value_of(f"body['{name}']", body={name: 7}) == 7
    assert sentence_of(f"body.{name}", body={"other": 7}) == f"there is no field '{name}'"
    assert sentence_of(f"body['{name}']", body={}) == f"there is no field '{name}'"


@pytest.mark.parametrize("name", METHODS + INNER)
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([1, 2], "a list"),
        ("text", "a text"),
        (5, "a number"),
        (1.5, "a number"),
        (True, "a boolean"),
        (None, "null"),
    ],
)
def test_other_values_have_no_fields(value, kind, name):
    """Lists, texts and all other values have no attributes, whatever Python gives them."""
    assert sentence_of(f"body.{name}", body=value) == f"{kind} has no field '{name}'"


@pytest.mark.parametrize(
    "source",
    [
        "body|attr('__class__')",
        "body|map('attr', '__class__')|first",
        "body|map(attribute='__class__')|first",
        "body|sort(attribute='__class__.__name__')",
        "(body|groupby('__class__')|first)[0]",
        "body|sum('__class__')",
        "body|xmlattr",
        "body['__cla' ~ 'ss__']",
        "(body|first)['__class__']",
        "cycler('a').__init__",
        "lipsum.__globals__",
        "self.__init__",
        "range.__init__",
        "uuid.__self__",
        "namespace",
        "().__class__.__base__.__subclasses__()",
        "''.__class__.mro()",
        "'{0.__class__}'.format(body)",
        "range(1000000)",
    ],
)
def test_python_is_out_of_reach(source):
    """Whatever is tried to reach Python's own attributes is refused, or meets nothing."""

    def uuid():
        raise AssertionError

    with pytest.raises((CannotEvaluate, ExpressionError)):
        value_of(source, body=[{"a": 1}], uuid=uuid)


def test_formats_do_not_look_inside():
    """Text formatting fills in values, and looks up nothing."""
    assert value_of("'%s {0.__class__}'|format(5)") == "5 {0.__class__}"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("body.items[1].id", 2),
        ("body.items.1.id", 2),
        ("body['items'][0]['id']", 1),
        ("body.items[-1].id", 2),
        ("text[1:3]", "bc"),
        ("body.items|length", 2),
        ("body.items|map(attribute='id')", [1, 2]),
        ("body.items|selectattr('id', 'gt', 1)", [{"id": 2}]),
        ("body.missing|default('none')", "none"),
        ("body.missing is defined", False),
        ("missing is undefined", True),
        ("body.null is none", True),
        ("1 if text == 'abcd' else 2", 1),
        ("'b' in text and not body.no", True),
        ("range(3)|list", [0, 1, 2]),
        ("{'a': {'b': 1}}.a.b", 1),
        ("text == '}}'", False),
        ("text ~ 1 ~ 'x'", "abcd1x"),
    ],
)
def test_what_expressions_can_do(source, value):
    """Lookups, slices, filters, tests and conditions of Jinja2 over decoded JSON."""
    names = {"body": {"items": [{"id": 1}, {"id": 2}], "null": None, "no": False}, "text": "abcd"}
    assert value_of(source, **names) == value


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("nothing", "'nothing' is undefined"),
        ("body.a", "there is no field 'a'"),
        ("body.a == 1", "there is no field 'a'"),
        ("not body.a", "there is no field 'a'"),
        ("body.a is none", "there is no field 'a'"),
        ("body.a is not none", "there is no field 'a'"),
        ("body.a is string", "there is no field 'a'"),
        ("body.a is in [1]", "there is no field 'a'"),
        ("body.list[2]", "a list has no element 2"),
        ("body.list.id", "a list has no field 'id'"),
        ("body.null.id", "null has no field 'id'"),
        ("1 / (body.list | length - 1)", "division by zero"),
        ("body.list[0] ~ 'a' + body.list[0]", "'+' cannot be done with a text and a number; '~' joins texts"),
        ("(1 if false)", "the condition is false and there is no 'else'"),
    ],
)
def test_what_cannot_be_evaluated_says_why(source, sentence):
    """An expression that meets what is not there, or does not fit, raises CannotEvaluate with one sentence."""
    assert sentence_of(source, body={"list": [1], "null": None}) == sentence


def test_filtered_lists_can_be_looked_at_twice():
    """What a filter yields is a list: true when it has something in it, and the same every time."""
    assert not compile_expression("body|select('gt', 2)").holds({"body": [1, 2]})
    assert compile_expression("body|select('gt', 1)").holds({"body": [1, 2]})


@pytest.mark.parametrize(
    ("source", "message", "hint", "part"),
    [
        ("status == 200 && body", "'&&' is no operator", "write 'and'", "&&"),
        ("a || b", "'||' is no operator", "write 'or'", "||"),
        ("!body.error", "'!' is no operator", "write 'not'", "!"),
        ("status = 200", "'=' does not compare", "write '=='", "="),
        ("a =< b", "comparison is spelled the other way round", "write '<=' or '>='", "=<"),
        ("a => b", "comparison is spelled the other way round", "write '<=' or '>='", "=>"),
        (
            "response_time < 500ms",
            "durations have no unit here",
            "write seconds, such as 0.5",
            "500ms",
        ),
        ("ok ? 1 : 2", "'?' is no operator", "write 'a if condition else b'", "?"),
        ("m == 'x", "unbalanced quote", "in YAML ' #' begins a comment: quote the whole", "'"),
        (
            "status in (200",
            "unbalanced bracket",
            "inside [...] and {...} a comma ends the item: use block style or quotes",
            "(",
        ),
        ("a)", "unexpected ')'", "", ")"),
        ("a $ b", "'$' has no meaning here", "", "$"),
        ("a == '&&' @ b", "'@' has no meaning here", "", "@"),
        ("a b", "expected token 'end of print statement', got 'b'", "", "b"),
        ("{{ status }}", "an expression is written without braces", "write: status", "{{ status }}"),
        ("{% status %}", "an expression is written without braces", "write: status", "{% status %}"),
        ("a }} b {{ c", "this is not one expression", "", "a }} b {{ c"),
        ("  ", "the expression is empty", "", "  "),
        ("a|zzzz", "there is no filter 'zzzz'", "", "zzzz"),
        ("1 if uper else a|uper", "there is no filter 'uper'", "did you mean 'upper'?", "uper"),
        ("a is not defind", "there is no test 'defind'", "did you mean 'defined'?", "defind"),
        ("5 + foo(1)", "there is no function 'foo'", None, "foo"),
    ],
)
def test_slips_are_told_with_their_fix(source, message, hint, part):
    """What people write out of habit is refused at its place, with what to write."""
    found = mistake_in(source)
    assert found == (message, found[1] if hint is None else hint, part)


@pytest.mark.parametrize(
    ("method", "instead"),
    [
        ("lower", "write |lower"),
        ("startswith", "write [:n] == 'text'"),
        ("items", "write |dictsort"),
        ("get", "write .field | default(value)"),
        ("split", "write [a:b]"),
        ("frobnicate", "use a filter, such as |length"),
    ],
)
def test_methods_are_refused_with_what_replaces_them(method, instead):
    """A call of a method is refused where it is called, though a field of its name stands before."""
    message = f"values have no methods, so '.{method}()' cannot be called"
    assert mistake_in(f"body.{method} == 1 or text.{method}('x')") == (message, instead, f".{method}")
    source = f"body.{method} == 1 or text.{method}('x')"
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert caught.value.offset == source.rindex(f".{method}")


def test_references_are_what_is_taken_from_outside():
    """Names come with the fields looked up in them, in the order of the text, and whether they may be missing."""
    source = "body.user['name'] if other is defined else (limit | default(body.count)) + uuid()|length"
    references = compile_expression(source).references
    assert [(r.path, r.offset, r.guarded) for r in references] == [
        (("body", "user", "name"), 0, True),
        (("other",), 21, True),
        (("limit",), 44, True),
        (("body", "count"), 60, True),
        (("uuid",), 75, False),
    ]


def test_paths_keep_to_their_places():
    """In `a if b else c` the condition comes first in the tree, and each path still stands where it is written."""
    references = compile_expression("body.a if body.b else body.c").references
    assert [(r.path[1], r.offset) for r in references] == [("a", 0), ("b", 10), ("c", 22)]


names_ = st.sampled_from(["body", "status", "headers", "x1", "_y", "is_ok"])
atoms = st.one_of(
    names_,
    st.builds("{}.{}".format, names_, names_),
    st.builds("{}['{}']".format, names_, names_),
    st.builds("{}[{}]".format, names_, names_),
    st.builds("{}|default({})".format, names_, names_),
    st.builds("{} is defined".format, names_),
    st.builds("'{} text'".format, names_),
    st.just("5"),
)
sources = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds("({}) == ({})".format, inner, inner),
        st.builds("({}) if ({}) else ({})".format, inner, inner, inner),
        st.builds("[{},\n {}]".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("(  {}  )|length".format, inner),
    ),
    max_leaves=8,
)


@given(sources)
def test_references_point_at_their_names(source):
    """Whatever the expression, each reference points at its own name in the text."""
    try:
        references = compile_expression(source).references
    except ExpressionError:
        return  # a constant of it fails
    for reference in references:
        assert source[reference.offset :][: reference.width] == reference.path[0]


@given(
    sources,
    st.sampled_from(["$", "@", "&&", ")", "]", "5ms", "if", "'", "=", "(", "{{", "}}", "%}", "\\"]),
    st.data(),
)
def test_mistakes_stay_inside_the_text(source, slip, data):
    """A slip anywhere in an expression is an ExpressionError with a place in its text, or makes sense after all."""
    at = data.draw(st.integers(0, len(source)))
    broken = source[:at] + slip + source[at:]
    with suppress(ExpressionError):
        compile_expression(broken)
        return
    with pytest.raises(ExpressionError) as caught:
        compile_expression(broken)
    assert caught.value.message
    assert 0 <= caught.value.offset < len(broken)
    assert 1 <= caught.value.width <= len(broken)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("status == 200", None),
        ("status == 201", "status == 201: status was 200"),
        ("body.n > 5 and status == 200", "body.n > 5 and status == 200: body.n was 3, status was 200"),
        ("body.ok", "body.ok: body.ok was False"),
        ("body.gone", "body.gone: there is no field 'gone'"),
        ("body.gone is defined", "body.gone is defined"),
        ("body.long == 1", f"body.long == 1: body.long was '{'x' * 56}..."),
        ("false", "false"),
    ],
)
def test_a_failed_check_says_what_it_met(source, reason):
    """The reason of a failed check is its text and the values in it, cut where they are long."""
    names = {"status": 200, "body": {"n": 3, "ok": False, "long": "x" * 100}}
    assert why_not(compile_expression(source), names) == reason


def test_values_are_looked_up_along_a_path():
    """A path of names leads to a value, or to a sentence about where it ends."""
    names = {"body": {"user": {"id": 5}}}
    assert value_at(("body", "user", "id"), names) == 5
    for path, sentence in (
        (("nobody",), "'nobody' is undefined"),
        (("body", "group", "id"), "there is no field 'group'"),
        (("body", "user", "name"), "there is no field 'name'"),
    ):
        with pytest.raises(CannotEvaluate) as caught:
            value_at(path, names)
        assert str(caught.value) == sentence
