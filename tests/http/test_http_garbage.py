"""Garbage of every kind at every stage, over every way to a server: requests fail, and nothing is raised."""

import asyncio
import contextlib
import random
import ssl

import pytest
from h2_peer import END_HEADERS, Asked, answer, data, frame, goaway, head, reset, settings, window
from http_scripts import OK
from tls_records import Records

from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.h1 import H1Transports
from stressrunner.http.h2_frames import H2FrameType
from stressrunner.http.h2_transport import H2Transports
from stressrunner.http.httpx_transport import HttpxTransports
from stressrunner.http.proxy import proxy_of
from stressrunner.http.tls import client_context

pytestmark = pytest.mark.anyio

#: Way to a server: which transport, over TLS or not, through a tunnel or not.
WAYS = [
    ("h1", False, False),
    ("h1", True, False),
    ("httpx", False, False),
    ("httpx", True, False),
    ("httpx", True, True),
    ("h2", False, False),
    ("h2", True, False),
    ("h2", False, True),
    ("h2", True, True),
]
STAGES = ["greeting", "response", "head", "body", "after", "second"]
#: Ways with their stages.
JOURNEYS = [
    (way, stage)
    for way in WAYS
    for stage in (*(["tunnel"] if way[2] else []), *(["handshake"] if way[1] else []), *STAGES)
]
_SHARE = 4  #: of the garbage, one in so many is sent to each stage; all of it in the long run

_RANDOM = random.Random(7)
GARBAGE = [
    b"",
    b"\0" * 30,
    b"\xff" * 30,
    b"\r\n\r\n" * 4,
    b"HTTP/1.1 200 OK\r\n",
    OK + OK,
    b"HTTP/9.9 abc\r\n\r\n",
    b"{" * 40_000,
    b"\x15\x03\x03\x00\x02\x02\x28",  # an alert of TLS, not encrypted
    b"\x17\x03\x03\x00\x20" + bytes(32),  # a record of TLS that cannot be decrypted
    settings() * 3,
    goaway(0) + goaway(99, 2),
    reset(1, 7) + reset(3, 2),
    answer(1) * 2 + answer(3),
    head(1) + head(1),
    frame(H2FrameType.PUSH_PROMISE, END_HEADERS, 1, bytes(9)),
    frame(H2FrameType.HEADERS, 0, 1) + data(1),
    frame(H2FrameType.HEADERS, END_HEADERS, 1, b"\xff" * 20),
    window(0, 0) + window(1, 0x7FFFFFFF),
    *[_RANDOM.randbytes(size) for size in (1, 8, 9, 40, 400, 20_000)],
]


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request):
    """Both loops of asyncio, whose TLS is their own."""
    if request.param:
        pytest.importorskip("uvloop")
    return ("asyncio", {"use_uvloop": request.param})


