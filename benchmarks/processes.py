"""Child processes, pinned to a core, bounded in time, and what they used."""

import os
import resource
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]  #: the checkout, where every process runs
SERVER_CORE = 1
CLIENT_CORE = 0

Command = Sequence[str | Path]  #: a program and its arguments


class CommandFailed(Exception):
    """A program of the benchmark did not do its work."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended."""

    code: int
    output: str  #: stdout and stderr
    started_s: float  #: monotonic
    wall_s: float
    cpu_s: float  #: user and system, with all children that it has waited for

    def checked(self, *codes: int) -> "Finished":
        """Return itself.

        Raises:
            CommandFailed: the exit code is neither 0 nor one of those given.
        """
        if self.code not in {0, *codes}:
            last = self.output.strip().rpartition("\n")[2]
            raise CommandFailed(f"exit code {self.code}: {last}\n{self.output[-500:]}")
        return self


def _spawn(command: Command, core: int, output: int, extra: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a process on one core, in a session of its own, so that its children can be ended with it."""
    pinned = ["taskset", "-c", str(core), *map(str, command)]
    # Some environments keep Python from writing compiled bytecode, which a user's does not: importing takes twice as long.
    environment = {**os.environ, **extra}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.Popen(  # noqa: S603  commands of this program
        pinned,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        start_new_session=True,
    )


def run(
    command: Command,
    *,
    extra: Mapping[str, str] | None = None,
    timeout_s: float = 120,
    watch: Callable[[int], None] | None = None,
) -> Finished:
    """Run a client to its end on the clients' core; `watch` is called with its pid twenty times a second.

    Raises:
        CommandFailed: it took longer than allowed, and was ended.
    """
    with tempfile.TemporaryFile() as output:
        started_s = time.monotonic()
        process = _spawn(command, CLIENT_CORE, output.fileno(), extra or {})
        with _ending(process.pid) as ended:
            # It is waited for, not polled, which would be work beside the client's.
            while not ended(0.05 if watch else 1.0):
                if time.monotonic() - started_s > timeout_s:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    raise CommandFailed(f"{command[0]} took longer than {timeout_s:g} s")
                if watch is not None:
                    watch(process.pid)
        wall_s = time.monotonic() - started_s
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Finished(process.returncode, text, started_s, wall_s, cpu_s)


@contextmanager
def _ending(pid: int) -> Iterator[Callable[[float], bool]]:
    """Yield what waits so many seconds at the most for the end of a child, and returns whether it has ended."""
    descriptor = os.pidfd_open(pid)
    try:
        yield lambda timeout_s: bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


@contextmanager
def background(command: Command, *, core: int = SERVER_CORE) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a server running on the servers' core; it is asked to end afterwards, and ended when it does not."""
    process = _spawn(command, core, subprocess.PIPE, {})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def resident_bytes(pid: int) -> int:
    """Return the resident size of a process and all its descendants now; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(resident_bytes(int(child)) for child in children)


class OtherWork:
    """How much of the machine others have used since this was made; it makes figures worse and is no fault of theirs."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._before_s = _busy_s() - _own_s()

    def share(self) -> float:
        """Return the part of all cores that was busy with neither this process nor any that it has waited for."""
        others_s = _busy_s() - _own_s() - self._before_s
        cores = os.cpu_count() or 1
        return max(0.0, others_s / ((time.monotonic() - self._began_s) * cores))


def _busy_s() -> float:
    """Return the seconds that all cores together were not idle, what the host took away included."""
    figures = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _waiting, *rest = map(int, figures)
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _own_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
