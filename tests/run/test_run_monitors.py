"""Which processes a run watches, and what it does where there is none, on real processes of this machine."""

import json
import os
import subprocess
import sys

import pytest
from cli.command import stressrunner

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
SCENARIO = """\
stressrunner: 1
name: watched
target: {{base_url: "http://127.0.0.1:{port}"}}
endpoints: {{a: {{get: /}}}}
load: {{concurrency: 1, requests: 20}}
{more}
"""


@pytest.fixture
def server():
    """Start a server as a process of its own, and return its process and port."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        yield process, int(process.stdout.readline())
        process.kill()


@pytest.fixture
def run(tmp_path):
    """Run a scenario; return how it ended, and its result."""

    def run(port, more=""):
        scenario, result = tmp_path / "s.yaml", tmp_path / "r.json"
        scenario.write_text(SCENARIO.format(port=port, more=more), "utf-8")
        ran = stressrunner("run", scenario, "--report", f"json={result}")
        return ran, json.loads(result.read_text("utf-8")) if result.exists() else None

    return run


def test_a_target_on_this_machine_is_watched_without_being_asked(run, server):
    """Thresholds on `target` are judged for any server on a loopback address, found by its port."""
    process, port = server
    ran, result = run(port, "thresholds: [target.memory < 10GB]")
    assert ran.code == 0, ran.err
    assert f"pid {process.pid}" in result["monitors"]["target"]["label"]
    assert result["thresholds"][0]["state"] == "passed"


def test_a_monitor_that_finds_nothing_is_told_and_a_threshold_on_it_keeps_the_load_back(run, server):
    """Without a threshold it is a line before the load; with one nothing is sent, and the exit code is 4."""
    _, port = server
    monitors = "monitors: {srv: {command: no-such-command-here}}"
    ran, result = run(port, monitors)
    assert ran.code == 0
    assert "monitor 'srv'" in ran.err
    ran, result = run(port, f"{monitors}\nthresholds: [srv.memory < 1GB]")
    assert (ran.code, result["totals"]["sent"]) == (4, 0)
    assert "the monitor 'srv' of a threshold has nothing to watch" in result["verdict"]["reasons"][0]


def test_a_command_of_several_families_keeps_the_load_back(run, server):
    """Which of two processes is meant nobody knows; a threshold would judge one of them at random."""
    _, port = server
    mark = f"twice_{os.getpid()}"
    child = [sys.executable, "-c", "input()", mark]
    with (
        subprocess.Popen(child, stdin=subprocess.PIPE) as one,
        subprocess.Popen(child, stdin=subprocess.PIPE) as two,
    ):
        ran, result = run(port, f"monitors: {{srv: {{command: {mark}}}}}\nthresholds: [srv.memory < 1GB]")
        one.kill()
        two.kill()
    assert (ran.code, result["totals"]["sent"]) == (4, 0)
    assert "2 processes fit" in result["verdict"]["reasons"][0]
