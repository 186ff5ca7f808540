"""The HTML report in a real browser."""

import shutil
import subprocess

import pytest
from reports.example_results import EXAMPLES

from stressrunner.reports import render

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--dump-dom",
)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_browser_shows_the_page_without_a_word(tmp_path):
    """The page is laid out without an error in the console, where everything that its policy forbids would show."""
    page = tmp_path / "report.html"
    page.write_text(render("html", EXAMPLES["failed"]()), encoding="utf-8")
    shown = subprocess.run(
        [BROWSER, *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()],
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
        encoding="utf-8",
    )
    assert "<h1>Full API</h1>" in shown.stdout
    assert shown.stdout.count("<figure>") == 7
    assert [line for line in shown.stderr.splitlines() if "CONSOLE" in line] == []
