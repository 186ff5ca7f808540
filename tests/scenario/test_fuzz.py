"""Whatever comes in, the answer is a scenario or mistakes with their places, in bounded time and memory."""

import json
import subprocess
import sys

import pytest
from broken_scenarios import CONTENTS, CORPUS, answer, damaged, scenarios, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stressrunner.scenario.document import Document

TEXTS = [path.read_text("utf-8", "replace") for path in CORPUS]


def soak(count):
    """Return the settings of so many examples."""
    return settings(max_examples=count, database=None, suppress_health_check=list(HealthCheck))


built = scenarios().map(json.dumps)


@given(scenarios(), st.data())
def test_a_scenario_that_is_built_is_valid(tree, data):
    """What the language allows is accepted in every style, builds, and compiles."""
    assert isinstance(answer(written(tree, data.draw)), Document)


@given(damaged(built | st.sampled_from(TEXTS)))
def test_a_broken_scenario_is_answered(text):
    """A scenario that was broken in a few places is answered."""
    answer(text)


@given(CONTENTS)
def test_any_content_is_answered(content):
    """Any content of a file is answered."""
    answer(content)


@pytest.mark.soak
@soak(5_000)
@given(scenarios(), st.data())
def test_built_and_broken_scenarios_are_answered_at_length(tree, data):
    """A scenario is valid as it is built, and answered when it is broken, 5,000 times each."""
    text = written(tree, data.draw)
    assert isinstance(answer(text), Document)
    answer(data.draw(damaged(st.just(text))))


@pytest.mark.soak
@soak(30_000)
@given(damaged(st.sampled_from(TEXTS)))
def test_broken_texts_are_answered_at_length(text):
    """Texts of the tree are answered when they are broken, 30,000 times."""
    answer(text)


@pytest.mark.soak
@soak(70_000)
@given(CONTENTS)
def test_any_content_is_answered_at_length(content):
    """Any content of a file is answered, 70,000 times."""
    answer(content)


#: Programs' enemies, each with what is told of it.
HOSTILE = {
    "bomb of aliases": (
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)),
        "values, aliases expanded",
    ),
    "brackets 300,000 deep": ("[" * 300_000, "levels deep"),
    "braces 300,000 deep": ("{a: " * 300_000, "levels deep"),
    "lists 300,000 deep": ("- " * 300_000, "levels deep"),
    "keys 300,000 deep": ("? " * 300_000, "levels deep"),
    "mappings 2,000 deep": ("".join(f"{' ' * n}a:\n" for n in range(2_000)), "levels deep"),
    "values by the million": ("[" + "1," * 1_000_000 + "]", "values, aliases expanded"),
    "one key of a megabyte": ("k" * 1_000_000 + ": 1", "not YAML"),
    "a pitfall in a line of a megabyte": ("x: a: " + " ? b" * 250_000, "a second ': '"),
    "one value of four megabytes": ("name: " + "v" * 4_000_000, "is missing"),
    "unknown keys by the thousand": ("".join(f"key{n}: 1\n" for n in range(20_000)), "unknown key"),
    "unclosed placeholders": ('name: "' + "${" * 100_000 + '"', "begins no placeholder"),
    "unclosed templates": ('stressrunner: 1\nendpoints: {a: {get: "/' + "{{" * 50_000 + '"}}', "is missing"),
    "a deep expression": (
        'stressrunner: 1\nendpoints: {a: {get: /, checks: "' + "(" * 50_000 + '"}}',
        "is missing",
    ),
    "a long expression": (
        'stressrunner: 1\nendpoints: {a: {get: /, checks: "' + "not " * 50_000 + 'x"}}',
        "is missing",
    ),
    "a long sum": (
        'stressrunner: 1\nendpoints: {a: {get: /, checks: "' + "1+" * 50_000 + '1"}}',
        "is missing",
    ),
    "placeholders by the thousand": (
        "stressrunner: 1\nendpoints: {a: {get: /, json: [" + "'{{ iteration }}'," * 10_001 + "]}}",
        "more than 10,000 expressions",
    ),
    "a long threshold": ('stressrunner: 1\nthresholds: ["' + "p95 < 5s " * 50_000 + '"]', "is missing"),
    "a number of a megabyte": ("stressrunner: " + "9" * 1_000_000, "stressrunner"),
    "a regular expression's worst": ("stressrunner: 1\nload: {duration: " + "1" * 100_000 + "}", "duration"),
    "invalid UTF-8": (b"name: \xff\xfe\n", "is not UTF-8"),
    "UTF-16": ("stressrunner: 1\n".encode("utf-16"), "is not UTF-8"),
    "NUL bytes": (b"name: a\x00b\n", "U+0000"),
    "only NUL bytes": (b"\x00" * 4_000_000, "U+0000"),
    "a byte order mark inside": ("name: a\n\ufeffb: c\n", "U+FEFF"),
    "tabs": ("name:\n\ta: b\n", "a tab indents here"),
    "lines of carriage returns": ("a: b\r\n" * 10_000, "twice"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_is_answered(name):
    """Content that is made to break readers is told for what it is."""
    content, told = HOSTILE[name]
    assert told in "\n".join(d.render() for d in answer(content))


_IN_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
from stressrunner.errors import InvalidScenario
from stressrunner.scenario.document import load_document
resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000))
for name in sys.argv[1:]:
    try:
        load_document(Path(name), environ={})
    except InvalidScenario as invalid:
        print(name, invalid.diagnostics[0].message)
"""


def test_hostile_files_take_little_memory(tmp_path):
    """All of that, and a file of 50 MB, is answered in a process of 600 MB at most."""
    for number, (content, _) in enumerate(HOSTILE.values()):
        raw = content if isinstance(content, bytes) else content.encode()
        (tmp_path / f"{number}.yaml").write_bytes(raw)
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(50_000_000)
    names = sorted(path.name for path in tmp_path.iterdir())
    words = [sys.executable, "-c", _IN_LITTLE_MEMORY, *names]
    ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert [line.split()[0] for line in ended.stdout.splitlines()] == names
    assert "large.yaml larger than 5 MB" in ended.stdout
