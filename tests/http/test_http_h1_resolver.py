"""Hosts are looked up once and kept for half a minute; the lookup and the clock are the tests' own."""

import asyncio
import socket

import pytest

from stressrunner.http.h1_resolver import Resolver
from stressrunner.http.origin import Origin

pytestmark = pytest.mark.anyio
HOST = Origin("http", "target.example", 80)


@pytest.fixture
def anyio_backend():
    """The resolver belongs to the transport for asyncio."""
    return "asyncio"


class Lookups:
    """Answers lookups, counts them, and keeps the time."""

    def __init__(self, *addresses):
        self.addresses = addresses
        self.asked = []
        self.time_s = 0.0
        self.held = asyncio.Event()
        self.held.set()
        self.resolver = Resolver(self.lookup, lambda: self.time_s)

    async def lookup(self, host, port):
        """Answer as getaddrinfo does, once `held` is set."""
        self.asked.append((host, port))
        await self.held.wait()
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in self.addresses]
        return [(f, 1, 6, "", (a, port)) for f, a in zip(families, self.addresses, strict=True)]


async def test_a_host_is_looked_up_once_for_half_a_minute():
    """Connections within 30 s of a lookup use its answer; the first one after that asks again."""
    lookups = Lookups("192.0.2.1")
    for time_s, asked in [(0, 1), (29.9, 1), (30, 2), (59, 2)]:
        lookups.time_s = time_s
        assert await lookups.resolver.addresses(HOST) == ["192.0.2.1"]
        assert len(lookups.asked) == asked


async def test_connections_that_open_together_share_a_lookup():
    """Who asks while a lookup is under way waits for its answer; giving up waiting does not end it."""
    lookups = Lookups("192.0.2.1")
    lookups.held.clear()
    waiting = [asyncio.create_task(lookups.resolver.addresses(HOST)) for _ in range(5)]
    await asyncio.sleep(0)
    waiting.pop(0).cancel()
    lookups.held.set()
    assert await asyncio.gather(*waiting) == [["192.0.2.1"]] * 4
    assert lookups.asked == [("target.example", 80)]


async def test_a_failure_is_not_kept():
    """After a lookup that failed the next connection asks again."""
    lookups = Lookups()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await lookups.resolver.addresses(HOST)
    lookups.addresses = ("192.0.2.1",)
    assert await lookups.resolver.addresses(HOST) == ["192.0.2.1"]
    assert len(lookups.asked) == 3


async def test_families_take_turns():
    """Addresses of both families alternate, each once, the system's first choice first (RFC 8305)."""
    lookups = Lookups("2001:db8::1", "2001:db8::2", "192.0.2.1", "2001:db8::1")
    assert await lookups.resolver.addresses(HOST) == ["2001:db8::1", "192.0.2.1", "2001:db8::2"]


async def test_an_address_is_no_name():
    """An address is used as it is, and nothing is looked up."""
    lookups = Lookups("192.0.2.1")
    assert await lookups.resolver.addresses(Origin("http", "::1", 80)) == ["::1"]
    assert await lookups.resolver.addresses(Origin("http", "127.0.0.1", 80)) == ["127.0.0.1"]
    assert lookups.asked == []
