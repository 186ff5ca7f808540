"""The transport for HTTP/2: many requests at once over one connection to each origin.

Times: S is taken right before the head of the request is given to the system, F when the first byte of the stream's
first frame comes back, an interim response (1xx) included, E when the last frame does. Sizes are those of the stream's
frames. A request waits in here while its connection is opened, and while the server takes no further streams.

It runs under asyncio only.
"""

import asyncio
import ssl
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from stressrunner.http.content import accepted_encodings, undone
from stressrunner.http.exchange import Done, Exchange, Failure, FailureKind, Request, Transport
from stressrunner.http.failures import ExchangeFailed, connect_timeout, response_timeout, unsendable
from stressrunner.http.h1_deadlines import Deadlines
from stressrunner.http.h1_dial import dial
from stressrunner.http.h1_resolver import Resolver
from stressrunner.http.h1_tls import told_by
from stressrunner.http.h2_connection import H2Connection
from stressrunner.http.h2_heads import Field, request_fields
from stressrunner.http.h2_session import NO_HTTP2, H2Session
from stressrunner.http.h2_stream import Stream
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.http.proxy import Proxy
from stressrunner.http.resends import is_sent_again
from stressrunner.http.tls import client_context
from stressrunner.http.tunnel import Contexts, connect_through
from stressrunner.http.wire import DEFAULT_LIMITS, ResponseLimits

__all__ = ["H2Transports", "may_go_on"]


