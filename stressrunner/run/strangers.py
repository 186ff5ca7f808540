"""Whose machines a run would send to: those that are neither this one nor listed by the scenario."""

import socket
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urlsplit

import anyio

from stressrunner.http.hosts import is_this_machine, lists
from stressrunner.http.origin import origin_of
from stressrunner.run.target import is_embedded
from stressrunner.scenario.model import Target

__all__ = ["Stranger", "strangers"]

#: Returns the addresses of a host; none when it has none.
Lookup = Callable[[str], Awaitable[tuple[str, ...]]]


class Stranger(NamedTuple):
    """A host that nobody has said may be sent load to."""

    host: str
    addresses: tuple[str, ...]  #: none when it cannot be looked up here

    @property
    def named(self) -> str:
        """The host with its address, for messages."""
        if self.addresses == (self.host,):
            return self.host
        return f"{self.host} ({self.addresses[0] if self.addresses else 'no address known here'})"


async def strangers(target: Target, lookup: Lookup | None = None) -> tuple[Stranger, ...]:
    """Return the hosts that a target's requests go to, its own and its proxy's, as far as they are strangers.

    A host is this machine by its name or address, or when all that its name resolves to is; behind a proxy names are
    the proxy's to resolve, so nothing is known of them here.
    """
    if is_embedded(target.base_url):
        return ()
    origin = origin_of(target.base_url)
    if origin.socket:
        return ()
    found = []
    for host in (origin.host,) if target.proxy is None else (origin.host, _host_of(target.proxy)):
        if is_this_machine(host) or lists(target.allow_hosts, host):
            continue
        is_hidden = target.proxy is not None and host == origin.host
        addresses = () if is_hidden else await (lookup or _addresses)(host)
        if not addresses or not all(map(is_this_machine, addresses)):
            found.append(Stranger(host, addresses))
    return tuple(found)


def _host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


async def _addresses(host: str) -> tuple[str, ...]:
    try:
        found = await anyio.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))
