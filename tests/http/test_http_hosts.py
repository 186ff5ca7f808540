"""Where requests may go: tables of hosts, and a guard that refuses before anything is sent."""

import pytest

from stressrunner.engine.clock import MonotonicClock
from stressrunner.http.conversation import Conversation
from stressrunner.http.exchange import Failure, FailureKind, Request
from stressrunner.http.fake import FakeAnswer, FakeTransports
from stressrunner.http.guard import Guarded
from stressrunner.http.hosts import Hosts, is_this_machine, listed_host, lists
from stressrunner.http.origin import origin_of


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("api.Example.org", "api.example.org"),
        ("*.example.org", "*.example.org"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("10.1.2.3", "10.1.2.3"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("my_host", "my_host"),
    ],
)
def test_entries_are_names_and_addresses(text, entry):
    """An entry is written in the one form that hosts are compared in."""
    assert listed_host(text) == entry


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.", "https://a.example", "a.example:80", "a.example/x", "a b", "a..b", "-a.example", "*a.example", "a.*.b"],
)  # fmt: skip
def test_everything_else_is_none(text):
    """What is no host is refused, and so is an entry that would allow all of them."""
    with pytest.raises(ValueError, match="is no host: write the name alone"):
        listed_host(text)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.example", True),
        ("A.EXAMPLE", True),
        ("b.a.example", False),
        ("x.star.example", True),
        ("y.x.star.example", True),
        ("star.example", False),
        ("nostar.example", False),
    ],
)
def test_a_star_stands_for_all_names_below(host, expected):
    """`*.` lists the names below a name, and not the name itself nor one that only ends like it."""
    assert lists(("a.example", "*.star.example"), host) is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("::", True),
        ("fe80::1%eth0", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("128.0.0.1", False),
    ],
)
def test_this_machine_is_known_by_name_or_address(host, expected):
    """Loopback and unspecified addresses are this machine; names that only look like it are not."""
    assert is_this_machine(host) is expected


@pytest.mark.parametrize(
    ("own", "host", "expected"),
    [
        ("api.example", "api.example", True),
        ("api.example", "login.example", True),
        ("api.example", "evil.example", False),
        ("api.example", "127.0.0.1", False),
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "evil.example", False),
    ],
)
def test_requests_stay_among_the_hosts(own, host, expected):
    """The target's own host and those listed are allowed; this machine is for targets on it."""
    assert Hosts(own, ("login.example",)).allow(host) is expected


def refused(host):
    """Return the failure of a request to a host that is not allowed."""
    return Failure(
        FailureKind.NOT_ALLOWED, f"{host} is neither the target's host nor among target.allow_hosts"
    )


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_whole_url_does_not_lead_away(anyio_backend):
    """A request to another host is refused without being sent; paths and allowed hosts pass."""
    transports = FakeTransports(MonotonicClock(), lambda number, request: FakeAnswer(0))
    async with Guarded(transports, Hosts("a.example", ("b.example",))).open() as transport:
        exchanges = [
            await transport.exchange(Request("GET", target))
            for target in ("/x", "http://a.example:81/", "https://b.example/", "https://c.example/?key=1")
        ]
    assert [exchange.failure for exchange in exchanges] == [None, None, None, refused("c.example")]
    assert exchanges[-1].sent_ns is None
    assert transports.requests == 3


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_redirect_does_not_lead_away(anyio_backend):
    """A redirect to another host is a failure of the request, which says so; nothing is sent there."""
    away = FakeAnswer(0, status=302, headers=(("Location", "https://c.example/login"),))
    transports = FakeTransports(MonotonicClock(), lambda number, request: away)
    async with Guarded(transports, Hosts("a.example")).open() as transport:
        conversation = Conversation(transport, origin_of("http://a.example"), None)
        exchange = await conversation.exchange(Request("GET", "/", follow_redirects=True))
    assert exchange.failure == refused("c.example")
    assert (exchange.request.target, exchange.redirects, transports.requests) == ("/", 0, 1)
