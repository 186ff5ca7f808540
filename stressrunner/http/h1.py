"""The fast transport: HTTP/1.1 on asyncio's protocols, made for uvloop.

A request over a kept connection that is begun with a callback costs no future, no task, no cancel scope and no timer.
Every request in flight has a connection of its own, so nothing waits in here; idle connections are used again, the last
one first.

Times: S is taken right before the first byte is given to the system; F when the first bytes of anything come back, an
interim response (1xx) included; E when the last bytes do. Sizes are all bytes of requests and responses, below TLS's own.

It runs under asyncio only.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from stressrunner.http.content import accepted_encodings, undone
from stressrunner.http.exchange import Done, Exchange, Failure, Request, Transport
from stressrunner.http.failures import ExchangeFailed, connect_timeout, response_timeout, unsendable
from stressrunner.http.h1_batches import Batches
from stressrunner.http.h1_connection import Connection, OpenedConnection
from stressrunner.http.h1_deadlines import Deadlines
from stressrunner.http.h1_dial import dial
from stressrunner.http.h1_head import HeadWriter, RequestBytes
from stressrunner.http.h1_heads import KnownHeads
from stressrunner.http.h1_resolver import Resolver
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.h1_tls import TlsConnection, told_by
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.http.tls import client_context
from stressrunner.http.wire import DEFAULT_LIMITS, ResponseLimits

__all__ = ["H1Transports"]


class H1Transports:
    """Opens transports with connections of their own, which share one timer and the heads written before."""

    name = "h1"

    def __init__(
        self, base_url: str, *, limits: ResponseLimits = DEFAULT_LIMITS, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls` is built by `client_context`; without it, servers are verified as it does by default.

        Raises:
            ValueError: `base_url` is not an http or https URL.
        """
        accepted_encodings()  # imports packages, which takes milliseconds that the first request must not wait for
        self._base = origin_of(base_url)
        self._limits = limits
        self._tls = tls
        if self._base.scheme == "https":
            self._context()  # before the first request, which it would keep waiting
        self._sites: dict[Origin, _Site] = {}
        self._common: _Shared | None = None
        self._transports = 0

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport that closes its connections when it is left.

        Raises:
            RuntimeError: on entry, outside of asyncio, or while transports are open in another event loop.
        """
        return _Opening(self)

    def _context(self) -> ssl.SSLContext:
        """Return the TLS settings; to read the system's authorities takes 30 ms, which plain http can do without."""
        if self._tls is None:
            self._tls = client_context()
        return told_by(self._tls)

    def enter(self) -> "_H1Transport":
        """Return a transport that is open; raises RuntimeError as `open` does."""
        loop = asyncio.get_running_loop()
        if self._common is None:
            self._common = _Shared(
                self._base,
                self._limits,
                self._context,
                self._sites,
                Deadlines(loop),
                Batches(loop),
                Resolver(),
                {},
            )
        common = self._common
        if common.deadlines.loop is not loop:
            raise RuntimeError("the transports of a factory that are open at once share an event loop")
        self._transports += 1
        return _H1Transport(common)

    async def leave(self, transports: Sequence["_H1Transport"]) -> None:
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


class _Opening:
    """A transport while it is open; a third of the size of what `asynccontextmanager` makes, of which users have one each."""

    __slots__ = ("_factory", "_transport")

    def __init__(self, factory: H1Transports) -> None:
        self._factory = factory
        self._transport: _H1Transport

    async def __aenter__(self) -> Transport:
        self._transport = self._factory.enter()
        return self._transport

    async def __aexit__(self, *_: object) -> None:
        await self._factory.leave((self._transport,))


class _Site(NamedTuple):
    """What is known of an origin."""

    writer: HeadWriter
    heads: KnownHeads


