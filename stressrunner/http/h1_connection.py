"""One HTTP/1.1 connection: an asyncio protocol that has at most one request in flight."""

import asyncio
import os
import select
import time
from collections.abc import Callable
from typing import cast

from stressrunner.http.exchange import Failure, FailureKind, Request
from stressrunner.http.failures import lost_connection, response_timeout
from stressrunner.http.h1_deadlines import Deadlines
from stressrunner.http.h1_head import Head
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.wire import Limits

__all__ = ["Connection"]

#: A body is written in pieces of this size, so that the transport can say when it has enough.
_PIECE_BYTES = 256 * 1024

#: A connection idle for longer is looked at before it is used again: servers close those that idle, and the
#: event loop may not have come round to it. Less is not worth the microsecond.
_IDLE_CHECK_NS = 100_000_000


class Connection(asyncio.Protocol):
    """Writes a request and reads its response; whoever opened it keeps it from being used twice at once."""

    __slots__ = (
        "_answered",
        "_closes",
        "_deadlines",
        "_idle_since_ns",
        "_is_paused",
        "_lost",
        "_request",
        "_transport",
        "_unsent",
        "bytes_unsent",
        "completed_ns",
        "failure",
        "first_byte_ns",
        "is_open",
        "response",
        "sent_ns",
    )

    def __init__(self, limits: Limits, deadlines: Deadlines, lost: "Callable[[Connection], None]") -> None:
        """`lost` is called once when the connection is gone, for whatever reason."""
        self._deadlines = deadlines
        self._lost = lost
        self._transport: asyncio.Transport
        self._answered: asyncio.Future[None] | None = None
        self._request: Request
        self._unsent: memoryview | None = None
        self._closes = False
        self._is_paused = False
        self._idle_since_ns = 0
        self.response = ResponseReader(limits)
        self.is_open = False  #: ready for a request, or busy with one
        self.sent_ns = 0
        self.first_byte_ns: int | None = None
        self.completed_ns = 0
        self.failure: Failure | None = None
        self.bytes_unsent = 0  #: bytes of the request that are known not to have left this process

    async def exchange(self, request: Request, head: Head, deadline_ns: int) -> None:
        """Send a request and return when there is a response or a failure; both are left in the attributes."""
        self._answered = answered = asyncio.get_running_loop().create_future()
        self._request = request
        self._closes = head.closes
        self.failure = None
        self.bytes_unsent = 0
        self.first_byte_ns = None
        self.response.expect(request.method)
        self._deadlines.watch(self, deadline_ns)
        self.sent_ns = time.monotonic_ns()
        body = request.body
        if len(body) <= _PIECE_BYTES:
            self._transport.write(head.octets + body)
        else:
            self._transport.write(head.octets)
            self._unsent = memoryview(body)
            self._write_on()
        try:
            await answered
        except BaseException:
            self.abort()
            raise

    @property
    def was_stale(self) -> bool:
        """Whether the connection was lost without a byte of response to its last request."""
        failure = self.failure
        return failure is not None and failure.kind is FailureKind.RESET and not self.response.bytes_received

    def is_usable(self) -> bool:
        """Whether an idle connection may take a request: the server has neither closed it nor sent anything."""
        if not self.is_open:
            return False
        if time.monotonic_ns() - self._idle_since_ns < _IDLE_CHECK_NS:
            return True
        return not _is_readable(self._transport.get_extra_info("socket").fileno())

    def abort(self) -> None:
        """Close the connection without waiting for anything."""
        self.is_open = False
        self._answered = None
        self._deadlines.forget(self)
        self._transport.abort()

    def expire(self) -> None:
        """Give the request up: its time is over."""
        self._end(response_timeout(self._request.timeout_s))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open connection."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Take what the server sent."""
        if self._answered is None:  # nothing was asked: whatever this is, it must not become an answer
            self.abort()
            return
        if self.first_byte_ns is None:
            self.first_byte_ns = time.monotonic_ns()
        response = self.response
        response.feed(data)
        if response.complete or response.failure is not None:
            self._end(response.failure)

    def eof_received(self) -> None:
        """Take the end of what the server sends."""
        self.is_open = False
        if self._answered is not None:
            self.response.finish()
            self._end(self.response.failure)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        if self._answered is not None:
            if exc is None:
                self.response.finish()
                self._end(self.response.failure)
            else:
                self._end(lost_connection(exc))
        self.is_open = False
        self.response.release()
        self._lost(self)

    def pause_writing(self) -> None:
        """Stop writing: the network does not keep up."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Write on."""
        self._is_paused = False
        self._write_on()

    def _write_on(self) -> None:
        while self._unsent is not None and not self._is_paused:
            piece, rest = self._unsent[:_PIECE_BYTES], self._unsent[_PIECE_BYTES:]
            self._unsent = rest or None
            self._transport.write(piece)

    def _end(self, failure: Failure | None) -> None:
        """End the exchange; the connection stays open when both sides can go on with another one."""
        self.completed_ns = self._idle_since_ns = time.monotonic_ns()
        self.failure = failure
        answered, self._answered = self._answered, None
        self._deadlines.forget(self)
        if failure is not None or self._unsent is not None:
            self.bytes_unsent = self._count_unsent()
            self._unsent = None
            self.is_open = False
        elif self._closes or not self.response.reusable:
            self.is_open = False
        if not self.is_open:
            self._transport.abort()
        if answered is not None and not answered.done():
            answered.set_result(None)

    def _count_unsent(self) -> int:
        kept = 0 if self._unsent is None else len(self._unsent)
        return kept if self._transport.is_closing() else kept + self._transport.get_write_buffer_size()


def _is_readable(descriptor: int) -> bool:
    """Whether a socket has something to read, or its end."""
    if os.name == "nt":
        return bool(select.select([descriptor], [], [], 0)[0])
    watch = select.poll()
    watch.register(descriptor, select.POLLIN)
    return bool(watch.poll(0))
