"""Redirects and cookies over real sockets: what is sent on each hop, and how hops become one exchange."""

import ssl

import pytest
from http_scripts import Site
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.http.conversation import MAX_REDIRECTS, Conversation
from stressrunner.http.cookies import CookieJar
from stressrunner.http.exchange import Exchange, Failure, FailureKind, Request
from stressrunner.http.guard import Guarded
from stressrunner.http.h1 import H1Transports
from stressrunner.http.hosts import Hosts
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.http.redirects import location_of, redirected

pytestmark = pytest.mark.anyio
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
BASE = Origin("http", "a.example", 80)


@pytest.fixture
def anyio_backend():
    """The fast transport runs under asyncio."""
    return "asyncio"


async def ask(url, *requests, jar=None):
    """Send requests in one conversation."""
    async with H1Transports(url, tls=TRUSTS_NOBODY).open() as transport:
        conversation = Conversation(transport, origin_of(url), jar)
        return [await conversation.exchange(request) for request in requests]


def following(path, method="GET", **fields):
    """Return a request that follows redirects."""
    return Request(method, path, follow_redirects=True, **fields)


async def test_hops_are_one_exchange(serve):
    """The response is the last one; times span all hops, sizes add up, and hops are counted."""
    site = Site(first="302 Found\r\nLocation: second?x=1", second="301 Moved\r\nLocation: /third#part")
    server = serve(site)
    (whole,) = await ask(server.url, following("/first"))
    assert (whole.status, whole.body, whole.redirects, whole.failure) == (200, b"/third", 2, None)
    assert whole.request.target == "/third"
    assert [request.split()[1] for request in site.asked] == [b"/first", b"/second?x=1", b"/third"]
    assert whole.bytes_sent == sum(map(len, site.asked))
    assert server.connections == 1
    times = [whole.acquired_ns, whole.sent_ns, whole.first_byte_ns, whole.completed_ns]
    assert times == sorted(times)
    assert 0 < whole.connect_ns <= whole.sent_ns - whole.acquired_ns


async def test_redirect_to_a_host_that_is_not_allowed_is_shown_itself(serve):
    """Of a redirect that must not be followed, the exchange is the one that was sent, with the failure of the next hop."""
    site = Site(first="302 Found\r\nLocation: http://stranger.example/steal")
    url = serve(site).url
    async with Guarded(H1Transports(url, tls=TRUSTS_NOBODY), Hosts("127.0.0.1")).open() as transport:
        conversation = Conversation(transport, origin_of(url), None)
        whole = await conversation.exchange(following("/first", headers=(("X-Api-Key", "secret"),)))
    assert whole.failure.kind is FailureKind.NOT_ALLOWED
    assert (whole.request.target, whole.status, whole.redirects) == ("/first", 302, 0)
    assert whole.acquired_ns <= whole.sent_ns <= whole.first_byte_ns <= whole.completed_ns


async def test_redirect_to_where_nothing_listens_is_shown_itself(serve, unused_port):
    """A hop that cannot be sent says why, and the redirect that asked for it is what was sent."""
    nowhere = f"http://127.0.0.1:{unused_port}/x"
    (whole,) = await ask(serve(Site(first=f"302 Found\r\nLocation: {nowhere}")).url, following("/first"))
    assert whole.failure.kind is FailureKind.REFUSED
    assert (whole.request.target, whole.status, whole.redirects) == ("/first", 302, 0)


async def test_redirects_are_followed_where_it_is_said(serve):
    """Without follow_redirects a redirect is a response as every other."""
    site = Site(first="302 Found\r\nLocation: /second")
    (exchange,) = await ask(serve(site).url, Request("GET", "/first"))
    assert (exchange.status, exchange.redirects, len(site.asked)) == (302, 0, 1)


