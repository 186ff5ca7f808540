"""Load for another machine needs consent. The strangers here are names behind a proxy on this machine."""

import json
import os
import select
import shutil
import subprocess
import sys
import time

import pytest
from command import environment, stressrunner
from fleet.recording_server import recording_server

SCENARIO = """\
stressrunner: 1
name: elsewhere
target: {base_url: "http://api.example", proxy: "%s"}
endpoints: {home: {get: /}}
load: {concurrency: 1, requests: 3}
"""
ASKS = "api.example (no address known here) is neither this machine nor listed under target.allow_hosts"


@pytest.fixture
def elsewhere(tmp_path):
    """A scenario for another machine, and the proxy of this one that counts what is sent there."""
    with recording_server() as proxy:
        path = tmp_path / "elsewhere.yaml"
        path.write_text(SCENARIO % proxy.url, "utf-8")
        yield path, proxy


def test_nothing_is_sent_where_nobody_can_be_asked(elsewhere):
    """Without a terminal a stranger is exit code 2, and the message says what to do."""
    path, proxy = elsewhere
    ran = stressrunner(path, "--workers", "0")
    assert ran.code == 2
    assert ran.err == (
        f"{ASKS}: nothing was sent; if it is yours to load, list it under target.allow_hosts, or give --yes\n"
    )
    assert proxy.requests.total() == 0


@pytest.mark.parametrize("consent", [["--yes"], ["--set", "target.allow_hosts=[api.example]"]])
def test_consent_is_given_beforehand(elsewhere, consent):
    """`--yes` and a listed host send without a question."""
    path, proxy = elsewhere
    assert stressrunner(path, "--workers", "0", "-q", *consent).code == 0
    assert proxy.requests.total() == 3


def on_a_terminal(path, answer, **variables):
    """Run with a terminal as stdin and stderr, and type an answer once it is asked for; return code and screen."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
    if shutil.which("setsid") is None:
        pytest.skip("setsid gives a process its terminal, and is not here")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stressrunner", str(path), "--workers", "0", "-q"]
    given = {k: v for k, v in environment(**variables).items() if k != "CI" or "CI" in variables}
    # The terminal is the one that controls the process, so that a Ctrl-C typed there interrupts it.
    running = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command], stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs, env=given
    )  # fmt: skip
    os.close(theirs)
    seen, deadline = b"", time.monotonic() + 30
    try:
        while b"[y/N]" not in seen:
            seen += os.read(ours, 1000)
        os.write(ours, answer)
        while True:
            if select.select([ours], [], [], 3)[0]:
                seen += os.read(ours, 1000)
            elif time.monotonic() > deadline:
                running.kill()
            elif answer == b"\x03":
                # One that comes just before the process begins to read is noticed with the next one.
                os.write(ours, answer)
    except OSError:  # which is how a terminal says that nobody is at its other end
        pass
    finally:
        os.close(ours)
    return running.wait(20), seen.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("answer", "code", "sent"), [(b"y\n", 0, 3), (b"n\n", 2, 0), (b"\n", 2, 0), (b"\x03", 130, 0)]
)
def test_a_terminal_is_asked_once(elsewhere, answer, code, sent):
    """The person at the terminal decides; no is the default, and Ctrl-C ends the question."""
    path, proxy = elsewhere
    ended, screen = on_a_terminal(path, answer)
    assert ended == code
    assert proxy.requests.total() == sent
    assert screen.startswith(f"{ASKS}.\nSend load to api.example (no address known here)? [y/N]: ")
    # A terminal shows the question again to who interrupts it twice, as `on_a_terminal` may have to.
    assert screen.count("[y/N]") == 1 or "^C^C" in screen


def test_a_build_server_is_not_asked(elsewhere):
    """Where CI is set there is nobody to answer, even at a terminal."""
    path, proxy = elsewhere
    code, screen = on_a_terminal(path, b"", CI="true")
    assert code == 2
    assert "give --yes" in screen
    assert proxy.requests.total() == 0


@pytest.mark.parametrize("workers", ["0", "1"])
def test_requests_do_not_leave_the_hosts(tmp_path, workers):
    """A path that is a URL of another host fails as not_allowed with nothing sent, whichever way requests are run."""
    result_file = tmp_path / "r.json"
    ran = stressrunner(
        "scenarios/hello.yaml", "-q", "--workers", workers, "--set", "load={concurrency: 2, requests: 10}",
        "--set", "endpoints.health.get={{ 'http://elsewhere.example/x' }}", "--report", f"json={result_file}",
    )  # fmt: skip
    assert ran.code == 3, ran.err
    result = json.loads(result_file.read_text("utf-8"))
    (error,) = result["errors"]
    assert (error["kind"], error["count"]) == ("not_allowed", 10)
    assert result["totals"]["bytes_sent"] == 0


def test_setup_does_not_leave_the_hosts_either(tmp_path):
    """Steps around the load are held to the same hosts."""
    result_file = tmp_path / "r.json"
    ran = stressrunner(
        "scenarios/hello.yaml", "-q", "--set", "load={concurrency: 1, requests: 1}",
        "--set", "setup=[{get: \"{{ 'http://elsewhere.example/x' }}\"}]", "--report", f"json={result_file}",
    )  # fmt: skip
    assert ran.code in (3, 4), ran.err
    assert "nor among target.allow_hosts" in result_file.read_text("utf-8")
