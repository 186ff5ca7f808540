"""Imported scenarios are run for real, against the embedded target."""

import json

import pytest
from authoring.golden_material import MATERIAL
from cli.command import ROOT, as_typed, stressrunner

#: What describes the embedded target, and a session that was recorded with its shop.
AGENTS = [path for path in MATERIAL if path.stem in ("agents", "storefront")]


@pytest.mark.parametrize("path", AGENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_imported_scenarios_run(path, tmp_path):
    """From the command line: import and run; every request is answered as the scenario expects."""
    scenario, result = tmp_path / "agents.yaml", tmp_path / "result.json"
    variables = {"BASE_URL": "demo://agents?latency=100ms", "API_KEY": "demo-key"}
    variables["PASSWORD"] = "demo-password"
    ran = stressrunner("import", path.parent.name, path, "-o", scenario)
    assert ran.code == 0, ran.err
    assert ran.out == ""
    ran = stressrunner(
        scenario,
        "-q",
        "--set",
        "load.rate=50/s",
        "--set",
        "load.duration=400ms",
        "--report",
        f"json={result}",
        **variables,
    )
    assert ran.code == 0, ran.err
    totals = json.loads(result.read_text("utf-8"))["totals"]
    assert totals["ok"] == totals["planned"] >= 20
    assert totals["failed"] == 0


def test_files_are_not_overwritten(tmp_path):
    """A file that is there stays as it is unless --force is given."""
    scenario = tmp_path / "mine.yaml"
    scenario.write_text("mine", "utf-8")
    words = ("import", AGENTS[0].parent.name, AGENTS[0], "-o", scenario)
    ran = stressrunner(*words)
    assert ran.code == 2
    assert "is there already" in ran.err
    assert scenario.read_text("utf-8") == "mine"
    assert as_typed(*words, "--force", cwd=ROOT).code == 0
    assert "stressrunner: 1" in scenario.read_text("utf-8")


def test_scenarios_go_to_stdout_and_notes_to_stderr():
    """Without -o the scenario is all that stdout gets; notes and variables are for people."""
    ran = stressrunner("import", "curl", ROOT / "tests/golden/authoring/curl/shop.sh")
    assert ran.code == 0
    assert ran.out == (ROOT / "tests/golden/authoring/curl/shop.scenario").read_text("utf-8")
    assert "note: line 17: goes to" in ran.err
    assert "set before a run: COOKIE" in ran.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("curl", "absent.sh"), "absent.sh: No such file or directory"),
        (("curl", "README.md"), "no request in it that can be taken over"),
        (("curl", "tests"), "Is a directory"),
        (("curl", "scenarios/hello.yaml", "--base-url", "nowhere"), "no request"),
        (
            ("curl", "tests/golden/authoring/curl/agents.sh", "--base-url", "nowhere"),
            "'nowhere' has no scheme",
        ),
        (("soap", "x"), "'soap'"),
    ],
)
def test_what_cannot_be_imported_is_said(words, reason):
    """Sources and base URLs that make no sense are exit code 2 with the reason, never a traceback."""
    ran = stressrunner("import", *words)
    assert ran.code == 2
    assert reason in ran.err
    assert "Traceback" not in ran.err
