"""Ends before any load: whichever signal comes and whatever the command is busy with, one line, exit code 130, nothing left."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest
from command import environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")

WITHIN_S = 30
CONNECT_TIMEOUT_S = 40
MORE_THAN_A_PIPE_HOLDS = 2_000_000
SCENARIO = """\
stressrunner: 1
name: early
target: {base_url: "%s", timeout: {connect: 40s}}
endpoints: {held: {get: /}}
load: {concurrency: 1, requests: 1}
"""
SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"]
RUN = [sys.executable, "-m", "stressrunner", "run", "-q", "--workers", "2", "--report=json=r.json"]


@contextmanager
def started(words, folder, **files):
    """Yield a command under way, in a folder of its own."""
    command = subprocess.Popen(
        words, cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True, **files
    )
    try:
        yield command
    finally:
        command.kill()
        command.communicate(timeout=WITHIN_S)


def wait_for(condition):
    """Return what a condition gives as soon as that is true."""
    until = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < until
        os.sched_yield()
    return found


def ended_by(name, command, *, with_children):
    """Send a signal once, and hold that the command ends in order with all processes that it started."""
    of_it = psutil.Process(command.pid)
    children = wait_for(lambda: of_it.children(recursive=True)) if with_children else []
    command.send_signal(signal.Signals[name])
    _, err = command.communicate(timeout=WITHIN_S)
    assert (command.returncode, err.split()) == (130, ["interrupted"])
    _, left = psutil.wait_procs(children, timeout=WITHIN_S)
    assert left == []


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize(
    "words",
    [["run", "-q", "--workers", "2", "/dev/stdin"], ["import", "har", "-"], ["import", "curl", "fifo"]],
)
def test_while_something_is_read_that_never_ends(words, name, tmp_path):
    """A pipe whose writer takes its time is waited for, and a signal ends that at once."""
    os.mkfifo(tmp_path / "fifo")
    reader, writer = os.pipe()
    try:
        with started([sys.executable, "-m", "stressrunner", *words], tmp_path, stdin=reader) as command:
            fill(tmp_path / "fifo" if "fifo" in words else writer)
            # In between, a signal would be seen with the next piece.
            wait_for(lambda: psutil.Process(command.pid).status() == psutil.STATUS_SLEEPING)
            ended_by(name, command, with_children=words[0] == "run")
    finally:
        os.close(reader)
        os.close(writer)
    assert [path.name for path in tmp_path.iterdir()] == ["fifo"]


def fill(pipe):
    """Write more to a pipe than it holds, and return when somebody has begun to read it."""
    descriptor = pipe if isinstance(pipe, int) else os.open(pipe, os.O_WRONLY)
    left = MORE_THAN_A_PIPE_HOLDS
    while left:
        left -= os.write(descriptor, b" " * left)


@pytest.mark.parametrize("name", SIGNALS)
def test_while_the_embedded_target_starts(name, tmp_path):
    """The target in the making goes with the run."""
    (tmp_path / "early.yaml").write_text(SCENARIO % "demo://agents", "utf-8")
    with started([*RUN, "early.yaml"], tmp_path) as command:
        wait_for(lambda: any("stressrunner.demo" in each for each in command_lines(command.pid)))
        command.send_signal(signal.Signals[name])
        _, err = command.communicate(timeout=WITHIN_S)
    assert command.returncode == 130, err
    assert "Traceback" not in err
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left in (["early.yaml"], ["early.yaml", "r.json"])  # the load may have begun meanwhile


@pytest.mark.parametrize("name", SIGNALS)
def test_while_the_target_does_not_answer(name, tmp_path):
    """A handshake that nobody answers is not waited for: what is reported is that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        (tmp_path / "early.yaml").write_text(SCENARIO % url, "utf-8")
        with started([*RUN, "early.yaml"], tmp_path) as command:
            server.settimeout(WITHIN_S)
            connection, _ = server.accept()
            with connection:
                connection.settimeout(WITHIN_S)
                assert connection.recv(1)  # the handshake has begun
                began = time.monotonic()
                command.send_signal(signal.Signals[name])
                _, err = command.communicate(timeout=WITHIN_S)
    assert (command.returncode, err) == (130, "")
    assert time.monotonic() - began < CONNECT_TIMEOUT_S / 2
    result = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert result["verdict"]["outcome"] == "aborted"
    assert result["totals"]["sent"] == 0


def test_an_interrupt_that_was_caught_is_told_by_the_exit_code(tmp_path):
    """Where it came while code was made from a text, the interpreter would else end itself by the signal."""
    code = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'stressrunner.cli.app':\n"
        "            exec('os.kill(os.getpid(), signal.SIGTERM)')\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from stressrunner.__main__ import main\n"
        "main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert (ended.returncode, ended.stderr) == (130, "interrupted\n")


def command_lines(pid):
    """Return the words of all processes that a process has started."""
    found = []
    for child in psutil.Process(pid).children():
        try:
            found.append(child.cmdline())
        except psutil.NoSuchProcess:
            continue
    return found
