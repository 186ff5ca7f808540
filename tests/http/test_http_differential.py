"""The fast transport against the reference: the same bytes of a server give the same outcome through both."""

import gzip
import ssl
import zlib

import brotli
import pytest
import zstandard

from stressrunner.http.exchange import Request
from stressrunner.http.h1 import H1Transports
from stressrunner.http.httpx_transport import HttpxTransports
from stressrunner.http.wire import ResponseLimits

pytestmark = pytest.mark.anyio
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made in no time
LIMITS = ResponseLimits(head_bytes=10_000, body_bytes=10_000)


@pytest.fixture
def anyio_backend():
    """Both transports run under asyncio."""
    return "asyncio"


def packed(encoding, body):
    """Return a response with an encoded body."""
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (encoding, len(body)) + body


RESPONSES = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1;x\r\n!\r\n0\r\nT: u\r\n\r\n",
    "until the end": b"HTTP/1.1 200 OK\r\n\r\nok",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nlost",
    "599": b"HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n",
    "1.0": b"HTTP/1.0 200 OK\r\n\r\nok",
    "headers": b"HTTP/1.1 200 OK\r\nA:  b \t\r\nset-cookie: 1\r\nSet-Cookie: 2\r\nX: \xfc\r\nContent-Length: 0\r\n\r\n",
    "gzip": packed(b"gzip", gzip.compress(b"ok" * 100)),
    "deflate": packed(b"deflate", zlib.compress(b"ok" * 100)),
    "br": packed(b"br", brotli.compress(b"ok" * 100)),
    "zstd": packed(b"zstd", zstandard.compress(b"ok" * 100)),
    "unknown encoding": packed(b"sdch", b"whatever"),
    "damaged gzip": packed(b"gzip", gzip.compress(b"ok")[:-3]),
    "bomb": packed(b"gzip", gzip.compress(bytes(1_000_000))),
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
    "garbage": b"\x00\x01\x02 what is this\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "large body": b"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n" + bytes(10_001),
}


async def outcomes(serve, request, response):
    """Return what each transport makes of a response, after which the server closes."""
    for factory in (HttpxTransports, H1Transports):
        server = serve(lambda peer: (peer.request(), peer.send(response)))
        async with factory(server.url, limits=LIMITS, tls=TRUSTS_NOBODY).open() as transport:
            yield await transport.exchange(request)


def essence(exchange):
    """Leave out times, sizes and words."""
    kind = exchange.failure.kind if exchange.failure else None
    return exchange.status, exchange.headers, exchange.body, kind, exchange.connect_ns is None


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("name", RESPONSES)
async def test_same_outcome(serve, method, name):
    """Status, headers, body and kind of failure do not depend on the transport."""
    response = RESPONSES[name]
    if method == "HEAD":
        response = response[: response.find(b"\r\n\r\n", response.rfind(b"HTTP/1")) + 4] or response
    request = Request(method, "/", (), b"x" if method == "POST" else b"")
    reference, fast = [essence(e) async for e in outcomes(serve, request, response)]
    assert fast == reference


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "unknown encoding", "length"])
async def test_body_that_nobody_needs_is_left_as_it_came(serve, name):
    """Without a reader the encoding is not undone, and said."""
    request = Request("GET", "/", needs_body=False)
    came = RESPONSES[name].partition(b"\r\n\r\n")[2]
    async for exchange in outcomes(serve, request, RESPONSES[name]):
        assert (exchange.body, exchange.failure) == (came, None)
        assert exchange.content_encoding == {"length": "", "unknown encoding": "sdch"}.get(name, name)


@pytest.mark.parametrize("name", ["damaged gzip", "bomb"])
async def test_body_that_nobody_needs_must_be_whole(serve, name):
    """A response whose content is cut off, or too large, fails whoever reads it, and every time."""
    needed = [essence(e) async for e in outcomes(serve, Request("GET", "/"), RESPONSES[name])]
    for _ in range(2):
        request = Request("GET", "/", needs_body=False)
        assert [essence(e) async for e in outcomes(serve, request, RESPONSES[name])] == needed
    assert all(kind is not None for _, _, _, kind, _ in needed)


async def test_same_request_on_the_wire(serve):
    """Both send the same bytes."""
    seen = []
    requests = [
        Request("GET", "/a?b=%20"),
        Request("POST", "/", (("Content-Type", "text/plain"), ("X", "ü")), b"body"),
        Request("POST", "/"),
        Request("DELETE", "/x", (("Host", "other"), ("accept", "a/b"))),
        Request("PUT", "/", (("Content-Length", "99"), ("Transfer-Encoding", "chunked")), b"12"),
    ]

    def script(peer):
        seen.append(peer.request())
        peer.send(RESPONSES["204"])

    server = serve(script)
    for request in requests:
        sizes = []
        for factory in (HttpxTransports, H1Transports):
            async with factory(server.url, tls=TRUSTS_NOBODY).open() as transport:
                sizes.append((await transport.exchange(request)).bytes_sent)
        assert seen[-1] == seen[-2]
        assert sizes == [len(seen[-1])] * 2
