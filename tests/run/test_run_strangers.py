"""Who is a stranger is decided from names, addresses and the scenario's list."""

import pytest

from stressrunner.run.strangers import strangers
from stressrunner.scenario.model import Target, Timeout

pytestmark = pytest.mark.anyio
ADDRESSES = {
    "laptop.example": ("127.0.0.1", "::1"),
    "api.example": ("192.0.2.7",),
    "both.example": ("127.0.0.1", "192.0.2.7"),
    "proxy.example": ("192.0.2.8",),
}


@pytest.fixture
def anyio_backend():
    """One backend is enough where nothing waits."""
    return "asyncio"


async def named(base_url, proxy=None, allow_hosts=()):
    """Return the strangers of a target, as messages name them."""

    async def lookup(host):
        return ADDRESSES.get(host, (host,) if host[0].isdecimal() else ())

    target = Target(base_url, {}, Timeout(), proxy=proxy, allow_hosts=allow_hosts)
    return [stranger.named for stranger in await strangers(target, lookup)]


@pytest.mark.parametrize(
    "base_url",
    [
        "demo://agents",
        "http+unix://%2Ftmp%2Fapp.sock",
        "http://localhost:8000",
        "http://127.0.0.1",
        "https://[::1]:1",
        "http://laptop.example",
    ],
)
async def test_this_machine_is_no_stranger(base_url):
    """The embedded target, sockets, loopback addresses and names for nothing else need no consent."""
    assert await named(base_url) == []


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://api.example/v1", "api.example (192.0.2.7)"),
        ("http://both.example", "both.example (127.0.0.1)"),
        ("http://192.0.2.7:80", "192.0.2.7"),
        ("http://nowhere.example", "nowhere.example (no address known here)"),
    ],
)
async def test_all_others_are_strangers(base_url, expected):
    """A host is a stranger as soon as one of its addresses is elsewhere, or none is known; listing it ends that."""
    assert await named(base_url) == [expected]
    host = base_url.removeprefix("http://").partition("/")[0].partition(":")[0]
    assert await named(base_url, allow_hosts=(host,)) == []


async def test_a_proxy_is_asked_about_too():
    """Load passes through the proxy, and the names behind it are the proxy's to resolve."""
    assert await named("http://localhost", proxy="http://proxy.example:3128") == ["proxy.example (192.0.2.8)"]
    assert await named("http://laptop.example", proxy="http://127.0.0.1:3128") == [
        "laptop.example (no address known here)"
    ]
    listed = ("api.example", "proxy.example")
    assert await named("http://api.example", proxy="http://proxy.example:3128", allow_hosts=listed) == []
