"""The table of guards in the documentation is the one that the code has."""

import re
from pathlib import Path

from stressrunner.scenario.default_guards import GUARDS
from stressrunner.scenario.threshold import OVERALL_STATS
from stressrunner.scenario.threshold_grammar import STATS

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"


def test_every_guard_is_documented():
    """The page has a row for each guard, in the order of the reports, and no other; what no data means is said."""
    page = PAGE.read_text("utf-8").partition("## Every figure")[0]
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", page, re.MULTILINE)
    assert [text for text, _ in rows] == [guard.text for guard in GUARDS]
    assert [text for text, when in rows if "no data fails" in when] == [
        guard.text for guard in GUARDS if not guard.passes_without_data
    ]


def test_every_figure_is_documented():
    """The page has a row for each figure that a threshold can be about, with the guard that it has."""
    section = PAGE.read_text("utf-8").partition("## Every figure")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`(?:, [^|]*)?) \| [^|]* \| [^|]* \| ([^|]*) \|$", section, re.MULTILINE)
    guards = {
        figure: guard.strip().strip("`")
        for figures, guard in rows
        for figure in re.findall(r"`([^`]+)`", figures)
    }
    overall = {f"{name}.{stat}" for name, stats in OVERALL_STATS.items() for stat in stats}
    assert guards.keys() == {*STATS, *overall, "p50", "p99.9"}
    assert {guard for guard in guards.values() if guard != "none"} == {guard.text for guard in GUARDS}
    for figure, guard in guards.items():
        assert guard == "none" or guard.startswith(f"{figure} ")
