"""The transport over httpx: the reference that the fast one is compared with, and the one for trio.

It costs about a millisecond of CPU an exchange, so it is not the one to load a target with.

Times come from httpcore's trace. F is the end of the response's head rather than its first byte, which httpcore
does not tell. Sizes are those of the HTTP/1.1 heads as they are written, and of the body before its content
encoding is undone; the framing of chunked bodies is not seen and not counted.
"""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import httpx

from stressrunner.http.content import body_too_large, decode_content
from stressrunner.http.exchange import Exchange, Failure, FailureKind, Headers, Request, Transport
from stressrunner.http.failures import (
    CLOSED_EARLY,
    CLOSED_SILENT,
    ExchangeFailed,
    connect_failure,
    connect_timeout,
    lost_connection,
    response_timeout,
    unsendable,
)
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.http.tls import client_context
from stressrunner.http.wire import (
    DEFAULT_LIMITS,
    IDEMPOTENT,
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
        self, base_url: str, *, limits: Limits = DEFAULT_LIMITS, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls` is built by `client_context`; without it, servers are verified as it does by default.

        Raises:
            ValueError: `base_url` is not an http or https URL.
        """
        self._base = origin_of(base_url)
        self._limits = limits
        self._tls = client_context() if tls is None else tls

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport that closes its connections when it is left."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Transport]:
        # The layer below httpx.AsyncClient: no cookies, redirects, proxies or default headers to keep out.
        async with httpx.AsyncHTTPTransport(verify=self._tls, trust_env=False, limits=_UNLIMITED) as layer:
            yield _HttpxTransport(layer, self._base, self._limits)


class _Attempt:
    """What is known of an exchange so far; it survives when the exchange is given up."""

    __slots__ = (
        "_connecting_ns",
        "body",
        "bytes_received",
        "bytes_sent",
        "connect_ns",
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
            case "send_request_headers.started":
                self.sent_ns = now
            case "receive_response_headers.complete":
                self.first_byte_ns = now

    @property
    def is_stale(self) -> bool:
        """Whether the connection of an earlier exchange was lost without a head of response."""
        lost = self.failure is not None and self.failure.kind is FailureKind.RESET
        return lost and self.connect_ns is None and self.first_byte_ns is None


class _HttpxTransport:
    def __init__(self, layer: httpx.AsyncHTTPTransport, base: Origin, limits: Limits) -> None:
        self._layer = layer
        self._base = base
        self._limits = limits

    async def exchange(self, request: Request) -> Exchange:
        acquired_ns = time.monotonic_ns()
        attempt, resent = _Attempt(), False
        with anyio.move_on_after(request.timeout_s) as scope:
            await self._send(request, attempt)
            if resent := attempt.is_stale and request.method in IDEMPOTENT:
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
            attempt.headers,
            attempt.body,
            attempt.bytes_sent,
            attempt.bytes_received,
            attempt.failure,
            resent,
        )

    async def _send(self, request: Request, attempt: _Attempt) -> None:
        """Send the request once; what comes of it is left in `attempt`."""
        try:
            origin, path = locate(request.target, self._base)
            message = _httpx_request(request, origin, path)
        except (ValueError, httpx.InvalidURL) as error:
            attempt.failure = unsendable(str(error))
            return
        message.extensions["trace"] = attempt.trace
        try:
            response = await self._layer.handle_async_request(message)
            attempt.bytes_sent = _sent_size(request, message)
            try:
                await self._read(response, request, attempt)
            finally:
                await response.aclose()
        except ExchangeFailed as error:
            attempt.failure = error.failure
        except httpx.HTTPError as error:
            attempt.failure = _failure(error, origin, request, attempt)

    async def _read(self, response: httpx.Response, request: Request, attempt: _Attempt) -> None:
        attempt.status = response.status_code
        attempt.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw)
        reason: bytes = response.extensions.get("reason_phrase", b"")
        attempt.bytes_received = head = head_size(len("HTTP/1.1 200 ") + len(reason), attempt.headers)
        if head > self._limits.head_bytes:
            raise ExchangeFailed(head_too_large(self._limits.head_bytes))
        parts: list[bytes] = []
        # Cancelled rather than left: httpcore's nested generators clean up only when they end from within.
        with anyio.CancelScope() as reading:
            async for part in response.stream:  # type: ignore[union-attr]  # an asynchronous transport's stream
                attempt.bytes_received += len(part)
                if attempt.bytes_received - head > self._limits.body_bytes:
                    reading.cancel()
                parts.append(part)
        if reading.cancel_called:
            raise ExchangeFailed(body_too_large(self._limits.body_bytes))
        body = b"".join(parts)
        encoding = response.headers.get("content-encoding", "")
        if encoding and request.method != "HEAD":
            body = decode_content(body, encoding, self._limits.body_bytes)
        attempt.body = body


def _httpx_request(request: Request, origin: Origin, path: str) -> httpx.Request:
    """Build the request so that path and headers go out as they are, without httpx's normalisation.

    Raises:
        ValueError: the path has characters that are not ASCII.
    """
    headers = complete_headers(request, origin.authority)
    return httpx.Request(
        request.method,
        f"{origin.scheme}://{origin.address}",
        headers=[(name.encode(), value.encode()) for name, value in headers],
        content=request.body,
        extensions={"target": path.encode("ascii"), "timeout": {"connect": request.connect_timeout_s}},
    )


def _sent_size(request: Request, message: httpx.Request) -> int:
    line = len(request.method) + len(message.extensions["target"]) + len(" HTTP/1.1") + 1
    lines = sum(len(name) + len(value) + 4 for name, value in message.headers.raw)
    return line + 4 + lines + len(request.body)


def _failure(error: httpx.HTTPError, origin: Origin, request: Request, attempt: _Attempt) -> Failure:
    """Name an error of httpx; what it says of a connection depends on how far the exchange had come."""
    match error:
        case httpx.ConnectTimeout():
            return connect_timeout(origin, request.connect_timeout_s)
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            return unsendable(str(error))
        case httpx.RemoteProtocolError():
            return _broken_response(error)
        case httpx.ConnectError():
            return connect_failure(error, origin)
        case _ if attempt.sent_ns is None:
            return connect_failure(error, origin)
        case _:
            return lost_connection(error)


def _broken_response(error: httpx.RemoteProtocolError) -> Failure:
    """Tell a connection that ended too soon from one that brought something else than HTTP, by h11's words."""
    text = str(error)
    if text.startswith("Server disconnected"):
        return CLOSED_SILENT
    if text.startswith("peer closed connection"):
        return CLOSED_EARLY
    if text.startswith("Receive buffer too long"):
        return Failure(FailureKind.TOO_LARGE, "the head of the response is too long for httpx")
    return Failure(FailureKind.PROTOCOL, f"the response is not HTTP/1.1: {text}")
