"""Generators that are forked from this process: what both need is imported once, which on one core is a third of starting up.

A process can be forked only before it has an event loop and other threads; where it cannot, generators are started as any
other program is.
"""

import gc
import os
import signal
import sys
import threading
from typing import IO

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream

from stressrunner.hosting.environment import keep_only_needed

__all__ = ["ForkedProcess", "can_fork", "forked"]

_CHUNK_BYTES = 1 << 16


def can_fork() -> bool:
    """Return whether generators can be forked from this process now."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):  # older than Linux 5.3, or not allowed
        return False
    return True


def forked(complaints: IO[bytes]) -> "ForkedProcess | None":
    """Fork this process, only where `can_fork`: return the generator, and None in the generator itself.

    That one has a session of its own, its pipes as stdin and stdout, and its standard error goes to a file. It is to run
    `worker.main` and end.
    """
    # Imported by whoever is forked, and by this process for it: both need nearly all of it.
    from stressrunner.fleet import worker  # noqa: PLC0415, F401

    gc.freeze()  # a collection in one of both would copy what they share
    their_input, our_output = os.pipe()
    our_input, their_output = os.pipe()
    pid = os.fork()
    if pid:
        os.close(their_input)
        os.close(their_output)
        return ForkedProcess(pid, our_output, our_input)
    os.setsid()
    for descriptor, place in ((their_input, 0), (their_output, 1), (complaints.fileno(), 2)):
        os.dup2(descriptor, place)
    for descriptor in (their_input, their_output, our_input, our_output):
        os.close(descriptor)
    keep_only_needed()
    return None


class ForkedProcess:
    """A child of this process, with pipes to its stdin and stdout."""

    def __init__(self, pid: int, stdin: int, stdout: int) -> None:
        self.pid = pid
        self.returncode: int | None = None  #: of a process that has ended, as that of a subprocess
        self.stdin = _Outgoing(stdin)
        self.stdout = _Incoming(stdout)
        self._ended = os.pidfd_open(pid)

    def forget(self) -> None:
        """Close the pipes before there is an event loop: in another generator, which is not to keep them open."""
        self.stdin.close()
        self.stdout.close()

    async def wait(self) -> int:
        """Return the exit code when the process has ended."""
        while (code := self._reaped()) is None:
            await anyio.wait_readable(self._ended)
        return code

    def _reaped(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
                os.close(self._ended)
        return self.returncode

    def kill(self) -> None:
        """End it by force."""
        if self.returncode is None:  # and the number can belong to no other process
            os.kill(self.pid, signal.SIGKILL)

    async def aclose(self) -> None:
        """Close the pipes and wait for it to end; when cancelled, end it by force."""
        await self.stdin.aclose()
        await self.stdout.aclose()
        try:
            await self.wait()
        finally:
            self.kill()
            with anyio.CancelScope(shield=True):
                await self.wait()


class _End:
    """A pipe's end, for the event loop."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor

    def _open(self) -> int:
        if self._descriptor is None:
            raise anyio.ClosedResourceError
        return self._descriptor

    def close(self) -> None:
        """Close it, where nobody waits at it."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    async def aclose(self) -> None:
        """Close it; whoever waits at it is told."""
        if self._descriptor is not None:
            anyio.notify_closing(self._descriptor)
            self.close()


class _Outgoing(_End, ByteSendStream):
    async def send(self, item: bytes) -> None:
        left = memoryview(item)
        while left:
            try:
                left = left[os.write(self._open(), left) :]
            except BlockingIOError:
                await anyio.wait_writable(self._open())
            except BrokenPipeError as error:
                raise anyio.BrokenResourceError from error


class _Incoming(_End, ByteReceiveStream):
    async def receive(self, max_bytes: int = _CHUNK_BYTES) -> bytes:
        while True:
            try:
                found = os.read(self._open(), max_bytes)
            except BlockingIOError:
                await anyio.wait_readable(self._open())
                continue
            if not found:
                raise anyio.EndOfStream
            return found
