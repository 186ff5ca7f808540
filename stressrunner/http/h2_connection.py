"""One HTTP/2 connection on asyncio: what a session says is written, and what comes is given to it."""

import asyncio
import time
from typing import Protocol, cast

from stressrunner.http.exchange import Failure
from stressrunner.http.failures import lost_connection
from stressrunner.http.h1_tls import TellingTls
from stressrunner.http.h2_session import H2Session
from stressrunner.http.h2_stream import Stream
from stressrunner.http.sockets import IDLE_CHECK_NS, is_readable
from stressrunner.http.wire import ResponseLimits

__all__ = ["H2Connection", "H2Owner"]


class H2Owner(Protocol):
    """Who opened a connection."""

    def ended(self, connection: "H2Connection", stream: Stream) -> None:
        """Take the end of a stream; what came of it is in its attributes."""

    def lost(self, connection: "H2Connection") -> None:
        """Take the end of the connection, for whatever reason; called once."""


class H2Connection(asyncio.Protocol):
    """Carries many requests at once; over TLS in a context that `told_by` has returned."""

    __slots__ = ("_idle_since_ns", "_is_paused", "_owner", "_tls", "_transport", "greeted", "session")

    def __init__(self, limits: ResponseLimits, owner: H2Owner) -> None:
        self.session = H2Session(limits)
        self.greeted: asyncio.Future[None] | None = None  #: ends when the server has spoken, or was lost
        self._owner = owner
        self._transport: asyncio.Transport
        self._tls: TellingTls | None = None
        self._is_paused = False
        self._idle_since_ns = time.monotonic_ns()

    @property
    def negotiated(self) -> str | None:
        """What was agreed on in the handshake of TLS; None without TLS, "" when nothing was."""
        return None if self._tls is None else self._tls.selected_alpn_protocol() or ""

    def is_usable(self, now_ns: int) -> bool:
        """Whether it may take a request: nobody has ended it, nor has anything come while it was idle.

        What comes then is most often its end, which the event loop may not have come round to.
        """
        session = self.session
        if session.is_leaving or self._transport.is_closing():
            return False
        if not session.is_idle or now_ns - self._idle_since_ns < IDLE_CHECK_NS:
            return True
        return not is_readable(self._transport.get_extra_info("socket").fileno())

    def begin(self, stream: Stream) -> None:
        """Send a request; the owner is told of its end."""
        now_ns = time.monotonic_ns()
        self.session.begin(stream, now_ns)
        self.flush(now_ns)

    def give_up(self, stream: Stream, failure: Failure) -> None:
        """End a stream before its time, if it is one of this connection; the owner is not told."""
        self.session.give_up(stream, failure)
        self.flush(time.monotonic_ns())

    def abort(self) -> None:
        """Close the connection without waiting for anything."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._tls = transport.get_extra_info("ssl_object")

    def data_received(self, data: bytes) -> None:
        """Take what the server sent, and over TLS why nothing will follow."""
        now_ns, tls = time.monotonic_ns(), self._tls
        self.session.receive(data, now_ns)
        self.flush(now_ns)
        if tls is not None:
            tls.holds = False
            if tls.broken is not None:
                self._end(lost_connection(tls.broken))
                self.abort()

    def eof_received(self) -> None:
        """Take the end of what the server sends."""
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end of the connection."""
        self._end(None if exc is None else lost_connection(exc))
        self._owner.lost(self)

    def pause_writing(self) -> None:
        """Write no bodies: the network does not keep up."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Write on."""
        self._is_paused = False
        self.flush(time.monotonic_ns())

    def flush(self, now_ns: int) -> None:
        """Write what the session has to say, hand over what has ended, and close when that was all."""
        session = self.session
        has_more = not self._is_paused and session.pump()
        self._write()
        while has_more and not self._is_paused:
            has_more = session.pump()
            self._write()
        if session.is_idle:
            self._idle_since_ns = now_ns
            if session.is_leaving:
                self._transport.close()
        self._tell()

    def _end(self, failure: Failure | None) -> None:
        self.session.lost(failure, time.monotonic_ns())
        self._tell()

    def _write(self) -> None:
        session = self.session
        octets = b"".join(session.output)
        session.output.clear()
        if not octets or self._transport.is_closing():
            return
        if session.opened:
            now_ns = time.monotonic_ns()
            for stream in session.opened:
                stream.sent_ns = now_ns
            session.opened.clear()
        self._transport.write(octets)

    def _tell(self) -> None:
        session, greeted = self.session, self.greeted
        if (
            greeted is not None
            and not greeted.done()
            and (session.has_settings or session.failure is not None)
        ):
            greeted.set_result(None)
        ended, session.ended = session.ended, []
        for stream in ended:
            self._owner.ended(self, stream)
