"""Whatever an expression is made of, it ends soon, with a value within bounds or a sentence about why not."""

import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stressrunner.expressions import (
    FUNCTIONS,
    CannotEvaluate,
    Draws,
    ExpressionError,
    compile_expression,
    compile_json,
    compile_template,
)
from stressrunner.expressions.bounds import (
    MAX_TEXT,
    OPERATORS,
    EvaluationBudget,
    TooLong,
    check_format,
    depth,
    weight,
)
from stressrunner.expressions.environment import environment

HUGE = 10**9
DRAWS = Draws(1, 2, 3)
NAMES = {
    **{name: DRAWS.function(name) for name in FUNCTIONS},
    "n": HUGE,
    "long": "x" * 900_000,
    "many": list(range(50_000)),
    "digits": 10**4000,
    "format": "%999999999d",
    "deep": {"a": [{"a": [1, "x", None]}]},
}


def failure_of(source, *, body=False):
    """Return the sentence of an expression, or of a body, that is refused."""
    with pytest.raises((CannotEvaluate, ExpressionError)) as caught:
        rendered(source) if body else compile_expression(source).evaluate(NAMES)
    return str(caught.value)


def rendered(text):
    """Return the text of a body with statements."""
    return compile_template(text, statements=True).render_text(NAMES)


@pytest.mark.parametrize(
    "source",
    [
        "'x' * n", "n * 'x'", "[1] * n", "(1,) * n", "[[1] * 1000] * 1001", "[many] * 30", "long * 2",
        "long + long", "many + many * 25", "long ~ long", "many ~ many ~ many",
        "format % 5", "'%*d' % (n, 5)", "'%.*f' % (n, 1.5)", "'%s%s' % (long, long)", "'%.999999999f' % 1.5",
        "'%12345678901d' % 1", "format|format(5)", "'%(a)s%(a)s'|format(a=long)",
        "'x'|center(n)", "long|center(n)", "'a\nb'|indent(n)", "'a\nb'|indent(long)", "[1, 2, 3]|join(long)",
        "long|replace('x', 'yy')", "long|replace('', 'y')", "[1]|batch(n, 'x')", "[1]|slice(n)",
        "deep|tojson(n)", "'a b c'|wordwrap(1, wrapstring=long)", "[long, long]", "{'a': long, 'b': long}",
        "long|urlencode ~ '/' * 200000", "('<' * 500000)|escape", "('é' * 500000)|urlencode",
        "many|map('string')|map('center', 100)", "range(3)|map('string')|map('center', 500000)|list", "base64(long)", "json('\x00' * 500000)",
        "json([long, long])", "sha256([long, long])",
    ],
)  # fmt: skip
def test_nothing_grows_beyond_a_million_characters(source):
    """What would hold more than a million characters and elements is refused."""
    assert "would be longer than 1,000,000 characters" in failure_of(source)


@pytest.mark.parametrize(
    "source", ["n ** n", "digits * digits", "digits ** 2", "2 ** (10 ** 8)", "9 ** 9 ** 9 ** 9 ** 9",
               "('f' * 100000)|int(base=16)"],
)  # fmt: skip
def test_numbers_can_be_written(source):
    """A whole number is not longer than Python writes."""
    assert "would be longer than 4,200 digits" in failure_of(source)


def test_what_fits_is_made():
    """Up to a million characters everything is possible, and powers are those of Python."""
    for source, value in {
        "'x' * 1000000": "x" * MAX_TEXT,
        "long + 'y' * 100000": "x" * 900_000 + "y" * 100_000,
        "long|length": 900_000,
        "many|length": 50_000,
        "digits + 1": 10**4000 + 1,
        "2 ** 1000": 2**1000,
        "1 ** n + (-1) ** n": 2,
        "2 ** -2": 0.25,
        "'%5d|%-5s|%.2f' % (1, 'a', 1.5)": "    1|a    |1.50",
        "'x'|center(1000000)|length": MAX_TEXT,
        "5.55|round(1, 'floor')": 5.5,
        "'a\nb'|indent(2)": "a\n  b",
        "[[1], [2]]|sum(start=[])": [1, 2],
        "many|select('gt', 49998)": [49_999],
        "random_string(1000000)|length": MAX_TEXT,
    }.items():
        assert compile_expression(source).evaluate(NAMES) == value, source


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("5|round(n)", "numbers are rounded to at most 308 digits"),
        ("format|round(9, 'ceil')", "only numbers can be rounded"),
        ("format is odd", "only numbers are odd, even or divisible"),
        ("(-8) ** (0.5 + 0 * deep|length)", "a negative number has no such power"),
        ("long|wordwrap", "'|wordwrap' takes at most 10,000 characters"),
        ("long|striptags", "'|striptags' takes at most 10,000 characters"),
        ("many|select('in', many)", "this takes too many steps"),
        ("many|map('replace', '1', long)", "this takes too many steps"),
        ("many|map(attribute='a." + "a." * 1000 + "a', default=1)", "this takes too many steps"),
        ("many|map('string')|map('list')|list|sum(start=[])", "this takes too many steps"),
        (f"[{', '.join(['random_string(1000000)'] * 40)}]", "this takes too many steps"),
    ],
)
def test_what_takes_too_long_is_refused(source, sentence):
    """Filters that are slow by what they are given say so."""
    assert failure_of(source) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in many %}{% for b in many if false %}{% endfor %}{% endfor %}",
        "{% for a in many %}{% if long == long[:] %}{% endif %}{% endfor %}",
        "{% for a in many %}{{ loop.changed(long) }}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% filter upper %}{% for a in many %}" + "x" * 1000 + "{% endfor %}{% endfilter %}",
    ],
    ids=["loops", "left out", "comparisons", "calls", "macros", "blocks"],
)
def test_statements_end(text):
    """Loops in loops, macros that call themselves twice, and what is done in each pass are paid for."""
    assert failure_of(text, body=True) == "this takes too many steps"


