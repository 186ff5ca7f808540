"""`stressrunner help`: the documentation is at hand where the package is, and reports name parts of it that are there."""

import re
from pathlib import Path

import pytest
from command import ROOT, in_this_process, stressrunner

from stressrunner.reports.advice import ADVICE

PAGES = sorted(path.stem for path in (ROOT / "docs").glob("*.md") if path.stem != "decisions")
_ADVISED = re.compile(r"stressrunner help ([a-z0-9#-]+[a-z0-9])")


def advised():
    """Return every topic that a message of the program names."""
    texts = [path.read_text("utf-8") for path in Path(ROOT, "stressrunner").rglob("*.py")]
    return {topic for text in [*texts, *ADVICE.values()] for topic in _ADVISED.findall(text)}


def test_all_pages_are_listed():
    """Without a topic the pages are listed with their titles."""
    ran = in_this_process("help")
    assert [line.split()[0] for line in ran.out.splitlines()[: len(PAGES)]] == PAGES


@pytest.mark.parametrize("topic", sorted(advised()))
def test_what_messages_advise_is_there(topic):
    """A topic that a report or an error names can be shown."""
    ran = in_this_process("help", topic)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("#")


@pytest.mark.parametrize(
    "topic",
    ["troubleshooting#high-latency", "docs/troubleshooting.md#high-latency", "high-latency", "High-Latency"],
)
def test_a_section_ends_where_the_next_one_begins(topic):
    """A section is shown with what is below it and without its neighbours, by any of its names."""
    lines = in_this_process("help", topic).out.splitlines()
    assert lines[0] == "## High latency"
    assert not [line for line in lines[1:] if line.startswith("## ")]
    page = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
    assert "\n".join(lines) in page


@pytest.mark.parametrize("topic", ["high-latenci", "ci#nothing", "decisions"])
def test_what_is_not_there_is_told(topic):
    """An unknown topic is a usage error that names a near one, or the pages."""
    ran = in_this_process("help", topic)
    assert ran.code == 2
    assert f"there is no help on '{topic}'; " in ran.err


def test_help_is_a_command_of_its_own():
    """It works outside the repository, as an installed package does."""
    ran = stressrunner("help", "exit-code-4", cwd=Path("/"))
    assert ran.code == 0
    assert "### Exit code 4" in ran.out
