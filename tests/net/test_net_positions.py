"""Positions of diagnostics: each mistake is told where it is, whatever the words."""

import re

import pytest

from .observed import ROOT, as_json, is_as_kept

SCENARIOS = ROOT / "tests" / "golden" / "scenario"
_HEAD = re.compile(r"^(?P<file>[^\s:][^:\n]*):(?P<line>\d+):(?P<column>\d+): ")
_CARETS = re.compile(r"^ +\| ?\s*(?P<carets>\^+)\s*$")


def positions(text):
    """Return file, line, column and width of each diagnostic in a text."""
    found = []
    for line in text.splitlines():
        if head := _HEAD.match(line):
            found.append([head["file"], int(head["line"]), int(head["column"]), 0])
        elif found and (carets := _CARETS.match(line)):
            found[-1][3] = len(carets["carets"])
    return [":".join(map(str, one)) for one in found]


def test_positions_are_the_same():
    """Those of all broken scenarios: tests/scenario holds that the texts are what is told."""
    kept = {path.stem: positions(path.read_text("utf-8")) for path in sorted(SCENARIOS.glob("*.txt"))}
    assert all(kept.values())
    is_as_kept("positions.json", as_json(kept))


@pytest.mark.parametrize("text", ["a.yaml:1:2: x\n    1 | ab\n      |  ^^\n"])
def test_positions_are_read(text):
    """A diagnostic has a file, a line, a column and a width."""
    assert positions(text) == ["a.yaml:1:2:2"]
