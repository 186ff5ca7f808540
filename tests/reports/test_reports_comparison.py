"""Comparisons as they are shown, whole; STRESSRUNNER_UPDATE_GOLDEN=1 writes them anew."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from stressrunner.errors import UsageError
from stressrunner.reports.comparison import COMPARISONS, render_comparison
from stressrunner.verdict.comparison import Compared, Comparison, Side

GOLDEN = Path(__file__).parent.parent / "golden" / "comparisons"
SUFFIXES = {"text": "txt", "markdown": "md", "json": "json"}

BASE = Side("scenarios/full_api.yaml", "Full API", "http://localhost:8001", "1,000 requests, 200 at once", 10)
CANDIDATE = Side("scenarios/full_api.yaml", "Full API", "http://localhost:8002", BASE.load, 10)


def compared(text, dimension, values, changes, state, note=""):
    """Return a figure with the default tolerances."""
    tolerance = 0.01 if dimension == "ratio" else 0.10
    return Compared(text, dimension, *values, *changes, tolerance, text == "throughput", state, note)


P95 = compared("p95", "duration", (0.196, 0.246), (0.255, 0.181, 0.332), "regressed")
ERRORS = compared("errors", "ratio", (0.0, 0.002), (0.002, 0.001, 0.003), "passed")
RATE = compared(
    "throughput",
    "rate",
    (1679, 1590),
    (-0.053, -0.098, -0.006),
    "inconclusive",
    "about 14 runs of each side would tell",
)
HANGS = compared(
    "agent_run.p99",
    "duration",
    (0.25, None),
    (None, None, None),
    "regressed",
    "in 8 of 10 runs of the candidate too many requests never ended",
)
ONE = replace(BASE, name="a.json", runs=1)

EXAMPLES = {
    "regressed": Comparison(
        BASE,
        CANDIDATE,
        "regressed",
        3,
        (P95, HANGS, ERRORS),
        ("Run 7, of the base, is suspect: it was late.",),
    ),
    "inconclusive": Comparison(BASE, CANDIDATE, "inconclusive", 5, (ERRORS, RATE)),
    "passed": Comparison(BASE, CANDIDATE, "passed", 0, (ERRORS,)),
    "advisory": Comparison(
        ONE,
        ONE,
        "advisory",
        0,
        (
            Compared("p50", "duration", 0.02, 0.03, 0.5, None, None, None, False, "advisory"),
            Compared("p99", "duration", 0.2, None, None, None, None, None, False, "advisory"),
            Compared("target.memory", "size", 1e8, 2.5e8, 1.5, None, None, None, False, "advisory"),
        ),
        ("One run of each side tells nothing about chance.",),
    ),
}


def test_every_format_has_golden_files():
    """A new format brings its golden files along."""
    assert set(SUFFIXES) == set(COMPARISONS)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("form", SUFFIXES)
def test_comparison_is_as_it_was(form, name):
    """The same comparison is the same text."""
    written = render_comparison(form, EXAMPLES[name])
    path = GOLDEN / f"{name}.{SUFFIXES[form]}"
    if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(written, encoding="utf-8")
    assert written == path.read_text(encoding="utf-8")


def test_json_is_strict():
    """What never ended is null, and no figure is infinite."""
    figures = json.loads(render_comparison("json", EXAMPLES["regressed"]), parse_constant=pytest.fail)[
        "figures"
    ]
    assert figures[1]["candidate"] is None


def test_an_unknown_format_is_refused():
    """A format that does not exist is an error of usage that names those that do."""
    with pytest.raises(UsageError, match="there are text, markdown, json"):
        render_comparison("html", EXAMPLES["passed"])
