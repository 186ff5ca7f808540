"""The command `run` from end to end: shipped scenarios, exit codes, where reports go, interrupts."""

import json
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from importlib.resources import files

import httpx
import jsonschema
import pytest
from command import ROOT, environment, in_this_process, serving_demo, stressrunner

SCHEMA = json.loads(files("stressrunner.schemas").joinpath("result.schema.json").read_text("utf-8"))
#: For runs whose sessions are read back from a server that answers within a few milliseconds.
SOON_QUIET = ("--set", "invariants.delivery.read_back.quiet=500ms")
#: A run for those who ask what is done with its outcome.
BRIEF = ("scenarios/hello.yaml", "--set", "load={concurrency: 1, requests: 20}")


def read_result(path):
    """Return a result file's content, having held it against its schema."""
    result = json.loads(path.read_text("utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    return result


def served(base_url):
    """Return how many requests the server counted."""
    return httpx.get(f"{base_url}/stats").json()["requests"]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """Runs a shipped scenario, once however often it is asked for; returns how it ended, its result and its page."""
    folder = tmp_path_factory.mktemp("shipped")

    @cache
    def run(name):
        page, result_file = folder / f"{name}.html", folder / f"{name}.json"
        more = ["--set", "load.duration=1s"] if name == "hello" else []
        more += SOON_QUIET if name.startswith("session") else []
        reports = ["--report", f"json={result_file}", "--report", f"html={page}"]
        ran = stressrunner("run", f"scenarios/{name}.yaml", *reports, *more)
        assert ran.code == 0, ran.out + ran.err
        return ran, read_result(result_file), page.read_text("utf-8")

    return run


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("session_queue", 200),
        ("session_race", 200),
        ("session_new_user", 100),
        ("session_anonymous", 200),
        ("session_capacity", 930),
        ("agent_run", 500),
        ("full_api", 1000),
        ("hello", None),
    ],
)
def test_shipped_scenarios_pass_on_the_embedded_target(shipped, name, sent):
    """Every shipped scenario passes, sends what it plans, and leaves a valid result and a page behind."""
    ran, result, page = shipped(name)
    assert result["verdict"]["outcome"] == "passed"
    if sent is not None:
        assert result["totals"]["sent"] == result["totals"]["ok"] == sent
    assert "PASSED" in ran.out
    assert "mbedded demonstration target" in ran.out.split("Thresholds")[0]
    assert page.startswith("<!DOCTYPE html>")
    assert result["monitors"]["target"]["available"]


def test_every_scenario_file_is_run():
    """No scenario is shipped that the test above does not run."""
    shipped = {path.stem for path in (ROOT / "scenarios").glob("*.yaml")}
    sessions = {f"session_{name}" for name in ("queue", "race", "new_user", "anonymous", "capacity")}
    assert shipped - {"pack"} == {*sessions, "agent_run", "full_api", "hello"}


def test_shares_are_exact(shipped):
    """The full API test sends exactly 60, 10, 10, 10 and 10 per cent."""
    _, result, _ = shipped("full_api")
    sent = {name: stats["sent"] for name, stats in result["endpoints"].items()}
    assert sent == {
        "agent_run": 600,
        "agent_list": 100,
        "session_list": 100,
        "create_user": 100,
        "create_memory": 100,
    }


MODES = {
    "fixed work": ["scenarios/full_api.yaml", "--set", "load={concurrency: 20, requests: 300}"],
    "fixed time": ["scenarios/full_api.yaml", "--set", "load={concurrency: 5, duration: 500ms}"],
    "constant rate": ["scenarios/agent_run.yaml", "--set", "load={rate: 100/s, duration: 1s}"],
    "phases": [
        "scenarios/agent_run.yaml",
        "--set",
        "load=[{rate: 50/s, duration: 500ms}, {concurrency: 4, requests: 40}]",
    ],
    "sessions": ["scenarios/session_queue.yaml", "--set", "load.sessions=5"],
    "sessions at a rate": ["scenarios/session_queue.yaml", "--set", "load={rate: 10/s, duration: 1s}"],
    "sessions of one message at a time": [
        "scenarios/session_queue.yaml",
        "--set",
        "session.burst=1",
        "--set",
        "session.messages=3",
        "--set",
        "target.connections=null",
    ],
    "errors": ["scenarios/full_api.yaml", "--set", "endpoints.agent_list.get=/nowhere"],
}


