"""Every mistake in a scenario has a golden file: adding a mistake is adding a file."""

import os
from pathlib import Path

import pytest

from stressrunner.errors import InvalidScenario
from stressrunner.scenario.document import load_document

GOLDEN = Path(__file__).parent.parent / "golden" / "scenario"
MISTAKES = sorted(path.stem for path in GOLDEN.glob("*.yaml"))


def directives(path, word):
    """What is given beside a file rides in its comments: `# set: PATH=VALUE`, `# env: NAME=VALUE`, `# environment: X`, `# needs: PACKAGE`."""
    lines = path.read_text("utf-8").splitlines()
    return [line.removeprefix(f"# {word}: ") for line in lines if line.startswith(f"# {word}: ")]


def diagnostics_of(name, monkeypatch):
    """Return what is wrong with a golden file."""
    monkeypatch.chdir(GOLDEN)
    path = Path(f"{name}.yaml")
    for package in directives(path, "needs"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    environ = dict(setting.split("=", 1) for setting in directives(path, "env"))
    with pytest.raises(InvalidScenario) as caught:
        load_document(
            path,
            environ=environ,
            overrides=directives(path, "set"),
            environment=next(iter(directives(path, "environment")), None),
        )
    return caught.value.diagnostics


@pytest.mark.parametrize("name", MISTAKES)
def test_the_mistake_is_told(name, monkeypatch):
    """A mistake is told as its golden file says: where it is, what is wrong and what to do."""
    told = "\n".join(diagnostic.render() for diagnostic in diagnostics_of(name, monkeypatch)) + "\n"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN"):
        golden.write_text(told, "utf-8")
    assert told == golden.read_text("utf-8")


def test_five_mistakes_are_told_at_once(monkeypatch):
    """One broken place hides no other: five mistakes, five diagnostics, in the order of the file."""
    found = diagnostics_of("five_mistakes", monkeypatch)
    places = [(d.line, d.column, d.source_line[d.column - 1 :][: d.width]) for d in found]
    assert places == [
        (5, 18, "cheks"),
        (7, 23, "prompt"),
        (8, 21, "fifty"),
        (8, 38, "5"),
        (10, 5, "hom"),
    ]
