"""Generator processes on this machine: started, spoken to, and gone when they are no longer needed."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Protocol, Self, cast

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from stressrunner.fleet.forked import ForkedProcess, can_fork, forked
from stressrunner.fleet.messages import HEADER_BYTES, Message, decoded, frame_of, length_of
from stressrunner.hosting.environment import child_environment

__all__ = ["Channel", "LocalProcess", "WorkerPool"]

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


class _Running(Protocol):
    """A process that was started, in whichever way."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | None:
        """Its exit code, or less than zero for a signal; None while it runs."""

    @property
    def stdin(self) -> ByteSendStream | None:
        """Its standard input."""

    @property
    def stdout(self) -> ByteReceiveStream | None:
        """Its standard output."""

    async def wait(self) -> int:
        """Return the exit code when the process has ended."""

    def kill(self) -> None:
        """End it by force."""

    async def aclose(self) -> None:
        """Close the pipes and wait for it to end; when cancelled, end it by force."""


class LocalProcess:
    """A generator that is a child of this process."""

    def __init__(self, process: _Running, complaints: IO[bytes]) -> None:
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


class WorkerPool:
    """Generator processes of this machine, which are gone when this is left as a context, also by cancellation.

    They may be started before it is known how many are needed, as they take longer to get up than a scenario to be
    read. They have a session of their own, so that a Ctrl-C at the terminal reaches the coordinator alone.
    """

    def __init__(self) -> None:
        self._files = ExitStack()
        self._processes: list[LocalProcess] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        with self._files:
            await self._let_go(self._processes)

    def fork(self, count: int) -> bool:
        """Start so many processes before there is an event loop, where that can be done; `of_size` starts the rest.

        Returns True in each of those, which is to run `child.main` and end, and False in this process.
        """
        started: list[ForkedProcess] = []
        while len(started) < count and can_fork():
            complaints = self._complaints()
            process = forked(complaints)
            if process is None:
                for sibling in started:
                    sibling.forget()
                return True
            started.append(process)
            self._processes.append(LocalProcess(process, complaints))
        return False

    def _complaints(self) -> IO[bytes]:
        """Return a file for what a generator prints, which is kept for the case that it ends with it."""
        return self._files.enter_context(TemporaryFile())

    async def of_size(self, count: int) -> tuple[LocalProcess, ...]:
        """Return so many processes: start those that are missing, and let go of those that are too many."""
        while len(self._processes) < count:
            complaints = self._complaints()
            self._processes.append(LocalProcess(await _spawn(complaints), complaints))
        surplus, self._processes = self._processes[count:], self._processes[:count]
        await self._let_go(surplus)
        return tuple(self._processes)

    async def _let_go(self, processes: Sequence[LocalProcess]) -> None:
        deadline = anyio.current_time() + _STOPPED_WITHIN_S
        with anyio.CancelScope(shield=True):
            for process in processes:
                await process.hang_up()
            for process in processes:
                with anyio.CancelScope(deadline=deadline):
                    await process.aclose()


async def _spawn(complaints: IO[bytes]) -> Process:
    # -P keeps modules of the working directory from taking the place of the interpreter's own.
    command = [sys.executable, "-P", "-m", "stressrunner.fleet.worker"]
    return await anyio.open_process(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=complaints,
        start_new_session=True,
        env=child_environment(),
    )
