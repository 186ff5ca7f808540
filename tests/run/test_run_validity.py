"""A generator that cannot keep up says so, and does not pass for a slow target."""

import json

from cli.command import stressrunner

STARVED = """\
stressrunner: 1
name: starved
target: {base_url: demo://agents}
endpoints:
  health:
    post: /health
    body: "{% for i in range(8000) %}{{ i }},{% endfor %}"
    checks: [status == 405]
load: {rate: 1000/s, duration: 100ms}
thresholds: [errors < 1%]
"""


def test_a_starved_generator_is_invalid(tmp_path):
    """Filling in takes longer than the rate allows: the run is invalid, blames the generator and says what to do."""
    scenario = tmp_path / "starved.yaml"
    scenario.write_text(STARVED, "utf-8")
    result_file = tmp_path / "r.json"
    ran = stressrunner("run", scenario, "--report", f"json={result_file}")
    result = json.loads(result_file.read_text("utf-8"))
    assert ran.code == 4
    assert result["validity"]["state"] == "invalid"
    assert "the generator was late" in result["verdict"]["reasons"][0]
    assert "lower the load" in result["verdict"]["reasons"][0]
    assert result["generator"]["lag"]["p99_s"] > 0.02
    assert result["totals"]["service_time"]["p50_s"] < result["totals"]["response_time"]["p50_s"] / 4
    assert result["totals"]["sent"] == result["totals"]["completed"] == 100  # late, and none of it is lost
    assert "INVALID" in ran.out


def test_what_only_the_generator_puts_in_doubt_is_run_again(tmp_path):
    """With --repeat, each run is reported, the last under the name that was given."""
    scenario = tmp_path / "starved.yaml"
    scenario.write_text(STARVED, "utf-8")
    ran = stressrunner("run", scenario, "--repeat", "2", "--report", f"json={tmp_path / 'r.json'}")
    assert ran.code == 4
    assert "run 2 of 2" in ran.err
    assert ran.out.count("INVALID") == 4  # each report says so at its top and at its end
    results = [json.loads((tmp_path / name).read_text("utf-8")) for name in ("r.1.json", "r.json")]
    assert [result["validity"]["cause"] for result in results] == ["generator"] * 2
    assert results[0]["run"]["id"] != results[1]["run"]["id"]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["r.1.json", "r.json"]


def test_what_else_is_in_doubt_is_not_run_again(tmp_path):
    """A target that nobody reaches is no better the second time."""
    scenario = tmp_path / "nobody.yaml"
    scenario.write_text(
        "stressrunner: 1\nname: nobody\ntarget: {base_url: 'http://127.0.0.1:9'}\nendpoints: {a: {get: /}}\n"
        "load: {concurrency: 1, iterations: 3}\n",
        "utf-8",
    )
    ran = stressrunner("run", scenario, "--repeat", "3")
    assert ran.code == 4
    assert "run 2" not in ran.err
    assert ran.out.count("INVALID") == 2


def test_arrivals_that_find_no_place_fail_a_run(tmp_path):
    """Where the offered load was not delivered the run is no pass, though all that was sent succeeded."""
    result_file = tmp_path / "r.json"
    ran = stressrunner(
        "scenarios/agent_run.yaml",
        "--set",
        "load={rate: 100/s, duration: 1s, max_in_flight: 2, overflow: drop}",
        "--set",
        "thresholds=[errors < 1%]",
        "-q",
        "--report",
        f"json={result_file}",
    )
    result = json.loads(result_file.read_text("utf-8"))
    assert ran.code == 3
    assert result["totals"]["failed"] == 0
    assert result["totals"]["dropped"] > 10
    assert [t["text"] for t in result["thresholds"] if t["state"] == "failed"] == ["dropped < 1%"]
