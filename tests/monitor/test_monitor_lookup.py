"""A process is found by pid, port or command line; one that is not there is a sentence, never an exception."""

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stressrunner.masking import Masker
from stressrunner.monitor import lookup
from stressrunner.monitor.lookup import find

IDLE = "import sys; print('ready', flush=True); sys.stdin.read()"


@contextmanager
def idle_process(*arguments: str, code: str = IDLE) -> Iterator[subprocess.Popen]:
    """Run Python until the block ends; `arguments` are there to be seen in its command line."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.stdin.close()
            process.wait()


@pytest.fixture
def listener():
    """A socket that listens on loopback in this process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_pid_is_found_with_its_command_line():
    """The label names the pid and what runs, without the path of the program."""
    found = find(pid=os.getpid())
    assert found.process.pid == os.getpid()
    assert found.label.startswith(f"pid {os.getpid()} (")
    assert os.sep not in found.label.split("(")[1].split()[0]
    assert found.note == ""


@pytest.mark.parametrize("pid", [2**22 + 1, 2**80, -5])
def test_a_pid_that_is_not_there(pid):
    """There is a note instead of a process, also for numbers that no pid can have."""
    found = find(pid=pid)
    assert found.process is None
    assert found.note == f"there is no process {pid}"


def test_an_ended_process_that_nobody_waited_for_is_not_found():
    """A zombie has nothing left to watch."""
    with idle_process() as process:
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert find(pid=process.pid).process is None


def test_a_port_is_found_by_who_listens(listener):
    """The owner of the listening socket is the process."""
    assert find(port=listener.getsockname()[1]).process.pid == os.getpid()


def test_a_port_is_found_process_by_process(listener):
    """Where the system does not show the table of all sockets, each process is asked for its own."""
    assert list(lookup._listeners_one_by_one(listener.getsockname()[1])) == [os.getpid()]


def test_a_connection_does_not_listen(listener):
    """A port that is only the near end of a connection belongs to nobody."""
    with socket.create_connection(listener.getsockname()) as client:
        port = client.getsockname()[1]
        assert find(port=port).note == f"no process listens at port {port}"


def test_a_command_is_found_by_a_part():
    """Any part of the command line will do."""
    mark = uuid.uuid4().hex
    with idle_process(f"--app={mark}") as process:
        assert find(command=mark[:20]).process.pid == process.pid


def test_a_command_never_finds_the_one_who_asks():
    """Our own command line quotes what is looked for, as do those of the shells above us."""
    found = find(command=" ".join(lookup.psutil.Process().cmdline()))
    assert found.process is None
    assert "no command line" in found.note


def test_of_several_the_oldest_is_taken():
    """The note names the others, so that a wrong guess is seen."""
    mark = uuid.uuid4().hex
    with idle_process(mark) as first, idle_process(mark) as second:
        found = find(command=mark)
        assert found.process.pid == first.pid
        assert found.note == f"2 processes fit; this is the oldest, the others are {second.pid}"


def test_a_process_stands_for_its_descendants():
    """Workers that inherited a command line are part of their parent, not rivals of it."""
    mark = uuid.uuid4().hex
    forked = f"import os, sys\nif os.fork() == 0: sys.stdin.read(); os._exit(0)\n{IDLE}"
    with idle_process(mark, code=forked) as process:
        found = find(command=mark)
        assert found.process.pid == process.pid
        assert found.note == ""


def test_secrets_in_command_lines_are_masked():
    """A secret is masked before the line is cut, so that no part of it stays."""
    secret = uuid.uuid4().hex
    with idle_process("x" * 5, secret) as process:
        label = find(pid=process.pid, masker=Masker([secret])).label
    assert secret[:8] not in label


def test_nothing_to_look_for_is_a_mistake_of_the_caller():
    """One of the three ways must be chosen."""
    with pytest.raises(ValueError, match="pid, port or command"):
        find()
