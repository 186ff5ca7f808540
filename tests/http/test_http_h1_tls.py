"""TLS that breaks off, over HTTP/1.1: what came before counts, and the reason is told."""

import ssl

import pytest
from http_scripts import OK
from tls_records import serving

from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.h1 import H1Transports
from stressrunner.http.tls import client_context

pytestmark = pytest.mark.anyio
GET = Request("GET", "/", timeout_s=3)
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"
TO_ITS_END = b"HTTP/1.1 200 OK\r\n\r\nok"
BROKEN = "the connection was lost: TLS failed (decryption failed or bad record mac)"


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    """Both loops, whose TLS is their own."""
    if request.param:
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(params=["TLSv1_2", "TLSv1_3"])
def server_context(request, authority):
    """Return the TLS settings of a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.ca, authority.key)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[request.param]
    return context


async def exchanges(serve, authority, context, third, count=3):
    """Return the first exchanges with such a server."""
    server = serve(serving(context, third))
    url, tls = server.url.replace("http:", "https:"), client_context(ca_file=authority.ca)
    async with H1Transports(url, tls=tls).open() as transport:
        return [await transport.exchange(GET) for _ in range(count)]


def essence(exchange):
    """Return status, body and failure."""
    return exchange.status, exchange.body, exchange.failure


async def test_damaged_record_is_no_loss(serve, authority, server_context):
    """A record that TLS refuses is a failure of TLS, not sent again, and everything before and after it counts."""
    came = await exchanges(serve, authority, server_context, lambda r: r.record(OK, damaged=True), 5)
    assert essence(came[2]) == (0, b"", (FailureKind.TLS, BROKEN))
    assert [essence(e) for i, e in enumerate(came) if i != 2] == [(200, b"ok", None)] * 4
    assert not any(e.resent for e in came)


async def test_response_before_a_damaged_record_counts(serve, authority, server_context):
    """A response that came whole together with a damaged record is a response; its connection is closed."""
    came = await exchanges(
        serve, authority, server_context, lambda r: r.record(OK) + r.record(b"x", damaged=True), 4
    )
    assert [essence(e) for e in came] == [(200, b"ok", None)] * 4
    assert [e.connect_ns is None for e in came] == [False, True, True, False]


async def test_half_a_response_before_a_damaged_record(serve, authority, server_context):
    """The status that came is told with the failure, at once and not when the time is over."""
    came = await exchanges(
        serve, authority, server_context, lambda r: r.record(HALF) + r.record(b"x", damaged=True)
    )
    assert essence(came[2]) == (200, b"", (FailureKind.TLS, BROKEN))


async def test_end_that_tls_did_not_announce(serve, authority, server_context):
    """A body that ends with its connection is whole if TLS announces the end, and may be cut off if not (RFC 9112, 9.8)."""
    orderly = await exchanges(
        serve, authority, server_context, lambda r: r.record(TO_ITS_END) + r.close_notify()
    )
    cut_off = await exchanges(serve, authority, server_context, lambda r: r.record(TO_ITS_END))
    assert essence(orderly[2]) == (200, b"ok", None)
    assert (cut_off[2].status, cut_off[2].failure.kind) == (200, FailureKind.RESET)
    assert "may be cut off" in cut_off[2].failure.message


async def test_server_that_asks_for_a_certificate(serve, authority, server_context):
    """A server that refuses who has no certificate says so in an alert, under TLS 1.3 after the handshake seems done."""
    server_context.load_verify_locations(authority.ca)
    server_context.verify_mode = ssl.CERT_REQUIRED
    refused = (await exchanges(serve, authority, server_context, lambda _: b"", 1))[0]
    assert refused.failure.kind is FailureKind.TLS
    reason = (
        "certificate required" if server_context.minimum_version.name == "TLSv1_3" else "handshake failure"
    )
    assert refused.failure.message.endswith(f"(alert of the server: {reason})")
