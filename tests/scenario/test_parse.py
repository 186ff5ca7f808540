"""YAML to nodes: places are true, limits hold, and no text makes the reader raise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.errors import InvalidScenario
from stressrunner.scenario.document import load_text
from stressrunner.scenario.parse import core_value, parse
from stressrunner.scenario.source import ListNode, MappingNode, ScalarNode, Source, node_at

VALID = """\
stressrunner: 1
name: shop
target: {base_url: "http://127.0.0.1:8080"}
endpoints:
  home: {get: /}
load: {concurrency: 10, duration: 5s}
"""
words = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12)
# Texts made of what YAML and the language stumble over find more than random characters do.
fragments = st.sampled_from(
    [
        "a",
        "- ",
        ": ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        "{{",
        "}}",
        "'",
        '"',
        "#",
        " #",
        "&a ",
        "*a",
        "!x ",
        "<<",
        "|\n",
        "${",
        "${A}",
        "%",
        "\t",
        "é",
        "\u2028",
        "\r\n",
        "---\n",
        "get: /",
        "load",
        "thresholds:\n- ",
        "p95 < 5s",
        ",",
        "endpoints:\n  ",
        "target",
        "1e999",
        ".nan",
        "0x1F",
        "variables:\n  v: ",
        "? ",
        "json: ",
        "checks: ",
    ]
)


def scalars(node):
    """Yield all scalars of a tree, keys included."""
    if isinstance(node, ScalarNode):
        yield node
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from scalars(item)
    else:
        for entry in node.entries.values():
            yield entry.key
            yield from scalars(entry.value)


def diagnostics_of(text):
    """Return what is wrong with a text; nothing else may be raised."""
    try:
        load_text(text, environ={"A": "x"})
    except InvalidScenario as invalid:
        return invalid.diagnostics
    return ()


@given(st.dictionaries(words, words, min_size=1, max_size=6), st.sampled_from(["", "'", '"']), st.booleans())
def test_a_node_stands_where_it_says(mapping, quote, crlf):
    """The text between the places of a scalar is its spelling, whatever stands before it."""
    newline = "\r\n" if crlf else "\n"
    text = newline.join(f"  {quote}{key}{quote}: {quote}{value}{quote}" for key, value in mapping.items())
    source = Source.of("x", text)
    parsed = parse(source)
    assert parsed.diagnostics == ()
    for node in scalars(parsed.root):
        assert text[node.start : node.end] == f"{quote}{node.text}{quote}"
        line, column = source.position(node.start)
        assert source.lines[line - 1][column - 1 :].startswith(text[node.start : node.end])


@given(words, words, st.integers(0, 3), st.sampled_from(["plain", "'", '"', "|", ">"]))
def test_a_part_of_a_scalar_is_found_again(before, part, repeated, style):
    """A mistake inside a text is shown at the very part, in every style and although the part stands there before."""
    text = f"{before} {f'({part}) ' * repeated}[{part}]"
    written = {"plain": text, "'": f"'{text}'", '"': f'"{text}"'}.get(style, f"{style}\n    {text}")
    parsed = parse(Source.of("x", f"a:\n  b: {written}\n"))
    node = node_at(parsed.root, ("a", "b"))
    offset = node.text.rindex(part)
    diagnostic = node.diagnostic("here", offset=offset, width=len(part))
    shown = diagnostic.source_line[diagnostic.column - 1 :]
    assert shown == f"{part}]" + (style if style in "'\"" else "")


@given(st.lists(fragments, max_size=30).map("".join))
def test_no_text_makes_the_reader_raise(text):
    """Every text gives a document or diagnostics, and each diagnostic points into the text."""
    lines = Source.of("", text).lines
    for diagnostic in diagnostics_of(text):
        assert 1 <= diagnostic.line <= len(lines)
        assert 1 <= diagnostic.column <= len(lines[diagnostic.line - 1]) + 1


@given(st.lists(st.tuples(st.integers(0, len(VALID)), fragments), max_size=4))
def test_no_damage_makes_the_reader_raise(insertions):
    """A good scenario with something put into it gives a document or diagnostics."""
    text = VALID
    for at, fragment in insertions:
        text = text[:at] + fragment + text[at:]
    lines = Source.of("", text).lines
    assert all(diagnostic.line <= len(lines) for diagnostic in diagnostics_of(text))


@given(st.binary(max_size=60))
def test_no_bytes_make_the_reader_raise(content):
    """Every content of a file gives a document or diagnostics."""
    with pytest.raises(InvalidScenario) as caught:
        load_text(content, environ={})
    assert caught.value.diagnostics


@pytest.mark.parametrize(
    ("spelling", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("off", "off"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-3", -3),
        ("1.10", 1.1),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("-", "-"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_are_those_of_yaml_1_2(spelling, value):
    """Plain scalars have the types of the YAML 1.2 core schema, not those of PyYAML."""
    assert core_value(spelling) == value
    assert type(core_value(spelling)) is type(value)


def test_an_alias_repeats_its_anchor():
    """An alias stands for the node that it names, with the place of the anchor."""
    parsed = parse(Source.of("x", "a: &a {b: 1}\nc: *a\n"))
    assert isinstance(parsed.root, MappingNode)
    assert parsed.root.entries["c"].value is parsed.root.entries["a"].value


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000, "? " * 100_000])
def test_depth_is_limited(text):
    """Text that would crash a recursive reader is a diagnostic."""
    (diagnostic,) = parse(Source.of("x", text)).diagnostics
    assert "levels deep" in diagnostic.message


def test_a_byte_order_mark_is_no_part_of_the_text():
    """A file that begins with a byte order mark reads as one without."""
    document = load_text(b"\xef\xbb\xbf" + VALID.encode(), environ={})
    assert document.value["name"] == "shop"


@pytest.mark.parametrize(("before", "place"), [("a\u2028", (2, 1)), ("a\rb", (2, 2)), ("\ufeffa: é", (1, 5))])
def test_lines_before_invalid_utf8_are_counted_as_yaml_does(before, place):
    """Every line break of YAML counts, and a byte order mark at the beginning does not."""
    with pytest.raises(InvalidScenario) as caught:
        load_text(before.encode() + b"\xff", environ={})
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.line, diagnostic.column) == place


def test_invalid_utf8_has_a_place():
    """A byte that is not UTF-8 is a diagnostic with its line and column."""
    with pytest.raises(InvalidScenario) as caught:
        load_text(b"name: ok\nx: na\xefve\n", environ={})
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.line, diagnostic.column) == (2, 6)
