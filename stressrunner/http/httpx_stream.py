"""What goes over httpcore's connections: counted, timed, and read by the reader that the fast transport has.

httpcore opens connections and tunnels and keeps them, but what a response is, and whether its connection can take
another request, is decided in one place for all transports: `ResponseReader`. So a response is read here, and the
parser of httpcore's (h11) is told no more than that one came, and whether it was the last one of its connection.
"""

import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Final

import httpcore

from stressrunner.http.failures import ExchangeFailed
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.wire import ResponseLimits

__all__ = ["SentRequest", "WatchedBackend", "attempting", "ending"]

_CAME: Final = b"HTTP/1.1 200 Read\r\nContent-Length: 0\r\n\r\n"
_CAME_LAST: Final = b"HTTP/1.1 200 Read\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class SentRequest:
    """What is known of a request that was sent once; it survives when the request is given up."""

    __slots__ = (
        "_connecting_ns",
        "_depth",
        "bytes_sent",
        "completed_ns",
        "connect_ns",
        "first_byte_ns",
        "reader",
        "sent_ns",
    )

    def __init__(self, method: str, limits: ResponseLimits, depth: int) -> None:
        """`depth` is how many layers of TLS there are around the request: those of the target and of a proxy."""
        self._connecting_ns = 0
        self._depth = depth
        self.connect_ns: int | None = None
        self.sent_ns: int | None = None
        self.first_byte_ns: int | None = None
        self.completed_ns: int | None = None  #: when the response was, or was known not to become so
        self.bytes_sent = 0
        self.reader = ResponseReader(limits)
        self.reader.expect(method)

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """Take the times of httpcore's events."""
        now = time.monotonic_ns()
        match event.partition(".")[2]:
            case "connect_tcp.started":
                self._connecting_ns = now
            case "connect_tcp.complete" | "start_tls.complete":
                self.connect_ns = now - self._connecting_ns

    def is_carried(self, depth: int) -> bool:
        """Whether a stream at this depth carries the request, and not the way to where it does."""
        return depth == self._depth


_ATTEMPT: ContextVar[SentRequest] = ContextVar("attempt")
attempting = _ATTEMPT.set  #: says whose the bytes are that this task reads and writes from now on


class _Ending(ssl.SSLObject):
    """Tells the end that TLS announces from the one that it does not."""

    has_ended = False  #: the server has announced its end (close_notify)

    def read(self, len: int = 1024, buffer: Any = None) -> bytes:  # noqa: A002  # the name of the base
        # Into a buffer, where there is one, and then its length is returned.
        came = super().read(len) if buffer is None else super().read(len, buffer)
        self.has_ended = not came
        return came


def ending(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return the context, whose streams know from now on how they end."""
    context.sslobject_class = _Ending
    return context


class WatchedBackend(httpcore.AsyncNetworkBackend):
    """Opens streams that are watched."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a stream."""
        return _Watched(
            await self._backend.connect_tcp(host, port, timeout, local_address, socket_options), 0
        )

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts to connect."""
        await self._backend.sleep(seconds)


class _Watched(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, depth: int) -> None:
        self._stream = stream
        self._depth = depth  # layers of TLS in it

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  as above
        """Read a response, and return what tells h11 that it came.

        Raises:
            ExchangeFailed: there is none.
        """
        attempt = _ATTEMPT.get()
        if not attempt.is_carried(self._depth):
            return await self._stream.read(max_bytes, timeout)
        reader = attempt.reader
        while not reader.complete:
            try:
                received = await self._stream.read(max_bytes, timeout)
            finally:
                attempt.completed_ns = time.monotonic_ns()
            if received:
                attempt.first_byte_ns = attempt.first_byte_ns or attempt.completed_ns
                reader.feed(received)
            else:
                reader.finish(is_orderly=self._is_orderly)
            if reader.failure is not None:
                raise ExchangeFailed(reader.failure)
        return _CAME if reader.reusable else _CAME_LAST

    @property
    def _is_orderly(self) -> bool:
        """Whether the end of the stream was announced, where TLS has to announce it."""
        tls = self.get_extra_info("ssl_object")
        return not isinstance(tls, _Ending) or tls.has_ended

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109  as above
        """Write a part of a request."""
        attempt = _ATTEMPT.get()
        if attempt.is_carried(self._depth):
            if attempt.sent_ns is None:
                attempt.sent_ns = time.monotonic_ns()
            attempt.bytes_sent += len(buffer)
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the stream."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  as above
    ) -> httpcore.AsyncNetworkStream:
        """Speak TLS from now on."""
        secured = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _Watched(secured, self._depth + 1)

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the stream itself."""
        return self._stream.get_extra_info(info)
