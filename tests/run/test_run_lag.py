"""Real generators that are stopped while they send: what they say of themselves afterwards."""

import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from cli.command import ROOT, environment

SERVER = Path(__file__).parent / "slow_server.py"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")


@contextmanager
def serving(service_ms=1.0, station_ms=0.0):
    """Start the server; yield its URL."""
    command = [sys.executable, str(SERVER), str(service_ms), str(station_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.stdin.close()


def stopped_run(tmp_path, load, stops, *, thresholds="[]", timeout="5s", **server):
    """Run a load whose generator is stopped by `stops`, pairs of pauses in s: before it is stopped, and until it goes on."""
    result = tmp_path / "r.json"
    with serving(**server) as url:
        scenario = tmp_path / "s.yaml"
        scenario.write_text(
            f"stressrunner: 1\nname: stopped\ntarget: {{base_url: '{url}', timeout: {timeout}}}\n"
            f"endpoints: {{a: {{get: /}}}}\nload: {load}\nthresholds: {thresholds}\n",
            "utf-8",
        )
        command = [
            sys.executable,
            "-m",
            "stressrunner",
            "run",
            str(scenario),
            "-q",
            "--report",
            f"json={result}",
        ]
        with subprocess.Popen(command, cwd=ROOT, env=environment()) as run:
            (generator,) = sending(run.pid)
            for on_s, off_s in stops:
                time.sleep(on_s)
                generator.send_signal(signal.SIGSTOP)
                time.sleep(off_s)
                generator.send_signal(signal.SIGCONT)
            code = run.wait(60)
    return code, json.loads(result.read_text("utf-8"))


def sending(pid):
    """Return the generators of a command once they send, which have connections then."""
    command = psutil.Process(pid)
    for _ in range(2000):
        found = [child for child in command.children() if child.net_connections("tcp")]
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("nothing was sent")


def state_of(result, text):
    """Return what became of a threshold."""
    return next(outcome["state"] for outcome in result["thresholds"] if outcome["text"] == text)


def test_a_closed_load_whose_generator_is_stopped_in_slices_is_invalid(tmp_path):
    """Half of the time is taken away, and the users send half as much."""
    stops = [(0.03, 0.03)] * 50
    code, result = stopped_run(tmp_path, "{concurrency: 4, duration: 3s}", stops)
    assert code == 4
    assert result["validity"]["cause"] == "generator"
    assert any("the generator was late" in reason for reason in result["verdict"]["reasons"])


def test_a_freeze_turns_what_it_breaks(tmp_path):
    """What 0.4 s in which nothing was sent or read make of a percentile is no failure of the target."""
    limit = "p99.9 < 300ms"
    load = "{rate: 100/s, duration: 4s}"
    code, result = stopped_run(tmp_path, load, [(0.5, 0.4)], thresholds=f"['{limit}']")
    assert code == 4
    assert state_of(result, limit) == "turned"
    assert result["validity"]["state"] != "valid"
    assert result["generator"]["freezes"] >= 1
    assert result["totals"]["response_time"]["max_s"] > 0.3


@pytest.mark.soak
def test_a_short_freeze_of_a_long_run_is_suspect(tmp_path):
    """0.4 s of 45 s move p99.9 alone, which has no answer."""
    limit = "p99.9 < 300ms"
    load = "{rate: 100/s, duration: 45s}"
    code, result = stopped_run(tmp_path, load, [(10, 0.4)], thresholds=f"['{limit}']")
    assert code == 4
    assert state_of(result, limit) == "turned"
    assert any("own stall" in reason for reason in result["validity"]["reasons"])


@pytest.mark.soak
def test_a_long_freeze_is_invalid_with_timeouts_of_its_making(tmp_path):
    """2 s of 8 s, with a timeout of half a second before a target that takes 0.4 s: what never ended is no excuse."""
    load = "{rate: 100/s, duration: 8s}"
    code, result = stopped_run(tmp_path, load, [(2, 2)], timeout="500ms", service_ms=400)
    assert code == 4
    assert result["validity"]["state"] == "invalid"


@pytest.mark.soak
def test_a_freeze_before_a_busy_target_is_invalid(tmp_path):
    """The queue that 0.4 s leave at a target that is 90 % busy is not the target's pace."""
    load = "{rate: 200/s, duration: 20s}"
    code, result = stopped_run(tmp_path, load, [(5, 0.4)], station_ms=4.5)
    assert code == 4
    assert result["validity"]["state"] == "invalid"
