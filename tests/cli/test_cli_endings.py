"""However a command's streams are, and however it is ended: no traceback, the exit code of what happened, nothing half-written."""

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from command import ROOT, environment
from hosting.handler_server import QuietHandler, serving

from stressrunner.cli.interrupts import interruptible, watch_handlers
from stressrunner.scratch import replacing

SCENARIO = """\
stressrunner: 1
name: Endings
target: {base_url: "%s", timeout: 20s}
endpoints: {held: {get: /}}
load: {concurrency: 2, requests: 100}
thresholds: ["errors < 100%%"]
"""
COMMAND = f"{sys.executable} -m stressrunner"
STRESSED = "run scenarios/agent_run.yaml --set load.concurrency=2 --set load.requests=10 --set thresholds+='count < 5'"
#: Shell commands, and the exit codes of all in the pipe.
STREAMS = {
    "a full disk": (f"{COMMAND} {STRESSED} > /dev/full", [3]),
    "a full disk, and nothing else to do": (f"{COMMAND} explain scenarios/agent_run.yaml > /dev/full", [2]),
    "a report on a full disk": (f"{COMMAND} {STRESSED} --report json=/dev/full > /dev/null", [3]),
    "a reader that has gone": (f"{COMMAND} {STRESSED} --report html | true", [3, 0]),
    "no reader of a short output": (f"{COMMAND} explain scenarios/agent_run.yaml | true", [0, 0]),
    "no stderr": (f"{COMMAND} {STRESSED} 2>&- > /dev/null", [3]),
    "no stream at all": (f"{COMMAND} {STRESSED} <&- >&- 2>&-", [3]),
    "an old encoding": (f"PYTHONIOENCODING=cp1252 {COMMAND} {STRESSED} --report markdown > /dev/null", [3]),
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("case", STREAMS)
def test_the_exit_code_is_that_of_what_happened(case):
    """Streams that are full, closed, or of an encoding without our marks change neither the exit code nor end in a traceback."""
    command, codes = STREAMS[case]
    ran = subprocess.run(
        ["bash", "-c", f"exec 9>&1; {command} 9>&-; echo ${{PIPESTATUS[*]}} >&9"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        encoding="cp1252",
        timeout=60,
        check=False,
    )
    assert ran.stdout.split() == [str(code) for code in codes], ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Exception" not in ran.stderr
    told = "could not be written: " in ran.stderr and "No space left on device" in ran.stderr
    assert told == ("full disk" in case)


def test_marks_are_written_in_ascii_where_the_encoding_has_none():
    """A terminal of an old encoding gets a report of the same lines, with ASCII in the place of marks."""
    ran = subprocess.run(
        ["bash", "-c", f"PYTHONIOENCODING=cp1252 {COMMAND} {STRESSED}"],
        cwd=ROOT, env=environment(), capture_output=True, encoding="cp1252", timeout=60, check=False,
    )  # fmt: skip
    assert "x FAILED" in ran.stdout
    assert ran.stdout.startswith("=====")
    assert "\\u" not in ran.stdout


class Held(QuietHandler):
    """Answers the first request and holds the others."""

    lock = threading.Lock()
    count = 0
    held = threading.Event()
    released = threading.Event()

    def do_GET(self):  # noqa: N802  the name that the server looks for
        """Answer, at once or when the test is over."""
        kind = type(self)
        with self.lock:
            kind.count += 1
            number = kind.count
        if number > 1:
            kind.held.set()
            kind.released.wait(20)
        self.reply(200, b"{}")


@contextmanager
def held_run(folder, *reports):
    """Yield a run under way: one request was answered, the next ones wait."""
    kind = type("Held", (Held,), {"held": threading.Event(), "released": threading.Event()})
    with serving(kind) as url:
        (folder / "endings.yaml").write_text(SCENARIO % url, "utf-8")
        words = [sys.executable, "-m", "stressrunner", "run", "endings.yaml", "-q", *reports]
        run = subprocess.Popen(
            words, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            assert kind.held.wait(20)
            yield run
        finally:
            kind.released.set()
            run.kill()
            run.communicate(timeout=20)


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_a_run_that_is_ended_reports_what_it_measured(name, tmp_path):
    """The end of the terminal, a Ctrl-C and `kill` alike: exit code 130, reports and samples whole, nothing left behind."""
    with held_run(tmp_path, "--report=json=r.json", "--report=samples=s.csv") as run:
        run.send_signal(signal.Signals[name])
        if name == "SIGHUP":
            run.send_signal(signal.SIGHUP)  # as a terminal may that is closed
        _, err = run.communicate(timeout=20)
    assert run.returncode == 130, err
    result = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert result["verdict"]["outcome"] == "aborted"
    assert result["totals"]["sent"] >= 2
    assert len((tmp_path / "s.csv").read_text("utf-8").splitlines()) >= 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["endings.yaml", "r.json", "s.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no locks that end with a process")
def test_what_a_killed_run_leaves_is_cleared_by_the_next(tmp_path):
    """A run that was killed leaves a folder in the making and no report; the next run of the same folder removes it."""
    with held_run(tmp_path, "--report=samples=s.csv") as run:
        run.kill()
        run.wait(20)
    assert list(tmp_path.glob(".stressrunner-*"))
    with held_run(tmp_path, "--report=samples=s.csv") as run:
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["endings.yaml", "s.csv"]


def test_a_folder_in_use_is_not_cleared(tmp_path):
    """Two that write beside each other keep out of each other's way."""
    with replacing(tmp_path / "a.txt") as first:
        first.write("first")
        with replacing(tmp_path / "b.txt") as second:
            second.write("second")
    assert (tmp_path / "a.txt").read_text("utf-8") == "first"
    assert (tmp_path / "b.txt").read_text("utf-8") == "second"
    assert len(list(tmp_path.iterdir())) == 2


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path):
    """What fails in the middle of writing leaves the file as it was; a file keeps its mode, and a link what it leads to."""
    report, link = tmp_path / "r.txt", tmp_path / "link"
    report.write_text("old", "utf-8")
    report.chmod(0o640)
    link.symlink_to(report)

    def interrupted():
        with replacing(link) as file:
            file.write("new")
            assert report.read_text("utf-8") == "old"
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        interrupted()
    assert report.read_text("utf-8") == "old"
    with replacing(link) as file:
        file.write("new")
    assert report.read_text("utf-8") == "new"
    assert report.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself an interrupt there")
def test_interrupts_are_seen_where_the_loop_cannot_receive_them():
    """By handlers, as on Windows: the first Ctrl-C asks the work to end, and handlers are what they were afterwards."""
    before = signal.getsignal(signal.SIGINT)

    async def work(interrupted):
        unwatched = signal.getsignal(signal.SIGINT)
        with anyio.fail_after(20):
            while signal.getsignal(signal.SIGINT) is unwatched:
                await anyio.lowlevel.checkpoint()
            os.kill(os.getpid(), signal.SIGINT)
            await interrupted.wait()
        return "measured"

    async def whole():
        return await interruptible(work, watch_handlers)

    assert anyio.run(whole) == "measured"
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_while_starting_leaves_no_traceback():
    """A Ctrl-C while packages are imported is an interrupt too."""
    code = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'stressrunner.cli.app':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from stressrunner.__main__ import main\n"
        "main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (130, "interrupted\n")