@pytest.mark.parametrize("mode", MODES)
def test_the_server_counts_what_was_sent(tmp_path, mode):
    """In every mode, the server's own count of requests is `totals.sent`, and what reading back took."""
    result_file = tmp_path / "r.json"
    # Slow enough for a busy machine to be punctual by comparison: only the counts are in question here.
    with serving_demo("latency=200ms&jitter=0" if "session" in mode else "latency=40ms&jitter=0") as base_url:
        more = SOON_QUIET if "session" in mode else ()
        ran = stressrunner(
            "run", *MODES[mode], *more, "-q", "--report", f"json={result_file}", BASE_URL=base_url
        )
        counted = served(base_url)["total"]
    result = read_result(result_file)
    assert ran.code in (0, 3), ran.err
    read_back = sum(checked["read_back"]["requests"] for checked in result["invariants"])
    assert result["totals"]["sent"] + read_back == counted > 0
    assert result["totals"]["unfinished"] == 0


def test_any_server_and_size_without_an_edit(tmp_path):
    """BASE_URL, API_KEY, AGENT_NAME and --set point a scenario at another server, key, agent and size."""
    result_file = tmp_path / "r.json"
    with serving_demo("latency=5ms&jitter=0") as base_url:
        ran = stressrunner(
            "scenarios/full_api.yaml",
            "--set",
            "load.requests=100",
            "--report",
            f"json={result_file}",
            BASE_URL=base_url,
            API_KEY="a-key-of-mine",
            AGENT_NAME="no_such_agent",
        )
    assert ran.code == 3
    result = read_result(result_file)
    assert result["run"]["target"] == base_url
    assert result["totals"]["status"]["404"] == 60
    assert "a-key-of-mine" not in ran.out + ran.err + result_file.read_text("utf-8")


def test_five_mistakes_in_one_go(tmp_path):
    """Five different mistakes are five diagnostics with their places, exit code 2, and nothing is sent."""
    scenario = tmp_path / "broken.yaml"
    scenario.write_text(
        "stressrunner: 1\n"
        "name: broken\n"
        'target: {base_url: "${NO_SUCH_VARIABLE}"}\n'
        "endpoints:\n"
        "  home: {get: '/{{ nobody }}'}\n"
        "mix: {hone: 1}\n"
        "load: {concurrency: many, duration: 5}\n",
        "utf-8",
    )
    ran = in_this_process("run", scenario, cwd=tmp_path)
    assert ran.code == 2
    heads = [line.partition("broken.yaml:")[2] for line in ran.err.splitlines() if "broken.yaml:" in line]
    assert [head.split(": ")[0] for head in heads] == ["3:21", "5:20", "6:7", "7:21", "7:37"]
    assert ran.out == ""


def test_a_broken_threshold_shows_both_figures(tmp_path):
    """A limit that no target can hold: exit code 3, with the measured value beside it."""
    result_file = tmp_path / "r.json"
    few = ("--set", "load={concurrency: 5, requests: 25}", "--set", 'thresholds=["p95 < 1ms"]')
    ran = stressrunner("scenarios/agent_run.yaml", *few, "--report", f"json={result_file}")
    assert ran.code == 3
    result = read_result(result_file)
    threshold = next(t for t in result["thresholds"] if t["text"] == "p95 < 1ms")
    assert (threshold["state"], threshold["limit"]) == ("failed", 0.001)
    assert threshold["measured"] > 0.001
    assert "FAILED" in ran.out
    assert "stressrunner help high-latency" in ran.out


