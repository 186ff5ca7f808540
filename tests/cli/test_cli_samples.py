"""`--report samples=PATH`: every request of a run, whoever sent it, in one file."""

import csv
import json

import pytest
from cli.command import in_this_process, stressrunner

SCENARIO = "scenarios/full_api.yaml"
FEW = ("--set", "load.requests=300", "--set", "load.concurrency=20")


@pytest.mark.parametrize("workers", [0, 2])
def test_every_sample_is_written(tmp_path, workers):
    """The file has what the result counts, in order of completion, and nothing else is left in its folder."""
    result_file, path = tmp_path / "r.json", tmp_path / "s.ndjson"
    reports = ("--report", f"samples={path}", "--report", f"json={result_file}")
    ran = stressrunner(SCENARIO, "-q", *reports, *FEW, "--workers", workers)
    assert ran.code in {0, 4}, ran.err  # 4 on a machine that is too busy to measure on
    samples = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    result = json.loads(result_file.read_text("utf-8"))
    assert len(samples) == result["totals"]["sent"] == 300
    for name, stats in result["endpoints"].items():
        assert sum(each["endpoint"] == name for each in samples) == stats["sent"]
    completed = [each["completed_s"] for each in samples]
    assert completed == sorted(completed)
    assert {each["worker"] for each in samples} == set(range(max(1, workers)))
    assert max(each["response_time_s"] for each in samples) == pytest.approx(
        result["totals"]["response_time"]["max_s"]
    )
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["r.json", "s.ndjson"]


def test_a_target_that_is_not_there_leaves_a_header(tmp_path):
    """Nothing was sent, so a CSV file has its header and no row."""
    path = tmp_path / "s.csv"
    ran = stressrunner(
        "scenarios/hello.yaml", "-q", "--report", f"samples={path}", BASE_URL="http://127.0.0.1:9"
    )
    assert ran.code == 4
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == []
    assert path.read_text("utf-8").startswith("completed_s,due_s,")


@pytest.mark.parametrize(
    ("reports", "message"),
    [
        (["samples"], "--report samples: the path is missing"),
        (["samples="], "--report samples=: the path is missing"),
        (["samples=a.csv", "samples=b.csv"], "--report samples=PATH can be given once"),
        (["samples=nowhere/s.csv"], "there is no folder nowhere"),
        (["samples=s.csv", "csv=s.csv"], "two reports cannot go to s.csv at once"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_sent(tmp_path, reports, message):
    """A mistake in where samples go is a usage error."""
    words = [word for report in reports for word in ("--report", report)]
    ran = in_this_process("run", "x.yaml", *words, cwd=tmp_path)
    assert (ran.code, message in ran.err) == (2, True), ran.err
