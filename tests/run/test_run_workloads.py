"""Workloads of traffic from the scenario file to the reports, against the embedded target."""

import csv
import io
import json
from functools import cache

import pytest
from cli.command import stressrunner

SCENARIO = """\
stressrunner: 1
name: side by side
target: {base_url: "demo://agents?latency=5ms"}
feeders: {rows: {values: [1, 2, 3, 4, 5], order: shuffled}}
endpoints:
  list: {get: /shop/items, query: {page: "{{ rows }}", page_size: 5}}
  item: {get: "/shop/items/{{ random_int(1, 25) }}"}
  absent: {get: /nowhere, checks: status == 200}
traffic:
  background:
    mix: {list: 3, item: 1}
    load: [{name: warm, rate: 20/s, duration: 500ms, warmup: true}, {name: hold, rate: 40/s, duration: 1s}]
  probe: {flow: [item, list], load: {concurrency: 2, iterations: 6}}
  broken: {mix: {absent: 1}, load: {concurrency: 2, requests: 5}}
thresholds:
  - background.errors < 1%
  - broken.errors < 1%
  - probe.errors < 1%
  - flow.errors < 1% in probe
  - background.throughput > 1/s in hold
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Return a function that runs the scenario with so many workers, once, and returns the folder of its reports."""

    @cache
    def run(workers):
        folder = tmp_path_factory.mktemp(f"workers-{workers}")
        (folder / "workloads.yaml").write_text(SCENARIO, "utf-8")
        reports = [
            ("json", "r.json"),
            ("text", "r.txt"),
            ("csv", "r.csv"),
            ("html", "r.html"),
            ("markdown", "r.md"),
        ]
        options = [word for form, name in reports for word in ("--report", f"{form}={name}")]
        stressrunner("workloads.yaml", "--workers", str(workers), "--seed", "5", "-q", *options, cwd=folder)
        return folder

    return run


@pytest.mark.parametrize("workers", [0, 2])
def test_each_workload_is_sent_and_judged(ran, workers):
    """All that was planned is sent, however many generators share it; a threshold on a workload judges that alone."""
    folder = ran(workers)
    result = json.loads((folder / "r.json").read_text("utf-8"))
    sent = {name: stats["sent"] for name, stats in result["workloads"].items()}
    assert sent == {"background": 40, "probe": 12, "broken": 5}
    assert result["totals"]["sent"] == result["totals"]["planned"] == 57
    assert {phase["name"]: phase["totals"]["sent"] for phase in result["phases"]} == {
        "warm": 10,
        "hold": 40,
        "probe": 12,
        "broken": 5,
    }
    states = {threshold["text"]: threshold["state"] for threshold in result["thresholds"]}
    assert states.pop("broken.errors < 1%") == "failed"
    assert states.pop("endpoints.errors < 50%") == "failed"
    assert set(states.values()) == {"passed"}
    assert result["run"]["load"].startswith("background: 20/s requests for 500 ms (warm-up), then 40/s")
    rows = list(csv.DictReader(io.StringIO((folder / "r.csv").read_text("utf-8"))))
    assert {row["name"]: row["sent"] for row in rows if row["part"] == "workload"} == {
        name: str(n) for name, n in sent.items()
    }
    for name in ("r.txt", "r.html", "r.md"):
        assert "Workloads" in (folder / name).read_text("utf-8")


def test_thresholds_are_held_against_a_result(ran):
    """`check` knows the workloads of an earlier result, and `explain` what is to be expected of them."""
    folder = ran(0)
    asked = ("probe.errors < 1%", "probe.errors < 1% in probe", "broken.errors < 1%")
    lines = stressrunner("check", "r.json", *asked, cwd=folder).out.splitlines()
    marks = {text: next(line.split()[0] for line in lines if f" {text} " in line) for text in asked}
    assert marks == dict(zip(asked, "✓✓✗", strict=True))
    assert "67: " in stressrunner("explain", "workloads.yaml", cwd=folder).out
