"""Ratios, limits and tables of the benchmarks; and the tables that are published."""

import json

import pytest
import yaml

from benchmarks.__main__ import DOCUMENT, LATEST, ROWS
from benchmarks.accuracy import close, deviations, due_times_s
from benchmarks.peers import NGINX, SCENARIOS, STATIC, TEMPLATED, TOOLS, programs
from benchmarks.processor_time import judged, ratio_text, ratios
from benchmarks.report import BEGIN, END, markdown, measurement, placed
from benchmarks.row import Bench, Finding, Row, within, worst
from benchmarks.servers import ANSWER

SCRIPTS = SCENARIOS.parent / "scripts"
LIMITS = {"wrk": (1.6, 2.2), "k6": (1 / 6, None)}


def test_ratios_are_of_the_same_round():
    """A ratio is that of two figures of one round, so that a busy round weighs on both."""
    slopes = {"stressrunner": [20.0, 40.0], "wrk": [10.0, 20.0], "k6": [100.0, 400.0]}
    assert ratios(slopes) == {"wrk": [2.0, 2.0], "k6": [0.2, 0.1]}


@pytest.mark.parametrize(
    ("wrk", "k6", "met"),
    [([10.0], [120.0], "yes"), ([8.0], [120.0], "least"), ([5.0], [120.0], "no"), ([10.0], [90.0], "no")],
)
def test_the_worst_limit_decides(wrk, k6, met):
    """A row is reached when each peer's limit is."""
    assert judged({"stressrunner": [16.0], "wrk": wrk, "k6": k6}, LIMITS).met == met


def test_a_missing_peer_leaves_the_row_open():
    """Without k6 its limit is not judged, and the row is not called reached."""
    assert judged({"stressrunner": [16.0], "wrk": [10.0]}, LIMITS).met == "unknown"
    assert judged({"stressrunner": [50.0], "wrk": [10.0]}, LIMITS).met == "no"


def test_the_median_of_the_rounds_decides():
    """One bad round of three does not change the outcome."""
    slopes = {"stressrunner": [16.0, 90.0, 15.0], "wrk": [10.0] * 3, "k6": [200.0] * 3}
    finding = judged(slopes, LIMITS)
    assert finding.met == "yes"
    assert finding.measured == "16.0 µs; 1.60 x wrk; 1/12.5 of k6"


def test_ratios_read_well():
    """A ratio above 1 is a multiple, one below 1 a fraction."""
    assert [ratio_text("wrk", 1.5), ratio_text("k6", 0.125)] == ["1.50 x wrk", "1/8.0 of k6"]


def test_limits_include_their_value():
    """At most means at most."""
    assert [within(0.5, 0.5), within(0.6, 0.5), within(0.6, 0.5, 0.6)] == ["yes", "no", "least"]
    assert worst([]) == "unknown"


@pytest.mark.parametrize(
    ("reported", "true", "met"),
    [(1.019, 1.0, "yes"), (1.021, 1.0, "no"), (0.0119, 0.01, "yes"), (0.0121, 0.01, "no")],
)
def test_close_by_a_part_or_by_a_difference(reported, true, met):
    """Two per cent or two milliseconds, whichever is more."""
    assert close((reported, true), 0.02, 0.002) == met


def test_deviations_pair_what_belongs_together():
    """Each statistic stands beside the same statistic of the true values."""
    reported = {"mean_s": 2.5, "p50_s": 2.0, "p99_s": 9.0}
    assert deviations(reported, [4.0, 1.0, 2.0, 1.0], ("mean", "p50", "p99")) == {
        "mean": [2.5, 2.0],
        "p50": [2.0, 1.0],
        "p99": [9.0, 4.0],
    }


def test_due_times_are_those_of_the_plan():
    """Arrivals of a scenario are those that its seed gives; constant ones are a table."""
    poisson = due_times_s("arrivals", {"load.rate": "100/s", "load.duration": "10s"}, seed=7)
    assert poisson == due_times_s("arrivals", {"load.rate": "100/s", "load.duration": "10s"}, seed=7)
    assert poisson == sorted(poisson)
    assert poisson[-1] < 10
    assert due_times_s("stall", {"load.duration": "50ms"}, seed=7) == [0.0, 0.01, 0.02, 0.03, 0.04]


