"""Reports of imagined runs, whole, as they were last looked at and found good.

STRESSRUNNER_UPDATE_GOLDEN=1 writes them anew, for the next reviewer to look at.
"""

import os
import re
from pathlib import Path

import pytest
from reports.example_results import EXAMPLES

from stressrunner.reports import REPORTS, render

GOLDEN = Path(__file__).parent.parent / "golden" / "reports"
SUFFIXES = {
    "text": "txt",
    "html": "html",
    "json": "json",
    "junit": "xml",
    "markdown": "md",
    "csv": "csv",
    "hlog": "hlog",
}
# Compressed text depends on the build of zlib; test_result_codec.py and test_reports_hlog.py hold what is in it.
ENCODED = re.compile(r'(?<="histogram": ")[^"]*|HISTF[\w+/=]+')
# The style sheet and the script are files of the package, and the same on every page.
EMBEDDED = re.compile(r"(?s)<(style|script)>.*?</\1>|'sha256-[^']*'")


def test_every_format_has_golden_files():
    """A new format brings its golden files along."""
    assert set(SUFFIXES) == set(REPORTS)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("form", SUFFIXES)
def test_report_is_as_it_was(form, name):
    """The report of the same result is the same text."""
    report = ENCODED.sub("...", render(form, EXAMPLES[name]()))
    report = EMBEDDED.sub("...", report) if form == "html" else report
    path = GOLDEN / f"{name}.{SUFFIXES[form]}"
    if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN") == "1":
        path.write_text(report, encoding="utf-8")
    assert report == path.read_text(encoding="utf-8")
