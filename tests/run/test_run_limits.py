"""Hard limits end a run, make it invalid, and say which of them it was."""

import json

import pytest
from cli.command import stressrunner
from fleet.fleet_runs import ONE, run_fleet
from fleet.recording_server import recording_server

LIMITS = {
    "requests": ("limits.requests=200", "limits.requests allows 200"),
    "duration": ("limits.duration=300ms", "limits.duration allows 300 ms"),
    "bytes": ("limits.bytes=10kB", "limits.bytes allows 10 kB"),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_hard_limit_stops_a_run(tmp_path, limit):
    """The run is invalid with exit code 4 and the limit as its reason, long before its load is over."""
    setting, reason = LIMITS[limit]
    result_file = tmp_path / "r.json"
    ran = stressrunner(
        "scenarios/hello.yaml", "-q", "--set", "load={concurrency: 2, duration: 30s}", "--set", setting,
        "--workers", "0", "--report", f"json={result_file}",
    )  # fmt: skip
    result = json.loads(result_file.read_text("utf-8"))
    assert ran.code == 4, ran.err
    assert result["verdict"]["outcome"] == "invalid"
    assert result["verdict"]["reasons"][0] == f"a hard limit was hit: {reason}"  # a busy machine adds others
    assert result["run"]["duration_s"] < 5
    assert limit != "requests" or result["totals"]["sent"] == 200
    # What a limit leaves unfinished is its own doing, and no guard's concern.
    assert result["run"]["ended_early"] == f"a hard limit was hit: {reason}"
    assert "unfinished < 1%" not in {each["text"] for each in result["thresholds"]}


def test_workers_share_the_limit():
    """Two generator processes together never send more than the limit; the first to hit it ends the load of both."""
    load = "load: {concurrency: 4, duration: 30s}\nlimits: {requests: 60}\n"
    with recording_server() as server:
        ran = run_fleet(f"{ONE}{load}", server.url, 2)
    assert 30 <= server.requests.total() <= 60
    assert ran.summary.totals.sent == server.requests.total()
    assert ran.fleet.limit_hit == "a hard limit was hit: limits.requests allows 60"
