"""The other commands: validate, schema, report, check, and the command line's manners."""

import json
import subprocess
import sys

import pytest
from command import ROOT, in_this_process, stressrunner


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A run that passed: its reports as json, text and html."""
    folder = tmp_path_factory.mktemp("reported")
    reports = [word for form in ("json", "html") for word in ("--report", f"{form}={folder / form}")]
    ran = stressrunner("scenarios/session_queue.yaml", *reports)
    assert ran.code == 0, ran.err
    return {"text": ran.out, **{path.name: path.read_text("utf-8") for path in folder.iterdir()}}


@pytest.fixture(scope="module")
def result_file(reported, tmp_path_factory):
    """The result of a run that passed."""
    path = tmp_path_factory.mktemp("result") / "r.json"
    path.write_text(reported["json"], "utf-8")
    return path


def test_validate_takes_a_folder():
    """Every shipped scenario is valid, and so are their environments and their pack."""
    ran = stressrunner("validate", "scenarios")
    assert ran.code == 0
    assert ran.out.count(": valid") == len(list((ROOT / "scenarios").rglob("*.yaml")))


def test_validate_shows_mistakes(tmp_path):
    """A file with a mistake: exit code 2, with its place."""
    scenario = tmp_path / "x.yaml"
    scenario.write_text("stressrunner: 1\nnaem: x\n", "utf-8")
    ran = stressrunner("validate", scenario)
    assert ran.code == 2
    assert "x.yaml:2:1: unknown key 'naem'; did you mean 'name'?" in ran.err


def test_schema_is_printed_as_it_is_shipped():
    """`schema` prints the very file that editors use."""
    assert stressrunner("schema").out == (ROOT / "schemas/scenario.schema.json").read_text("utf-8")
    assert stressrunner("schema", "--pack").out == (ROOT / "schemas/pack.schema.json").read_text("utf-8")


@pytest.mark.parametrize("form", ["text", "html", "json"])
def test_report_renders_again(result_file, reported, form):
    """The reports of a result file are byte for byte those of the run."""
    assert stressrunner("report", result_file, "--format", form).out == reported[form]


@pytest.mark.parametrize(
    ("thresholds", "code"),
    [
        ([], 0),
        (["p95 < 1h", "errors < 1%"], 0),
        (["p95 < 1us"], 3),
        (["agent_run.p50 < 1h", "max < 1us"], 3),
        (["target.memory > 1kB"], 0),
    ],
)
def test_check_judges_an_earlier_result(result_file, thresholds, code):
    """`check` holds a result against its own thresholds or others, and exits accordingly."""
    assert stressrunner("check", result_file, *thresholds).code == code


def _failed_requirement(result):
    (outcome,) = result["invariants"]
    outcome |= {"outcome": "failed", "reasons": ["3 messages are lost"]}
    outcome["requirements"][0] |= {"state": "failed", "found": 3}


def _failed_guard(result):
    guard = next(each for each in result["thresholds"] if each["text"] == "iterations.errors < 1%")
    assert guard["is_default"]
    guard |= {"state": "failed", "measured": 0.5}


def _cut_itself_off(result):
    reason = "no user could be set up for 30 s"
    result["run"]["ended_early"] = reason
    result["verdict"] |= {"outcome": "failed", "exit_code": 3, "reasons": [reason]}


@pytest.mark.parametrize(
    ("spoil", "lifted_by"),
    [(_failed_requirement, None), (_failed_guard, "iterations.errors < 60%"), (_cut_itself_off, None)],
)
def test_check_passes_no_run_that_failed_for_another_reason(reported, tmp_path, spoil, lifted_by):
    """Lost messages, guards that nothing lifts and loads that cut themselves off fail whatever thresholds are given."""
    result = json.loads(reported["json"])
    spoil(result)
    path = tmp_path / "r.json"
    path.write_text(json.dumps(result), "utf-8")
    for thresholds in ([], ["p95 < 1h"], ["p95 < 1h", "iterations.errors < 60% else abort after 9s"]):
        assert stressrunner("check", path, *thresholds).code == 3, thresholds
    if lifted_by is not None:
        assert stressrunner("check", path, lifted_by).code == 0


@pytest.mark.parametrize("threshold", ["p95 < 5", "p(95)<500", "nobody.p95 < 1s", "p95 < 1s over 5s"])
def test_check_refuses_what_it_cannot_judge(result_file, threshold):
    """A threshold that makes no sense, or that a result file cannot answer, is a usage error and never a pass."""
    ran = stressrunner("check", result_file, threshold)
    assert ran.code == 2
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"schema": 99}', "not json"])
def test_unreadable_results_say_why(tmp_path, content):
    """A file that is no result is exit code 2 with a reason."""
    path = tmp_path / "r.json"
    path.write_text(content)
    for command in (["check", path], ["report", path, "--format", "text"]):
        ran = stressrunner(*command)
        assert ran.code == 2
        assert "r.json" in ran.err
        assert "Traceback" not in ran.err


def test_a_reader_that_goes_away_is_no_crash(result_file):
    """A report piped into `head` ends quietly."""
    command = f"{sys.executable} -m stressrunner report {result_file} --format json | head -c 10"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30, check=False)
    assert done.stderr == ""


def test_help_and_version():
    """--help names every command, --version the version."""
    text = stressrunner("--help").out
    for command in ("run", "validate", "schema", "demo", "report", "check"):
        assert f"\n  {command} " in text
    assert stressrunner("--version").out.startswith("stressrunner, version ")


def test_an_unknown_command_is_told():
    """A word that is neither a command nor a file: exit code 2."""
    ran = in_this_process("rnu")
    assert ran.code == 2
    assert "No such command" in ran.err


def test_json_numbers_are_finite(result_file):
    """Results are strict JSON: no NaN, no Infinity."""
    json.loads(result_file.read_text("utf-8"), parse_constant=pytest.fail)


def test_try_shows_one_iteration():
    """`try` sends one request of a mix to the embedded target and shows it; the endpoint can be chosen."""
    ran = stressrunner("try", "scenarios/full_api.yaml", "--endpoint", "agent_list")
    assert ran.code == 0, ran.err
    assert ran.out.startswith("✓ 1. agent_list")
    assert "  GET http://127.0.0.1:" in ran.out
    assert ran.out.endswith("PASSED  Full API: 1 request, 0 failed\n")


def test_try_tells_what_failed():
    """A check that fails is exit code 3, and no target is 4."""
    failing = ("--set", "endpoints.health.checks=[status == 418]")
    ran = stressrunner("try", "scenarios/hello.yaml", *failing)
    assert ran.code == 3
    assert "✗ status == 418                   status was 200" in ran.out
    nobody = stressrunner("try", "scenarios/hello.yaml", BASE_URL="http://127.0.0.1:9")
    assert nobody.code == 4
    assert "cannot reach http://127.0.0.1:9" in nobody.err
