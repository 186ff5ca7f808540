"""A generator's ends of its two pipes, and the line to its coordinator that it lives by."""

import os
import signal
import threading
import time
from collections.abc import Callable

from stressrunner.fleet.messages import HEADER_BYTES, Message, decoded, frame_of, length_of

__all__ = ["Lifeline", "Pipe"]

_GRACE_S = 1.0  #: between the request to end and the end by force


class Pipe:
    """Two descriptors, read and written without an event loop; several threads may write."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._writing = threading.Lock()

    @classmethod
    def private(cls) -> "Pipe":
        """Take standard input and output for this protocol alone.

        From here on nothing else can read or write them: input is empty, and what is printed goes to standard error.
        """
        pipe = cls(os.dup(0), os.dup(1))
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        return pipe

    def read(self) -> Message | None:
        """Wait for a message; None when the other end was closed.

        Raises:
            ProtocolError: what came is none.
        """
        header = self._exactly(HEADER_BYTES)
        content = None if header is None else self._exactly(length_of(header))
        return None if content is None else decoded(content)

    def _exactly(self, size: int) -> bytes | None:
        content = bytearray()
        while len(content) < size:
            part = os.read(self._incoming, min(size - len(content), 1 << 20))
            if not part:
                return None
            content += part
        return bytes(content)

    def write(self, message: Message) -> None:
        """Write a message, waiting until there is room for it.

        Raises:
            OSError: the other end was closed.
        """
        self.write_frame(frame_of(message))

    def write_frame(self, frame: bytes) -> None:
        """Write the frame of a message; waits and raises as `write` does."""
        left = memoryview(frame)
        with self._writing:
            while left:
                left = left[os.write(self._outgoing, left) :]


class Lifeline:
    """Ends this process when its coordinator has gone, or has been silent for longer than the lease.

    It is watched by a thread of its own, so that an event loop that hangs does not keep the process alive.
    """

    def __init__(self, end: Callable[[str], None]) -> None:
        """`end` is called in that thread with a sentence; the process has a second to do so in order."""
        self._end = end
        self._lease_s: float | None = None
        self._heard_s = time.monotonic()
        self._cut = threading.Event()
        self._changed = threading.Event()
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def lease(self, lease_s: float) -> None:
        """Demand to hear from the coordinator at least once in so many seconds from now on."""
        self.renew()
        self._lease_s = lease_s
        self._changed.set()

    def renew(self) -> None:
        """Take note that the coordinator was heard from."""
        self._heard_s = time.monotonic()

    def cut(self) -> None:
        """Take note that the coordinator has gone."""
        self._cut.set()
        self._changed.set()

    def _watch(self) -> None:
        while (left_s := self._left_s()) is None or left_s > 0:
            self._changed.wait(left_s)
            self._changed.clear()
        self._end("the coordinator has gone" if self._cut.is_set() else self._silence())
        time.sleep(_GRACE_S)
        os.kill(os.getpid(), signal.SIGTERM)

    def _left_s(self) -> float | None:
        if self._cut.is_set():
            return 0.0
        return None if self._lease_s is None else self._heard_s + self._lease_s - time.monotonic()

    def _silence(self) -> str:
        return f"it was not polled for {self._lease_s:g} s"
