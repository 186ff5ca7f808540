"""A server as its user sees it: a child process for as long as it is wanted."""

import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import IO, cast

import anyio
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from stressrunner.errors import StressrunnerError
from stressrunner.hosting.environment import child_environment

__all__ = ["Hosted", "HostingFailed", "hosted"]

_READY_WITHIN_S = 15.0
_STOPPED_WITHIN_S = 2.0


class HostingFailed(StressrunnerError):
    """A server of the project could not be started; `server` says which one and `reason` why."""

    exit_code = 4

    def __init__(self, server: str, reason: str) -> None:
        self.server = server
        self.reason = reason
        super().__init__(f"{server} did not start: {reason}")


def _still_there() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Hosted:
    """A server, answering."""

    base_url: str  #: http://127.0.0.1:PORT
    pid: int
    ended: Callable[[], str] = (
        _still_there  #: how it has ended by itself, in a few words; empty while it is there
    )


@asynccontextmanager
async def hosted(server: str, module: str, arguments: Sequence[str]) -> AsyncIterator[Hosted]:
    """Keep a server running in a process of its own.

    The child is gone when this is left, also by cancellation. It has a session of its own, so that a
    Ctrl-C at the terminal stops the run and leaves the server to be read to the end.

    Args:
        server: what people call it, such as `the embedded target`.
        module: the package to run as `python -m`, whose main uses `stressrunner.hosting.standalone`.
        arguments: of its command line.

    Raises:
        HostingFailed: the child ended before it answered, or does not answer within 15 s.
    """
    # -P keeps modules of the working directory from taking the place of the interpreter's own.
    command = [sys.executable, "-P", "-m", module, *arguments]
    with tempfile.TemporaryFile() as complaints:
        child = await anyio.open_process(
            command,
            stdin=subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
            env=child_environment(),
        )
        try:
            yield await _ready(server, child, complaints)
        finally:
            # It holds nothing that would be worth the quarter of a second which uvicorn takes to say goodbye.
            with suppress(ProcessLookupError):  # it has ended by itself
                child.kill()
            with anyio.move_on_after(_STOPPED_WITHIN_S, shield=True):
                await child.aclose()


async def _ready(server: str, child: Process, complaints: IO[bytes]) -> Hosted:
    """Return the child as it announces itself; raises HostingFailed with the end of what it complained of."""
    stdout = cast("ByteReceiveStream", child.stdout)  # None only where it is not asked for
    try:
        port = await announced_port(server, stdout)
    except anyio.IncompleteRead:
        complaints.seek(0)
        last_lines = complaints.read().decode(errors="replace").strip().splitlines()[-5:]
        raise HostingFailed(server, "\n".join(last_lines) or "it ended without a word") from None
    return Hosted(f"http://127.0.0.1:{port}", child.pid, partial(_how_it_ended, child))


def _how_it_ended(child: Process) -> str:
    status = child.returncode
    if status is None:
        return ""
    return f"it was killed by signal {-status}" if status < 0 else f"it ended with status {status}"


async def announced_port(server: str, stdout: ByteReceiveStream) -> int:
    """Return the port that a child names in its first line.

    Raises:
        HostingFailed: there is no such line within 15 s.
        anyio.IncompleteRead: the child ended without one.
    """
    try:
        with anyio.fail_after(_READY_WITHIN_S):
            line = await BufferedByteReceiveStream(stdout).receive_until(b"\n", 1000)
    except TimeoutError:
        raise HostingFailed(server, f"it does not answer within {_READY_WITHIN_S:.0f} s") from None
    return int(json.loads(line)["port"])
