"""The fast transport: HTTP/1.1 on asyncio's protocols with llhttp (httptools), made for uvloop.

An exchange over a kept connection costs one future and no task, no cancel scope and no timer. Every request in
flight has a connection of its own, so nothing waits in here; idle connections are used again, the last one first.

Times: S is taken right before the first byte is given to the system, F when the first byte of anything comes back,
an interim response (1xx) included. Sizes are all bytes of requests and responses, below TLS's own.

It runs under asyncio only.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

from stressrunner.http.content import accepted_encodings, decode_content
from stressrunner.http.exchange import Exchange, Failure, Request, Transport
from stressrunner.http.failures import ExchangeFailed, connect_timeout, response_timeout, unsendable
from stressrunner.http.h1_connection import Connection
from stressrunner.http.h1_deadlines import Deadlines
from stressrunner.http.h1_dial import dial
from stressrunner.http.h1_head import HeadWriter
from stressrunner.http.h1_resolver import Resolver
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.http.tls import client_context
from stressrunner.http.wire import DEFAULT_LIMITS, IDEMPOTENT, Limits

__all__ = ["H1Transports"]


class H1Transports:
    """Opens transports with connections of their own, which share one timer and the heads written before."""

    name = "h1"

    def __init__(
        self, base_url: str, *, limits: Limits = DEFAULT_LIMITS, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls` is built by `client_context`; without it, servers are verified as it does by default.

        Raises:
            ValueError: `base_url` is not an http or https URL.
        """
        accepted_encodings()  # imports packages, which takes milliseconds that the first request must not wait for
        self._base = origin_of(base_url)
        self._limits = limits
        self._tls = client_context() if tls is None else tls
        self._writers: dict[Origin, HeadWriter] = {}
        self._common: _Shared | None = None
        self._transports = 0

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport that closes its connections when it is left.

        Raises:
            RuntimeError: on entry, outside of asyncio, or while transports are open in another event loop.
        """
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Transport]:
        loop = asyncio.get_running_loop()
        if self._common is None:
            self._common = _Shared(
                self._base, self._limits, self._tls, self._writers, Deadlines(loop), Resolver()
            )
        common = self._common
        if common.deadlines.loop is not loop:
            raise RuntimeError("the transports of a factory that are open at once share an event loop")
        self._transports += 1
        transport = _H1Transport(common)
        try:
            yield transport
        finally:
            self._transports -= 1
            if self._transports == 0:
                common.deadlines.close()
                common.resolver.close()
                self._common = None
            await transport.aclose()


class _Shared(NamedTuple):
    """What the transports of a factory have in common."""

    base: Origin
    limits: Limits
    tls: ssl.SSLContext
    writers: dict[Origin, HeadWriter]
    deadlines: Deadlines
    resolver: Resolver


class _Lane:
    """A transport's idle connections to one origin, and how requests to it begin."""

    __slots__ = ("idle", "origin", "writer")

    def __init__(self, origin: Origin, writer: HeadWriter) -> None:
        self.origin = origin
        self.writer = writer
        self.idle: list[Connection] = []

    def take(self) -> Connection | None:
        """Return the idle connection that was used last and can be used again."""
        while self.idle:
            connection = self.idle.pop()
            if connection.is_usable():
                return connection
            connection.abort()
        return None


