"""Serving an application on loopback, in this process, until told to stop."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import format_exception_only
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CannotServe", "LoopbackServer", "listen"]

_HOST = "127.0.0.1"
_BACKLOG = 2048  # a run that begins with thousands of users opens as many connections at once


class CannotServe(Exception):
    """An application that does not start; its text says why, in one sentence."""


def listen(port: int) -> socket.socket:
    """Return a socket that listens on a loopback port; 0 takes a free one.

    Raises:
        OSError: the port is taken, not allowed or no port at all; the message is a sentence.
    """
    # With its protocol named, as asyncio has TCP_NODELAY on such sockets alone, and answers on kept connections would
    # else wait 40 ms for an acknowledgement where there is no uvloop.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
        self._starting = _Starting(app)
        super().__init__(
            uvicorn.Config(
                self._starting,
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
        """Begin to answer, then say so; called by uvicorn, which has no word for its failure."""
        try:
            await super().startup(sockets)
        except SystemExit:  # its way to fail, where older versions return
            self.should_exit = True
        if not self.started:
            return
        self._on_ready(self._listener.getsockname()[1])
        if self.should_exit:
            # Stopped as soon as it answered: older versions of uvicorn would leave the application without its end.
            self.should_exit = False
            asyncio.get_running_loop().call_soon(self.stop)

    def stop(self) -> None:
        """Make `serve_until_stopped` return soon; callable from any thread."""
        self.should_exit = True

    def serve_until_stopped(self) -> None:
        """Serve until `stop`, SIGINT or SIGTERM; to be called in the main thread.

        Raises:
            CannotServe: the application did not start.
        """
        with self._stopping_on_signals():
            self.run(sockets=[self._listener])
        if not self.started:
            self._listener.close()
            raise CannotServe(self._starting.failure or "the application gave no reason")

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


class _Starting:
    """An application that keeps the reason why it did not start, which uvicorn would only log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.failure = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, self._heard(send))
        except Exception as error:
            self.failure = self.failure or " ".join("".join(format_exception_only(error)).split())
            raise

    def _heard(self, send: Send) -> Send:
        async def hear(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                self.failure = _last_line(message.get("message", ""))
            await send(message)

        return hear


def _last_line(text: str) -> str:
    """Return the end of a traceback, which names the error."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
