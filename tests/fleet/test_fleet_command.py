"""`--workers` from the command line: how many there are, and what becomes of a run whose processes are killed."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest
from cli.command import ROOT, environment, stressrunner
from fleet.recording_server import recording_server

SCENARIO = """
stressrunner: 1
name: fleet
target: {base_url: "${BASE_URL}"}
endpoints:
  one: {get: /one}
mix: {one: 1}
load: {concurrency: 4, requests: 40}
"""


@pytest.fixture
def scenario(tmp_path):
    """A small scenario in a file."""
    path = tmp_path / "fleet.yaml"
    path.write_text(SCENARIO, "utf-8")
    return path


@pytest.mark.parametrize(("asked", "workers"), [("0", 0), ("1", 1), ("3", 3), ("9", 4)])
def test_as_many_as_asked_for_and_no_more_than_fit(scenario, asked, workers):
    """The result tells how many processes there were, with the figures of each; all of them sent the plan."""
    with recording_server() as server:
        ran = stressrunner(scenario, "--workers", asked, "--report", "json", "-v", BASE_URL=server.url)
    assert ran.code == 0, ran.err
    result = json.loads(ran.out)
    assert result["run"]["workers"] == workers
    assert list(result["generator"]["processes"]) == [f"generator {n}" for n in range(1, workers + 1)]
    assert all(process["available"] for process in result["generator"]["processes"].values())
    assert result["totals"]["sent"] == server.requests.total() == 40
    assert ("the load can be shared by 4" in ran.err) == (asked == "9")


@pytest.mark.parametrize("asked", ["x", "-1", "1.5", ""])
def test_other_numbers_are_wrong_usage(scenario, asked):
    """What is neither a number nor `auto` is told before anything is sent."""
    ran = stressrunner(scenario, "--workers", asked, BASE_URL="http://127.0.0.1:9")
    assert ran.code == 2
    assert "--workers" in ran.err


def test_generators_are_nobodys_monitored_command(scenario):
    """A generator that was forked has the command line of the run, which a monitor's command does not fit by that."""
    with recording_server() as server:
        monitors = f'monitors={{me: {{command: "{scenario.name}"}}}}'
        ran = stressrunner(scenario, "--set", monitors, "--report", "json", BASE_URL=server.url)
    monitored = json.loads(ran.out)["monitors"]["me"]
    assert not monitored["available"]
    assert "no command line of a process has 'fleet.yaml' in it" in ran.out


