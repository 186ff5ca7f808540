"""What the httpx transport alone can do, on real sockets under both event loops: ways through a proxy."""

import ssl

import pytest
from http_scripts import OK

from stressrunner.http.choice import transports_for
from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.httpx_transport import HttpxTransports
from stressrunner.http.tls import client_context

pytestmark = pytest.mark.anyio
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made in no time, for tests without TLS
GET = Request("GET", "/")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both loops."""
    return request.param


async def ask(url, request=GET, **options):
    """Send one request on a transport of its own."""
    options = {"tls": TRUSTS_NOBODY, **options}
    async with HttpxTransports(url, **options).open() as transport:
        return await transport.exchange(request)


async def test_proxy_is_asked_for_the_whole_url(serve):
    """Over http, a proxy gets the whole URL, the target's Host, and its own credentials."""
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(OK)

    proxy = serve(script).url.replace("http://", "http://load:sesame@")
    exchange = await ask("http://target.example:81", Request("GET", "/a/../b?c=%7e"), proxy=proxy)
    assert (exchange.status, exchange.body) == (200, b"ok")
    lines = seen[0].split(b"\r\n")
    assert lines[0] == b"GET http://target.example:81/a/../b?c=%7e HTTP/1.1"
    assert b"Host: target.example:81" in lines
    assert b"Proxy-Authorization: Basic bG9hZDpzZXNhbWU=" in lines


async def test_proxy_opens_a_tunnel_for_https(serve, authority):
    """Over https, a proxy is asked for a tunnel, in which TLS is spoken with the target itself."""
    seen = []

    def script(peer):
        seen.append(peer.request())
        peer.send(b"HTTP/1.1 200 Established\r\n\r\n")
        with authority.server.wrap_socket(peer.sock, server_side=True) as inner:
            seen.append(inner.recv(65536))
            inner.sendall(OK)

    trusted = client_context(ca_file=authority.ca)
    exchange = await ask(
        "https://localhost:8443", Request("GET", "/x?y=%20"), proxy=serve(script).url, tls=trusted
    )
    assert (exchange.status, exchange.body, exchange.failure) == (200, b"ok", None)
    assert seen[0].startswith(b"CONNECT localhost:8443 HTTP/1.1\r\n")
    assert seen[1].startswith(b"GET /x?y=%20 HTTP/1.1\r\nHost: localhost:8443\r\n")
    assert exchange.acquired_ns + exchange.connect_ns <= exchange.sent_ns


async def test_failures_say_whose_they_are(serve, authority, unused_port):
    """A proxy that is not there or refuses is named itself; behind it, the target is."""
    absent = await ask("http://target.example", proxy=f"http://127.0.0.1:{unused_port}")
    assert absent.failure.kind is FailureKind.REFUSED
    assert f"127.0.0.1:{unused_port}" in absent.failure.message

    def refuse(peer):
        peer.request()
        peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    server = serve(refuse)
    refused = await ask("https://target.example", proxy=server.url)
    message = f"the proxy at 127.0.0.1:{server.port} does not connect (407 Proxy Authentication Required)"
    assert refused.failure == (FailureKind.CONNECT, message)

    def tunnel(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        authority.server.wrap_socket(peer.sock, server_side=True)

    untrusted = await ask("https://localhost:8443", proxy=serve(tunnel).url)
    assert untrusted.failure.kind is FailureKind.TLS
    assert "localhost:8443" in untrusted.failure.message


@pytest.mark.parametrize(
    ("options", "name"),
    [({}, "h1"), ({"http2": True}, "h2"), ({"proxy": "http://127.0.0.1:3128"}, "httpx")],
)
async def test_the_fast_transport_is_used_where_it_can_be(options, name):
    """HTTP/2 has a transport of its own, proxies are served by httpx, everything else by the fast one."""
    assert transports_for("http://127.0.0.1:1", tls=TRUSTS_NOBODY, **options).name == name


async def test_unix_sockets_are_left_to_the_fast_transport():
    """A socket cannot be reached through httpx, and no byte is sent."""
    exchange = await ask("http+unix://%2Ftmp%2Fapp.sock")
    assert exchange.failure == (
        FailureKind.PROTOCOL,
        "the request cannot be sent: only the transport h1 connects to Unix sockets",
    )
