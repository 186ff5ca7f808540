"""Hosts with several addresses: one that does not answer costs a head start, not the connection."""

import asyncio

import pytest

from stressrunner.http.h1_batches import Batches
from stressrunner.http.h1_connection import Connection
from stressrunner.http.h1_deadlines import Deadlines
from stressrunner.http.h1_dial import _HEAD_START_S, _first_of, dial
from stressrunner.http.h1_resolver import Resolver
from stressrunner.http.h1_response import ResponseReader
from stressrunner.http.origin import Origin
from stressrunner.http.tls import client_context
from stressrunner.http.wire import ResponseLimits

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    """Both loops."""
    if request.param:
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param}


class Connections:
    """Makes connections and knows which of them are gone."""

    def __init__(self):
        self.made, self.gone = [], []
        self.changed = asyncio.Event()

    def __call__(self):
        """Make a connection."""
        loop = asyncio.get_running_loop()
        self.made.append(Connection(ResponseReader(ResponseLimits()), Deadlines(loop), Batches(loop), self))
        return self.made[-1]

    def lost(self, connection):
        """Take the end of a connection."""
        self.gone.append(connection)
        self.changed.set()

    async def until_gone(self, count):
        """Wait until so many connections are gone."""
        while len(self.gone) < count:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 5)


async def test_address_that_hangs_is_overtaken(serve, authority):
    """The second address is tried beside a silent first one, wins, and the first attempt is given up."""
    silent = serve(lambda peer: peer.until_closed())
    try:
        serve(lambda peer: peer.until_closed(), tls=authority.server, host="127.0.0.2", port=silent.port)
    except OSError:
        pytest.skip("loopback has one address only")
    made = Connections()
    origin = Origin("https", "localhost", silent.port)
    hosts = ["127.0.0.1", "127.0.0.2"]
    connection = await _first_of(hosts, origin, client_context(ca_file=authority.ca), made)
    assert connection._transport.get_extra_info("peername")[0] == "127.0.0.2"
    connection.abort()
    await made.until_gone(1)
    assert silent.connections == 1


async def test_address_that_refuses_is_passed_over_at_once(serve):
    """After a refusal the next address is tried without waiting out the head start."""
    server = serve(lambda peer: peer.until_closed())
    made, loop = Connections(), asyncio.get_running_loop()
    begun = loop.time()
    hosts = ["127.0.0.2", "127.0.0.3", "127.0.0.1"]
    connection = await _first_of(hosts, Origin("http", "x", server.port), client_context(verify=False), made)
    assert loop.time() - begun < 2 * _HEAD_START_S
    connection.abort()
    await made.until_gone(1)


async def test_cancelled_dialling_leaves_no_connection(serve):
    """Dialling that is given up half-way leaves nothing open."""
    closed = []
    silent = serve(lambda peer: closed.append(peer.until_closed()))
    made = Connections()
    origin = Origin("https", "localhost", silent.port)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await dial(origin, client_context(verify=False), made, Resolver())
    await asyncio.to_thread(silent.close)
    assert len(closed) == silent.connections