class _H1Transport:
    def __init__(self, shared: _Shared) -> None:
        self._shared = shared
        self._others: dict[Origin, _Lane] = {}
        self._base = self._lane(shared.base)
        self._connections: dict[Connection, _Lane] = {}
        self._all_gone = asyncio.Event()

    async def exchange(self, request: Request) -> Exchange:
        acquired_ns = time.monotonic_ns()
        try:
            lane, path = self._locate(request.target)
            head = lane.writer.head(request.method, path, request.headers, len(request.body))
        except ValueError as error:
            return _without_response(request, acquired_ns, unsendable(str(error)))
        deadline_ns = acquired_ns + int(request.timeout_s * 1e9)
        connect_ns, resent = None, False
        connection = lane.take()
        if connection is not None:
            await connection.exchange(request, head, deadline_ns)
            # Idempotent requests only: others may have been done before the connection was lost.
            resent = connection.was_stale and request.method in IDEMPOTENT
        if connection is None or resent:
            try:
                connection, connect_ns = await self._connect(lane, request, deadline_ns)
            except ExchangeFailed as error:
                return _without_response(request, acquired_ns, error.failure)._replace(resent=resent)
            await connection.exchange(request, head, deadline_ns)
        if connection.is_open:
            lane.idle.append(connection)
        exchange = self._finished(connection, request, acquired_ns, len(head.octets))
        return exchange if connect_ns is None else exchange._replace(connect_ns=connect_ns, resent=resent)

    async def aclose(self) -> None:
        """Close all connections and return when they are gone."""
        for connection in list(self._connections):
            connection.abort()
        if self._connections:
            self._all_gone.clear()
            await self._all_gone.wait()

    def _locate(self, target: str) -> tuple[_Lane, str]:
        if target.startswith("/"):
            return self._base, target
        origin, path = locate(target, self._shared.base)
        if origin == self._shared.base:
            return self._base, path
        if origin not in self._others:
            self._others[origin] = self._lane(origin)
        return self._others[origin], path

    def _lane(self, origin: Origin) -> _Lane:
        writers = self._shared.writers
        if origin not in writers:
            writers[origin] = HeadWriter(origin.authority)
        return _Lane(origin, writers[origin])

    async def _connect(self, lane: _Lane, request: Request, deadline_ns: int) -> tuple[Connection, int]:
        """Open a connection; return it with the nanoseconds that took, TLS included."""
        shared = self._shared
        begun_ns = time.monotonic_ns()
        left_s = (deadline_ns - begun_ns) / 1e9
        try:
            async with asyncio.timeout(min(left_s, request.connect_timeout_s)):
                connection = await dial(
                    lane.origin,
                    shared.tls,
                    lambda: Connection(shared.limits, shared.deadlines, self._lost),
                    shared.resolver,
                )
        except TimeoutError as error:
            if left_s < request.connect_timeout_s:
                raise ExchangeFailed(response_timeout(request.timeout_s)) from error
            raise ExchangeFailed(connect_timeout(lane.origin, request.connect_timeout_s)) from error
        self._connections[connection] = lane
        return connection, time.monotonic_ns() - begun_ns

    def _lost(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        lane = self._connections.pop(connection, None)
        if lane is not None and connection in lane.idle:
            lane.idle.remove(connection)
        if not self._connections:
            self._all_gone.set()

    def _finished(
        self, connection: Connection, request: Request, acquired_ns: int, head_bytes: int
    ) -> Exchange:
        """Make the exchange that a connection has just ended."""
        response, failure = connection.response, connection.failure
        headers = response.headers if response.status else ()
        body, encoding = b"", ""
        if failure is None and (body := response.body):
            encoding = response.content_encoding
            if encoding and request.needs_body:
                try:
                    body, encoding = decode_content(body, encoding, self._shared.limits.body_bytes), ""
                except ExchangeFailed as error:
                    body, encoding, failure = b"", "", error.failure
        return Exchange(
            request,
            acquired_ns,
            connection.sent_ns,
            connection.first_byte_ns,
            connection.completed_ns,
            None,
            response.status,
            headers,
            body,
            head_bytes + len(request.body) - connection.bytes_unsent,
            response.bytes_received,
            failure,
            content_encoding=encoding,
        )


def _without_response(request: Request, acquired_ns: int, failure: Failure) -> Exchange:
    """Return an exchange of which no byte was sent."""
    return Exchange(request, acquired_ns, None, None, time.monotonic_ns(), failure=failure)
