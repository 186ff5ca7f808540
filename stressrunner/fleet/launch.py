"""Generator processes on this machine: started, spoken to, and gone when they are no longer needed."""

import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import IO, Protocol, cast

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from stressrunner.fleet.messages import HEADER_BYTES, Message, decoded, frame_of, length_of

__all__ = ["Channel", "LocalProcess", "local_generators"]

_STOPPED_WITHIN_S = 2.0
_REAPED_WITHIN_S = 1.0


class Channel(Protocol):
    """The coordinator's way to a generator, wherever that is."""

    async def send(self, message: Message) -> None:
        """Send a message; one to a generator that has gone is lost, and `receive` tells of it."""

    async def receive(self) -> Message | None:
        """Wait for a message; None when the generator has gone. Raises ProtocolError when it is none."""

    async def cause(self) -> str:
        """Return how a generator that has gone came to its end, e.g. `signal 9`."""

    def kill(self) -> None:
        """End the generator by force."""


class LocalProcess:
    """A generator that is a child of this process."""

    def __init__(self, process: Process, complaints: IO[bytes]) -> None:
        # The pipes are None only where they are not asked for.
        self._stdin = cast("ByteSendStream", process.stdin)
        self._stdout = BufferedByteReceiveStream(cast("ByteReceiveStream", process.stdout))
        self._process = process
        self._complaints = complaints

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    async def send(self, message: Message) -> None:
        """Write a message to the process's stdin."""
        try:
            await self._stdin.send(frame_of(message))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def receive(self) -> Message | None:
        """Read a message from the process's stdout; None when it was closed.

        Raises:
            ProtocolError: what came is no message.
        """
        try:
            header = await self._stdout.receive_exactly(HEADER_BYTES)
            return decoded(await self._stdout.receive_exactly(length_of(header)))
        except (
            anyio.IncompleteRead,
            anyio.EndOfStream,
            anyio.BrokenResourceError,
            anyio.ClosedResourceError,
        ):
            return None

    async def cause(self) -> str:
        """Return the signal or exit code that the process ended with, and its last words."""
        with anyio.move_on_after(_REAPED_WITHIN_S):
            await self._process.wait()
        code = self._process.returncode
        if code is None:
            return "it closed its pipe"
        if code < 0:
            return f"signal {-code}"
        self._complaints.seek(0)
        words = self._complaints.read().decode(errors="replace").strip().splitlines()
        return f"exit code {code}: {words[-1]}" if words else f"exit code {code}"

    def kill(self) -> None:
        """End the process by force, if it has not ended."""
        if self._process.returncode is None:
            self._process.kill()

    async def hang_up(self) -> None:
        """Close the process's stdin, which is the sign to end."""
        await self._stdin.aclose()

    async def aclose(self) -> None:
        """Wait for the process to end; when cancelled, end it by force."""
        await self._process.aclose()


@asynccontextmanager
async def local_generators(count: int) -> AsyncIterator[tuple[LocalProcess, ...]]:
    """Keep so many generator processes, which are gone when this is left, also by cancellation.

    They have a session of their own, so that a Ctrl-C at the terminal reaches the coordinator alone.
    """
    async with AsyncExitStack() as files:
        processes: list[LocalProcess] = []
        try:
            for _ in range(count):
                # What a generator prints is kept for the case that it ends with it.
                complaints = tempfile.TemporaryFile()  # noqa: SIM115  closed with the others
                files.callback(complaints.close)
                processes.append(LocalProcess(await _spawn(complaints), complaints))
            yield tuple(processes)
        finally:
            deadline = anyio.current_time() + _STOPPED_WITHIN_S
            with anyio.CancelScope(shield=True):
                for process in processes:
                    await process.hang_up()
                for process in processes:
                    with anyio.CancelScope(deadline=deadline):
                        await process.aclose()


async def _spawn(complaints: IO[bytes]) -> Process:
    # -P keeps modules of the working directory from taking the place of the interpreter's own.
    command = [sys.executable, "-P", "-m", "stressrunner.fleet.child"]
    return await anyio.open_process(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, start_new_session=True
    )
