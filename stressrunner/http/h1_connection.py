"""One HTTP/1.1 connection: an asyncio protocol that has at most one request in flight."""

import asyncio
import time
from typing import NamedTuple, Protocol, cast

from stressrunner.http.exchange import Done, Failure
from stressrunner.http.failures import lost_connection, response_timeout, unasked_switch
from stressrunner.http.h1_batches import Batches
from stressrunner.http.h1_deadlines import NEVER_NS, Deadlines
from stressrunner.http.h1_head import RequestBytes
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.resends import is_sent_again
from stressrunner.http.sockets import IDLE_CHECK_NS, is_readable

__all__ = ["Connection", "H1Owner", "OpenedConnection"]

#: A body is written in pieces of this size, so that the transport can say when it has enough.
_PIECE_BYTES = 256 * 1024


class H1Owner(Protocol):
    """Who opened a connection, and keeps it from being used twice at once."""

    def ended(self, connection: "Connection", done: Done) -> None:
        """Take the end of a request; what came of it is in the connection's attributes."""

    def lost(self, connection: "Connection") -> None:
        """Take the end of the connection, for whatever reason; called once."""


class OpenedConnection(NamedTuple):
    """How a connection came to be opened for a request."""

    acquired_ns: int  #: when the request was given the right to open one
    connect_ns: int  #: what opening it took, TLS included
    resent: bool  #: the request was lost with another connection before