@contextmanager
def long_run(scenario, server, *more):
    """Run for a minute with two workers; yields the process and its generators once they send."""
    command = [sys.executable, "-m", "stressrunner", scenario, "--workers", "2"]
    running = subprocess.Popen(
        [*command, "--set", "load={concurrency: 4, duration: 60s}", *more],
        cwd=ROOT,
        env=environment(BASE_URL=server.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        server.wait_for(50)
        yield running, psutil.Process(running.pid).children()
    finally:
        running.kill()
        running.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_generator_that_is_killed_makes_the_run_invalid(scenario, tmp_path):
    """`kill -9` of one of two: exit code 4, which one and when, and all that was measured until then."""
    result_file = tmp_path / "r.json"
    with (
        recording_server() as server,
        long_run(scenario, server, "--report", f"json={result_file}") as (
            running,
            generators,
        ),
    ):
        assert len(generators) == 2
        server.wait_for(server.requests.total() + 800)  # more than a second: some of it has been polled
        generators[1].send_signal(signal.SIGKILL)
        out, err = running.communicate(timeout=20)
        assert psutil.wait_procs(generators, timeout=5)[1] == []
    assert running.returncode == 4, err
    result = json.loads(result_file.read_text("utf-8"))
    assert result["verdict"]["outcome"] == result["validity"]["state"] == "invalid"
    reason = result["verdict"]["reasons"][0]  # a busy machine may add that the other one was late
    assert reason.startswith("generator 2 of 2 died ")
    assert reason.endswith(" s into the load (signal 9)")
    assert 0 < result["totals"]["ok"] <= server.requests.total()
    assert result["totals"]["response_time"]["p50_s"] is not None
    assert reason in out


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_generators_do_not_outlive_their_coordinator(scenario):
    """`kill -9` of the command itself: its pipes close, and with them the load ends."""
    with recording_server() as server, long_run(scenario, server) as (running, generators):
        running.send_signal(signal.SIGKILL)
        running.wait(5)
        assert psutil.wait_procs(generators, timeout=5)[1] == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_an_interrupt_is_the_coordinators(scenario, tmp_path):
    """Ctrl-C stops the load in all processes, and nothing of what they measured is missing."""
    result_file = tmp_path / "r.json"
    with (
        recording_server() as server,
        long_run(scenario, server, "--report", f"json={result_file}") as (running, _),
    ):
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    assert running.returncode == 130, err
    result = json.loads(result_file.read_text("utf-8"))
    assert result["totals"]["sent"] >= server.requests.total()
    assert result["totals"]["sent"] - server.requests.total() <= result["totals"]["unfinished"] <= 4


TOKENS = """
stressrunner: 1
name: tokens
target:
  base_url: "demo://agents?latency=1ms&jitter=0ms&api_key=right-secret"
  auth: {oauth2: {token_url: /oauth2/token, client_id: me, client_secret: "${SECRET}"}}
endpoints:
  list: {get: /api/v1/agent/list, checks: status == 200}
load: {concurrency: 2, requests: 20}
"""


@pytest.mark.parametrize(
    ("secret", "code", "kinds", "failures"), [("right-secret", 0, [], 0), ("wrong-secret", 4, ["auth"], 4)]
)
def test_each_generator_has_a_token_of_its_own(tmp_path, secret, code, kinds, failures):
    """Two generators fetch a token each before they send; where they get none, nothing can be sent, and that is said."""
    path = tmp_path / "tokens.yaml"
    path.write_text(TOKENS, "utf-8")
    ran = stressrunner(path, "--workers", "2", "--report", "json", SECRET=secret)
    result = json.loads(ran.out)
    assert (ran.code, result["totals"]["sent"]) == (code, 0 if failures else 20), ran.err
    assert ("the token endpoint replied with 401" in str(result["verdict"]["reasons"])) == bool(failures)
    assert [group["kind"] for group in result["errors"]] == kinds
    # A secret that is refused in a header is tried in the body.
    assert result["generator"]["token_requests"] == (4 if failures else 2)
    assert result["generator"]["token_failures"] == failures


FILES = """
stressrunner: 1
name: files
target: {base_url: "${BASE_URL}"}
feeders: {rows: {file: rows.csv, order: shuffled, on_end: stop}}
endpoints:
  plain: {post: "/plain/{{ rows.id }}", body_file: plain.bin}
  filled: {post: "/filled/{{ rows.id }}", body_file: filled.txt.j2}
load: {concurrency: 4, requests: 60}
"""


def test_files_reach_every_generator(tmp_path):
    """Generators read the files of bodies themselves, and draw the rows of a large file without overlap."""
    path = tmp_path / "files.yaml"
    path.write_text(FILES, "utf-8")
    (tmp_path / "plain.bin").write_bytes(b"\xff{{ no placeholder }}")
    (tmp_path / "filled.txt.j2").write_text("{% for n in [1, 2] %}{{ n }}{% endfor %} {{ rows.id }}", "utf-8")
    (tmp_path / "rows.csv").write_text("id\n" + "".join(f"{i:09}\n" for i in range(110_000)), "utf-8")
    with recording_server() as server:
        ran = stressrunner(path, "--workers", "2", "--quiet", BASE_URL=server.url)
    assert ran.code == 0, ran.err
    assert server.requests.total() == 60
    assert len({target.rpartition("/")[2] for _, target, _ in server.requests}) == 60
    for _, target, body in server.requests:
        row = target.rpartition("/")[2].encode()
        assert body == (b"\xff{{ no placeholder }}" if target.startswith("/plain") else b"12 " + row)