def test_closed_loads_have_no_due_times():
    """A scenario without a rate has no schedule to compare with."""
    with pytest.raises(ValueError, match="worst_case has no arrivals"):
        due_times_s("worst_case", {}, seed=7)


def test_everyone_sends_the_same():
    """The static body and the nginx answer are what the document says: 64 and 85 bytes, the same for all."""
    endpoint = yaml.safe_load((SCENARIOS / "static.yaml").read_text("utf-8"))["endpoints"]["run"]
    assert (len(endpoint["body"]), len(ANSWER)) == (64, 85)
    assert json.loads(ANSWER)["success"]
    for script in ("static.lua", "static.js", "locust_static.py", "artillery_static.yaml"):
        assert endpoint["body"] in (SCRIPTS / script).read_text("utf-8"), script
        assert endpoint["post"] in (SCRIPTS / script).read_text("utf-8"), script


def test_missing_peers_are_left_out(tmp_path, monkeypatch):
    """Without peers, stressrunner alone is measured, and each peer says how to install it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(programs(STATIC, tmp_path)) == list(programs(TEMPLATED, tmp_path)) == ["stressrunner"]
    for tool in [NGINX, *TOOLS.values()]:
        assert tool.locate(tmp_path) is None
        assert tool.advice(tmp_path).startswith(f"{tool.name} is missing: ")
        assert "TOOLS" not in tool.advice(tmp_path)


def test_peers_in_the_tools_folder_come_first(tmp_path, monkeypatch):
    """A peer that was installed for the benchmark is preferred to another one on the search path."""
    inside, outside = tmp_path / "venv" / "bin" / "k6", tmp_path / "bin" / "k6"
    for path in (inside, outside):
        path.parent.mkdir(parents=True)
        path.touch(0o755)
    monkeypatch.setenv("PATH", str(outside.parent))
    assert TOOLS["k6"].locate(tmp_path) == inside
    assert TOOLS["k6"].locate(tmp_path / "elsewhere") == outside


def test_quick_runs_are_short():
    """A quick run takes a tenth, at least one, and repeats nothing."""
    quick, full = Bench(SCENARIOS, quick=True), Bench(SCENARIOS)
    assert [quick.length(1000), quick.length(5), quick.rounds(7)] == [100, 1, 1]
    assert [full.length(1000), full.length(5), full.rounds(7)] == [1000, 5, 7]


def test_tables_hold_rows_and_costs():
    """A measurement has a line for each row and, of rows on processor time, one for each client."""
    first = Row("cpu_static", "time", "at most 1", lambda _: Finding("", "unknown"))
    second = Row("lag", "lateness", "at most 2", lambda _: Finding("", "unknown"))
    costs = {"cpu_us": {"stressrunner": [3.0, 1.0, 2.0], "locust": [170.04]}}
    found = {first: Finding("2 µs", "least", costs), second: Finding("3 ms", "no")}
    text = markdown(measurement(found, {"locust": "2.0"}, 0.25, quick=True))
    assert "| time | at most 1 | 2 µs | (✓) the weaker limit |\n| lateness | at most 2 | 3 ms | ✗ |\n" in text
    assert (
        "| stressrunner | 2.0 µs (1.0 to 3.0) |\n| Locust FastHttpUser | 170.0 µs (170.0 to 170.0) |\n"
        in text
    )
    assert "Other work took 25% of the machine meanwhile." in text
    assert "A quick run" in text


def test_only_what_is_between_the_marks_is_replaced():
    """Putting a table into a document twice is as good as once, and leaves the rest as it was."""
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = placed(document, "new\n")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert placed(once, "new\n") == once


@pytest.mark.parametrize("document", ["", BEGIN, END])
def test_a_document_without_marks_is_refused(document):
    """There is no guessing where the table belongs."""
    with pytest.raises(ValueError, match="the document lacks"):
        placed(document, "new\n")


def test_the_published_table_is_the_latest_measurement():
    """docs/performance.md shows benchmarks/latest.json, whole runs of every row, as the benchmark would write it."""
    measured = json.loads(LATEST.read_text("utf-8"))
    document = DOCUMENT.read_text("utf-8")
    assert document == placed(document, markdown(measured))
    assert [(row["row"], row["what"], row["reach"]) for row in measured["rows"]] == [
        (row.name, row.what, row.reach) for row in ROWS
    ]
    assert not measured["quick"]