@pytest.mark.parametrize(
    "doubling",
    ["{% set a = [a, a] %}", "{% set a = (a, a) %}", "{% set a = {'k': a, 'l': a} %}", "{% set a = a ~ a %}",
     "{% set a = a|string + a|string %}", "{% set a %}{{ a }}{{ a }}{% endset %}"],
)  # fmt: skip
def test_doubling_ends(doubling):
    """Twice what was before, forty times over, is refused as soon as it is too long."""
    text = "{% set a = 'xx' %}" + doubling * 40 + "{{ a }}"
    assert "would be longer than 1,000,000 characters" in failure_of(text, body=True)


def test_a_body_is_one_value():
    """What the passes of a loop write is counted together, literal text included."""
    loop = "{%% for a in range(%d) %%}" + "x" * 100 + "{%% endfor %%}"
    assert len(compile_template(loop % 10_000, statements=True).render_text({})) == MAX_TEXT
    assert (
        failure_of(loop % 10_001, body=True)
        == "the filled template would be longer than 1,000,000 characters"
    )


def test_escaped_bodies_stay_as_they_are():
    """In an `autoescape` block values are escaped and literal text is not."""
    text = "{% autoescape true %}<b>{{ '<' }}{% endautoescape %}"
    assert compile_template(text, statements=True).render_text({}) == "<b>&lt;"


def test_long_placeholders_are_counted_together():
    """Texts that are filled in are counted where they are long, and literal text is not."""
    literal = "y" * 2_000_000
    assert len(compile_template(literal + "{{ long }}").render_text(NAMES)) == 2_900_000
    assert len(compile_json([literal, "{{ long }}"])(NAMES)) > 2_900_000
    for fill in (
        compile_template("{{ long }} {{ long }}").render_text,
        compile_json(["{{ long }}", "{{ long }}"]),
    ):
        with pytest.raises(CannotEvaluate, match="the filled text would be longer"):
            fill(NAMES)


