"""Watching real processes: what they use is seen, and their coming and going is survived."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import NoReturn

import psutil
import pytest

from stressrunner.monitor.lookup import FoundProcess, find
from stressrunner.monitor.process import Watch, _CpuMeter

#: A process that does what its input says, line by line, and answers each line with one of its own.
OBEDIENT = """
import os, socket, subprocess, sys, time
kept, children = [], []
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    answer = "done"
    if word == "allocate":
        kept.append(bytearray(os.urandom(1)) * int(rest))
    elif word == "burn":
        end = time.process_time() + float(rest)
        while time.process_time() < end: pass
    elif word == "open":
        kept.extend(open(os.devnull) for _ in range(int(rest)))
    elif word == "connect":
        kept.append(socket.create_connection(("127.0.0.1", int(rest))))
    elif word == "spawn":
        child = subprocess.Popen([sys.executable, "-c", rest], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        children.append(child)
        answer = str(child.pid)
    elif word == "reap":
        child = children.pop()
        child.stdin.close(); child.wait(); child.stdout.close()
    elif word == "abandon":
        children[-1].stdin.close()
        os.waitid(os.P_PID, children[-1].pid, os.WEXITED | os.WNOWAIT)
    print(answer, flush=True)
"""
BURNT_CHILD = (
    "import sys,time; e=time.process_time()+0.3; exec('while time.process_time()<e: pass'); "
    "print('ready', flush=True); sys.stdin.read()"
)
IDLE_CHILD = "import sys; print('ready', flush=True); sys.stdin.read()"


class Obedient:
    """The other end of such a process."""

    def __init__(self, process: subprocess.Popen) -> None:
        self._process = process
        self.pid = process.pid

    def do(self, order: str) -> str:
        """Have one order carried out, and return the answer."""
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        """Let the process end, and wait for it."""
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def obedient_process() -> Iterator[Obedient]:
    """Run one until the block ends."""
    command = [sys.executable, "-c", OBEDIENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        obedient = Obedient(process)
        try:
            yield obedient
        finally:
            obedient.end()


@pytest.fixture
def target():
    """A process that does what it is told."""
    with obedient_process() as process:
        assert process.do("begin") == "done"  # Python has started and takes nothing more by itself
        yield process


def test_memory_files_and_connections_are_seen(target):
    """What the process takes shows in the next look, and the highest of each is kept."""
    watch = Watch(find(pid=target.pid))
    watch.look(0.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        target.do("allocate 30000000")
        target.do("open 10")
        target.do(f"connect {server.getsockname()[1]}")
        fresh = Watch(find(pid=target.pid))
        watch.look(1.0)
        fresh.look(1.0)
    before, after = watch.figures().points
    assert after.memory_bytes - before.memory_bytes > 25_000_000
    assert after.open_files == before.open_files + 11
    assert before.connections == 0
    assert fresh.figures().connections_max == 1
    figures = watch.figures()
    assert figures.memory_max_bytes == after.memory_bytes
    assert figures.memory_growth_bytes == after.memory_bytes - before.memory_bytes
    assert figures.open_files_max == after.open_files


def test_cpu_is_in_cores(target):
    """0.3 CPU seconds within a second of the load are 0.3 cores."""
    watch = Watch(find(pid=target.pid))
    watch.look(0.0)
    target.do("burn 0.3")
    watch.look(1.0)
    watch.look(2.0)
    figures = watch.figures()
    assert figures.cpu_max == pytest.approx(0.3, abs=0.1)
    assert figures.cpu_mean == pytest.approx(0.15, abs=0.05)


def test_children_are_included_and_what_they_burnt_is_kept(target):
    """A worker that came and went between looks two and three has used its CPU for good."""
    watch = Watch(find(pid=target.pid))
    watch.look(0.0)
    target.do(f"spawn {BURNT_CHILD}")
    watch.look(1.0)
    with_child = watch.figures().points[-1]
    target.do("reap")
    watch.look(2.0)
    alone, figures = watch.figures().points[-1], watch.figures()
    assert with_child.memory_bytes > alone.memory_bytes
    assert with_child.cpu > 0.25
    assert alone.cpu < 0.2
    assert figures.cpu_mean > 0.12


def test_a_child_that_nobody_waited_for_uses_nothing(target):
    """A zombie is passed over, and what it burnt before stays."""
    watch = Watch(find(pid=target.pid))
    watch.look(0.0)
    target.do(f"spawn {BURNT_CHILD}")
    watch.look(1.0)
    target.do("abandon")
    watch.look(2.0)
    _, with_child, alone = watch.figures().points
    assert alone.open_files < with_child.open_files
    assert watch.figures().cpu_mean > 0.12
    target.do("reap")


class Guarded:
    """A process of another user, as psutil shows it: some things are told, the others denied."""

    pid = 4711

    def __init__(self, *, tells_memory: bool) -> None:
        self._tells_memory = tells_memory

    def _deny(self, *_: object, **__: object) -> NoReturn:
        raise psutil.AccessDenied(self.pid)

    num_fds = net_connections = _deny

    def is_running(self) -> bool:
        """It is."""
        return True

    def status(self) -> str:
        """It waits."""
        return psutil.STATUS_SLEEPING

    def children(self, recursive: bool) -> list[psutil.Process]:
        """It has none."""
        return []

    def oneshot(self) -> nullcontext:
        """Nothing is cached."""
        return nullcontext()

    def cpu_times(self) -> SimpleNamespace:
        """It has hardly run."""
        return SimpleNamespace(user=0.5, system=0.25)

    def memory_info(self) -> SimpleNamespace:
        """It tells if it was made so."""
        return SimpleNamespace(rss=1000) if self._tells_memory else self._deny()


def test_what_is_denied_is_unknown_and_not_zero():
    """Without permission there are no counts of files and connections; the rest is measured."""
    watch = Watch(FoundProcess(Guarded(tells_memory=True), "pid 4711"))
    watch.look(0.0)
    watch.look(1.0)
    figures = watch.figures()
    assert (figures.available, figures.memory_max_bytes, figures.cpu_mean) == (True, 1000, 0.0)
    assert (figures.open_files_max, figures.connections_max) == (None, None)


def test_a_process_that_may_not_be_looked_at_has_a_reason():
    """When even its memory is denied there are no figures."""
    watch = Watch(FoundProcess(Guarded(tells_memory=False), "pid 4711"))
    watch.look(0.0)
    assert (watch.figures().available, watch.figures().reason) == (False, "this user may not look at it")


def test_a_process_that_was_never_looked_at_says_so():
    """A load that could not begin has no figures of anything."""
    assert Watch(find(pid=os.getpid())).figures().reason == "it was never looked at"


def test_descendants_that_stand_apart_are_left_out(target):
    """What is measured under another name is not counted twice."""
    apart = int(target.do(f"spawn {IDLE_CHILD}"))
    whole, alone = Watch(find(pid=target.pid)), Watch(find(pid=target.pid), apart=[apart])
    whole.look(0.0)
    alone.look(0.0)
    assert whole.figures().memory_max_bytes > alone.figures().memory_max_bytes
    target.do("reap")


def test_an_end_under_load_is_told(target):
    """A process that dies keeps its figures, and the reason says when that was noticed."""
    watch = Watch(find(pid=target.pid))
    watch.look(0.0)
    watch.look(1.0)
    target.end()
    watch.look(2.5)
    watch.look(3.5)
    watch.finish(4.0)
    figures = watch.figures()
    assert figures.available
    assert figures.reason == "it ended under load, noticed after 2.5 s"
    assert [point.at_s for point in figures.points] == [0.0, 1.0]


def test_an_end_before_the_first_look_leaves_no_figures(target):
    """Nothing is measured, so nothing is available."""
    watch = Watch(find(pid=target.pid))
    target.end()
    watch.look(0.0)
    figures = watch.figures()
    assert not figures.available
    assert "it ended" in figures.reason
    assert figures.cpu_mean is None


def test_a_process_that_was_not_found_has_a_reason():
    """Its figures are not available and say why."""
    watch = Watch(FoundProcess(None, "pid 4711", "there is no process 4711"))
    watch.look(0.0)
    watch.finish(1.0)
    figures = watch.figures()
    assert (figures.available, figures.label, figures.reason) == (
        False,
        "pid 4711",
        "there is no process 4711",
    )


def test_looks_after_the_last_one_are_ignored():
    """Idle time after the load would pull means down."""
    watch = Watch(find(pid=os.getpid()))
    watch.look(0.0)
    watch.finish(1.0)
    watch.look(2.0)
    assert [point.at_s for point in watch.figures().points] == [0.0, 1.0]
    assert watch.figures().reason == ""


def test_growth_is_of_the_measured_time_only(target):
    """What was allocated during a warm-up is no growth under load."""
    watch = Watch(find(pid=target.pid))
    watch.look(0.0)
    target.do("allocate 30000000")
    for at_s in (10.0, 11.0, 12.0):
        watch.look(at_s)
    assert watch.figures().memory_growth_bytes > 25_000_000
    assert abs(watch.figures(since_s=5.0).memory_growth_bytes) < 1_000_000


def test_two_looks_in_quick_succession_do_not_make_a_peak():
    """Between looks a moment apart the kernel's counters tell nothing, so the figure before stands."""
    process, meter = psutil.Process(), _CpuMeter()
    assert meter.read(0.0, {process: 5.0}) == 0.0
    assert meter.read(1.0, {process: 5.5}) == 0.5
    assert meter.read(1.01, {process: 5.53}) == 0.5
    assert meter.highest == 0.5
    assert meter.mean == pytest.approx(0.53 / 1.01)


def test_a_short_load_has_its_mean_for_a_peak():
    """When no two looks were far enough apart, the mean is the best that is known."""
    process, meter = psutil.Process(), _CpuMeter()
    assert (meter.mean, meter.highest) == (None, None)
    meter.read(0.0, {process: 1.0})
    meter.read(0.1, {process: 1.05})
    assert meter.highest == meter.mean == pytest.approx(0.5)


def test_a_root_that_ends_under_load_is_told():
    """A root process that ends is told apart from children that do; at the end of the load it may."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        watch, finished = Watch(find(pid=process.pid)), Watch(find(pid=process.pid))
        for one in (watch, finished):
            one.look(1.0)
        finished.finish(2.0)
        process.kill()
        process.wait()
        watch.look(3.0)
        finished.look(3.0)
    assert watch.figures().ended == "it ended under load, noticed after 3.0 s"
    assert finished.figures().ended == ""


def test_a_process_may_be_started_again():
    """Where restarts are allowed the next process is watched, and memory growth is that of one life."""
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as first,
        subprocess.Popen(
            [sys.executable, "-c", IDLE_CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as second,
    ):
        there = [FoundProcess(None, "port 1", "no process listens"), find(pid=second.pid)]
        watch = Watch(find(pid=first.pid), again=lambda: there.pop(0))
        watch.look(1.0)
        first.kill()
        first.wait()
        for at_s in (2.0, 3.0):
            watch.look(at_s)
        away = watch.figures()
        for at_s in (4.0, 5.0):
            watch.look(at_s)
        figures = watch.figures()
        second.kill()
    assert (figures.ended, len(figures.points)) == ("", 3)
    assert str(second.pid) in figures.label
    assert away.reason == "it ended, and was not started again"
    assert figures.reason == "it was started again once"


def test_growth_is_the_largest_of_one_life():
    """Two lives of which one grows are not taken for a process that shrinks or grows as a whole."""
    watch = Watch(FoundProcess(None, "x", ""))
    watch._lives.append(10.0)
    lives = [(float(at), 100.0 + 10 * at) for at in range(10)] + [(float(at), 5000.0) for at in range(10, 20)]
    assert watch._growth(lives) == 90.0
