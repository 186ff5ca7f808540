"""What the httpx transport alone can do, on real sockets under both event loops: ways through a proxy."""

import ssl

import anyio
import httpcore
import pytest
from http_scripts import OK
from tls_records import serving

from stressrunner.http.choice import transports_for
from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.httpx_failures import Stage, failure_of
from stressrunner.http.httpx_transport import HttpxTransports
from stressrunner.http.origin import origin_of
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


def tunnel_to(script):
    """Script: a proxy that opens a tunnel, at whose end `script` is played."""

    def proxy(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        script(peer)

    return proxy


async def through_tunnel(serve, authority, third, count=4, server=None):
    """Return the first exchanges with a server whose third response is what `third` makes of its records."""
    proxy = serve(tunnel_to(serving(server or authority.server, third)))
    trusted = client_context(ca_file=authority.ca)
    async with HttpxTransports("https://localhost:8443", tls=trusted, proxy=proxy.url).open() as transport:
        return [await transport.exchange(GET._replace(timeout_s=3)) for _ in range(count)]


async def test_damaged_record_in_a_tunnel(serve, authority):
    """A record that TLS refuses is a failure of TLS with the reason, and everything before and after it counts."""
    came = await through_tunnel(serve, authority, lambda r: r.record(OK, damaged=True))
    assert [(e.status, e.failure and e.failure.kind) for e in came] == [
        (200, None),
        (200, None),
        (0, FailureKind.TLS),
        (200, None),
    ]
    assert "bad record mac" in came[2].failure.message
    assert not any(e.resent for e in came)


async def test_end_that_tls_did_not_announce(serve, authority):
    """A body that ends with its connection is whole only if TLS announces the end."""
    body = b"HTTP/1.1 200 OK\r\n\r\nok"
    orderly = await through_tunnel(serve, authority, lambda r: r.record(body) + r.close_notify(), 3)
    cut_off = await through_tunnel(serve, authority, lambda r: r.record(body), 3)
    assert (orderly[2].body, orderly[2].failure) == (b"ok", None)
    assert (cut_off[2].status, cut_off[2].failure.kind) == (200, FailureKind.RESET)


async def test_certificate_that_the_server_asks_for_later(serve, authority):
    """Under TLS 1.3 a server says after the handshake that it wants a certificate: a failure of TLS with the reason."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.ca, authority.key)
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    server.verify_mode = ssl.CERT_REQUIRED
    (refused,) = await through_tunnel(serve, authority, lambda _: b"", 1, server)
    assert refused.failure.kind is FailureKind.TLS
    assert refused.failure.message.endswith("(alert of the server: certificate required)")


@pytest.mark.parametrize(
    ("error", "stage", "kind"),
    [
        (httpcore.ReadError(), Stage.SENT, FailureKind.RESET),
        (ssl.SSLError(1, "x"), Stage.SENT, FailureKind.TLS),
        (ssl.SSLError(1, "x"), Stage.CONNECTED, FailureKind.TLS),
        (anyio.ClosedResourceError(), Stage.SENT, FailureKind.RESET),
        (anyio.EndOfStream(), Stage.CONNECTING, FailureKind.CONNECT),
        (httpcore.RemoteProtocolError("x"), Stage.CONNECTED, FailureKind.CONNECT),
        (httpcore.LocalProtocolError("x"), Stage.CONNECTED, FailureKind.PROTOCOL),
        (httpcore.ConnectTimeout(), Stage.CONNECTING, FailureKind.TIMEOUT),
        (RuntimeError("x"), Stage.SENT, FailureKind.PROTOCOL),
        (ExceptionGroup("x", [ssl.SSLError(1, "y")]), Stage.SENT, FailureKind.PROTOCOL),
    ],
)
async def test_every_error_has_a_kind(error, stage, kind):
    """Whatever a library raises is a failure with a name, and one that none should raise says its type."""
    failure = failure_of(error, stage, (origin_of("https://target"), origin_of("http://proxy")), GET)
    assert failure.kind is kind
    if kind is FailureKind.PROTOCOL and stage is Stage.SENT:
        assert type(error).__name__ in failure.message


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        ("load:pa/ss", "has a '/' that is not percent-encoded; write %2F"),
        ("load:pa?ss", "has a '?' that is not percent-encoded; write %3F"),
        ("load:pa#ss", "has a '#' that is not percent-encoded; write %23"),
        ("load:pa@ss", "has a '@' that is not percent-encoded; write %40"),
        ("load:pa[ss", "has a '[' that is not percent-encoded; write %5B"),
        ("load:pa ss", "has a ' ' that is not percent-encoded; write %20"),
        ("load:100%", "has a '%' that is not percent-encoded; write %25"),
    ],
)
async def test_password_that_is_not_encoded(credentials, words):
    """What is wrong with a password is said, without the password."""
    with pytest.raises(ValueError, match="percent-encoded") as raised:
        HttpxTransports("http://target", tls=TRUSTS_NOBODY, proxy=f"http://{credentials}@127.0.0.1:3128")
    assert str(raised.value).endswith(words)
    assert credentials.partition(":")[2] not in str(raised.value)


async def test_surplus_behind_a_tunnelled_response(serve, authority):
    """What comes behind a response is nobody's answer: the connection is closed, and the next one has its own."""
    came = await through_tunnel(serve, authority, lambda r: r.record(OK + OK.replace(b"ok", b"no")), 5)
    assert [(e.body, e.failure) for e in came] == [(b"ok", None)] * 5
    assert [e.connect_ns is None for e in came] == [False, True, True, False, True]
