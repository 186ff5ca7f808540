"""From a file to a Document: placeholders, types, settings on the command line, secrets, and the composed text."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.errors import InvalidScenario
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_document, load_text
from stressrunner.scenario.placeholders import PlaceholderError, fill, fill_public

SCENARIO = """\
stressrunner: 1
name: shop
target:
  base_url: ${BASE_URL:-http://127.0.0.1:8080}
  headers: {x-api-key: "${secret:API_KEY:-demo-key}", x-version: 1.10, x-on: yes}
variables: {count: "${COUNT:-50}", number: 007, plain: ${COUNT:-50}, flag: yes, day: 2024-01-01, nothing: null}
endpoints:
  home:
    get: /
    query: {page: 010, left_out: null}
    headers: {x-all: "{{ [count, number, plain, flag, day, nothing] }}"}
load: {concurrency: "${USERS:-10}", duration: 5s}
"""
# `${...}` in braces needs quotes; the plain form stands in block style.
SCENARIO = SCENARIO.replace(
    'variables: {count: "${COUNT:-50}", number: 007, plain: ${COUNT:-50}, flag: yes, day: 2024-01-01, nothing: null}',
    'variables:\n  count: "${COUNT:-50}"\n  number: 007\n  plain: ${COUNT:-50}\n'
    "  flag: yes\n  day: 2024-01-01\n  nothing: null",
)


def read(*overrides, environ=None, text=SCENARIO):
    """Return the document of a text."""
    return load_text(text, environ=environ or {}, overrides=overrides)


def messages(*overrides, environ=None, text=SCENARIO):
    """Return what is wrong with a text, which must not be a document."""
    with pytest.raises(InvalidScenario) as caught:
        read(*overrides, environ=environ, text=text)
    return [diagnostic.message for diagnostic in caught.value.diagnostics]


def test_the_place_decides_the_type():
    """A quoted placeholder is a number under `concurrency` and text in a variable; headers are sent as they are spelled."""
    value = read().value
    assert value["load"]["concurrency"] == 10
    assert value["target"]["headers"] == {"x-api-key": "demo-key", "x-version": "1.10", "x-on": "yes"}
    assert value["variables"] == {
        "count": "50",
        "number": 7,
        "plain": 50,
        "flag": "yes",
        "day": "2024-01-01",
        "nothing": None,
    }


def test_null_leaves_a_field_out_at_run_time():
    """Null stays where it is a value or leaves a query parameter out; elsewhere it is as if the key were not there."""
    value = read("description=null").value
    assert value["endpoints"]["home"]["query"] == {"page": "010", "left_out": None}
    assert "description" not in value


def test_the_environment_fills_placeholders():
    """A variable that is set wins over the default, and an empty one does not."""
    environ = {"BASE_URL": "http://example.test", "USERS": "7", "COUNT": ""}
    value = read(environ=environ).value
    assert value["target"]["base_url"] == "http://example.test"
    assert value["load"]["concurrency"] == 7
    assert value["variables"]["plain"] == 50


def test_defaults_of_secrets_are_masked_too():
    """The value of a secret is reported for masking and its default as well, unless that is too short to be one."""
    assert read().secrets == ("demo-key",)
    assert read(environ={"API_KEY": "sesame-open"}).secrets == ("sesame-open", "demo-key")
    assert "secret:S" in read("target.headers.x='${secret:S:-short}'").composed
    assert read("target.headers.x='${secret:S:-short}'").secrets == ("demo-key",)


@pytest.mark.parametrize(
    "text",
    [
        "[1, {KEY}]",
        "{stressrunner: 1, name: [, KEY}",
        "{stressrunner: 1, name: n, uses: [nope.yaml], KEY}",
        "{stressrunner: 1, name: n, nmae: n, KEY}",
    ],
    ids=["no mapping", "no YAML", "no such file", "unknown key"],
)
def test_no_kind_of_mistake_shows_a_default_of_a_secret(tmp_path, text):
    """However early the reading of a scenario ends, before its secrets are known."""
    path = tmp_path / "s.yaml"
    path.write_text(text.replace("KEY", 'x: "${secret:API_KEY:-hush-hush}"'), "utf-8")
    with pytest.raises(InvalidScenario) as caught:
        load_document(path, environ={})
    assert "hush" not in str(caught.value)
    assert "${secret:API_KEY:-*********}" in str(caught.value)


def test_source_lines_show_no_default_of_a_secret():
    """A mistake in a line with a default shows the line with the default blotted out, and the caret where it was."""
    text = SCENARIO.replace("x-on: yes", "x-on: [yes]")
    with pytest.raises(InvalidScenario) as invalid:
        read(text=text)
    rendered = "".join(diagnostic.render() for diagnostic in invalid.value.diagnostics)
    assert "${secret:API_KEY:-********}" in rendered
    assert "demo-key" not in rendered


def test_secrets_stay_out_of_the_composed_text():
    """The composed text names a secret and fills every other placeholder."""
    composed = read(environ={"API_KEY": "sesame-open", "USERS": "7"}).composed
    assert "sesame-open" not in composed
    assert "${secret:API_KEY:-demo-key}" in composed
    assert "concurrency: 7" in composed


@pytest.mark.parametrize("overrides", [(), ("load.rate=5/s", "load.duration=1m"), ("name='${secret:A:-x}'",)])
def test_the_composed_text_is_the_same_scenario(overrides):
    """What was composed reads back as the same scenario, without the settings that made it."""
    environ = {"API_KEY": "sesame-open"}
    document = read(*overrides, environ=environ)
    again = read(environ=environ, text=document.composed)
    assert build(again) == build(document)


def test_messages_do_not_quote_secrets():
    """A value that holds a secret is masked where a message quotes it."""
    text = SCENARIO.replace("duration: 5s", 'duration: "${secret:LONG}"')
    (message,) = messages(environ={"LONG": "opensesame9"}, text=text)
    assert "opensesame9" not in message
    assert "***" in message


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("load.concurrency=50", ("load", "concurrency"), 50),
        ("name=1.10", ("name",), "1.10"),
        ("name=null and void", ("name",), "null and void"),
        ("name=a: b", ("name",), "a: b"),
        ("name=@home #1", ("name",), "@home #1"),
        ("name='quoted'", ("name",), "quoted"),
        ("variables.count=5", ("variables", "count"), 5),
        ("variables.count='5'", ("variables", "count"), "5"),
        ("variables.count=[1, two]", ("variables", "count"), [1, "two"]),
        ("target.headers.x-new=a=b", ("target", "headers", "x-new"), "a=b"),
        ("endpoints.home.checks+=status == 200", ("endpoints", "home", "checks"), ["status == 200"]),
        ("thresholds+=p95 < 2s", ("thresholds",), ["p95 < 2s"]),
        ("endpoints.home.post=/x", ("endpoints", "home", "post"), "/x"),
        ("variables.count=${SET_COUNT:-9}", ("variables", "count"), 9),
    ],
)
def test_settings_are_typed_by_their_place(setting, path, value):
    """`--set` takes YAML, typed by the schema, and text to the letter where text is wanted."""
    found = read(setting).value
    for step in path:
        found = found[step]
    assert found == value


def test_a_choice_displaces_the_other():
    """A setting that chooses one of several keys removes the one that was chosen before."""
    assert "get" not in read("endpoints.home.post=/x").value["endpoints"]["home"]
    assert read("load.iterations=5").value["load"] == {"concurrency": 10, "iterations": 5}
    session = ("mix.home=1", "session.send=home", "session.messages=2", "load.sessions=1")
    assert "exclude each other" in messages(*session)[0]


def test_a_rate_replaces_the_load_as_a_whole():
    """Going from users to arrivals begins the load anew, in whichever order its keys are set."""
    for settings in (("load.duration=1m", "load.rate=5/s"), ("load.rate=5/s", "load.duration=1m")):
        assert read(*settings).value["load"] == {"rate": "5/s", "duration": "1m"}


def test_later_settings_win_and_additions_add_up():
    """Settings apply in their order; every `+=` adds to the list."""
    value = read("name=a", "name=b", "thresholds+=p95 < 2s", "thresholds+=[errors < 2%]").value
    assert value["name"] == "b"
    assert value["thresholds"] == ["p95 < 2s", "errors < 2%"]


settings = st.text(max_size=40) | st.builds(
    "{}={}".format,
    st.sampled_from(["load", "name", "load.rate+", "endpoints.home", "variables.x", "thresholds+", "a.b.c"]),
    st.text(max_size=20)
    | st.sampled_from(["[a", "{a: ${B}}", "&a [*a]", "'", "null", "", "${", "${API_KEY}"]),
)


@given(st.lists(settings, max_size=3))
def test_no_setting_makes_the_reader_raise(listed):
    """Every setting gives a document or a diagnostic that names the command line."""
    try:
        read(*listed)
    except InvalidScenario as invalid:
        files = {diagnostic.file for diagnostic in invalid.diagnostics}
    else:
        files = {"--set"}
    assert "--set" in files or "scenario.yaml" in files


@given(st.text(max_size=20))
def test_the_composed_text_keeps_the_type_of_every_value(value):
    """Whatever fills a placeholder, the composed text reads back as the same values."""
    text = SCENARIO.replace("name: shop", "name: x${X}\ndescription: ${X}").replace(
        "  day:", '  free: ${X}\n  quoted: "${X}"\n  part: ${X}0\n  day:'
    )
    try:
        document = read(environ={"X": value}, text=text)
    except InvalidScenario:
        return  # a value with braces is no text, and an infinite one no number
    assert read(text=document.composed).value == document.value


@given(st.text(st.characters(exclude_characters="${}"), max_size=20), st.text(max_size=20))
def test_filling_is_substitution(around, value):
    """A placeholder is replaced by its value and nothing else changes; the public form fills to the same."""
    text = f"{around}${{A}}{around}"
    assert fill(text, {"A": value}).text == f"{around}{value}{around}"
    if "$" not in value:
        assert fill(fill_public(text, {"A": value}), {}).text == f"{around}{value}{around}"


@given(st.text(st.sampled_from("${}A:-secret "), max_size=20))
def test_placeholders_are_filled_or_told(text):
    """No spelling of a placeholder makes the reader raise anything but what it is meant to."""
    try:
        fill(text, {"A": "x"})
    except PlaceholderError as error:
        place = slice(error.offset, error.offset + error.width)
    else:
        return
    assert text[place].startswith("${")


def test_escaped_placeholders_are_literal():
    """`$${` is a literal `${`."""
    assert fill("$${A} ${A}", {"A": "x"}).text == "${A} x"


def test_feeders_are_read_beside_the_scenario(tmp_path):
    """A CSV file is read relative to the scenario, from its folder or one beside it, as text."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_bytes(b'\xef\xbb\xbftext,n\r\nhello,007\r\n"a, ""b""",1\r\n\r\n')
    text = (
        SCENARIO.replace("get: /", 'get: "/{{ rows.text }}"') + "feeders: {rows: {file: ../data/rows.csv}}\n"
    )
    path = tmp_path / "scenarios" / "x.yaml"
    path.write_text(text, "utf-8")
    document = load_document(path, environ={})
    assert document.rows["rows"] == ({"text": "hello", "n": "007"}, {"text": 'a, "b"', "n": "1"})
    assert document.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_link_does_not_lead_out_of_the_pack(tmp_path):
    """A link to a file outside the pack is not followed."""
    pack = tmp_path / "pack" / "scenarios"
    pack.mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("text\nhello\n", "utf-8")
    (pack / "rows.csv").symlink_to(tmp_path / "secret.csv")
    path = pack / "x.yaml"
    path.write_text(SCENARIO + "feeders: {rows: {file: rows.csv}}\n", "utf-8")
    with pytest.raises(InvalidScenario, match="outside the pack"):
        load_document(path, environ={})


@pytest.mark.parametrize(("name", "message"), [("gone.yaml", "no such file"), (".", "a folder")])
def test_a_file_that_cannot_be_read_is_a_diagnostic(tmp_path, name, message):
    """A missing file and a folder are told in one sentence."""
    with pytest.raises(InvalidScenario, match=message) as caught:
        load_document(tmp_path / name, environ={})
    assert len(caught.value.diagnostics) == 1


def test_a_large_file_is_refused(tmp_path):
    """A file beyond the limit is refused before it is read."""
    path = Path(tmp_path / "large.yaml")
    path.write_bytes(b"a" * 5_000_001)
    with pytest.raises(InvalidScenario, match="larger than 5 MB"):
        load_document(path, environ={})
