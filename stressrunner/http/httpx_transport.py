"""The transport over httpx: for HTTP/2, proxies and trio, and the reference that the fast one is compared with.

It costs about a millisecond of CPU an exchange, so it is not the one to load a target with where the fast one will do.

Times come from httpcore's trace. F is the end of the response's head rather than its first byte, which httpcore
does not tell. Sizes are those of the heads as HTTP/1.1 writes them, under HTTP/2 too, and of the body before its
content encoding is undone; the framing of chunked bodies is not seen and not counted, nor are proxies' heads.
"""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import anyio
import httpx

from stressrunner.http.content import body_too_large, undone
from stressrunner.http.exchange import Exchange, Failure, FailureKind, Headers, Request, Transport
from stressrunner.http.failures import ExchangeFailed, response_timeout, unsendable
from stressrunner.http.httpx_failures import Stage, failure_of
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.http.resends import is_sent_again
from stressrunner.http.tls import client_context
from stressrunner.http.wire import (
    DEFAULT_LIMITS,
    Limits,
    complete_headers,
    head_size,
    head_too_large,
)

__all__ = ["HttpxTransports"]

#: Nothing waits inside of httpx: how many connections there are is the engine's decision.
_UNLIMITED = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=None)


class HttpxTransports:
    """Opens transports over httpx, each with connections of its own; runs under asyncio and trio."""

    name = "httpx"

    def __init__(
        self,
        base_url: str,
        *,
        limits: Limits = DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
        http2: bool = False,
        proxy: str | None = None,
    ) -> None:
        """Send to `base_url`, through the HTTP proxy at the URL `proxy` if there is one.

        `tls` is built by `client_context`; without it, servers are verified as it does by default, as a proxy always
        is. With `http2` nothing else is spoken: over http without asking, over https as negotiated, so a server
        that does not speak it fails every request; through a proxy, it is for https alone.

        Raises:
            ValueError: `base_url` is not an http or https URL, or `proxy` is not.
        """
        self._layer = _Layer(
            client_context() if tls is None else tls,
            http2=http2,
            proxy=None if proxy is None else httpx.Proxy(proxy, ssl_context=_context_of_proxy(proxy)),
        )
        proxy_origin = None if proxy is None else origin_of(proxy)
        self._route = _Route(origin_of(base_url), limits, proxy_origin, speaks_http2=http2)

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport that closes its connections when it is left."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Transport]:
        # The layer below httpx.AsyncClient: no cookies, redirects, proxies or default headers to keep out.
        tls, http2, proxy = self._layer
        async with httpx.AsyncHTTPTransport(
            verify=tls, trust_env=False, limits=_UNLIMITED, http1=not http2, http2=http2, proxy=proxy
        ) as layer:
            yield _HttpxTransport(layer, self._route)


class _Layer(NamedTuple):
    """How httpx is set up."""

    tls: ssl.SSLContext
    http2: bool
    proxy: httpx.Proxy | None


class _Route(NamedTuple):
    """Where requests go, and what may come back."""

    base: Origin
    limits: Limits
    proxy: Origin | None
    speaks_http2: bool

    def message(self, request: Request, origin: Origin, path: str) -> httpx.Request:
        """Build the request so that path and headers go out as they are, without httpx's normalisation.

        Raises:
            ValueError: the path has characters that are not ASCII, or the origin is a Unix socket.
        """
        if origin.socket:
            raise ValueError("only the transport h1 connects to Unix sockets")
        url = f"{origin.scheme}://{origin.address}"
        extensions: dict[str, Any] = {"timeout": {"connect": request.connect_timeout_s}}
        if self.proxy is None:
            extensions["target"] = path.encode("ascii")
        elif origin.scheme == "http":
            extensions["target"] = f"{origin.url}{path}".encode("ascii")
        else:  # The target would be that of CONNECT too, so here httpx resolves dots in the path.
            url += path
        return httpx.Request(
            request.method,
            url,
            headers=[(n.encode(), v.encode()) for n, v in complete_headers(request, origin.authority)],
            content=request.body,
            extensions=extensions,
        )


def _context_of_proxy(proxy: str) -> ssl.SSLContext | None:
    return client_context() if proxy.startswith("https:") else None