async def test_a_loop_is_an_error_of_its_own(serve):
    """After ten hops the request has failed, at the redirect that it had come to."""
    site = Site(round="307 Again\r\nLocation: /round")
    (exchange,) = await ask(serve(site).url, following("/round"))
    assert exchange.failure == Failure(FailureKind.REDIRECTS, "more than 10 redirects")
    assert (exchange.status, exchange.redirects, len(site.asked)) == (307, MAX_REDIRECTS, MAX_REDIRECTS + 1)


async def test_redirect_that_leads_nowhere_is_an_error(serve):
    """A location with another scheme fails the request instead of being passed over."""
    (exchange,) = await ask(serve(Site(first="302 Found\r\nLocation: ftp://x/")).url, following("/first"))
    assert exchange.failure.kind is FailureKind.REDIRECTS
    assert "'ftp://x/'" in exchange.failure.message


async def test_no_hop_begins_after_the_time_is_over():
    """A redirect that comes when the time is up is not followed; times are those of the exchanges alone."""
    asked = []

    class Slow:
        async def exchange(self, request):
            asked.append(request.target)
            at_ns = len(asked) * 600_000_000
            return Exchange(
                request, at_ns, at_ns, at_ns, at_ns + 600_000_000, status=302, headers=(("Location", "/x"),)
            )

    exchange = await Conversation(Slow(), BASE, None).exchange(following("/", timeout_s=1.0))
    assert exchange.failure == Failure(FailureKind.TIMEOUT, "no complete response within 1 s")
    assert asked == ["/", "/x"]


async def test_timeout_spans_all_hops(serve):
    """The time that a request has is for all of its hops, and the message names that time."""

    def script(peer):
        if b"/first" in peer.request():
            peer.send(b"HTTP/1.1 302 Found\r\nLocation: /silent\r\nContent-Length: 0\r\n\r\n")
        peer.until_closed()

    (exchange,) = await ask(serve(script).url, following("/first", timeout_s=0.2))
    assert exchange.failure == Failure(FailureKind.TIMEOUT, "no complete response within 0.2 s")
    assert exchange.completed_ns - exchange.acquired_ns < 2e9


async def test_cookies_of_a_conversation(serve):
    """What a response sets goes with later requests and hops, under what a request has itself."""
    site = Site(login="303 See\r\nLocation: /home\r\nSet-Cookie: id=7; Path=/\r\nset-cookie: t=a; Path=/home")
    jar = CookieJar()
    given = (("Cookie", "id=mine; x=y"),)
    await ask(serve(site).url, following("/login", "POST"), Request("GET", "/home", given), jar=jar)
    assert [site.header(i, "Cookie") for i in range(3)] == [None, "t=a; id=7", "id=mine; x=y; t=a"]


async def test_without_a_jar_cookies_are_not_kept(serve):
    """A conversation without a jar sends no cookies but those it is given."""
    site = Site(a="200 OK\r\nSet-Cookie: id=7")
    await ask(serve(site).url, Request("GET", "/a"), Request("GET", "/b", (("Cookie", "x=y"),)))
    assert [site.header(i, "Cookie") for i in range(2)] == [None, "x=y"]


async def test_other_origins_get_no_credentials(serve):
    """Authorization, Host and cookies stay with their origin; other headers go along."""
    there = Site()
    other = serve(there).url.replace("127.0.0.1", "localhost")
    here = Site(first=f"302 Found\r\nLocation: {other}/x\r\nSet-Cookie: id=7; Path=/")
    headers = (("Authorization", "Bearer t"), ("X-Kind", "load"), ("Cookie", "a=b"), ("Host", "named"))
    (exchange,) = await ask(serve(here).url, following("/first", headers=headers), jar=CookieJar())
    assert exchange.body == b"/x"
    assert exchange.request.target == f"{other}/x"
    kept = ("Authorization", "Cookie", "X-Kind", "Host")
    assert [here.header(0, name) for name in kept] == ["Bearer t", "a=b", "load", "named"]
    assert [there.header(0, name) for name in kept] == [None, None, "load", other.partition("//")[2]]


