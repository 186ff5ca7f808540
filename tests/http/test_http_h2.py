"""HTTP/2 on real sockets, under both event loops of asyncio: connections, resends, times, TLS and tunnels."""

import contextlib
import gzip
import socket
import ssl
import threading
import time

import anyio
import pytest
from h2_peer import Asked, Http2Peer, answer, data, frame, goaway, head, reset, settings
from http_scripts import OK, without_http2
from tls_records import Records

from stressrunner import __version__
from stressrunner.http.choice import transports_for
from stressrunner.http.exchange import DirectTransports, FailureKind, Request
from stressrunner.http.h2_connection import H2Connection
from stressrunner.http.h2_frames import ErrorCode, H2FrameType, SettingsParameter
from stressrunner.http.h2_stream import Stream
from stressrunner.http.h2_transport import H2Transports, may_go_on
from stressrunner.http.httpx_transport import HttpxTransports
from stressrunner.http.pool import SharedPool
from stressrunner.http.probe import probe_http2
from stressrunner.http.proxy import proxy_of
from stressrunner.http.resends import AT_ONCE_NS
from stressrunner.http.tls import client_context
from stressrunner.http.wire import ResponseLimits

pytestmark = pytest.mark.anyio
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made in no time, for tests without TLS
GET = Request("GET", "/")


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request):
    """Both loops of asyncio."""
    if request.param:
        pytest.importorskip("uvloop")
    return ("asyncio", {"use_uvloop": request.param})


