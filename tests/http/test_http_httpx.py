"""The httpx transport on real sockets, under both event loops: times, sizes and the names of failures."""

import gzip
import ssl

import anyio
import pytest
from http_scripts import OK, answer

from stressrunner import __version__
from stressrunner.http.content import accepted_encodings
from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.httpx_transport import HttpxTransports
from stressrunner.http.tls import client_context
from stressrunner.http.wire import ResponseLimits

pytestmark = pytest.mark.anyio
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made in no time, for tests without TLS


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both loops."""
    return request.param


async def ask(url, request, tls=TRUSTS_NOBODY, **options):
    """Send one request on a transport of its own."""
    async with HttpxTransports(url, tls=tls, **options).open() as transport:
        return await transport.exchange(request)


async def test_request_is_sent_as_given(serve):
    """Path and headers go out untouched; what they leave out is added; sizes are those on the wire."""
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(OK)

    request = Request("POST", "/a%2fb/../c?x=%7e&y", (("X-Token", "ü"), ("User-Agent", "mine")), b"body")
    server = serve(script)
    exchange = await ask(server.url, request)
    lines = [
        b"POST /a%2fb/../c?x=%7e&y HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"Accept: */*",
        b"Accept-Encoding: " + accepted_encodings().encode(),
        "X-Token: ü".encode(),
        b"User-Agent: mine",
        b"Content-Length: 4",
        b"",
        b"body",
    ]
    assert seen[0] == b"\r\n".join(lines)
    assert (exchange.bytes_sent, exchange.bytes_received) == (len(seen[0]), len(OK))
    assert (exchange.status, exchange.body, exchange.failure) == (200, b"ok", None)
    assert exchange.headers == (("Content-Length", "2"),)


async def test_times_are_in_order_and_connect_is_named_once(serve):
    """A <= S <= F <= E, and only the exchange that opened the connection has a connect time."""
    server = serve(answer(OK, OK))
    async with HttpxTransports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        first = await transport.exchange(Request("GET", "/"))
        second = await transport.exchange(Request("GET", "/"))
    for exchange in (first, second):
        times = (exchange.acquired_ns, exchange.sent_ns, exchange.first_byte_ns, exchange.completed_ns)
        assert list(times) == sorted(times)
    assert 0 < first.connect_ns <= first.sent_ns - first.acquired_ns
    assert second.connect_ns is None
    assert server.connections == 1


async def test_cookies_and_redirects_are_left_to_the_scenario(serve):
    """A redirect is returned as it is, and a cookie that was set is not sent back."""
    seen = []
    moved = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"

    def script(peer):
        for _ in range(2):
            seen.append(peer.request())
            peer.send(moved)

    async with HttpxTransports(serve(script).url, tls=TRUSTS_NOBODY).open() as transport:
        for _ in range(2):
            assert (await transport.exchange(Request("GET", "/"))).status == 302
    assert f"User-Agent: stressrunner/{__version__}".encode() in seen[1]
    assert b"cookie" not in seen[1].lower()


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (b"", FailureKind.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-Le", FailureKind.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", FailureKind.RESET),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", FailureKind.RESET),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", FailureKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", FailureKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + b"x" * 200, FailureKind.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2000 + b"\r\n\r\n", FailureKind.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000 + b"\r\n\r\n", FailureKind.TOO_LARGE),
    ],
)
async def test_broken_responses_have_a_kind(serve, response, kind):
    """Each way in which a response can be broken has its name."""
    exchange = await ask(
        serve(answer(response)).url,
        Request("GET", "/"),
        limits=ResponseLimits(head_bytes=1000, body_bytes=100),
    )
    assert exchange.failure.kind is kind


async def test_bomb_is_not_unpacked(serve):
    """A small body that unpacks to more than the limit is too large."""
    packed = gzip.compress(b"0" * 1_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    exchange = await ask(
        serve(answer(head + packed)).url, Request("GET", "/"), limits=ResponseLimits(body_bytes=10_000)
    )
    assert exchange.failure.kind is FailureKind.TOO_LARGE
    assert exchange.status == 200


async def test_encoded_content_is_decoded(serve):
    """The body is what the server meant, the size what it sent."""
    packed = gzip.compress(b"hello " * 100)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    exchange = await ask(serve(answer(head + packed)).url, Request("GET", "/"))
    assert exchange.body == b"hello " * 100
    assert exchange.bytes_received == len(head) + len(packed)


async def test_silence_times_out(serve):
    """A response that does not come in time is a timeout, with the bytes known to be sent before it."""
    exchange = await ask(serve(lambda peer: peer.until_closed()).url, Request("GET", "/", timeout_s=0.1))
    assert exchange.failure == (FailureKind.TIMEOUT, "no complete response within 0.1 s")
    assert exchange.sent_ns is not None
    assert exchange.first_byte_ns is None


async def test_targets_that_cannot_be_reached(unused_port):
    """A closed port is refused, a name without address is DNS; nothing was sent to either."""
    refused = await ask(f"http://127.0.0.1:{unused_port}", Request("GET", "/"))
    nowhere = await ask("http://nowhere.invalid", Request("GET", "/"))
    assert refused.failure.kind is FailureKind.REFUSED
    assert nowhere.failure.kind is FailureKind.DNS
    assert refused.sent_ns is refused.connect_ns is nowhere.sent_ns is None


async def test_tls_is_verified_unless_told_otherwise(serve, authority):
    """An unknown authority is a TLS failure; a known one, or no verification, is not."""
    server = serve(answer(OK), tls=authority.server)
    untrusted = await ask(server.url, Request("GET", "/"), tls=None)
    assert untrusted.failure.kind is FailureKind.TLS
    assert "certificate" in untrusted.failure.message or "signed" in untrusted.failure.message
    for context in (client_context(ca_file=authority.ca), client_context(verify=False)):
        assert (await ask(server.url, Request("GET", "/"), tls=context)).body == b"ok"


async def test_kept_connection_closed_by_the_server_is_reopened(serve):
    """A connection that was closed while idle costs a new one, not an error."""
    server = serve(answer(OK))
    async with HttpxTransports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        for _ in range(3):
            assert (await transport.exchange(Request("POST", "/"))).failure is None
            await anyio.to_thread.run_sync(server.wait_for_end)
    assert server.connections == 3


async def test_another_origin_is_asked_directly(serve):
    """A whole URL as target goes to the origin that it names."""
    other = serve(answer(OK))
    exchange = await ask(serve(answer(b"")).url, Request("GET", f"{other.url}/x"))
    assert exchange.status == 200
    assert other.connections == 1


@pytest.mark.parametrize(
    "request_", [Request("GET", "no path"), Request("GET", "/ü"), Request("GET", "/", (("X", "a\r\nY: b"),))]
)
async def test_requests_that_are_not_http_are_not_sent(serve, request_):
    """What would break the framing fails before a byte is sent."""
    server = serve(answer(OK))
    exchange = await ask(server.url, request_)
    assert exchange.failure.kind is FailureKind.PROTOCOL
    assert exchange.failure.message.startswith("the request cannot be sent")


async def test_cancellation_passes_through(serve):
    """A cancelled exchange ends at once, and leaving the transport closes its connection."""
    server = serve(lambda peer: peer.until_closed())
    async with HttpxTransports(server.url, tls=TRUSTS_NOBODY).open() as transport:
        with anyio.move_on_after(0.1) as scope:
            await transport.exchange(Request("GET", "/"))
    assert scope.cancelled_caught
