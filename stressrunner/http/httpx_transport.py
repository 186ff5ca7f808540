"""The transport over httpcore, the lower half of httpx: for proxies and trio, and to compare the fast one with.

It costs about 0.4 ms of CPU an exchange, 25 times as much as the fast one, so it is not the one to load a target with
where the fast one will do.

Times and sizes are those of the fast transport: S is taken right before the first byte of the request is written, F when
the first bytes of anything come back, E when the last ones do. Of the way to a target, CONNECT and handshakes, the time
is told, and nothing is counted.
"""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import anyio
import httpcore

from stressrunner.http.content import undone
from stressrunner.http.exchange import Exchange, Failure, Request, Transport
from stressrunner.http.failures import ExchangeFailed, response_timeout, unasked_switch, unsendable
from stressrunner.http.httpx_failures import Stage, failure_of
from stressrunner.http.httpx_stream import SentRequest, WatchedBackend, attempting, ending
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.http.proxy import Proxy, proxy_of
from stressrunner.http.resends import is_sent_again
from stressrunner.http.tls import client_context
from stressrunner.http.wire import DEFAULT_LIMITS, ResponseLimits, complete_headers

__all__ = ["HttpxTransports"]


class HttpxTransports:
    """Opens transports over httpcore, each with connections of its own; runs under asyncio and trio."""

    name = "httpx"

    def __init__(
        self,
        base_url: str,
        *,
        limits: ResponseLimits = DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
    ) -> None:
        """Send to `base_url`, through the HTTP proxy at the URL `proxy` if there is one.

        `tls` is built by `client_context`; without it, servers are verified as it does by default, as a proxy always
        is.

        Raises:
            ValueError: `base_url` is not an http or https URL, or `proxy` is not.
        """
        self._tls = ending(client_context() if tls is None else tls)
        self._route = _Route(origin_of(base_url), limits, None if proxy is None else proxy_of(proxy))

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport that closes its connections when it is left."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Transport]:
        async with self._pool() as pool:
            yield _HttpxTransport(pool, self._route)

    def _pool(self) -> httpcore.AsyncConnectionPool:
        """Return connections without a limit: how many there are is the engine's decision, and none waits in here."""
        proxy = self._route.proxy
        if proxy is None:
            return httpcore.AsyncConnectionPool(
                self._tls, max_connections=None, network_backend=WatchedBackend()
            )
        secured = proxy.origin.scheme == "https"
        lines = [("Proxy-Authorization", proxy.authorization)] if proxy.authorization else []
        return httpcore.AsyncHTTPProxy(
            proxy.origin.url,
            proxy_headers=lines,
            ssl_context=self._tls,
            proxy_ssl_context=client_context() if secured else None,
            max_connections=None,
            network_backend=WatchedBackend(),
        )


class _Route(NamedTuple):
    """Where requests go, and what may come back."""

    base: Origin
    limits: ResponseLimits
    proxy: Proxy | None

    def attempt(self, request: Request, origin: Origin) -> SentRequest:
        """Begin what is known of a request to an origin."""
        is_proxy_secure = self.proxy is not None and self.proxy.origin.scheme == "https"
        return SentRequest(request.method, self.limits, (origin.scheme == "https") + is_proxy_secure)

    def message(self, request: Request, origin: Origin, path: str) -> httpcore.Request:
        """Build the request so that path and headers go out as they are.

        Raises:
            ValueError: the path has characters that are not ASCII, or the origin is a Unix socket.
        """
        if origin.socket:
            raise ValueError("only the transport h1 connects to Unix sockets")
        if " " in path or not path.isascii() or not path.isprintable():
            raise ValueError(f"the path {path!r} is not percent-encoded")
        extensions: dict[str, Any] = {"timeout": {"connect": request.connect_timeout_s}}
        if self.proxy is not None and origin.scheme == "http":
            extensions["target"] = f"{origin.url}{path}".encode("ascii")
        return httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=origin.scheme, host=origin.host, port=origin.port, target=path.encode("ascii")
            ),
            headers=[(n.encode(), v.encode()) for n, v in complete_headers(request, origin.authority)],
            content=request.body,
            extensions=extensions,
        )


class _HttpxTransport:
    def __init__(self, pool: httpcore.AsyncConnectionPool, route: _Route) -> None:
        self._pool = pool
        self._route = route

    async def exchange(self, request: Request) -> Exchange:
        acquired_ns = time.monotonic_ns()
        try:
            origin, path = locate(request.target, self._route.base)
            message = self._route.message(request, origin, path)
        except ValueError as error:
            return _unsent(request, acquired_ns, str(error))
        attempt, failure, resent = self._route.attempt(request, origin), None, False
        with anyio.move_on_after(request.timeout_s) as scope:
            failure = await self._send(message, attempt, (request, origin))
            if resent := _may_be_sent_again(attempt, failure):
                attempt = self._route.attempt(request, origin)
                failure = await self._send(message, attempt, (request, origin))
        if scope.cancelled_caught:
            failure = response_timeout(request.timeout_s)
        return _exchange(request, acquired_ns, attempt, failure, self._route.limits)._replace(resent=resent)

    async def _send(
        self, message: httpcore.Request, attempt: SentRequest, asked: tuple[Request, Origin]
    ) -> Failure | None:
        """Send the request once; what came of it is in `attempt`."""
        request, origin = asked
        message.extensions["trace"] = attempt.trace
        attempting(attempt)
        try:
            response = await self._pool.handle_async_request(message)
            await response.aread()
            await response.aclose()
        except ExchangeFailed as error:
            return error.failure
        except Exception as error:  # noqa: BLE001  an error of the libraries' must not end more than the request
            proxy = self._route.proxy
            return failure_of(
                error, _stage(attempt), (origin, None if proxy is None else proxy.origin), request
            )
        return unasked_switch(request) if attempt.reader.status == 101 else None


def _stage(attempt: SentRequest) -> Stage:
    if attempt.sent_ns is not None:
        return Stage.SENT
    return Stage.CONNECTING if attempt.connect_ns is None else Stage.CONNECTED


def _may_be_sent_again(attempt: SentRequest, failure: Failure | None) -> bool:
    return is_sent_again(
        failure,
        is_kept=attempt.connect_ns is None,
        bytes_received=attempt.reader.bytes_received,
        sent_ns=attempt.sent_ns,
        lost_ns=attempt.completed_ns or time.monotonic_ns(),
    )


def _unsent(request: Request, now_ns: int, reason: str) -> Exchange:
    return Exchange(request, now_ns, None, None, now_ns, failure=unsendable(reason))


def _exchange(
    request: Request, acquired_ns: int, attempt: SentRequest, failure: Failure | None, limits: ResponseLimits
) -> Exchange:
    """Make the exchange of an attempt that has ended."""
    response, completed_ns = attempt.reader, attempt.completed_ns
    if completed_ns is None or not (response.complete or response.failure):
        completed_ns = time.monotonic_ns()
    body, encoding = b"", ""
    if failure is None and (body := response.body):
        encoding = response.content_encoding
        if encoding:
            try:
                body, encoding = undone(body, encoding, limits.body_bytes, is_needed=request.needs_body)
            except ExchangeFailed as error:
                body, encoding, failure = b"", "", error.failure
    return Exchange(
        request,
        acquired_ns,
        attempt.sent_ns,
        attempt.first_byte_ns,
        completed_ns,
        attempt.connect_ns,
        response.status,
        attempt.bytes_sent,
        response.bytes_received,
        response.headers,
        body,
        failure,
        content_encoding=encoding,
    )
