"""Keeps requests among the hosts that they may go to: whole URLs and redirects can lead anywhere."""

import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from stressrunner.http.exchange import Exchange, Failure, FailureKind, Request, Transport, TransportFactory
from stressrunner.http.hosts import Hosts
from stressrunner.http.origin import origin_of

__all__ = ["Guarded"]


class Guarded:
    """Opens transports that refuse what would go to another host than those allowed; a factory itself."""

    def __init__(self, factory: TransportFactory, hosts: Hosts) -> None:
        self._factory = factory
        self._hosts = hosts
        self.name = factory.name

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport of the factory's, guarded."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Transport]:
        async with self._factory.open() as transport:
            yield _Guard(transport, self._hosts)


class _Guard:
    __slots__ = ("_hosts", "_transport")

    def __init__(self, transport: Transport, hosts: Hosts) -> None:
        self._transport = transport
        self._hosts = hosts

    async def exchange(self, request: Request) -> Exchange:
        host = None if request.target.startswith("/") else _host_of(request.target)
        if host is None or self._hosts.allow(host):
            return await self._transport.exchange(request)
        now_ns = time.monotonic_ns()
        message = f"{host} is neither the target's host nor among target.allow_hosts"
        return Exchange(
            request, now_ns, None, None, now_ns, failure=Failure(FailureKind.NOT_ALLOWED, message)
        )


def _host_of(target: str) -> str | None:
    """Return the host of a whole URL; None where there is none, so that the transport says what is wrong."""
    try:
        return origin_of(target).host
    except ValueError:
        return None