@pytest.fixture
def secure(authority):
    """TLS settings of a server that speaks HTTP/2, and of a client that trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.ca, authority.key)
    context.set_alpn_protocols(["h2"])
    return context, client_context(ca_file=authority.ca, http2=True)


def path_of(peer, stream, asked):
    """Answer with the path."""
    return answer(stream, asked[":path"].encode(), ("x-kind", "h2"))


async def ask(url, *requests, tls=TRUSTS_NOBODY, **options):
    """Send requests one after the other on a transport of their own; return what came of the last."""
    async with H2Transports(url, tls=tls, **options).open() as transport:
        for request in requests or (GET,):
            exchange = await transport.exchange(request)
    return exchange


async def together(transport, *requests):
    """Send requests at once, and return what came of each."""
    exchanges = [None] * len(requests)

    async def send(number, request):
        exchanges[number] = await transport.exchange(request)

    async with anyio.create_task_group() as tasks:
        for number, request in enumerate(requests):
            tasks.start_soon(send, number, request)
    return exchanges


async def test_requests_share_a_connection(serve):
    """Requests of a user go over one connection, also at the same time; only the first one opened it."""
    script = Http2Peer(path_of)
    server = serve(script)
    async with H2Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        first = await transport.exchange(Request("GET", "/first"))
        others = await together(transport, *[Request("GET", f"/{n}") for n in range(5)])
    said = [(e.status, e.body, e.headers, e.failure, e.resent) for e in (first, *others)]
    paths = [b"/first", b"/0", b"/1", b"/2", b"/3", b"/4"]
    assert said == [(200, path, (("x-kind", "h2"),), None, False) for path in paths]
    assert server.connections == 1
    assert 0 < first.connect_ns <= first.sent_ns - first.acquired_ns
    assert {e.connect_ns for e in others} == {None}
    assert script.asked[0].heads[1]["user-agent"] == f"stressrunner/{__version__}"
    for exchange in (first, *others):
        times = (exchange.acquired_ns, exchange.sent_ns, exchange.first_byte_ns, exchange.completed_ns)
        assert list(times) == sorted(times)


async def test_times_are_those_of_the_bytes(serve):
    """S lies before the server has the request, F after it has begun to answer, E after its last byte."""
    moments = []

    def reply(peer, stream, _):
        moments.append(time.monotonic_ns())
        peer.stopped.wait(0.02)
        moments.append(time.monotonic_ns())
        peer.send(head(stream))
        peer.stopped.wait(0.05)
        moments.append(time.monotonic_ns())
        return data(stream, b"ok")

    exchange = await ask(serve(Http2Peer(reply)).url)
    asked, begun, ended = moments
    assert exchange.acquired_ns < exchange.sent_ns < asked
    assert begun < exchange.first_byte_ns < ended < exchange.completed_ns


async def test_server_ends_its_connections_now_and_then(serve):
    """A server that lets a connection go after some requests fails none, and none is sent twice."""
    most = 3

    def reply(peer, stream, asked):
        number = (stream + 1) // 2
        return answer(stream, asked[":path"].encode()) + (goaway(stream) if number == most else b"")

    script = Http2Peer(reply)
    server = serve(script)
    async with H2Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        exchanges = [await transport.exchange(Request("POST", f"/{n}", (), b"x")) for n in range(10)]
    assert [(e.status, e.failure, e.resent) for e in exchanges] == [(200, None, False)] * 10
    assert script.paths == [f"/{n}" for n in range(10)]
    assert server.connections == 4


async def test_streams_after_the_last_one_named_are_sent_again(serve):
    """Of requests at once, those that the server says it has not looked at go to the next connection, POST too."""

    def reply(peer, stream, asked):
        if peer.number == 0 and stream == 7:  # the last of four
            return goaway(3) + answer(1) + answer(3)
        return answer(stream) if peer.number else b""

    script = Http2Peer(reply)
    server = serve(script)
    async with H2Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        exchanges = await together(transport, *[Request("POST", f"/{n}", (), b"x") for n in range(4)])
    assert [(e.status, e.failure) for e in exchanges] == [(200, None)] * 4
    assert sorted(e.resent for e in exchanges) == [False, False, True, True]
    assert sorted(script.paths) == ["/0", "/1", "/2", "/2", "/3", "/3"]
    assert server.connections == 2


async def test_server_that_looks_at_nothing_is_not_asked_for_ever(serve):
    """A connection that was good for nothing is followed by one more, not by others."""
    for farewell in (lambda stream: goaway(0), lambda stream: reset(stream, ErrorCode.REFUSED_STREAM)):
        script = Http2Peer(lambda peer, stream, _, say=farewell: say(stream))
        exchange = await ask(serve(script).url)
        assert (exchange.failure.kind, exchange.resent) == (FailureKind.RESET, True)
        assert len(script.paths) == 2


@pytest.mark.parametrize(
    ("code", "kind"), [(ErrorCode.REFUSED_STREAM, None), (ErrorCode.INTERNAL_ERROR, FailureKind.RESET)]
)
async def test_every_fifth_stream_is_reset(serve, code, kind):
    """Only a refusal is sent again; another reset is a failure with its name, and the others are answered."""

    def reply(peer, stream, _):
        return reset(stream, code) if (stream + 1) // 2 % 5 == 0 else answer(stream)

    script = Http2Peer(reply)
    server = serve(script)
    async with H2Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        exchanges = [await transport.exchange(Request("POST", "/", (), b"x")) for _ in range(20)]
    failed = [e for e in exchanges if e.failure is not None]
    assert [e.failure.kind for e in failed] == ([] if kind is None else [kind] * 4)
    assert len(script.paths) == sum(1 + e.resent for e in exchanges)
    if kind:
        words = "the server reset the stream (INTERNAL_ERROR) before the response was complete"
        assert {e.failure.message for e in failed} == {words}
    assert server.connections == 1


async def test_idle_connection_that_was_closed_is_opened_again(serve):
    """A server that closes an idle connection, with or without a word, costs a new one and no error."""
    for farewell in (b"", goaway(1)):

        def once(peer, farewell=farewell):
            with contextlib.suppress(TimeoutError):
                peer.sock.settimeout(0.2)
                Http2Peer(path_of)(peer)
            peer.send(farewell)

        server = serve(once)
        async with H2Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
            first = await transport.exchange(Request("POST", "/"))
            await anyio.to_thread.run_sync(server.wait_for_end)
            second = await transport.exchange(Request("POST", "/"))
        assert [(e.failure, e.resent) for e in (first, second)] == [(None, False)] * 2
        assert server.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_request_that_was_held_is_not_sent_again(serve, method):
    """A server that takes a request on a kept connection, thinks, and closes, has failed."""

    def reply(peer, stream, _):
        if stream == 1:
            return answer(stream)
        peer.stopped.wait(0.05)
        return None

    server = serve(Http2Peer(reply))
    exchange = await ask(server.url, GET, Request(method, "/"))
    assert (exchange.failure.kind, exchange.resent, server.connections) == (FailureKind.RESET, False, 1)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({}, True),
        ({"completed_ns": AT_ONCE_NS + 1}, False),
        ({"bytes_received": 1}, False),
        ({"resent": True}, False),
        ({"answered": 0}, False),
        ({"said_goodbye": True}, False),
        ({"failure": None}, False),
    ],
)
def test_connection_that_is_lost_at_once(change, again):
    """On a kept connection that ended without a word, nothing of a response, within a few milliseconds, and once."""
    connection = H2Connection(ResponseLimits(), None)
    connection.session.lost(None, 0)
    connection.session.answered = change.get("answered", 1)
    connection.session.said_goodbye = change.get("said_goodbye", False)
    stream = Stream(GET, [], ResponseLimits(), 0)
    stream.sent_ns, stream.failure, stream.completed_ns = 0, connection.session.failure, AT_ONCE_NS
    for name in change.keys() - {"answered", "said_goodbye"}:
        setattr(stream, name, change[name])
    assert may_go_on(stream, connection.session) is again


async def test_stream_that_was_taken_is_not_sent_again(serve):
    """When the server has said that it looked at a request and is gone then, the request may have been done."""
    script = Http2Peer(lambda peer, stream, _: answer(1) if stream == 1 else peer.send(goaway(stream, 11)))
    exchange = await ask(serve(script).url, GET, GET)
    words = "the server ended the connection (ENHANCE_YOUR_CALM) before the response was complete"
    assert (exchange.failure, exchange.resent) == ((FailureKind.RESET, words), False)


async def test_stream_that_times_out_leaves_the_others_alone(serve):
    """A request that is given up takes its stream with it, and the connection serves on."""
    script = Http2Peer(lambda peer, stream, asked: b"" if asked[":path"] == "/silent" else answer(stream))
    server = serve(script)
    async with H2Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        await transport.exchange(GET)
        silent = await transport.exchange(Request("GET", "/silent", timeout_s=0.1))
        after = await transport.exchange(GET)
    assert silent.failure == (FailureKind.TIMEOUT, "no complete response within 0.1 s")
    assert silent.completed_ns - silent.acquired_ns >= 100_000_000
    assert (silent.sent_ns is None, silent.first_byte_ns) == (False, None)
    assert (after.body, after.failure, server.connections) == (b"ok", None, 1)
    (given_up,) = script.asked[0].of_kind(H2FrameType.RST_STREAM)
    assert (given_up.stream_id, given_up.payload[3]) == (3, ErrorCode.CANCEL)


async def test_cancellation_passes_through(serve):
    """A cancelled exchange ends at once, and its stream with it."""
    script = Http2Peer(lambda peer, stream, asked: b"" if stream == 1 else answer(stream))
    async with H2Transports(serve(script).url, tls=TRUSTS_NOBODY).open() as transport:
        with anyio.move_on_after(0.1) as scope:
            await transport.exchange(GET)
        after = await transport.exchange(GET)
    assert scope.cancelled_caught
    assert after.failure is None
    assert len(script.asked[0].of_kind(H2FrameType.RST_STREAM)) == 1


async def test_requests_wait_while_the_server_takes_no_more(serve):
    """More requests at once than streams are taken wait for their turn, and their time runs."""
    waiting, most = [], []

    def reply(peer, stream, _):
        """Answer when two wait, or when it is the last one."""
        waiting.append(stream)
        most.append(len(waiting))
        if len(waiting) < 2 and stream > 1:
            return b""
        octets = b"".join(map(answer, waiting))
        waiting.clear()
        return octets

    script = Http2Peer(reply, settings((SettingsParameter.MAX_CONCURRENT_STREAMS, 2)))
    server = serve(script)
    async with H2Transports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        await transport.exchange(GET)
        exchanges = await together(transport, *[GET] * 6)
    assert [e.failure for e in exchanges] == [None] * 6
    assert (server.connections, max(most)) == (1, 2)
    script = Http2Peer(path_of, settings((SettingsParameter.MAX_CONCURRENT_STREAMS, 0)))
    async with H2Transports(serve(script).url, tls=TRUSTS_NOBODY).open() as transport:
        _, second = await together(transport, *[GET._replace(timeout_s=0.1)] * 2)
    assert (second.failure.kind, second.sent_ns) == (FailureKind.TIMEOUT, None)


async def test_large_bodies_go_both_ways(serve):
    """Bodies larger than windows, frames and the buffers of sockets arrive whole; content encodings are undone."""
    body = bytes(range(256)) * 8192
    packed = gzip.compress(body)

    def reply(peer, stream, _):
        parts = [packed[at : at + 16_000] for at in range(0, len(packed), 16_000)]
        lines = ("content-encoding", "gzip"), ("content-length", str(len(packed)))
        return head(stream, *lines) + b"".join(data(stream, p, ends=False) for p in parts) + data(stream)

    greeting = settings((SettingsParameter.INITIAL_WINDOW_SIZE, 0x7FFFFFFF)) + frame(
        H2FrameType.WINDOW_UPDATE, 0, 0, b"\x7f\xff\0\0"
    )
    script = Http2Peer(reply, greeting)
    exchange = await ask(serve(script).url, Request("POST", "/", (), body))
    assert (exchange.body, exchange.failure) == (body, None)
    assert script.asked[0].bodies[1] == body
    assert len(body) < exchange.bytes_sent < len(body) * 1.01
    unread = await ask(serve(script).url, Request("GET", "/", needs_body=False))
    assert (unread.body, unread.content_encoding) == (packed, "gzip")


async def test_responses_have_limits(serve):
    """Bodies are bounded, as they come and when they are unpacked."""
    bomb = gzip.compress(bytes(100_000))
    script = Http2Peer(lambda peer, stream, _: answer(stream, bomb, ("content-encoding", "gzip")))
    exchange = await ask(serve(script).url, limits=ResponseLimits(body_bytes=10_000))
    assert (exchange.failure.kind, exchange.status) == (FailureKind.TOO_LARGE, 200)


@pytest.mark.parametrize("request_", [Request("GET", "no path"), Request("GET", "/ü"), Request("G T", "/")])
async def test_requests_that_are_not_http_are_not_sent(serve, request_):
    """What cannot be put into HTTP fails before a byte is sent."""
    exchange = await ask(serve(Http2Peer(path_of)).url, request_)
    assert exchange.failure.kind is FailureKind.PROTOCOL
    assert exchange.failure.message.startswith("the request cannot be sent")
    assert exchange.sent_ns is None


async def test_standing_requests_are_composed_once(serve):
    """A request that is sent again and again goes out the same each time."""
    script = Http2Peer(path_of)
    standing = Request("GET", "/standing", (("X", "y"),), is_standing=True)
    assert (await ask(serve(script).url, *[standing] * 3)).body == b"/standing"
    first, *others = script.asked[0].heads.values()
    assert others == [first] * 2


async def test_another_origin_is_asked_directly(serve):
    """A whole URL as target goes to the origin that it names."""
    other = Http2Peer(path_of)
    exchange = await ask(serve(Http2Peer(path_of)).url, Request("GET", f"{serve(other).url}/x"))
    assert exchange.body == b"/x"
    assert other.paths == ["/x"]


async def test_targets_that_cannot_be_reached(unused_port):
    """All requests that wait for a connection are told why there is none."""
    async with H2Transports(f"http://127.0.0.1:{unused_port}", tls=TRUSTS_NOBODY).open() as transport:
        exchanges = await together(transport, GET, GET)
    assert [e.failure.kind for e in exchanges] == [FailureKind.REFUSED] * 2
    assert {e.sent_ns for e in exchanges} == {None}


async def test_connecting_has_a_timeout_of_its_own(serve, authority):
    """A handshake that does not come is named after the time for connecting, or for the request if that is less."""
    server = serve(lambda peer: peer.stopped.wait(5))
    url = server.url.replace("http:", "https:")
    for request in (Request("GET", "/", connect_timeout_s=0.1), Request("GET", "/", timeout_s=0.1)):
        exchange = await ask(url, request)
        assert exchange.failure.kind is FailureKind.TIMEOUT
        assert exchange.sent_ns is None


async def test_those_who_wait_for_a_connection_time_out_alone(serve, secure):
    """A connection that is opened is given up with the last request that waits for it, and not before."""
    server, client = secure
    closed = threading.Event()

    def slow(peer):
        peer.stopped.wait(0.3)
        with server.wrap_socket(peer.sock, server_side=True) as peer.sock:
            Http2Peer(path_of)(peer)

    def never(peer):
        peer.until_closed()
        closed.set()

    url = serve(slow).url.replace("http:", "https:")
    async with H2Transports(url, tls=client).open() as transport:
        impatient, patient = await together(transport, GET._replace(timeout_s=0.1), GET)
    assert (impatient.failure.kind, impatient.sent_ns) == (FailureKind.TIMEOUT, None)
    assert (patient.failure, patient.body, patient.connect_ns > 0) == (None, b"/", True)
    url = serve(never).url.replace("http:", "https:")
    async with H2Transports(url, tls=client).open() as transport:
        await transport.exchange(GET._replace(timeout_s=0.1))
        assert await anyio.to_thread.run_sync(closed.wait, 5)


async def test_http2_is_negotiated_over_https(serve, secure):
    """Over https, HTTP/2 is agreed on in the handshake."""
    server, client = secure
    exchange = await ask(serve(Http2Peer(path_of), tls=server).url, GET, GET, tls=client)
    assert (exchange.status, exchange.body, exchange.failure) == (200, b"/", None)
    assert exchange.sent_ns <= exchange.first_byte_ns <= exchange.completed_ns


async def test_server_without_http2_is_named(serve, authority):
    """A server that speaks HTTP/1.1 alone is told as such, by the probe too."""
    client = client_context(ca_file=authority.ca, http2=True)
    for server in (serve(without_http2), serve(without_http2, tls=authority.server)):
        exchange = await ask(server.url, tls=client)
        assert exchange.failure == (FailureKind.PROTOCOL, "the server does not speak HTTP/2")
        assert await probe_http2(server.url, 5, tls=client) == exchange.failure


async def test_probe_waits_for_http2(serve, secure, unused_port):
    """The probe says in one sentence what keeps HTTP/2 from being spoken, or nothing when it is."""
    server, client = secure
    assert await probe_http2(serve(Http2Peer(path_of), tls=server).url, 5, tls=client) is None
    silent = await probe_http2(serve(lambda peer: peer.until_closed()).url, 0.1, tls=client)
    words = "the server does not speak HTTP/2: it says nothing within 0.1 s"
    assert silent == (FailureKind.PROTOCOL, words)
    closing = await probe_http2(serve(lambda peer: peer.sock.recv(9)).url, 5, tls=client)
    assert closing.kind is FailureKind.RESET
    absent = await probe_http2(f"http://127.0.0.1:{unused_port}", 5, tls=client)
    assert absent.kind is FailureKind.REFUSED


def broken_handshake(context):
    """Script: a handshake that the server breaks off; what the client has sent by then is read, or its end is lost."""

    def script(peer):
        bare = peer.sock.dup()
        with bare, contextlib.suppress(OSError):
            try:
                context.wrap_socket(peer.sock, server_side=True)
            finally:
                while bare.recv(65536):
                    pass

    return script


async def test_certificate_that_the_server_asks_for_later(serve, secure):
    """Under TLS 1.3 a server says after the handshake that it wants a certificate: a failure of TLS with the reason."""
    server, client = secure
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    server.verify_mode = ssl.CERT_REQUIRED
    url = serve(broken_handshake(server)).url.replace("http:", "https:")
    async with H2Transports(url, tls=client).open() as transport:
        exchanges = [await transport.exchange(GET) for _ in range(3)]
    assert [e.failure.kind for e in exchanges] == [FailureKind.TLS] * 3
    assert "certificate required" in exchanges[0].failure.message


async def test_corrupt_record(serve, secure):
    """A record that cannot be decrypted fails the request it comes for; the next one has a new connection."""
    server, client = secure

    def reply(peer, stream, asked):
        if peer.number == 0 and stream == 15:
            with socket.socket(fileno=peer.sock.detach()) as bare:
                bare.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
                bare.recv(100)
            return None
        return path_of(peer, stream, asked)

    async with H2Transports(serve(Http2Peer(reply), tls=server).url, tls=client).open() as transport:
        exchanges = [await transport.exchange(GET) for _ in range(9)]
    kinds = [e.failure and e.failure.kind for e in exchanges]
    assert kinds == [None] * 7 + [FailureKind.TLS, None]
    assert "bad record mac" in exchanges[7].failure.message


async def test_response_before_a_broken_record_counts(serve, secure):
    """A response that came whole together with a damaged record is one; what else is in flight fails with the reason."""
    server, client = secure

    def script(peer):
        with contextlib.suppress(ssl.SSLError, EOFError):
            records, asked = Records(peer.sock, server), Asked()
            records.write(settings())
            while not asked.ended:
                asked.take(records.read())
            records.write(answer(1))
            while len(asked.ended) < 3:
                asked.take(records.read())
            peer.send(records.record(answer(3)) + records.record(answer(5), damaged=True))
            peer.until_closed()

    url = serve(script).url.replace("http:", "https:")
    async with H2Transports(url, tls=client).open() as transport:
        first = await transport.exchange(GET)
        others = await together(transport, GET, GET)
    assert [(e.status, e.failure and e.failure.kind) for e in (first, *others)] == [
        (200, None),
        (200, None),
        (0, FailureKind.TLS),
    ]
    assert "bad record mac" in others[1].failure.message
    assert not others[1].resent


def tunnel_to(script, tls=None, status=b"200 Established", seen=None):
    """Script: a proxy that opens a tunnel, at whose end `script` is played."""

    def proxy(peer):
        asked = peer.request()
        if seen is not None:
            seen.append(asked)
        peer.send(b"HTTP/1.1 " + status + b"\r\nX: y\r\n\r\n")
        if not status.startswith(b"2"):
            return
        if tls is None:
            script(peer)
            return
        with tls.wrap_socket(peer.sock, server_side=True) as inner:
            peer.sock = inner
            script(peer)

    return proxy


async def test_proxy_opens_a_tunnel(serve, secure):
    """Through a proxy, it is asked for a tunnel, in which HTTP/2 is negotiated with the target itself."""
    server, client = secure
    seen = []
    url = serve(tunnel_to(Http2Peer(path_of), server, seen=seen)).url
    proxy = proxy_of(url.replace("http://", "http://load:s%2Fsame@"))
    exchange = await ask("https://localhost:8443", GET, Request("GET", "/x"), proxy=proxy, tls=client)
    assert (exchange.status, exchange.body, exchange.failure) == (200, b"/x", None)
    lines = seen[0].split(b"\r\n")
    assert lines[:2] == [b"CONNECT localhost:8443 HTTP/1.1", b"Host: localhost:8443"]
    assert lines[2:] == [b"Proxy-Authorization: Basic bG9hZDpzL3NhbWU=", b"", b""]
    plain = serve(tunnel_to(Http2Peer(path_of))).url
    exchange = await ask("http://target.example", proxy=proxy_of(plain), tls=client)
    assert (exchange.body, exchange.failure) == (b"/", None)


@pytest.mark.parametrize("host", ["a b", "a\0b"])
@pytest.mark.parametrize("transports", [H2Transports, HttpxTransports])
async def test_hosts_that_no_proxy_is_asked_for(serve, transports, host):
    """A name that would break what a proxy is asked is not asked for."""
    seen = []
    url = serve(tunnel_to(Http2Peer(path_of), seen=seen)).url
    proxy = proxy_of(url) if transports is H2Transports else url
    async with transports("https://localhost", tls=client_context(), proxy=proxy).open() as transport:
        exchange = await transport.exchange(Request("GET", f"https://{host}/", (("Host", "x"),)))
    assert exchange.failure.kind is FailureKind.PROTOCOL
    assert exchange.failure.message.startswith("the request cannot be sent")
    assert seen in ([], [b""])


async def test_proxy_of_https(serve, secure, authority):
    """A proxy may be spoken to over TLS itself, in which that of the target is."""
    _, client = secure
    url = serve(tunnel_to(Http2Peer(path_of)), tls=authority.server).url
    exchange = await ask("http://target.example", proxy=proxy_of(url), tls=client)
    assert exchange.failure.kind is FailureKind.TLS  # proxies are verified by the system's authorities
    assert url.removeprefix("https://") in exchange.failure.message


async def test_failures_say_whose_they_are(serve, secure, authority, unused_port):
    """A proxy that is not there or refuses is named itself; behind it, the target is."""
    server, client = secure
    target = "https://localhost:8443"
    absent = await ask(target, proxy=proxy_of(f"http://127.0.0.1:{unused_port}"), tls=client)
    assert absent.failure.kind is FailureKind.REFUSED
    assert f"127.0.0.1:{unused_port}" in absent.failure.message
    for script, words in (
        (tunnel_to(None, status=b"407 Who are you"), "407 Who are you"),
        (lambda peer: peer.send(b"what\r\n\r\n"), "what it says is not HTTP"),
        (lambda peer: peer.send(b""), "it closed the connection"),
        (lambda peer: peer.send(OK), "it sends more than its answer"),
    ):
        proxy = serve(script)
        refused = await ask(target, proxy=proxy_of(proxy.url), tls=client)
        message = f"the proxy at 127.0.0.1:{proxy.port} does not connect ({words})"
        assert refused.failure == (FailureKind.CONNECT, message)
    untrusted = await ask(
        target, proxy=proxy_of(serve(tunnel_to(Http2Peer(path_of), server)).url), tls=client_context()
    )
    assert untrusted.failure.kind is FailureKind.TLS
    assert "localhost:8443" in untrusted.failure.message
    old = await ask(
        target, proxy=proxy_of(serve(tunnel_to(Http2Peer(path_of), authority.server)).url), tls=client
    )
    assert old.failure.message == "the server does not speak HTTP/2"
    silent = proxy_of(serve(lambda peer: peer.until_closed()).url)
    late = await ask(target, Request("GET", "/", connect_timeout_s=0.1), proxy=silent, tls=client)
    assert late.failure.kind is FailureKind.TIMEOUT
    assert await probe_http2(target, 0.1, tls=client, proxy=silent.origin.url) == late.failure


async def test_transports_share_a_pool(serve):
    """A pool of transports may be left by another task than opened it."""
    pool = SharedPool(H2Transports(serve(Http2Peer(path_of)).url, tls=TRUSTS_NOBODY), 2)

    async def user():
        async with pool.open() as transport:
            assert (await transport.exchange(GET)).failure is None

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(user)


async def test_requests_that_call_back(serve):
    """A request may be begun with a callback, for those who send without tasks; whoever leaves is not called."""
    factory = transports_for(serve(Http2Peer(path_of)).url, http2=True, tls=TRUSTS_NOBODY)
    assert isinstance(factory, DirectTransports)
    transport, answered, exchanges = factory.enter(), anyio.Event(), []

    def done(exchange):
        exchanges.append(exchange)
        answered.set()

    transport.begin(GET, done)
    await answered.wait()
    transport.begin(GET, exchanges.append)
    await factory.leave([transport])
    assert [e.body for e in exchanges] == [b"/"]
