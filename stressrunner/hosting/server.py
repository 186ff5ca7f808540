"""Serving an application on loopback, in this process, until told to stop."""

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

__all__ = ["LoopbackServer", "listen"]

_HOST = "127.0.0.1"
_BACKLOG = 2048  # a run that begins with thousands of users opens as many connections at once


def listen(port: int) -> socket.socket:
    """Return a socket that listens on a loopback port; 0 takes a free one.

    Raises:
        OSError: the port is taken, not allowed or no port at all; the message is a sentence.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # where it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as refusal:
        listener.close()
        raise OSError(f"cannot listen on port {port}: {refusal}") from None
    return listener


class LoopbackServer(uvicorn.Server):
    """An application on `listener`. `on_ready(port)` is called when requests are answered.

    It writes no log, and stops within a second: it holds nothing that would be worth waiting for, and
    a run that never ends is one of the things that it is there to show.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket, on_ready: Callable[[int], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="on",
                backlog=_BACKLOG,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=0,
                access_log=False,
                log_config=None,
                log_level="critical",
            )
        )
        self._listener = listener
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so; called by uvicorn."""
        await super().startup(sockets)
        self._on_ready(self._listener.getsockname()[1])

    def stop(self) -> None:
        """Make `serve_until_stopped` return soon; callable from any thread."""
        self.should_exit = True

    def serve_until_stopped(self) -> None:
        """Serve until `stop`, SIGINT or SIGTERM; to be called in the main thread."""
        with self._stopping_on_signals():
            self.run(sockets=[self._listener])

    @contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        """Take the two signals, also before uvicorn does and when it raises them again at its end."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
