"""The embedded target as others use it: a child process for the time of a run, or served in the foreground."""

import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import IO, cast

import anyio
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from stressrunner.demo.options import DemoOptions
from stressrunner.errors import StressrunnerError

__all__ = ["DemoFailed", "DemoProcess", "running_demo", "serve_forever"]

_READY_WITHIN_S = 15.0
_STOPPED_WITHIN_S = 2.0


class DemoFailed(StressrunnerError):
    """The embedded target could not be started; `reason` says why."""

    exit_code = 4

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the embedded target did not start: {reason}")


@dataclass(frozen=True, slots=True)
class DemoProcess:
    """The embedded target, answering."""

    base_url: str  #: http://127.0.0.1:PORT
    pid: int


@asynccontextmanager
async def running_demo(options: DemoOptions, *, port: int = 0) -> AsyncIterator[DemoProcess]:
    """Keep an embedded target running in a process of its own; port 0 takes a free one.

    The child is gone when this is left, also by cancellation. It has a session of its own, so that a
    Ctrl-C at the terminal stops the run and leaves the target to be read to the end.

    Raises:
        DemoFailed: the child ended before it answered, or does not answer within 15 s.
    """
    # -P keeps modules of the working directory from taking the place of the interpreter's own.
    command = [sys.executable, "-P", "-m", "stressrunner.demo"]
    command += ["--port", str(port), "--options", options.to_url()]
    with tempfile.TemporaryFile() as complaints:
        child = await anyio.open_process(
            command, stdin=subprocess.PIPE, stderr=complaints, start_new_session=True
        )
        try:
            yield await _ready(child, complaints)
        finally:
            # Closes stdin, which is the sign to stop, waits, and kills a child that takes too long.
            with anyio.move_on_after(_STOPPED_WITHIN_S, shield=True):
                await child.aclose()


async def _ready(child: Process, complaints: IO[bytes]) -> DemoProcess:
    """Return the child as it announces itself; raises DemoFailed with the end of what it complained of."""
    stdout = cast("ByteReceiveStream", child.stdout)  # None only where it is not asked for
    try:
        port = await announced_port(stdout)
    except anyio.IncompleteRead:
        complaints.seek(0)
        last_lines = complaints.read().decode(errors="replace").strip().splitlines()[-5:]
        raise DemoFailed("\n".join(last_lines) or "it ended without a word") from None
    return DemoProcess(f"http://127.0.0.1:{port}", child.pid)


async def announced_port(stdout: ByteReceiveStream) -> int:
    """Return the port that a child names in its first line.

    Raises:
        DemoFailed: there is no such line within 15 s.
        anyio.IncompleteRead: the child ended without one.
    """
    try:
        with anyio.fail_after(_READY_WITHIN_S):
            line = await BufferedByteReceiveStream(stdout).receive_until(b"\n", 1000)
    except TimeoutError:
        raise DemoFailed(f"it does not answer within {_READY_WITHIN_S:.0f} s") from None
    return int(json.loads(line)["port"])


def serve_forever(options: DemoOptions, port: int, on_ready: Callable[[int], None]) -> None:
    """Serve the embedded target in this process until SIGINT or SIGTERM; for the main thread.

    `on_ready` gets the port when requests are answered, which is a free one for port 0.

    Raises:
        DemoFailed: the port is taken or not to be had.
    """
    from stressrunner.demo.server import DemoServer, listen  # noqa: PLC0415  a run need not wait for uvicorn

    try:
        listener = listen(port)
    except OSError as refusal:
        raise DemoFailed(str(refusal)) from None
    DemoServer(options, listener, on_ready).serve_until_stopped()