@pytest.mark.parametrize(
    ("method", "status", "becomes"),
    [
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("GET", 301, "GET"),
    ],
)
def test_method_after_a_redirect(method, status, becomes):
    """Method and body change as clients have agreed on; headers about a body go with it."""
    headers = (("Content-Type", "text/plain"), ("X", "y"))
    after = redirected(Request(method, "/", headers, b"body"), status, "/x", BASE)
    assert (after.method, after.target) == (becomes, "/x")
    assert (after.body == b"body") == (becomes == method)
    assert (after.headers == headers) == (becomes == method)


@pytest.mark.parametrize(
    ("target", "location", "leads"),
    [
        ("/a/b?q=1", "/c", "/c"),
        ("/a/b?q=1", "c", "/a/c"),
        ("/a/b?q=1", "?r=2", "/a/b?r=2"),
        ("/a/b/", "../c", "/a/c"),
        ("/a", "http://a.example/x", "/x"),
        ("/a", "HTTP://A.example:80", "/"),
        ("/a", "//a.example/x", "/x"),
        ("/a", "http://b.example/x#y", "http://b.example/x"),
        ("/a", "https://a.example/x?y", "https://a.example/x?y"),
        ("/a", "//b.example:81/x", "http://b.example:81/x"),
        ("http://b.example/a/b", "c", "http://b.example/a/c"),
        ("http://b.example/a", "http://a.example/", "/"),
        ("/a", "/\xc3\xbc x%20y", "/%C3%BC%20x%20y"),
        ("/a", " /x ", "/x"),
    ],
)
def test_where_a_location_leads(target, location, leads):
    """Locations are resolved where they were given, escaped where they are not, and lose their fragment."""
    assert redirected(Request("GET", target), 302, location, BASE).target == leads


@pytest.mark.parametrize(
    "location", ["ftp://x/", "http+unix://%2Fvar%2Frun%2Fx.sock/", "http://", "mailto:x"]
)
def test_where_no_redirect_leads(location):
    """A response cannot lead to another scheme, nor to a socket of this machine."""
    with pytest.raises(ValueError, match=r"URL|host"):
        redirected(Request("GET", "/"), 302, location, BASE)


def test_servers_behind_sockets_call_themselves_localhost():
    """Behind a Unix socket a location with the Host that was sent stays on the socket."""
    base = origin_of("http+unix://%2Ftmp%2Fx.sock")
    assert redirected(Request("GET", "/"), 302, "http://localhost/y", base).target == "/y"
    assert (
        redirected(Request("GET", "/"), 302, "http://localhost:8080/y", base).target
        == "http://localhost:8080/y"
    )


@pytest.mark.parametrize(("status", "found"), [(302, "/x"), (304, ""), (300, ""), (200, "")])
def test_what_is_a_redirect(status, found):
    """Five status codes with a Location redirect; anything else is a response."""
    exchange = Exchange(Request("GET", "/"), 0, 0, 0, 0, status=status, headers=(("location", "/x"),))
    assert location_of(exchange) == found
    assert location_of(exchange._replace(headers=())) == ""


@given(st.text(st.characters(max_codepoint=255)))
def test_any_location_leads_somewhere_or_nowhere(location):
    """Whatever a server says, it is a request that can be sent or an error that can be named."""
    try:
        target = redirected(Request("GET", "/a"), 302, location, BASE).target
    except ValueError:
        return
    assert target.isascii()
    assert not set(target) & set(" \r\n#")
    locate(target, BASE)


async def test_target_that_makes_no_sense_is_the_transports_to_name(serve):
    """With cookies in the jar, too, a target that leads nowhere is a failure of the exchange."""
    jar = CookieJar()
    jar.store((("Set-Cookie", "id=7"),), BASE, "/")
    (exchange,) = await ask(serve(Site()).url, Request("GET", "http://[bad/"), jar=jar)
    assert exchange.failure.kind is FailureKind.PROTOCOL
