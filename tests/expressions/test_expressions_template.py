"""Text with placeholders: what is filled in keeps its type or becomes JSON, and everything else stays as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.expressions import CannotEvaluate, ExpressionError, compile_template, compile_value

NAMES = {"n": 7, "yes": True, "none": None, "list": [1, "é"], "map": {"a": None}, "text": "abc", "f": 1.5}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
literals = st.text(max_size=20).filter(lambda text: "{{" not in text and not text.endswith("{"))


def rendered(text, *, statements=False, **names):
    """Return a text with its placeholders filled from NAMES and others."""
    return compile_template(text, statements=statements).render({**NAMES, **names})


def mistake_in(text, *, statements=False):
    """Return message, hint and the part of the text that the mistake points at."""
    with pytest.raises(ExpressionError) as caught:
        compile_template(text, statements=statements)
    error = caught.value
    return error.message, error.hint, text[error.offset :][: error.width]


@given(values)
def test_a_single_placeholder_keeps_the_type(value):
    """A text that is exactly one placeholder is its value, whatever that is."""
    assert compile_template("{{ v }}").render({"v": value}) == value


@given(literals, values, literals)
def test_elsewhere_values_become_json(before, value, after):
    """Between literal text a text is filled in as it is, and every other value as JSON writes it."""
    text = compile_template(f"{before}|{{{{ v }}}}{after}").render({"v": value})
    written = (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    )
    assert text == f"{before}|{written}{after}"


@given(literals)
def test_text_without_placeholders_stays(text):
    """A text without placeholders is constant and is returned as it is, statements and all."""
    template = compile_template(text)
    assert template.is_constant
    assert template.render({}) == text


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("x {{ yes }} {{ none }} {{ list }} {{ map }} {{ f }}", 'x true null [1,"é"] {"a":null} 1.5'),
        ("{{ {'a': {'b': 1}} }}", {"a": {"b": 1}}),
        ("{{ {'a': {'b': n}}.a.b }}!", "7!"),
        ("{{ '}}' }}{{ '{{' }}", "}}{{"),
        ('{{ "it\'s }} \\" so" }}!', "it's }} \" so!"),
        ("{% if n %}{{ n }}{# c #}", "{% if n %}7{# c #}"),
        ("}} %} #}", "}} %} #}"),
        ("{{n}}{{n}}", "77"),
        ("{{ -n }}", -7),
        ("{ {{ n }} }", "{ 7 }"),
        ("{{ list|map('string') }}", ["1", "é"]),
        ("{{ map|dictsort }}", [("a", None)]),
    ],
)
def test_placeholders(text, result):
    """Placeholders end where their braces do, not those of a mapping or a quoted text inside."""
    assert rendered(text) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{% if yes %}a{% else %}b{% endif %}", "a"),
        ("{% for x in list %}{{ loop.index }}={{ x }};{% endfor %}", "1=1;2=é;"),
        ("{% for x in list %}{{ loop.cycle('a', 'b') }}{% endfor %}", "ab"),
        ("{# nothing #}{{ none }} {{ yes }} {{ map }}\n", 'null true {"a":null}\n'),
        ("{% set y = n + 1 %}{{ y }}", "8"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(text) }}", "<abc>"),
        ("{% raw %}{{ n }}{% endraw %}", "{{ n }}"),
        ("a  {{- n -}}  b", "a7b"),
        ("{{ n }}", 7),
    ],
)
def test_bodies_are_whole_templates(text, result):
    """A body may have statements, comments and trimmed placeholders; without them it is text with placeholders."""
    assert rendered(text, statements=True) == result


@pytest.mark.parametrize(
    ("text", "message", "part"),
    [
        ("a {{ n", "a template expression that is not closed", "{{"),
        ("a {{ it's }}", "a template expression that is not closed", "{{"),
        ("a {{ }}", "the expression is empty", " "),
        ("ab {{ a && b }}", "'&&' is no operator", "&&"),
        ("{{ n }} {{ text.upper() }}", "values have no methods, so '.upper()' cannot be called", ".upper"),
        ("a {{- n }}", "'-' beside the braces means nothing here", "{{- n }}"),
        ("a {{ n -}}", "'-' beside the braces means nothing here", "{{ n -}}"),
    ],
)
def test_mistakes_in_placeholders_are_placed(text, message, part):
    """A mistake in a placeholder is told with its place in the whole text."""
    found = mistake_in(text)
    assert (found[0], found[2]) == (message, part)


@pytest.mark.parametrize(
    ("text", "message", "part"),
    [
        ("it's {% if n $ 2 %}x{% endif %}", "'$' has no meaning here", "$"),
        ("5s = don't! {% if n && f %}x{% endif %}", "'&&' is no operator", "&&"),
        ("{% shout %}", "Encountered unknown tag 'shout'.", "shout"),
        ("{% include 'other' %}", "a template cannot take in other files", "include"),
        ("{% extends 'other' %}", "a template cannot take in other files", "extends"),
        ("{% import 'other' as o %}", "a template cannot take in other files", "import"),
        (
            "{% if n %}{{ n.items() }}{% endif %}",
            "values have no methods, so '.items()' cannot be called",
            ".items",
        ),
        ("a\r\n{% if n %}{% endif %}", "a body with statements cannot have a carriage return in it", "\r"),
        ("{% if n %}{{ n|shout }}{% endif %}", "there is no filter 'shout'", "shout"),
        ("{% if n|list() %}", None, "%}"),
    ],
)
def test_mistakes_in_bodies_are_placed(text, message, part):
    """A mistake in a statement is told with its place; the text around it is no code."""
    found = mistake_in(text, statements=True)
    assert (found[0], found[2]) == (found[0] if message is None else message, part)


@pytest.mark.parametrize("statements", [False, True])
@pytest.mark.parametrize(
    "text", ["{{ gone }}", "a{{ gone }}", "a{{ map.gone }}", "a{{ [gone] }}", "{{ n / 0 }}b"]
)
def test_what_cannot_be_filled_raises(text, statements):
    """A placeholder without a value is an error, never an empty text."""
    body = f"{{# body #}}{text}" if statements else text
    with pytest.raises(CannotEvaluate):
        compile_template(body, statements=statements).render_text(NAMES)


@given(
    st.lists(
        st.sampled_from(
            [
                "it's ",
                "\n",
                "{{ a }}",
                "{{ b.c }}",
                " {%- if a -%} ",
                "{% endif %}",
                "{# a b #}",
                "a b ",
                "{{- b }}",
                "é",
            ]
        )
    )
)
def test_references_point_at_their_names(pieces):
    """Whatever blanks and comments stand around it, each reference of a body points at its own name."""
    opened = pieces.count(" {%- if a -%} ")
    pieces = [p for p in pieces if p != "{% endif %}"] + ["{% endif %}"] * opened
    text = "".join(pieces)
    references = compile_template(text, statements=True).references
    assert len(references) == opened + sum(p in ("{{ a }}", "{{ b.c }}", "{{- b }}") for p in pieces)
    for reference in references:
        assert text[reference.offset :][: reference.width] == reference.path[0]


def test_trees_of_data_are_filled():
    """Texts at any depth are templates, keys are not, and what has no placeholder is shared."""
    constant = {"deep": ["x", 1, None]}
    tree = compile_value({"a": "{{ n }}", "{{ n }}": ["<{{ text }}>", {"b": "{{ list }}"}], "c": constant})
    first = tree.render(NAMES)
    assert first == {"a": 7, "{{ n }}": ["<abc>", {"b": [1, "é"]}], "c": constant}
    assert first["c"] is tree.render(NAMES)["c"]
    assert not tree.is_constant
    assert [r.path for r in tree.references] == [("n",), ("text",), ("list",)]


@given(values.filter(lambda value: "{{" not in json.dumps(value)))
def test_data_without_placeholders_is_constant(value):
    """A tree without placeholders is itself."""
    tree = compile_value(value)
    assert tree.is_constant
    assert tree.render({}) is value


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in list %}{{ loop.__class__ }}{% endfor %}",
        "{% for x in list %}{{ loop._iterable }}{% endfor %}",
        "{% for x in list %}{{ loop.cycle.__globals__ }}{% endfor %}",
        "{% for x in list %}{{ loop.changed.__func__.__globals__ }}{% endfor %}",
        "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
        "{% macro m() %}{% endmacro %}{{ m._environment }}",
        "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}",
        "{% set x = text.__class__.mro() %}{{ x }}",
        "{% set ns = namespace() %}{{ ns.__init__ }}",
        "{% set text.x = 1 %}",
        "{% block b %}{{ self.b.__globals__ }}{% endblock %}",
        "{% block b %}{{ self._TemplateReference__context }}{% endblock %}",
        "{% with x = ''.format %}{{ x.__self__ }}{% endwith %}",
        "{% filter attr('__class__') %}x{% endfilter %}",
        "{% autoescape true %}{{ ('<'|escape).__class__ }}{% endautoescape %}",
        "{% for x in [].append %}{% endfor %}",
        "{% do list.append(1) %}",
        "{% debug %}",
        "{% extends 'etc/passwd' %}",
        "{% from 'os' import system %}",
        "{% if list.__class__ %}{{ list.clear() }}{% endif %}{{ list.clear() }}",
    ],
)
def test_statements_do_not_reach_python(text):
    """Loops, macros, blocks and filters reach nothing of Python, change no data and open no file."""
    with pytest.raises((CannotEvaluate, ExpressionError)):
        rendered(text, statements=True)
    assert NAMES["list"] == [1, "é"]
