"""The transcript of a first run is what happens when its commands are typed, figures apart."""

import re
import shlex

from cli.command import as_typed
from documents import blocks, commands

PAGE = "docs/first-run.md"
STEPS = blocks(PAGE, "console", "diff")
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_FIGURE = re.compile(r"[\d,.]+ ?(?:[µm]?s|[kM]?B|%|/s)?(?!\w)")


def lines_of(text):
    """Return the lines of an output without figures and the blanks that align them."""
    lines = text.splitlines()
    return [line if line == "..." else " ".join(_FIGURE.sub("#", line).split()) for line in lines]


def is_shown(shown, printed):
    """Whether the lines of a transcript are printed in their order, with others in the place of `...` alone."""
    printed = lines_of(printed)
    may_skip = False
    for line in lines_of(shown):
        if line == "...":
            may_skip = True
            continue
        while printed and printed[0] != line:
            if not may_skip:
                return False
            printed.pop(0)
        if not printed:
            return False
        printed.pop(0)
        may_skip = False
    return may_skip or not printed


def apply(diff, folder):
    """Replace what a diff takes away by what it adds, each part of it once."""
    head, *lines = diff.splitlines()
    path = folder / head.removeprefix("--- ")
    text = path.read_text("utf-8")
    for gone, added in re.findall(r"((?:-.*\n)+)((?:\+.*\n)+)", "\n".join(lines) + "\n"):
        before, after = (re.sub("^.", "", part, flags=re.MULTILINE) for part in (gone, added))
        assert text.count(before) >= 1, before
        text = text.replace(before, after, 1)
    path.write_text(text, "utf-8")


def test_the_transcript_is_true(tmp_path):
    """Every command ends as it says and prints what is shown, after the changes that are shown above it."""
    for step in STEPS:
        if step.language == "diff":
            apply(step.text, tmp_path)
            continue
        for typed, shown in _COMMAND.findall(step.text):
            (command,) = commands(typed)
            ended = as_typed(*command.words[1:], cwd=tmp_path)
            assert ended.code == command.code, ended.out
            assert is_shown(shown, ended.out), f"{shlex.join(command.words)} prints\n{ended.out}"
    assert "<html" in (tmp_path / "report.html").read_text("utf-8")
