"""In a job of GitHub Actions a run annotates its scenario and adds to the job's summary; elsewhere it does not."""

import pytest
from command import ROOT, in_this_process, stressrunner

SCENARIO = """\
stressrunner: 1
name: gate
target: {base_url: demo://agents}
endpoints: {health: {get: /health}}
load: {concurrency: 1, requests: 5}
thresholds:
  - errors < 1%
  - p50 < 1us
"""


@pytest.fixture
def workspace(tmp_path):
    """A checked out repository with a scenario in a folder of it, and the file of a job's summary beside it."""
    folder = tmp_path / "repository" / "load"
    folder.mkdir(parents=True)
    (folder / "gate.yaml").write_text(SCENARIO, "utf-8")
    return folder.parent


def test_a_job_is_told(workspace):
    """The threshold's line is annotated by its path from the root, and the summary is added to."""
    summary = workspace.parent / "summary.md"
    summary.write_text("# Before\n", "utf-8")
    job = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": workspace, "GITHUB_STEP_SUMMARY": summary}
    ran = stressrunner(
        "gate.yaml",
        "-q",
        "--report",
        "markdown",
        cwd=workspace / "load",
        **{k: str(v) for k, v in job.items()},
    )
    assert ran.code == 3
    (line,) = ran.err.splitlines()
    assert line.startswith("::error file=load/gate.yaml,line=8,title=gate%3A failed::p50 < 1us: p50 is ")
    assert summary.read_text("utf-8") == f"# Before\n{ran.out}\n"


def test_thresholds_of_other_files_and_of_the_command_line_have_their_places(workspace):
    """A used file is annotated at its line, a threshold of `--set` at the scenario as a whole."""
    (workspace / "load" / "common.yaml").write_text("stressrunner: 1\nthresholds:\n  - max < 1us\n", "utf-8")
    (workspace / "load" / "gate.yaml").write_text(
        SCENARIO.replace("thresholds:", "uses: [common.yaml]\nthresholds+:"), "utf-8"
    )
    words = ["load/gate.yaml", "-q", "--set", "thresholds+=mean < 1us"]
    ran = stressrunner(*words, cwd=workspace, GITHUB_ACTIONS="true")
    assert [line.split(",title")[0] for line in ran.err.splitlines()] == [
        "::error file=load/common.yaml,line=3",
        "::error file=load/gate.yaml,line=9",
        "::error file=load/gate.yaml",
    ]


@pytest.mark.parametrize("command", [["run"], ["validate"]])
def test_mistakes_are_annotated_at_their_places(workspace, command):
    """Every mistake of a scenario is an error at its line and column, below what is told to people."""
    (workspace / "load" / "gate.yaml").write_text(
        SCENARIO.replace("health:", "helth:, ,").replace("p50", "p101")
    )
    ran = in_this_process(
        *command, "gate.yaml", cwd=workspace / "load", GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(workspace)
    )
    assert ran.code == 2
    (line,) = [line for line in ran.err.splitlines() if line.startswith("::")]
    assert line.startswith("::error file=load/gate.yaml,line=4,col=")
    assert "gate.yaml:4:" in ran.err.split("::error")[0]


def test_a_comparison_is_in_the_summary(workspace):
    """What came of a comparison is added to the job's summary as Markdown."""
    summary = workspace / "summary.md"
    words = ["load/gate.yaml", "-q", "--set", "thresholds=[]", "--report"]
    for name in ("a", "b"):
        assert stressrunner(*words, f"json={name}.json", cwd=workspace).code == 0
    job = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    ran = in_this_process(
        "compare", "a.json", "b.json", "--gate", "p50", "--format", "markdown", cwd=workspace, **job
    )
    assert ran.code == 0, ran.err
    assert summary.read_text("utf-8") == f"{ran.out}\n"


def test_a_summary_that_cannot_be_written_says_so(workspace):
    """The reports are there all the same, and the reason is one sentence."""
    words = ["load/gate.yaml", "-q", "--report", "text"]
    ran = stressrunner(*words, cwd=workspace, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(workspace))
    assert ran.code == 2
    assert "FAILED  gate" in ran.out
    assert ran.err.splitlines()[-1].startswith("GITHUB_STEP_SUMMARY: ")


def test_elsewhere_nobody_is_told():
    """Without GITHUB_ACTIONS=true there is no annotation."""
    ran = stressrunner(
        "scenarios/hello.yaml", "--set", "load.duration=200ms", "--set", "thresholds=[p50 < 1us]"
    )
    assert ran.code == 3
    assert "::" not in ran.out + ran.err
    assert (ROOT / "scenarios/hello.yaml").exists()
