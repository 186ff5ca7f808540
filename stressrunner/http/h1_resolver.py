"""Addresses of hosts, each looked up once for all connections, so that a run does not hammer the resolver."""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from stressrunner.http.origin import Origin

__all__ = ["Resolver"]

_KEPT_S = 30.0

#: As the event loop's `getaddrinfo` answers: family, type, protocol, canonical name, address.
_Found = Sequence[tuple[int, int, int, str, tuple[Any, ...]]]


class _Answer(NamedTuple):
    addresses: "asyncio.Task[list[str]]"  #: shared by all that ask while it is under way
    asked_s: float


class Resolver:
    """Looks a host up when it is first asked for, and again after 30 s; a failure is not kept."""

    def __init__(
        self,
        lookup: Callable[[str, int], Awaitable[_Found]] | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lookup` asks for the addresses of host and port; the event loop's resolver unless given."""
        self._lookup = _system_lookup if lookup is None else lookup
        self._now_s = now_s
        self._answers: dict[tuple[str, int], _Answer] = {}

    async def addresses(self, origin: Origin) -> list[str]:
        """Return the addresses of a host, families in turn, beginning with the one the system prefers.

        Raises:
            OSError: the host has no address (socket.gaierror), or cannot be looked up.
        """
        try:
            return [str(ipaddress.ip_address(origin.host))]
        except ValueError:
            pass
        key = (origin.host, origin.port)
        answer = self._answers.get(key)
        if answer is None or self._now_s() - answer.asked_s >= _KEPT_S or _has_failed(answer.addresses):
            answer = self._answers[key] = _Answer(asyncio.create_task(self._ask(*key)), self._now_s())
        return await asyncio.shield(answer.addresses)  # whoever gives up waiting does so alone

    def close(self) -> None:
        """Give up lookups that are under way."""
        for answer in self._answers.values():
            answer.addresses.cancel()
        self._answers.clear()

    async def _ask(self, host: str, port: int) -> list[str]:
        families: dict[int, dict[str, None]] = {}
        for family, _, _, _, address in await self._lookup(host, port):
            families.setdefault(family, {})[str(address[0])] = None
        return [host for host in chain(*zip_longest(*families.values())) if host is not None]


def _has_failed(addresses: "asyncio.Task[list[str]]") -> bool:
    return addresses.done() and (addresses.cancelled() or addresses.exception() is not None)


async def _system_lookup(host: str, port: int) -> _Found:
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