class Connection(asyncio.Protocol):
    """Writes a request and reads its response."""

    __slots__ = (
        "_batches",
        "_deadlines",
        "_is_paused",
        "_owner",
        "_transport",
        "_unsent",
        "acquired_ns",
        "bytes_unsent",
        "completed_ns",
        "connect_ns",
        "deadline_ns",
        "done",
        "failure",
        "first_byte_ns",
        "is_open",
        "message",
        "resent",
        "response",
        "sent_ns",
    )

    def __init__(
        self, response: ResponseReader, deadlines: Deadlines, batches: Batches, owner: H1Owner
    ) -> None:
        self._deadlines = deadlines
        self._batches = batches
        self._owner = owner
        self._transport: asyncio.Transport
        self._unsent: memoryview | None = None
        self._is_paused = False
        self.response = response
        self.deadline_ns = NEVER_NS  #: of the request in flight
        self.is_open = False  #: ready for a request, or busy with one
        self.message: RequestBytes  #: the request in flight, or the last one
        self.done: Done | None = None  #: who waits for the response; None while the connection is idle
        self.acquired_ns = 0
        self.sent_ns: int | None = None  #: when the first byte was written
        self.first_byte_ns: int | None = None
        self.completed_ns = 0  #: when the last request ended: since then the connection is idle
        self.connect_ns: int | None = None  #: what opening took, for the first request alone
        self.resent = False
        self.failure: Failure | None = None
        self.bytes_unsent = 0  #: bytes of the request that are known not to have left this process

    def begin(self, message: RequestBytes, deadline_ns: int, done: Done) -> None:
        """Send a request over a connection that has been idle; the owner is told of its end."""
        self.message = message
        self.done = done
        self.connect_ns = None
        self.resent = False
        self._expect(deadline_ns)
        if self._batches.is_judging:
            self.sent_ns = None
            self._batches.put_off(self)
        else:
            self.acquired_ns = self.sent_ns = time.monotonic_ns()
            self._write()

    def begin_first(
        self, message: RequestBytes, deadline_ns: int, opened: "OpenedConnection", done: Done
    ) -> None:
        """Send the request that the connection was opened for."""
        self.message = message
        self.done = done
        self.acquired_ns, self.connect_ns, self.resent = opened
        self._expect(deadline_ns)
        self.sent_ns = time.monotonic_ns()
        self._write()

    def write_request(self) -> None:
        """Write the request that was put off, unless it has ended."""
        if self.done is not None and self.sent_ns is None:
            self.sent_ns = self.acquired_ns = time.monotonic_ns()  # all before was the generator's time
            self._write()

    def _expect(self, deadline_ns: int) -> None:
        self.failure = None
        self.bytes_unsent = 0
        self.first_byte_ns = None
        self.response.expect(self.message.request.method)
        self.deadline_ns = deadline_ns
        if deadline_ns < self._deadlines.next_ns:
            self._deadlines.look_at(deadline_ns)

    def _write(self) -> None:
        message = self.message
        self._transport.write(message.head)
        if message.body:
            self._unsent = memoryview(message.body)
            self._write_on()

    @property
    def may_be_sent_again(self) -> bool:
        """Whether the last request was lost with a connection that had been idle, and at once."""
        return is_sent_again(
            self.failure,
            is_kept=self.connect_ns is None,
            bytes_received=self.response.bytes_received,
            sent_ns=self.sent_ns,
            lost_ns=self.completed_ns,
        )

    def is_usable(self, now_ns: int) -> bool:
        """Whether an idle connection may take a request: the server has neither closed it nor sent anything."""
        if not self.is_open:
            return False
        if now_ns - self.completed_ns < IDLE_CHECK_NS:
            return True
        return not is_readable(self._transport.get_extra_info("socket").fileno())

    def abort(self) -> None:
        """Close the connection without waiting for anything."""
        self.is_open = False
        self.done = None
        self.deadline_ns = NEVER_NS
        self._transport.abort()

    def expire(self) -> None:
        """Give the request up: its time is over."""
        self._end(response_timeout(self.message.request.timeout_s), time.monotonic_ns())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._deadlines.watch(self)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        """Take what the server sent."""
        if self.done is None:  # nothing was asked: whatever this is, it must not become an answer
            self.abort()
            return
        response = self.response
        if response.complete:  # it has come before, and is not concluded yet
            response.reusable = False
            return
        now_ns = time.monotonic_ns()
        if self.first_byte_ns is None:
            self.first_byte_ns = now_ns
        response.feed(data)
        if response.complete:
            self.completed_ns = now_ns
            self.deadline_ns = NEVER_NS
            self._batches.answered(self)
        elif response.failure is not None:
            self._end(response.failure, now_ns)

    def conclude(self) -> None:
        """Hand over what came of the request that was answered, unless that was done meanwhile."""
        response = self.response
        if self.done is not None and response.complete:
            self._end(response.failure, self.completed_ns)

    def eof_received(self) -> None:
        """Take the end of what the server sends."""
        self.is_open = False
        self.conclude()
        if self.done is not None:
            self._finish()
            self._end(self.response.failure, time.monotonic_ns())

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        self.is_open = False
        self.conclude()
        if self.done is not None:
            if exc is None:
                self._finish()
            self._end(self.response.failure if exc is None else lost_connection(exc), time.monotonic_ns())
        self._deadlines.forget(self)
        self._owner.lost(self)

    def _finish(self) -> None:
        self.response.finish()

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

    def _end(self, failure: Failure | None, now_ns: int) -> None:
        """End the exchange; the connection stays open when both sides can go on with another one."""
        self.completed_ns = now_ns
        if self.sent_ns is None:  # put off, and ended before it was written
            self.acquired_ns = now_ns
        self.failure = failure
        done, self.done = self.done, None
        self.deadline_ns = NEVER_NS
        if failure is not None or self._unsent is not None:
            self.bytes_unsent = self._count_unsent()
            self._unsent = None
            self.is_open = False
        elif self.message.closes or not self.response.reusable:
            self.is_open = False
            if self.response.status == 101:
                self.failure = unasked_switch(self.message.request)
        if not self.is_open:
            self._transport.abort()
        if done is not None:
            self._owner.ended(self, done)

    def _count_unsent(self) -> int:
        kept = 0 if self._unsent is None else len(self._unsent)
        return kept if self._transport.is_closing() else kept + self._transport.get_write_buffer_size()