@pytest.fixture
def dead_port():
    """A loopback port at which nothing listens, kept from others for as long as the test takes."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_dead_port_is_invalid(tmp_path, dead_port):
    """Where nothing listens: exit code 4, one sentence, nothing sent, and no percentile of nothing."""
    result_file = tmp_path / "r.json"
    ran = stressrunner(
        "scenarios/full_api.yaml", "--report", f"json={result_file}", BASE_URL=f"http://127.0.0.1:{dead_port}"
    )
    assert ran.code == 4
    result = read_result(result_file)
    assert result["verdict"]["outcome"] == "invalid"
    assert len(result["verdict"]["reasons"]) == 1
    assert f"127.0.0.1:{dead_port}" in result["verdict"]["reasons"][0]
    assert (result["totals"]["planned"], result["totals"]["sent"]) == (1000, 0)
    assert result["totals"]["not_reached"] == 1000
    assert result["totals"]["error_ratio"] is None
    assert result["totals"]["response_time"]["p50_s"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_an_interrupt_reports_what_was_measured(tmp_path):
    """Ctrl-C in the middle: exit code 130, a full report, and a result with everything until then."""
    result_file = tmp_path / "r.json"
    with serving_demo("latency=50ms&jitter=0") as base_url:
        running = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "stressrunner",
                "scenarios/agent_run.yaml",
                "--set",
                "load={concurrency: 10, duration: 60s}",
                "--report",
                f"json={result_file}",
            ],
            cwd=ROOT,
            env=environment(BASE_URL=base_url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 20
        while served(base_url)["total"] < 100:
            assert time.monotonic() < deadline
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert running.returncode == 130, err
    result = read_result(result_file)
    assert result["verdict"]["outcome"] == "aborted"
    assert result["totals"]["ok"] >= 90
    assert result["totals"]["response_time"]["never"] == 0
    assert "ABORTED" in out


def test_an_abort_by_threshold_is_a_failure(tmp_path):
    """`else abort` cuts a run off long before its end, and the run has failed."""
    result_file = tmp_path / "r.json"
    ran = stressrunner(
        "scenarios/agent_run.yaml",
        "--set",
        "load={concurrency: 20, duration: 60s}",
        "--set",
        "thresholds=['errors < 1%', 'p95 < 1ms over 1s else abort']",
        "-q",
        "--report",
        f"json={result_file}",
    )
    assert ran.code == 3
    result = read_result(result_file)
    assert result["run"]["duration_s"] < 20
    assert result["verdict"]["outcome"] == "failed"


def test_reports_without_a_path_go_to_stdout():
    """With the result on stdout it is all that is there; people's text goes to stderr."""
    ran = stressrunner(*BRIEF, "--report", "json")
    assert json.loads(ran.out)["totals"]["sent"] == 20
    assert "PASSED" in ran.err


def test_quiet_says_nothing():
    """With --quiet and no report to stdout, a run that passes says nothing at all."""
    ran = stressrunner(*BRIEF, "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_ones_own_template(tmp_path):
    """--template writes the result with a template of one's own, to stdout."""
    template = tmp_path / "mine.txt"
    template.write_text(
        "{{ result.totals.sent }} sent, p95 {{ result.totals.response_time.p95_s | duration }}\n"
    )
    ran = stressrunner(*BRIEF, "--template", template)
    assert ran.out.startswith("20 sent, p95 ")


def test_a_seed_repeats_a_run(tmp_path):
    """Two runs with one seed send the same bodies, apart from what stands for the run itself."""
    bodies = []
    for name in ("a", "b"):
        result_file = tmp_path / f"{name}.json"
        few = ("--set", "load.requests=200", "-q", "--report", f"json={result_file}")
        stressrunner("scenarios/full_api.yaml", "--seed", "7", *few)
        result = read_result(result_file)
        assert result["run"]["seed"] == 7
        bodies.append({n: (s["sent"], s["bytes_sent"]) for n, s in result["endpoints"].items()})
    assert bodies[0]["create_user"] == bodies[1]["create_user"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--report", "jsno=x.json"], "did you mean 'json'"),
        (["--report", "json=no/such/folder/x.json"], "no folder"),
        (["--report", "json", "--report", "text"], "stdout"),
        (["--template", "no-such-file"], "no-such-file"),
        (["--set", "load.requets=5"], "did you mean 'requests'"),
        (["--seed", "x"], "x"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(args, says):
    """A command line that makes no sense: exit code 2 and what to do, at once."""
    ran = in_this_process("run", "scenarios/full_api.yaml", *args)
    assert ran.code == 2
    assert says in ran.err
    assert "Traceback" not in ran.err