class _Attempt:
    """What is known of an exchange so far; it survives when the exchange is given up."""

    __slots__ = (
        "_connecting_ns",
        "body",
        "bytes_received",
        "bytes_sent",
        "connect_ns",
        "content_encoding",
        "failure",
        "first_byte_ns",
        "headers",
        "sent_ns",
        "status",
    )

    def __init__(self) -> None:
        self._connecting_ns = 0
        self.connect_ns: int | None = None
        self.sent_ns: int | None = None
        self.first_byte_ns: int | None = None
        self.status = 0
        self.headers: Headers = ()
        self.body = b""
        self.content_encoding = ""
        self.bytes_sent = 0
        self.bytes_received = 0
        self.failure: Failure | None = None

    async def trace(self, event: str, _: dict[str, Any]) -> None:
        """Take the times of httpcore's events."""
        now = time.monotonic_ns()
        match event.partition(".")[2]:
            case "connect_tcp.started":
                self._connecting_ns = now
            case "connect_tcp.complete" | "start_tls.complete":
                self.connect_ns = now - self._connecting_ns
                self.sent_ns = self.first_byte_ns = None  # those were of CONNECT
            case "send_request_headers.started":
                self.sent_ns = now
            case "receive_response_headers.complete":
                self.first_byte_ns = now

    @property
    def stage(self) -> Stage:
        """How far the exchange has come."""
        if self.sent_ns is not None:
            return Stage.SENT
        return Stage.CONNECTING if self.connect_ns is None else Stage.CONNECTED

    @property
    def may_be_sent_again(self) -> bool:
        """Whether the connection of an earlier exchange was lost at once; asked right after it was."""
        return is_sent_again(
            self.failure,
            is_kept=self.connect_ns is None,
            bytes_received=0 if self.first_byte_ns is None else 1,
            sent_ns=self.sent_ns,
            lost_ns=time.monotonic_ns(),
        )


class _HttpxTransport:
    def __init__(self, layer: httpx.AsyncHTTPTransport, route: _Route) -> None:
        self._layer = layer
        self._route = route

    async def exchange(self, request: Request) -> Exchange:
        acquired_ns = time.monotonic_ns()
        attempt, resent = _Attempt(), False
        with anyio.move_on_after(request.timeout_s) as scope:
            await self._send(request, attempt)
            if resent := attempt.may_be_sent_again:
                attempt = _Attempt()
                await self._send(request, attempt)
        if scope.cancelled_caught:
            attempt.failure = response_timeout(request.timeout_s)
        return Exchange(
            request,
            acquired_ns,
            attempt.sent_ns,
            attempt.first_byte_ns,
            time.monotonic_ns(),
            attempt.connect_ns,
            attempt.status,
            attempt.bytes_sent,
            attempt.bytes_received,
            attempt.headers,
            attempt.body,
            attempt.failure,
            resent,
            content_encoding=attempt.content_encoding,
        )

    async def _send(self, request: Request, attempt: _Attempt) -> None:
        """Send the request once; what comes of it is left in `attempt`."""
        try:
            origin, path = locate(request.target, self._route.base)
            message = self._route.message(request, origin, path)
        except (ValueError, httpx.InvalidURL) as error:
            attempt.failure = unsendable(str(error))
            return
        message.extensions["trace"] = attempt.trace
        try:
            response = await self._layer.handle_async_request(message)
            attempt.bytes_sent = _sent_size(request, path, message)
            try:
                await self._read(response, request, attempt)
            finally:
                await response.aclose()
        except ExchangeFailed as error:
            attempt.failure = error.failure
        except httpx.HTTPError as error:
            attempt.failure = failure_of(error, attempt.stage, (origin, self._route.proxy), request)

    async def _read(self, response: httpx.Response, request: Request, attempt: _Attempt) -> None:
        attempt.status = response.status_code
        attempt.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw)
        limits = self._route.limits
        version: bytes = response.extensions.get("http_version", b"")
        if self._route.speaks_http2 and version != b"HTTP/2":
            said = version.decode("latin-1")
            raise ExchangeFailed(Failure(FailureKind.PROTOCOL, f"the response is {said}, not HTTP/2"))
        reason: bytes = response.extensions.get("reason_phrase", b"")
        attempt.bytes_received = head = head_size(len("HTTP/1.1 200 ") + len(reason), attempt.headers)
        if head > limits.head_bytes:
            raise ExchangeFailed(head_too_large(limits.head_bytes))
        parts: list[bytes] = []
        # Cancelled rather than left: httpcore's nested generators clean up only when they end from within.
        with anyio.CancelScope() as reading:
            async for part in response.stream:  # type: ignore[union-attr]  # an asynchronous transport's stream
                attempt.bytes_received += len(part)
                if attempt.bytes_received - head > limits.body_bytes:
                    reading.cancel()
                parts.append(part)
        if reading.cancel_called:
            raise ExchangeFailed(body_too_large(limits.body_bytes))
        body = b"".join(parts)
        encoding = response.headers.get("content-encoding", "")
        if encoding and body:
            body, attempt.content_encoding = undone(
                body, encoding, limits.body_bytes, is_needed=request.needs_body
            )
        attempt.body = body


def _sent_size(request: Request, path: str, message: httpx.Request) -> int:
    line = len(request.method) + len(path) + len(" HTTP/1.1") + 1
    lines = sum(len(name) + len(value) + 4 for name, value in message.headers.raw)
    return line + 4 + lines + len(request.body)
