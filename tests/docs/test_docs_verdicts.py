"""The table of guards in the documentation is the one that the code has."""

import re
from pathlib import Path

from stressrunner.scenario.default_guards import GUARDS

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"


def test_every_guard_is_documented():
    """The page has a row for each guard, in the order of the reports, and no other; what no data means is said."""
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert [text for text, _ in rows] == [guard.text for guard in GUARDS]
    assert [text for text, when in rows if "no data fails" in when] == [
        guard.text for guard in GUARDS if not guard.passes_without_data
    ]