@pytest.mark.parametrize(
    "source", ["'x' * 10**9", "status == 'x' * 10**9", "1 if false else [1] * 10**9", "5|round(10**8)", "[body, 2 ** (10**8)]"]
)  # fmt: skip
def test_constants_are_told_when_they_are_compiled(source):
    """What is too long whatever the names are is a mistake in the scenario, also inside a body."""
    with pytest.raises(ExpressionError):
        compile_expression(source)
    with pytest.raises(ExpressionError):
        compile_template(f"{{% if true %}}{{{{ {source} }}}}{{% endif %}}", statements=True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1" + "0" * 5000, "a number with too many digits"),
        ("(" * 500 + "1" + ")" * 500, "this is nested too deeply"),
        ("[" * 5000 + "]" * 5000, "this is nested too deeply"),
        ("1" + "+1" * 5000, "this is nested too deeply"),
        ("a" + ".b" * 5000, "this is nested too deeply"),
        ("not " * 5000 + "a", "this is nested too deeply"),
        ("a" * 100_001, "an expression has at most 100,000 characters"),
    ],
    ids=["digits", "brackets", "lists", "sums", "paths", "nots", "length"],
)
def test_what_is_written_is_bounded_too(source, message):
    """Numbers, nests and texts beyond what can be compiled are mistakes with a place."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(source)
    assert caught.value.message == message
    assert caught.value.offset < len(source)


@pytest.mark.parametrize("text", ["{% if 1 %}" * 2000 + "{% endif %}" * 2000, "{% if " + "(" * 500 + ")" * 500 + "%}",
                                  "{% for a in b %}" * 30 + "{% endfor %}" * 30, "{# #}" + "x" * MAX_TEXT,
                                  "{% set a = 1" + "0" * 5000 + " %}"])  # fmt: skip
def test_bodies_that_cannot_be_compiled_are_mistakes(text):
    """A body that Python cannot compile is a mistake in the scenario, not a crash."""
    with pytest.raises(ExpressionError):
        compile_template(text, statements=True)


def test_long_errors_are_cut():
    """A sentence about a long value does not quote all of it."""
    assert len(failure_of("deep[long]")) == 300


def test_many_references_are_found_in_time():
    """Names are placed in a time that grows with the text, not with its square."""
    text = "{% if 1 %}" + "{{ a.b }} {{ a['c'] }} {{ a }} " * 500 + "{% endif %}"
    references = compile_template(text, statements=True).references
    assert [r.offset for r in references[:4]] == [13, 23, 36, 44]
    assert len({r.offset for r in references}) == 1500


def test_weights():
    """A value weighs its characters and elements at every depth."""
    for value, expected in (("abc", 3), (5, 1), ([1, "ab"], 5), ({"a": [1]}, 5), (range(10), 10), ([], 1)):
        assert weight(value) == expected, value
    assert weight([["x"] * 1000] * 1000) > MAX_TEXT
    assert depth(NAMES["deep"]) == 5


@given(
    st.text("%s5.(a)*d#-+", max_size=12),
    st.integers(-300, 300) | st.text(max_size=5) | st.tuples(st.integers(-99, 99)),
)
def test_formats_are_foreseen(text, filling):
    """A format that is let through is no longer than a value may be."""
    with suppress(TooLong, ValueError, TypeError):
        check_format(text, filling)
        assert len(text % filling) <= MAX_TEXT


def test_a_budget_ends():
    """Work is counted until there is none left."""
    budget = EvaluationBudget(10)
    budget.spend(10)
    with pytest.raises(CannotEvaluate, match="too many steps"):
        budget.spend(1)


extremes = st.sampled_from(
    ["n", "long", "many", "digits", "format", "deep", "0", "-1", "1", "2.5", "'x'", "''", "[]", "none", "true",
     "1000000", "999999999", "'%s'", "1e300", "deep.a", "range(100000)", "random_string(n)", "'a b<c>'"]
)  # fmt: skip
filters = st.sampled_from(sorted(environment().plain_filters))
checks = st.sampled_from(sorted(name for name in environment().plain_tests if name.isalpha()))
infix = st.sampled_from([*OPERATORS, "-", "/", "//", "~", "==", "<", "in", "and", "or"])
expressions = st.recursive(
    extremes,
    lambda inner: st.one_of(
        st.builds("({}) {} ({})".format, inner, infix, inner),
        st.builds("({})|{}".format, inner, filters),
        st.builds("({})|{}({})".format, inner, filters, inner),
        st.builds("({})|{}({}, {})".format, inner, filters, inner, inner),
        st.builds("({})|map('{}', {})|list".format, inner, filters, inner),
        st.builds("({})|select('{}', {})|list".format, inner, checks, inner),
        st.builds("({}) is {}({})".format, inner, checks, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'a': {}, 'b': {}}}".format, inner, inner),
        st.builds("({})[{}:{}]".format, inner, inner, inner),
    ),
    max_leaves=5,
)


def bounded(source):
    """Evaluate an expression, as such and in a body; check that it ends soon and makes little."""
    body = f"{{% for i in range(3) %}}{{{{ {source} }}}}{{% endfor %}}"
    began = time.process_time()
    for evaluate in (
        lambda: compile_expression(source).evaluate(NAMES),
        lambda: compile_template(body, statements=True).render_text(NAMES),
    ):
        try:
            value = evaluate()
        except (CannotEvaluate, ExpressionError):
            continue
        assert weight(value) <= MAX_TEXT
    assert time.process_time() - began < 60, source


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(expressions)
def test_extremes_end(source):
    """Any operator, filter or test, given the greatest values there are, gives one within bounds or says why not."""
    bounded(source)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=4_000, suppress_health_check=[HealthCheck.too_slow])
@given(expressions)
def test_extremes_end_for_long(source):
    """As above, many times over, and in bounded memory."""
    tracemalloc.start()
    try:
        bounded(source)
        assert tracemalloc.get_traced_memory()[1] < 300_000_000, source
    finally:
        tracemalloc.stop()
