"""The fast transport on real sockets, on both event loops of asyncio: a server that plays any script."""

import asyncio
import gzip
import os
import socket
import ssl
import threading
import time

import anyio
import pytest
from http_scripts import OK, answer

from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.h1 import H1Transports
from stressrunner.http.resends import AT_ONCE_NS
from stressrunner.http.tls import client_context
from stressrunner.http.wire import ResponseLimits

pytestmark = pytest.mark.anyio
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made in no time, for tests without TLS
GET = Request("GET", "/")


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    """Both loops."""
    if request.param:
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param}


def echo(peer):
    """Script: answer every request with its target and body."""
    while request := peer.request():
        head, _, body = request.partition(b"\r\n\r\n")
        said = head.split()[1] + body
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)


def silence(peer):
    """Script: accept and say nothing."""
    peer.until_closed()


def lowest_free_descriptor():
    """Return the number that the next descriptor of this process would have."""
    number = os.dup(0)
    os.close(number)
    return number


async def ask(url, request=GET, tls=TRUSTS_NOBODY, **options):
    """Send one request on a transport of its own."""
    async with H1Transports(url, tls=tls, **options).open() as transport:
        return await transport.exchange(request)


async def test_times_and_sizes(serve):
    """A <= S <= F <= E; connect is part of S - A and told once; sizes are all bytes on the wire."""
    seen = []

    def script(peer):
        for _ in range(2):
            seen.append(peer.request())
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)

    request = Request("POST", "/a%2fb/../c?x=%7e", (("X-Token", "ü"),), b"body")
    server = serve(script)
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        exchanges = [await transport.exchange(request) for _ in range(2)]
    for sent, exchange in zip(seen, exchanges, strict=True):
        assert exchange.acquired_ns <= exchange.sent_ns <= exchange.first_byte_ns <= exchange.completed_ns
        assert (exchange.status, exchange.body, exchange.failure) == (200, b"ok", None)
        assert exchange.bytes_sent == len(sent)
        assert exchange.bytes_received == len(OK) + len(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert 0 < exchanges[0].connect_ns <= exchanges[0].sent_ns - exchanges[0].acquired_ns
    assert exchanges[1].connect_ns is None
    assert seen[0].startswith(b"POST /a%2fb/../c?x=%7e HTTP/1.1\r\nHost: 127.0.0.1:")
    assert "X-Token: ü\r\n".encode() in seen[0]


async def test_many_requests_in_flight_have_connections_of_their_own(serve):
    """Requests at once do not wait for each other; afterwards the connections are used again."""
    server = serve(echo)
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        for _ in range(3):
            requests = [Request("POST", f"/{i}", (), b"%d" % i) for i in range(20)]
            exchanges = await asyncio.gather(*map(transport.exchange, requests))
            assert [e.body for e in exchanges] == [b"/%d%d" % (i, i) for i in range(20)]
    assert server.connections == 20


@pytest.mark.parametrize("request_closes", [True, False])
async def test_last_exchange_of_a_connection(serve, request_closes):
    """After `Connection: close` of either side the next request opens a new connection."""
    close = b"" if request_closes else b"Connection: close\r\n"
    server = serve(answer(b"HTTP/1.1 200 OK\r\n" + close + b"Content-Length: 0\r\n\r\n"))
    request = Request("POST", "/", (("Connection", "close"),) if request_closes else ())
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        for _ in range(3):
            assert (await transport.exchange(request)).failure is None
    assert server.connections == 3


async def test_connection_closed_while_idle_is_reopened(serve):
    """A server that closes an idle connection, with or without a last word, causes no error and no second request."""
    parting = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    server = serve(answer(OK + parting))
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        for _ in range(3):
            exchange = await transport.exchange(Request("POST", "/"))
            assert (exchange.status, exchange.failure, exchange.resent) == (200, None, False)
            await anyio.to_thread.run_sync(server.wait_for_end)
    assert server.connections == 3


async def test_connection_closed_behind_a_stalled_loop_is_noticed(serve):
    """Where the loop had no time to see the end of an idle connection, the socket itself is asked."""
    server = serve(answer(OK))
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        await transport.exchange(GET)
        server.wait_for_end()  # the loop stands still, and for long enough to make it worth a look
        threading.Event().wait(0.12)
        exchange = await transport.exchange(Request("POST", "/"))
    assert exchange.failure is None


@pytest.mark.parametrize("by_reset", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_connection_lost_at_once_under_a_request(serve, method, by_reset):
    """Lost at once without a response on a kept connection, in whatever way: sent again, and said so."""

    def script(peer):
        peer.request()
        peer.send(OK)
        if peer.number == 0:
            peer.request()
            if by_reset:
                peer.reset()

    for _ in range(20):
        server = serve(script)
        async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
            await transport.exchange(GET)
            exchange = await transport.exchange(Request(method, "/"))
        if exchange.failure is None or exchange.completed_ns - exchange.sent_ns <= AT_ONCE_NS:
            break  # else the machine was so busy that the loss was noticed late
    assert (exchange.failure, exchange.resent, server.connections) == (None, True, 2)


async def test_new_connection_that_is_lost_is_an_error(serve):
    """A connection opened for the request is not opened again, however safe that would be."""
    server = serve(lambda peer: peer.request())
    exchange = await ask(server.url)
    assert exchange.failure.kind is FailureKind.RESET
    assert server.connections == 1


async def test_loss_in_the_middle_of_a_response_is_an_error(serve):
    """Once a byte of the response has come, nothing is sent again."""

    def script(peer):
        peer.request()
        peer.send(OK)
        peer.request()
        peer.send(b"H")

    server = serve(script)
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        await transport.exchange(GET)
        exchange = await transport.exchange(GET)
    assert exchange.failure.kind is FailureKind.RESET
    assert (exchange.resent, server.connections) == (False, 1)


async def test_response_split_into_segments(serve):
    """A response that drips in is read whole, and its first byte is the first one."""
    server = serve(lambda peer: (peer.request(), peer.send(*[OK[i : i + 1] for i in range(len(OK))])))
    exchange = await ask(server.url)
    assert (exchange.status, exchange.body) == (200, b"ok")
    assert exchange.first_byte_ns < exchange.completed_ns


async def test_slow_drip_times_out(serve):
    """A response that keeps coming does not push its deadline on."""

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.send(b"x")
            peer.stopped.wait(0.01)

    begun = time.monotonic()
    exchange = await ask(serve(script).url, Request("GET", "/", timeout_s=0.15))
    assert exchange.failure == (FailureKind.TIMEOUT, "no complete response within 0.15 s")
    assert exchange.status == 200
    assert 0.15 <= time.monotonic() - begun < 1


async def test_deadlines_of_their_own(serve):
    """Of requests with different timeouts each ends at its own, soon and never early; the rest go on."""
    timeouts = [0.2, 0.05, 0.1, 0.12]
    async with H1Transports(serve(silence).url, tls=TRUSTS_NOBODY).open() as transport:
        exchanges = await asyncio.gather(
            *[transport.exchange(Request("GET", "/", timeout_s=t)) for t in timeouts]
        )
    for timeout_s, exchange in zip(timeouts, exchanges, strict=True):
        assert exchange.failure.kind is FailureKind.TIMEOUT
        assert timeout_s <= (exchange.completed_ns - exchange.acquired_ns) / 1e9 < timeout_s + 0.5


async def test_connection_is_dropped_after_a_timeout(serve):
    """A late response never becomes the answer to another request."""
    server = serve(lambda peer: echo(peer) if peer.number else silence(peer))
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        late = await transport.exchange(Request("GET", "/late", timeout_s=0.05))
        next_ = await transport.exchange(Request("GET", "/next"))
    assert late.failure.kind is FailureKind.TIMEOUT
    assert next_.body == b"/next"


async def test_cancellation_closes_the_connection(serve):
    """A cancelled exchange ends at once, its connection is closed, and the transport can be used on."""
    server = serve(lambda peer: echo(peer) if peer.number else silence(peer))
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        with anyio.move_on_after(0.05) as scope:
            await transport.exchange(GET)
        assert scope.cancelled_caught
        assert (await transport.exchange(GET)).body == b"/"
    assert server.connections == 2


async def test_targets_that_cannot_be_reached(unused_port):
    """A closed port is refused, also behind a name with several addresses; a name without any is DNS."""
    for host in ("127.0.0.1", "localhost"):
        refused = await ask(f"http://{host}:{unused_port}")
        assert refused.failure == (
            FailureKind.REFUSED,
            f"nothing listens at {host}:{unused_port} (connection refused)",
        )
        assert refused.sent_ns is refused.connect_ns is None
    assert (await ask("http://nowhere.invalid")).failure.kind is FailureKind.DNS


async def test_several_addresses_are_tried(serve):
    """A name whose first address does not answer is reached at the next."""
    server = serve(answer(OK))
    exchange = await ask(server.url.replace("127.0.0.1", "localhost"))
    assert exchange.body == b"ok"


async def test_ipv6(serve):
    """An address in brackets is an IPv6 address, in the Host header too."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        server = serve(lambda peer: peer.send(OK) if b"Host: [::1]:" in peer.request() else None, host="::1")
    except OSError:
        pytest.skip("no IPv6 on loopback")
    assert (await ask(server.url)).body == b"ok"


async def test_connecting_times_out(serve):
    """A handshake that does not come to an end is given up at the earlier of both timeouts."""
    url = serve(silence).url.replace("http:", "https:")
    connect = await ask(url, Request("GET", "/", timeout_s=5, connect_timeout_s=0.05))
    total = await ask(url, Request("GET", "/", timeout_s=0.05, connect_timeout_s=5))
    assert connect.failure.kind is total.failure.kind is FailureKind.TIMEOUT
    assert connect.failure.message.endswith("within 0.05 s")
    assert total.failure.message == "no complete response within 0.05 s"


async def test_tls(serve, authority):
    """Servers are verified unless told otherwise, and connections are kept."""
    server = serve(echo, tls=authority.server)
    untrusted = await ask(server.url, tls=None)
    assert untrusted.failure.kind is FailureKind.TLS
    assert "self-signed" in untrusted.failure.message or "self signed" in untrusted.failure.message
    assert (await ask(server.url, tls=client_context(verify=False))).body == b"/"
    tls = client_context(ca_file=authority.ca)
    async with H1Transports(server.url, tls=tls).open() as transport:
        exchanges = [await transport.exchange(Request("POST", "/", (), b"x" * n)) for n in (0, 1, 1_000_000)]
    assert [len(e.body) for e in exchanges] == [1, 2, 1_000_001]
    assert exchanges[1].connect_ns is None


async def test_tls_with_a_client_certificate(serve, authority):
    """A server that asks who is there gets the certificate, and refuses who has none."""
    strict = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    strict.load_cert_chain(authority.ca, authority.key)
    strict.load_verify_locations(authority.ca)
    strict.verify_mode = ssl.CERT_REQUIRED
    server = serve(echo, tls=strict)
    known = client_context(ca_file=authority.ca, certificate=authority.ca, key=authority.key)
    assert (await ask(server.url, tls=known)).body == b"/"
    assert (await ask(server.url, tls=client_context(ca_file=authority.ca))).failure is not None


async def test_tls_host_must_match(serve, authority):
    """A certificate for another name is not trusted."""
    try:
        server = serve(echo, tls=authority.server, host="127.0.0.2")
    except OSError:
        pytest.skip("loopback has one address only")
    exchange = await ask(server.url, tls=client_context(ca_file=authority.ca))
    assert exchange.failure.kind is FailureKind.TLS
    assert "mismatch" in exchange.failure.message


async def test_large_bodies_in_both_directions(serve):
    """Bodies larger than every buffer arrive whole; the network's pace is kept."""
    body = os.urandom(1 << 20) * 8
    exchange = await ask(serve(echo).url, Request("POST", "/", (), body))
    assert exchange.body == b"/" + body
    assert exchange.failure is None


async def test_answer_before_the_body_is_sent(serve):
    """A response that comes before the request is complete counts; what was not sent is not counted as sent."""

    def script(peer):
        peer.sock.recv(1000)
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        peer.stopped.wait(0.2)

    exchange = await ask(serve(script).url, Request("POST", "/", (), bytes(1 << 26)))
    assert (exchange.status, exchange.failure) == (413, None)
    assert exchange.bytes_sent < 1 << 25


@pytest.mark.parametrize("pipelined", [b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad", b"garbage"])
async def test_unasked_responses_answer_nothing(serve, pipelined):
    """What a server sends beyond its response is thrown away with the connection."""
    server = serve(lambda peer: (peer.request(), peer.send(OK + pipelined), peer.until_closed()))
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        for _ in range(3):
            assert (await transport.exchange(Request("POST", "/"))).body == b"ok"
    assert server.connections == 3


async def test_switch_that_was_asked_for_is_a_response(serve):
    """A request for another protocol is answered by 101, behind which nothing is read as HTTP."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
    server = serve(lambda peer: (peer.request(), peer.send(head + OK), peer.until_closed()))
    request = Request("GET", "/", (("Connection", "Upgrade"), ("Upgrade", "x")))
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        for _ in range(2):
            exchange = await transport.exchange(request)
            assert (exchange.status, exchange.body, exchange.failure) == (101, b"", None)
    assert server.connections == 2


async def test_bomb_is_not_unpacked(serve):
    """A small body that unpacks to more than the limit is too large; the connection is none the worse for it."""
    packed = gzip.compress(b"0" * 1_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    exchange = await ask(serve(answer(head + packed)).url, limits=ResponseLimits(body_bytes=10_000))
    assert exchange.failure.kind is FailureKind.TOO_LARGE
    assert (exchange.status, exchange.body) == (200, b"")


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "no path"),
        Request("GET", "/ü"),
        Request("GET", "/a b"),
        Request("GET", "/a\r\nX: y"),
        Request("GET", "ftp://127.0.0.1/"),
        Request("GE T", "/"),
        Request("GET", "/", (("X", "a\r\nY: b"),)),
        Request("GET", "/", (("X:Y", "a"),)),
    ],
)
async def test_requests_that_are_not_http_are_not_sent(serve, request_):
    """What would break the framing fails before a connection is opened."""
    server = serve(silence)
    exchange = await ask(server.url, request_)
    assert exchange.failure.kind is FailureKind.PROTOCOL
    assert exchange.failure.message.startswith("the request cannot be sent")
    assert (exchange.sent_ns, server.connections) == (None, 0)


async def test_another_origin_is_asked_directly(serve):
    """A whole URL as target goes to the origin that it names, over kept connections of its own."""
    other, base = serve(echo), serve(echo)
    async with H1Transports(base.url, tls=TRUSTS_NOBODY).open() as transport:
        for _ in range(2):
            assert (await transport.exchange(Request("GET", f"{other.url}/x?y#z"))).body == b"/x?y"
            assert (await transport.exchange(Request("GET", f"{base.url}/own"))).body == b"/own"
            assert (await transport.exchange(Request("GET", "/own"))).body == b"/own"
    assert (base.connections, other.connections) == (1, 1)


async def test_lack_of_descriptors_is_this_machines_fault(serve):
    """Where no socket can be made, the failure names the generator, not the target."""
    server = serve(silence)
    async with H1Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        resource = pytest.importorskip("resource")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free_descriptor(), hard))
        try:
            exchange = await transport.exchange(GET)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert exchange.failure.kind is FailureKind.GENERATOR


async def test_transports_of_one_factory_share_its_timer(serve):
    """One user's leaving does not take the timeouts from the others, and a factory can be used again."""
    factory = H1Transports(serve(silence).url, tls=TRUSTS_NOBODY)
    for _ in range(2):
        async with factory.open() as first:
            async with factory.open():
                pass
            exchange = await first.exchange(Request("GET", "/", timeout_s=0.05))
            assert exchange.failure.kind is FailureKind.TIMEOUT


async def test_unix_socket_serves_as_a_host(serve, tmp_path):
    """Requests go over a Unix socket named in the URL, connections are kept, and Host is localhost."""
    seen = []

    def script(peer):
        while request := peer.request():
            seen.append(request)
            peer.send(OK)

    server = serve(script, path=tmp_path / "a b.sock")
    async with H1Transports(f"{server.url}/prefix", tls=TRUSTS_NOBODY).open() as transport:
        exchanges = [await transport.exchange(Request("GET", "/prefix/x")) for _ in range(2)]
    assert [(e.status, e.body, e.failure) for e in exchanges] == [(200, b"ok", None)] * 2
    assert [e.connect_ns is None for e in exchanges] == [False, True]
    assert server.connections == 1
    assert seen[0].startswith(b"GET /prefix/x HTTP/1.1\r\nHost: localhost\r\n")


async def test_missing_unix_socket_is_named(tmp_path):
    """A socket that does not exist is nothing listening; one that nobody serves refuses."""
    missing = tmp_path / "none.sock"
    abandoned = tmp_path / "old.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(abandoned))
    said = {}
    for path in (missing, abandoned):
        url = "http+unix://" + str(path).replace("/", "%2F")
        async with H1Transports(url, tls=TRUSTS_NOBODY).open() as transport:
            said[path] = (await transport.exchange(GET)).failure
    assert {failure.kind for failure in said.values()} == {FailureKind.REFUSED}
    assert said[missing].message == f"nothing listens at {missing} (there is no such socket)"
    assert said[abandoned].message == f"nothing listens at {abandoned} (connection refused)"
