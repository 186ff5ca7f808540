"""Tunnels that HTTP proxies open (RFC 9110, 9.3.6)."""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.failures import ExchangeFailed, connect_failure, unsendable
from stressrunner.http.h1_dial import dial
from stressrunner.http.h1_resolver import Resolver
from stressrunner.http.origin import Origin
from stressrunner.http.proxy import Proxy

__all__ = ["Contexts", "connect_through", "proxy_refuses"]

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ((\d{3})[^\r\n]*)\r?\n")
_END = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEAD = 64 * 1024

#: What talks through a tunnel.
P = TypeVar("P", bound=asyncio.Protocol)


async def connect_through(
    proxy: Proxy, origin: Origin, contexts: "Contexts", protocol: Callable[[], P], resolver: Resolver
) -> P:
    """Open a tunnel to `origin`, speak TLS in it if that is https, and return the protocol at its end.

    Raises:
        ExchangeFailed: there is no such tunnel, or no TLS in it.
    """
    tunnel = await dial(proxy.origin, contexts.proxy, _Tunnel, resolver)
    end = protocol()
    try:
        early = await tunnel.ask(proxy, origin)
        transport = await _enter(tunnel.transport, end, contexts.target, origin)
    except BaseException:
        tunnel.transport.abort()
        raise
    end.connection_made(transport)
    if early:
        end.data_received(early)
    return end


class Contexts(NamedTuple):
    """The TLS settings of both ends of a tunnel; None where TLS is not spoken."""

    proxy: ssl.SSLContext | None
    target: ssl.SSLContext | None


def proxy_refuses(proxy: Origin, words: str) -> Failure:
    """Return the failure of a tunnel that a proxy does not open; `words` are its status and reason."""
    return Failure(FailureKind.CONNECT, f"the proxy at {proxy.address} does not connect ({words})")


async def _enter(
    transport: asyncio.Transport, end: asyncio.Protocol, context: ssl.SSLContext | None, origin: Origin
) -> asyncio.Transport:
    """Give the tunnel to who talks through it, with TLS when there are settings for that."""
    if context is None:
        transport.set_protocol(end)
        return transport
    loop = asyncio.get_running_loop()
    try:
        secured = await loop.start_tls(transport, end, context, server_hostname=origin.host)
    except OSError as error:
        raise ExchangeFailed(connect_failure(error, origin)) from error
    if secured is None:
        raise ExchangeFailed(connect_failure(ConnectionResetError(), origin))
    return secured


class _Tunnel(asyncio.Protocol):
    """Asks a proxy for a tunnel and reads what it says to that."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._head = b""
        self._said: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def ask(self, proxy: Proxy, origin: Origin) -> bytes:
        """Ask for a tunnel to `origin`; return what has come through it already.

        Raises:
            ExchangeFailed: the proxy does not open it.
        """
        self.transport.write(_connect_request(proxy, origin))
        await self._said
        line = _STATUS_LINE.match(self._head)
        end = _END.search(self._head)
        if line is None or end is None:
            words = "what it says is not HTTP" if self._head else "it closed the connection"
            raise ExchangeFailed(proxy_refuses(proxy.origin, words))
        if not line[2].startswith(b"2"):
            raise ExchangeFailed(proxy_refuses(proxy.origin, line[1].decode("latin-1").strip()))
        early = self._head[end.end() :]
        if early and origin.scheme == "https":  # with TLS it is the client who begins
            raise ExchangeFailed(proxy_refuses(proxy.origin, "it sends more than its answer"))
        return early

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._head += data
        if _END.search(self._head) or len(self._head) > _LONGEST_HEAD:
            self._end()

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # all losses are alike here
        self._end()

    def _end(self) -> None:
        if not self._said.done():
            self._said.set_result(None)


def _connect_request(proxy: Proxy, origin: Origin) -> bytes:
    if " " in origin.address or not origin.address.isprintable():
        raise ExchangeFailed(unsendable(f"{origin.address!r} is not the name of a host"))
    lines = [f"CONNECT {origin.address} HTTP/1.1", f"Host: {origin.address}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return "\r\n".join([*lines, "", ""]).encode()
