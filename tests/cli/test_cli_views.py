"""Who shows a run while it is under way, and the plain lines."""

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from command import ROOT, environment
from made_progress import EMPTY, RUNNING, second

from stressrunner.cli.live_view import LiveView
from stressrunner.cli.progress import left_s, progress_line
from stressrunner.cli.views import LineView, view_on
from stressrunner.metrics.delta import Delta
from stressrunner.run.listener import ErrorProgress


class Terminal(io.StringIO):
    """A workload that says that it is a terminal."""

    def isatty(self):
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("workload", "term", "kind"),
    [
        (Terminal(), "xterm-256color", LiveView),
        (Terminal(), "dumb", LineView),
        (Terminal(), "unknown", LineView),
        (io.StringIO(), "xterm-256color", LineView),
    ],
)
def test_only_a_terminal_that_moves_its_cursor_is_drawn_on(workload, term, kind):
    """Pipes, files and dumb terminals get lines."""
    assert type(view_on(workload, {"TERM": term})) is kind


def test_a_line_at_once_and_then_every_ten_seconds():
    """A log of a pipeline shows that the load has begun, and does not fill up."""
    workload = io.StringIO()
    view = LineView(workload)
    for n in range(1, 32):
        view.progress(second(n), Delta())
    view.note("of no interest")
    view.close()
    lines = workload.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["1 s", "11 s", "21 s", "31 s"]


def test_everything_is_told_when_that_is_wanted():
    """Notes, and each kind of error when it is first seen."""
    workload = io.StringIO()
    view = LineView(workload, verbose=True)
    view.note("target https://staging.example.com")
    for n in range(1, 4):
        view.progress(second(n), Delta())
    lines = workload.getvalue().splitlines()
    assert lines[0] == "target https://staging.example.com"
    assert lines[1:5] == [
        "1 s  first http 503: status was 503",
        "1 s  first check with status 404: body.ok: body.ok was False",
        "1 s  first timeout: no answer within 30 s",
        "1 s  first check with status 404: body.n: body.n was 0",
    ]
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (
            RUNNING,
            "21 s  hold  [#####...........]  35%  1,650 done  31 failed  82.5/s of 85/s  17 in flight  p50 170 ms  p95 330 ms  p99 870 ms  2 broken",
        ),
        (
            EMPTY,
            "0 s  load  [................]   0%  0/1,000 done  0 failed  0/s  0 in flight  p50 -  p95 -  p99 -",
        ),
    ],
)
def test_a_line_tells_where_the_load_stands(progress, line):
    """How far it is, what was done, the rate beside what is offered, times, and how many thresholds are broken."""
    assert progress_line(progress, 160) == line


def test_a_line_tells_that_users_are_not_set_up():
    """Else a load that waits for logins would say `0 done  0 failed` until it ends; other kinds are counted as failed."""
    errors = (ErrorProgress("timeout", 9, ""), ErrorProgress("user_setup: http 401", 1_181, "status was 401"))
    assert progress_line(replace(EMPTY, errors=errors), 160).endswith("  1,181 x user_setup: http 401")
    assert "timeout" not in progress_line(replace(EMPTY, errors=errors[:1]), 160)


@pytest.mark.parametrize("width", [12, 20, 40, 60, 79, 100, 160])
def test_a_line_fits(width):
    """What matters least is left out first; what is done and what failed stay as long as they can."""
    line = progress_line(RUNNING, width)
    assert len(line) <= width
    assert ("1,650 done" in line) == (width >= 20)


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, 39.0),
        ({"at_s": 61.0}, 0.0),
        ({"planned_s": None}, None),
        ({"planned_s": None, "planned": 3300}, 21.0),
        ({"planned_s": None, "planned": 3300, "completed": 0}, None),
    ],
)
def test_time_left(changes, left):
    """It is known where time ends the load, and estimated by the rate so far where work does."""
    assert left_s(replace(RUNNING, **changes)) == left


def test_a_run_is_shown_on_a_terminal_and_leaves_it_clean():
    """The command draws on stderr where that is a terminal, takes the view away, and gives the cursor back."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
    master, slave = pty.openpty()
    terminal = environment(TERM="xterm-256color", COLUMNS="80", LINES="30")
    command = [sys.executable, "-m", "stressrunner", "scenarios/hello.yaml", "--set", "load.duration=1200ms"]
    with subprocess.Popen(
        command, cwd=ROOT, env=terminal, stdout=subprocess.DEVNULL, stderr=slave, stdin=subprocess.DEVNULL
    ) as running:
        os.close(slave)
        screen = b""
        with contextlib.suppress(OSError):  # which is how a terminal says that nobody is at its other end
            while piece := os.read(master, 65536):
                screen += piece
        assert running.wait(30) == 0
    os.close(master)
    drawn, _, after = screen.decode().rpartition("generator")
    assert "\x1b[?25l" in drawn
    assert "rate" in drawn
    assert "\x1b[?25h" in after
    assert screen.count(b"\x1b[?1049h") == 1
    assert "\x1b[?1049l" in after
