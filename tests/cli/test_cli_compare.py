"""The command `compare`: results, scenarios in turn, exit codes and usage."""

import json

import pytest
from command import in_this_process, stressrunner

#: Slow enough for a busy machine to be punctual by comparison: a run that was late could not be compared.
SCENARIO = """\
stressrunner: 1
name: contest
target: {base_url: "demo://agents?latency=40ms&jitter=0", headers: {x-api-key: demo-key}}
endpoints:
  hello:
    post: /api/v1/agent/simple_agent/run
    json: {message_content: hello, message_type: text, session_name: "{{ session.name }}"}
load: {concurrency: 10, requests: 60}
environments:
  broken: {endpoints: {hello: {checks: status == 201}}}
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with a scenario."""
    (tmp_path / "contest.yaml").write_text(SCENARIO, "utf-8")
    return tmp_path


def test_scenarios_run_in_turn(folder):
    """A candidate whose requests fail ends with 3; progress goes to stderr, the comparison alone to stdout."""
    ran = stressrunner(
        "compare",
        "contest.yaml",
        *(
            "--runs",
            "3",
            "--gate",
            "errors=2%",
            "--candidate-env",
            "broken",
            "--format",
            "json",
            "--workers",
            "0",
        ),
        cwd=folder,
    )
    assert ran.code == 3, ran.err
    comparison = json.loads(ran.out)
    assert (comparison["outcome"], comparison["exit_code"]) == ("regressed", 3)
    assert [f["text"] for f in comparison["figures"]] == ["errors"]
    assert comparison["figures"][0]["tolerance"] == 0.02
    assert [line.split()[4] for line in ran.err.splitlines() if line.startswith("run ")] == [
        *("base", "candidate", "candidate", "base", "base", "candidate")
    ]


def test_results_are_shown_beside_each_other(folder):
    """Two results of the same load: their differences, and that nothing follows; exit code 0."""
    for name in ("a", "b"):
        assert stressrunner("contest.yaml", "-q", "--report", f"json={name}.json", cwd=folder).code == 0
    ran = in_this_process("compare", "a.json", "b.json", cwd=folder)
    assert (ran.code, ran.err) == (0, "")
    assert "ADVISORY  contest" in ran.out
    assert "tells nothing about chance" in ran.out
    refused = in_this_process("compare", "a.json", "b.json", "--gate", "p99.9", cwd=folder)
    assert refused.code == 4
    assert "60 samples, and 2,995 are needed; run longer" in refused.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["contest.yaml"], "both sides are contest.yaml: name a second scenario, or say what differs with"),
        (
            ["contest.yaml", "--candidate-set", "name=contest"],
            "what is set for the candidate changes nothing",
        ),
        (["contest.yaml", "--candidate-set", "load.requests=9"], "give both the same load"),
        (["contest.yaml", "contest.yaml", "--gate", "p95=ten"], "--gate p95=ten: "),
        (["contest.yaml", "contest.yaml", "--gate", "p95 < 5s"], "a figure has no limit"),
        (["contest.yaml", "contest.yaml", "--tolerance=-5%"], "'-5%' is negative"),
        (["contest.yaml", "x.yaml"], "x.yaml"),
        (["no.json"], "has nothing to be compared with"),
        (["no.json", "no.json", "--runs", "3"], "a result is one run"),
        (["no.json", "no.json"], "no.json"),
        (["contest.yaml", "contest.yaml", "--format", "html"], "there are text, markdown, json"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(folder, words, says):
    """A command line that makes no sense: exit code 2 and what to do, at once."""
    ran = in_this_process("compare", *words, cwd=folder)
    assert ran.code == 2
    assert says in ran.err
    assert "Traceback" not in ran.err
