"""What the httpx transport alone can do, on real sockets under both event loops: HTTP/2, and ways through a proxy."""

import ssl

import anyio
import pytest
from http_scripts import OK, Http2Script

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


async def test_http2_is_spoken_without_asking_over_http(serve):
    """Over http, HTTP/2 begins at once; requests of a user share a connection, even at the same time."""
    script = Http2Script()
    server = serve(script)
    bodies = []

    async def send(path):
        exchange = await transport.exchange(Request("GET", path, (("X-Token", "t"),)))
        bodies.append((exchange.status, exchange.body, exchange.headers, exchange.failure))

    async with HttpxTransports(server.url, tls=TRUSTS_NOBODY, http2=True).open() as transport:
        await send("/first")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send, "/second")
            tasks.start_soon(send, "/third")
    said = [b"/first", b"/second", b"/third"]
    assert sorted(bodies) == [(200, path, (("x-kind", "h2"),), None) for path in said]
    assert server.connections == 1
    assert {asked[b"x-token"] for asked in script.asked} == {b"t"}


async def test_http2_is_negotiated_over_https(serve, authority):
    """Over https, HTTP/2 is agreed on in the handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.ca, authority.key)
    context.set_alpn_protocols(["h2"])
    server = serve(Http2Script(), tls=context)
    exchange = await ask(server.url, http2=True, tls=client_context(ca_file=authority.ca))
    assert (exchange.status, exchange.body, exchange.failure) == (200, b"/", None)
    assert exchange.sent_ns <= exchange.first_byte_ns <= exchange.completed_ns


async def test_server_without_http2_is_no_success(serve):
    """A server that speaks HTTP/1.1 alone fails the request: figures of one are not those of the other."""
    server = serve(lambda peer: (peer.sock.recv(24), peer.send(OK)))
    exchange = await ask(server.url, http2=True)
    assert exchange.status == 0
    assert exchange.failure.kind in (FailureKind.PROTOCOL, FailureKind.RESET)


async def test_stream_that_times_out_leaves_the_others_alone(serve):
    """A request that is given up takes its stream with it, and the connection serves on."""
    server = serve(Http2Script())
    async with HttpxTransports(server.url, tls=TRUSTS_NOBODY, http2=True).open() as transport:
        await transport.exchange(GET)
        silent = await transport.exchange(Request("GET", "/silent", timeout_s=0.1))
        after = await transport.exchange(Request("GET", "/after"))
    assert silent.failure == (FailureKind.TIMEOUT, "no complete response within 0.1 s")
    assert (after.body, after.failure, server.connections) == (b"/after", None, 1)


async def test_idle_http2_connection_that_was_closed_is_opened_again(serve):
    """A server that closes an idle connection costs a new one, and no error."""
    script = Http2Script()

    def once(peer):
        peer.sock.settimeout(0.2)
        try:
            script(peer)
        except TimeoutError:
            return

    server = serve(once)
    async with HttpxTransports(server.url, tls=TRUSTS_NOBODY, http2=True).open() as transport:
        first = await transport.exchange(GET)
        await anyio.to_thread.run_sync(server.wait_for_end)
        second = await transport.exchange(GET)
    assert [first.failure, second.failure, server.connections] == [None, None, 2]


async def test_stream_that_is_reset_has_a_name(serve):
    """A stream that the server ends early is a reset, in words that do not change from request to request."""
    exchange = await ask(serve(Http2Script()).url, Request("POST", "/gone"), http2=True)
    assert exchange.failure.kind is FailureKind.RESET
    assert "ended the HTTP/2 stream" in exchange.failure.message


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
    [({}, "h1"), ({"http2": True}, "httpx"), ({"proxy": "http://127.0.0.1:3128"}, "httpx")],
)
async def test_the_fast_transport_is_used_where_it_can_be(options, name):
    """HTTP/2 and proxies are served by httpx, everything else by the fast transport."""
    assert transports_for("http://127.0.0.1:1", tls=TRUSTS_NOBODY, **options).name == name


async def test_unix_sockets_are_left_to_the_fast_transport():
    """A socket cannot be reached through httpx, and no byte is sent."""
    exchange = await ask("http+unix://%2Ftmp%2Fapp.sock")
    assert exchange.failure == (
        FailureKind.PROTOCOL,
        "the request cannot be sent: only the transport h1 connects to Unix sockets",
    )
