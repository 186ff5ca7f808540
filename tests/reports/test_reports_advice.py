"""Advice leads to a page that has it."""

import re
from pathlib import Path

import pytest

from stressrunner.reports.advice import ADVICE

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("where", ADVICE.values())
def test_every_place_exists(where):
    """The page is in the documentation, and has a heading with that anchor."""
    page, anchor = where.split("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in [heading.lower().replace(" ", "-") for heading in headings]