class _Shared(NamedTuple):
    """What the transports of a factory have in common."""

    base: Origin
    limits: ResponseLimits
    tls: Callable[[], ssl.SSLContext]
    sites: dict[Origin, _Site]
    deadlines: Deadlines
    batches: Batches
    resolver: Resolver
    standing: dict[int, RequestBytes]  #: by the id of their requests, which they keep alive


_MOST_STANDING = 1024  #: requests whose messages are kept


class _Lane:
    """A transport's idle connections to one origin, and what is known of that."""

    __slots__ = ("idle", "origin", "site")

    def __init__(self, origin: Origin, site: _Site) -> None:
        self.origin = origin
        self.site = site
        self.idle: list[Connection] = []

    def take(self, now_ns: int) -> Connection | None:
        """Return the idle connection that was used last and can be used again."""
        while self.idle:
            connection = self.idle.pop()
            if connection.is_usable(now_ns):
                return connection
            connection.abort()
        return None


class _H1Transport:
    __slots__ = ("_all_gone", "_base", "_connections", "_opening", "_others", "_shared")

    def __init__(self, shared: _Shared) -> None:
        self._shared = shared
        self._others: dict[Origin, _Lane] = {}
        self._base = self._lane(shared.base)
        self._connections: dict[Connection, _Lane] = {}
        self._opening: dict[asyncio.Task[None], Done] = {}
        self._all_gone: asyncio.Event | None = None  # while it waits for its connections to end

    async def exchange(self, request: Request) -> Exchange:
        answered: asyncio.Future[Exchange] = self._shared.deadlines.loop.create_future()

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
        lane, message = self._base, self._shared.standing.get(id(request))
        if message is None:
            try:
                lane, message = self._compose(request)
            except ValueError as error:
                refused = _without_response(request, now_ns, unsendable(str(error)))
                self._shared.deadlines.loop.call_soon(done, refused)
                return
        connection = lane.take(now_ns)
        if connection is None:
            self._open_for(message, lane, now_ns, done)
        else:
            connection.begin(message, now_ns + int(request.timeout_s * 1e9), done)

    def abort(self) -> None:
        """Begin to close all connections."""
        for task in list(self._opening):
            task.cancel()
        for connection in list(self._connections):
            connection.abort()

    async def gone(self) -> None:
        """Wait until all connections are gone, which are being closed."""
        if self._opening:
            await asyncio.wait(list(self._opening))
            self.abort()  # what was opened in the last moment
        if self._connections:
            self._all_gone = asyncio.Event()
            await self._all_gone.wait()

    def ended(self, connection: Connection, done: Done) -> None:
        """Hand over what came of a request, or send it again over a new connection."""
        message, lane = connection.message, self._connections[connection]
        if connection.is_open:
            lane.idle.append(connection)
        elif connection.may_be_sent_again:
            self._open_for(message, lane, connection.acquired_ns, done, resent=True)
            return
        done(self._finished(connection))

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        lane = self._connections.pop(connection, None)
        if lane is not None and connection in lane.idle:
            lane.idle.remove(connection)
        if not self._connections and self._all_gone is not None:
            self._all_gone.set()

    def _abandon(self, done: Done) -> None:
        """Give up the request that was begun with this callback, if it has not ended."""
        for connection in self._connections:
            if connection.done is done:
                connection.abort()
        for task, waiting in self._opening.items():
            if waiting is done:
                task.cancel()

    def _compose(self, request: Request) -> tuple[_Lane, RequestBytes]:
        """Return a request ready to be written, and where it goes.

        Raises:
            ValueError: it cannot be put into HTTP.
        """
        if not request.target.startswith("/"):
            origin, path = locate(request.target, self._shared.base)
            lane = self._base if origin == self._shared.base else self._lane_to(origin)
            return lane, lane.site.writer.message(request, path)
        message = self._base.site.writer.message(request, request.target)
        if request.is_standing and len(self._shared.standing) < _MOST_STANDING:
            self._shared.standing[id(request)] = message
        return self._base, message

    def _lane_to(self, origin: Origin) -> _Lane:
        if origin not in self._others:
            self._others[origin] = self._lane(origin)
        return self._others[origin]

    def _lane(self, origin: Origin) -> _Lane:
        sites = self._shared.sites
        if origin not in sites:
            sites[origin] = _Site(HeadWriter(origin.authority), KnownHeads())
        return _Lane(origin, sites[origin])

    def _open_for(
        self, message: RequestBytes, lane: _Lane, acquired_ns: int, done: Done, *, resent: bool = False
    ) -> None:
        """Begin a request over a connection that is opened for it."""
        opening = self._open_and_begin(message, lane, acquired_ns, done, resent=resent)
        task = self._shared.deadlines.loop.create_task(opening)
        self._opening[task] = done
        task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        del self._opening[task]
        if not self._opening:
            self._opening = {}  # a dictionary does not shrink by itself
        if not task.cancelled():
            task.result()  # raises what is a bug of ours into the event loop's handler

    async def _open_and_begin(
        self, message: RequestBytes, lane: _Lane, acquired_ns: int, done: Done, *, resent: bool
    ) -> None:
        request = message.request
        deadline_ns = acquired_ns + int(request.timeout_s * 1e9)
        try:
            connection, connect_ns = await self._connect(lane, request, deadline_ns)
        except ExchangeFailed as error:
            done(_without_response(request, acquired_ns, error.failure)._replace(resent=resent))
        else:
            connection.begin_first(
                message, deadline_ns, OpenedConnection(acquired_ns, connect_ns, resent), done
            )

    async def _connect(self, lane: _Lane, request: Request, deadline_ns: int) -> tuple[Connection, int]:
        """Open a connection; return it with the nanoseconds that took, TLS included."""
        shared = self._shared
        begun_ns = time.monotonic_ns()
        left_s = (deadline_ns - begun_ns) / 1e9
        over_tls = lane.origin.scheme == "https"
        kind = TlsConnection if over_tls else Connection
        try:
            async with asyncio.timeout(min(left_s, request.connect_timeout_s)):
                connection = await dial(
                    lane.origin,
                    shared.tls() if over_tls else None,
                    lambda: kind(
                        ResponseReader(shared.limits, lane.site.heads), shared.deadlines, shared.batches, self
                    ),
                    shared.resolver,
                )
        except TimeoutError as error:
            if left_s < request.connect_timeout_s:
                raise ExchangeFailed(response_timeout(request.timeout_s)) from error
            raise ExchangeFailed(connect_timeout(lane.origin, request.connect_timeout_s)) from error
        self._connections[connection] = lane
        return connection, time.monotonic_ns() - begun_ns

    def _finished(self, connection: Connection) -> Exchange:
        """Make the exchange that a connection has just ended."""
        response, failure, message = connection.response, connection.failure, connection.message
        known = response.known
        headers = known.headers if known is not None else response.headers if response.status else ()
        body, encoding = b"", ""
        if failure is None and (body := response.body):
            encoding = response.content_encoding if known is None else known.content_encoding
            if encoding:
                limit, is_needed = self._shared.limits.body_bytes, message.request.needs_body
                try:
                    body, encoding = undone(body, encoding, limit, is_needed=is_needed)
                except ExchangeFailed as error:
                    body, encoding, failure = b"", "", error.failure
        fields = (
            message.request,
            connection.acquired_ns,
            connection.sent_ns,
            connection.first_byte_ns,
            connection.completed_ns,
            connection.connect_ns,
            response.status,
            message.size - connection.bytes_unsent,
            response.bytes_received,
            headers,
            body,
            failure,
            connection.resent,
            0,
            encoding,
        )
        return tuple.__new__(Exchange, fields)  # half of what calling it costs


def _without_response(request: Request, acquired_ns: int, failure: Failure) -> Exchange:
    """Return an exchange of which no byte was sent."""
    return Exchange(request, acquired_ns, None, None, time.monotonic_ns(), failure=failure)