@pytest.fixture(scope="module")
def secure(authority):
    """TLS settings of servers for HTTP/1.1 and HTTP/2, and of clients for both."""
    servers = {}
    for name, protocol in (("h1", "http/1.1"), ("h2", "h2")):
        servers[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        servers[name].load_cert_chain(authority.ca, authority.key)
        servers[name].set_alpn_protocols([protocol])
    return servers, authority.ca


class Garbling:
    """Script: serve as it should be, up to a stage; there garbage is sent, and the connection closed.

    `is_raw` sends it below TLS.
    """

    def __init__(self, way, stage, secure, *, garbage, is_raw):
        self.way, self.stage = way, stage
        self.garbage, self.is_raw = garbage, is_raw
        self.tls = secure[0]["h2" if way[0] == "h2" else "h1"]
        self.is_http2 = way[0] == "h2"

    def __call__(self, peer):
        """Serve one connection."""
        with contextlib.suppress(ssl.SSLError, EOFError, OSError, AssertionError):
            self.serve(peer)

    def serve(self, peer):
        """Go from stage to stage."""
        _, is_secure, is_tunnelled = self.way
        if is_tunnelled:
            peer.request()
            if self.stage == "tunnel":
                peer.send(self.garbage)
                return
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        if is_secure and self.stage == "handshake":
            peer.send(self.garbage)
            return
        self.records = Records(peer.sock, self.tls) if is_secure else None
        self.peer, self.asked = peer, Asked()
        if self.stage == "greeting":
            self.spoil()
            return
        if self.is_http2:
            self.say(settings())
        for number in range(3):
            self.hear(number)
            if self.respond(number):
                return

    def respond(self, number):
        """Answer a request, and tell whether the garbage has come."""
        stream = 2 * number + 1
        whole = answer(stream) if self.is_http2 else OK
        part = {"response": 0, "head": 12, "body": len(whole) - 1, "after": len(whole)}.get(self.stage)
        if self.stage == "second" and number == 1:
            part = 0
        if part is None:
            self.say(whole)
            return False
        self.say(whole[:part])
        self.spoil()
        return True

    def hear(self, number):
        """Read a request."""
        if not self.is_http2:
            _ = self.records.read() if self.records else self.peer.request()
            return
        while len(self.asked.ended) <= number:
            octets = self.records.read() if self.records else self.peer.sock.recv(65536)
            if not octets:
                raise EOFError
            self.asked.take(octets)

    def say(self, octets):
        """Send what is right."""
        if octets:
            self.peer.send(self.records.record(octets) if self.records else octets)

    def spoil(self):
        """Send the garbage."""
        if self.is_raw:
            self.peer.send(self.garbage)
        else:
            self.say(self.garbage)


def transports(way, url, secure):
    """Return the transports that go this way to a server, and where it is for them."""
    name, is_secure, is_tunnelled = way
    tls = client_context(ca_file=secure[1], http2=name == "h2")
    target = url.replace("http:", "https:") if is_secure else url
    if is_tunnelled:
        target = f"{'https' if is_secure else 'http'}://localhost:81"
    if name == "h1":
        return H1Transports(target, tls=tls)
    if name == "h2":
        return H2Transports(target, tls=tls, proxy=proxy_of(url) if is_tunnelled else None)
    return HttpxTransports(target, tls=tls, proxy=url if is_tunnelled else None)


async def withstand(serve, secure, journey, garbage, *, is_raw):
    """Send requests to a server of garbage, of which each has to come to an end."""
    way, stage = journey
    script = Garbling(way, stage, secure, garbage=garbage, is_raw=is_raw)
    async with transports(way, serve(script).url, secure).open() as transport:
        for _ in range(2):
            exchange = await transport.exchange(Request("GET", "/", timeout_s=5))
            failure = exchange.failure
            assert (exchange.status == 200) if failure is None else isinstance(failure.kind, FailureKind)
            assert failure is None or (failure.message and failure.kind is not FailureKind.GENERATOR)
            assert exchange.acquired_ns <= exchange.completed_ns


@pytest.mark.parametrize(
    "journey", JOURNEYS, ids=lambda journey: "-".join(map(str, (*journey[0], journey[1])))
)
async def test_garbage_fails_requests_and_no_more(serve, secure, journey):
    """Each request comes to an end with a response or a failure that has a kind and words, and none ends the loop."""
    trouble, number = [], JOURNEYS.index(journey)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
    for kind, garbage in enumerate(GARBAGE[number % _SHARE :: _SHARE]):
        await withstand(serve, secure, journey, garbage, is_raw=journey[0][1] and kind % 2 == 0)
    assert trouble == []


@pytest.mark.soak
@pytest.mark.parametrize(
    "journey", JOURNEYS, ids=lambda journey: "-".join(map(str, (*journey[0], journey[1])))
)
async def test_all_garbage_fails_requests_and_no_more(serve, secure, journey):
    """As above, with all garbage, inside of TLS and below it."""
    trouble = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: trouble.append(context))
    for garbage in GARBAGE:
        for is_raw in {False, journey[0][1]}:
            await withstand(serve, secure, journey, garbage, is_raw=is_raw)
    assert trouble == []