class H2Transports:
    """Opens transports that speak HTTP/2 and nothing else, each with connections of its own, which share one timer."""

    name = "h2"

    def __init__(
        self,
        base_url: str,
        *,
        limits: ResponseLimits = DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        """Send to `base_url`, through a tunnel of the proxy's if there is one.

        `tls` is built by `client_context` with `http2=True`; without it, servers are verified as it does by default,
        as a proxy always is. Over https HTTP/2 is negotiated, over http it is taken for granted.

        Raises:
            ValueError: `base_url` is not an http or https URL.
        """
        accepted_encodings()  # imports packages, which takes milliseconds that the first request must not wait for
        proxy_tls = client_context() if proxy is not None and proxy.origin.scheme == "https" else None
        self._way = _Way(
            origin_of(base_url),
            limits,
            Contexts(proxy_tls, told_by(client_context(http2=True) if tls is None else tls)),
            proxy,
        )
        self._common: _Common | None = None
        self._transports = 0

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport that closes its connections when it is left.

        Raises:
            RuntimeError: on entry, outside of asyncio, or while transports are open in another event loop.
        """
        return _Opening(self)

    def enter(self) -> "_H2Transport":
        """Return a transport that is open; raises RuntimeError as `open` does."""
        loop = asyncio.get_running_loop()
        if self._common is None:
            self._common = _Common(self._way, Deadlines(loop), Resolver(), {})
        common = self._common
        if common.deadlines.loop is not loop:
            raise RuntimeError("the transports of a factory that are open at once share an event loop")
        self._transports += 1
        return _H2Transport(common)

    async def leave(self, transports: Sequence["_H2Transport"]) -> None:
        """Close transports that were entered; when cancelled, without waiting until their connections are gone."""
        for transport in transports:
            transport.abort()
        self._transports -= len(transports)
        if self._transports == 0 and self._common is not None:
            self._common.deadlines.close()
            self._common.resolver.close()
            self._common = None
        for transport in transports:
            await transport.gone()

    async def greet(self, timeout_s: float) -> Failure | None:
        """Open a connection and wait until the server speaks HTTP/2 on it; return what kept it from that."""
        transport = self.enter()
        try:
            return await transport.greet(timeout_s)
        finally:
            await self.leave((transport,))


class _Opening:
    """A transport while it is open."""

    __slots__ = ("_factory", "_transport")

    def __init__(self, factory: H2Transports) -> None:
        self._factory = factory
        self._transport: _H2Transport

    async def __aenter__(self) -> Transport:
        self._transport = self._factory.enter()
        return self._transport

    async def __aexit__(self, *_: object) -> None:
        await self._factory.leave((self._transport,))


class _Way(NamedTuple):
    """Where requests go, how, and what may come back."""

    base: Origin
    limits: ResponseLimits
    contexts: Contexts
    proxy: Proxy | None


class _Common(NamedTuple):
    """What the transports of a factory have in common."""

    way: _Way
    deadlines: Deadlines
    resolver: Resolver
    standing: dict[int, tuple[Request, list[Field]]]  #: heads of requests that are sent again, by their ids


_MOST_STANDING = 1024  #: requests whose heads are kept


class _Lane:
    """A transport's connections to one origin: one that takes requests, and those that only end theirs."""

    __slots__ = ("connection", "connections", "opening", "origin", "waiting")

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.connection: H2Connection | None = None
        self.connections: set[H2Connection] = set()
        self.opening: asyncio.Task[None] | None = None
        self.waiting: list[Stream] = []  #: requests until the connection is open

    def take(self, now_ns: int) -> H2Connection | None:
        """Return the connection that takes requests, if there is one."""
        connection = self.connection
        if connection is not None and not connection.is_usable(now_ns):
            if connection.session.is_idle:
                connection.abort()
            connection = self.connection = None
        return connection


class _H2Transport:
    __slots__ = ("_all_gone", "_common", "_in_flight", "_lanes", "_opening")

    def __init__(self, common: _Common) -> None:
        self._common = common
        self._lanes: dict[Origin, _Lane] = {}
        self._in_flight: dict[Stream, _Lane] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._all_gone: asyncio.Event | None = None  # while it waits for its connections to end

    async def exchange(self, request: Request) -> Exchange:
        answered: asyncio.Future[Exchange] = self._common.deadlines.loop.create_future()

        def done(exchange: Exchange) -> None:
            if not answered.done():
                answered.set_result(exchange)

        self.begin(request, done)
        try:
            return await answered
        except BaseException:
            self._abandon(done)
            raise

    def begin(self, request: Request, done: Done) -> None:
        now_ns = time.monotonic_ns()
        way, deadlines = self._common.way, self._common.deadlines
        try:
            origin, path = locate(request.target, way.base)
            fields = self._fields(request, origin, path)
        except ValueError as error:
            refused = Exchange(request, now_ns, None, None, now_ns, failure=unsendable(str(error)))
            deadlines.loop.call_soon(done, refused)
            return
        stream = Stream(request, fields, way.limits, now_ns)
        stream.done = done
        stream.expired = self._expired
        deadlines.watch(stream)
        if stream.deadline_ns < deadlines.next_ns:
            deadlines.look_at(stream.deadline_ns)
        lane = self._in_flight[stream] = self._lane(origin)
        self._dispatch(stream, lane, now_ns)

    def abort(self) -> None:
        """Begin to close all connections."""
        for stream in tuple(self._in_flight):
            self._forget(stream)
        for task in tuple(self._opening):
            task.cancel()
        for lane in self._lanes.values():
            for connection in tuple(lane.connections):
                connection.abort()

    async def gone(self) -> None:
        """Wait until all connections are gone, which are being closed."""
        if self._opening:
            await asyncio.wait(tuple(self._opening))
            self.abort()  # what was opened in the last moment
        if any(lane.connections for lane in self._lanes.values()):
            self._all_gone = asyncio.Event()
            await self._all_gone.wait()

    async def greet(self, timeout_s: float) -> Failure | None:
        """Open a connection to the base and wait until the server speaks HTTP/2."""
        lane = self._lane(self._common.way.base)
        try:
            connection = await self._connect(lane, timeout_s)
            greeted = connection.greeted = self._common.deadlines.loop.create_future()
            connection.flush(time.monotonic_ns())
            await asyncio.wait_for(greeted, timeout_s)
        except TimeoutError:
            return Failure(NO_HTTP2.kind, f"{NO_HTTP2.message}: it says nothing within {timeout_s:g} s")
        except ExchangeFailed as error:
            return error.failure
        return None if connection.session.has_settings else connection.session.failure

    def ended(self, connection: H2Connection, stream: Stream) -> None:
        """Hand over what came of a request, or send it again."""
        lane = self._in_flight.get(stream)
        if lane is None:
            return
        if may_go_on(stream, connection.session):
            stream.resent |= stream.sent_ns is not None
            stream.begin_anew()
            self._dispatch(stream, lane, time.monotonic_ns())
        else:
            self._finish(stream)

    def lost(self, connection: H2Connection) -> None:
        """Forget a connection that is gone."""
        is_last = True
        for lane in self._lanes.values():
            lane.connections.discard(connection)
            if lane.connection is connection:
                lane.connection = None
            is_last &= not lane.connections
        if is_last and self._all_gone is not None:
            self._all_gone.set()

    def _fields(self, request: Request, origin: Origin, path: str) -> list[Field]:
        standing = self._common.standing
        known = standing.get(id(request))
        if known is not None:
            return known[1]
        fields = request_fields(request, origin, path)
        if request.is_standing and len(standing) < _MOST_STANDING:
            standing[id(request)] = (request, fields)
        return fields

    def _lane(self, origin: Origin) -> _Lane:
        if origin not in self._lanes:
            self._lanes[origin] = _Lane(origin)
        return self._lanes[origin]

    def _dispatch(self, stream: Stream, lane: _Lane, now_ns: int) -> None:
        """Send a request, over a connection that is opened first if there is none."""
        connection = lane.take(now_ns)
        if connection is not None:
            connection.begin(stream)
            return
        lane.waiting.append(stream)
        if lane.opening is None:
            lane.opening = self._common.deadlines.loop.create_task(self._open(lane, stream.request))
            self._opening.add(lane.opening)
            lane.opening.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if not task.cancelled():
            task.result()  # raises what is a bug of ours into the event loop's handler

    async def _open(self, lane: _Lane, request: Request) -> None:
        """Open a connection for the requests that wait for it."""
        begun_ns, failure = time.monotonic_ns(), None
        try:
            connection = await self._connect(lane, request.connect_timeout_s)
        except ExchangeFailed as error:
            failure = error.failure
        finally:
            if lane.opening is asyncio.current_task():
                lane.opening = None
        waiting, lane.waiting = lane.waiting, []
        if failure is not None:
            for stream in waiting:
                stream.failure, stream.completed_ns = failure, time.monotonic_ns()
                self._finish(stream)
            return
        lane.connection = connection
        if waiting:
            waiting[0].connect_ns = time.monotonic_ns() - begun_ns
        for stream in waiting:
            connection.begin(stream)

    async def _connect(self, lane: _Lane, timeout_s: float) -> H2Connection:
        """Open a connection on which HTTP/2 may be spoken."""
        way, origin, resolver = self._common.way, lane.origin, self._common.resolver
        peer = origin if way.proxy is None else way.proxy.origin
        contexts = way.contexts if origin.scheme == "https" else way.contexts._replace(target=None)
        try:
            async with asyncio.timeout(timeout_s):
                if way.proxy is None:
                    connection = await dial(origin, contexts.target, self._connection, resolver)
                else:
                    connection = await connect_through(
                        way.proxy, origin, contexts, self._connection, resolver
                    )
        except TimeoutError as error:
            raise ExchangeFailed(connect_timeout(peer, timeout_s)) from error
        lane.connections.add(connection)
        if connection.negotiated not in (None, "h2"):
            connection.abort()
            raise ExchangeFailed(NO_HTTP2)
        return connection

    def _connection(self) -> H2Connection:
        return H2Connection(self._common.way.limits, self)

    def _expired(self, stream: Stream) -> None:
        """Give a request up: its time is over."""
        stream.completed_ns = time.monotonic_ns()
        self._give_up(stream, response_timeout(stream.request.timeout_s))
        self._finish(stream)

    def _abandon(self, done: Done) -> None:
        """Give up the request that was begun with this callback, if it has not ended."""
        for stream in tuple(self._in_flight):
            if stream.done is done:
                self._give_up(stream, response_timeout(stream.request.timeout_s))
                self._forget(stream)

    def _give_up(self, stream: Stream, failure: Failure) -> None:
        lane = self._in_flight[stream]
        stream.failure = failure
        if stream in lane.waiting:
            lane.waiting.remove(stream)
            if not lane.waiting and lane.opening is not None:
                lane.opening.cancel()
                lane.opening = None  # whoever comes next has another one
        for connection in tuple(lane.connections):
            connection.give_up(stream, failure)

    def _forget(self, stream: Stream) -> None:
        self._common.deadlines.forget(stream)
        self._in_flight.pop(stream, None)

    def _finish(self, stream: Stream) -> None:
        """Hand over what came of a request."""
        self._forget(stream)
        done, stream.done = stream.done, None
        if done is not None:
            done(_exchange_of(stream, self._common.way.limits))


def may_go_on(stream: Stream, session: H2Session) -> bool:
    """Whether a request that was not answered may be sent again, because it cannot have done anything.

    That is so when the server says that it has not looked at it, when it was not sent yet, or when the connection was
    lost at once. So that it comes to an end, the connection must have been good for something.
    """
    failure = stream.failure
    if failure is None or failure.kind is not FailureKind.RESET:
        return False
    if stream.sent_ns is None:
        return session.answered > 0
    if stream.refused:
        return not stream.resent or (session.said_goodbye and session.answered > 0)
    if session.said_goodbye or session.failure is None or stream.resent:
        return False
    return is_sent_again(
        failure,
        is_kept=session.answered > 0,
        bytes_received=stream.bytes_received,
        sent_ns=stream.sent_ns,
        lost_ns=stream.completed_ns,
    )


def _exchange_of(stream: Stream, limits: ResponseLimits) -> Exchange:
    """Make the exchange of a stream that has ended."""
    body, encoding, failure = b"", "", stream.failure
    if failure is None and (body := stream.body):
        encoding = stream.content_encoding
        if encoding:
            is_needed = stream.request.needs_body
            try:
                body, encoding = undone(body, encoding, limits.body_bytes, is_needed=is_needed)
            except ExchangeFailed as error:
                body, encoding, failure = b"", "", error.failure
    return Exchange(
        stream.request,
        stream.acquired_ns,
        stream.sent_ns,
        stream.first_byte_ns,
        stream.completed_ns,
        stream.connect_ns,
        stream.status,
        stream.bytes_sent,
        stream.bytes_received,
        stream.headers,
        body,
        failure,
        stream.resent,
        content_encoding=encoding,
    )
