"""The probe says in one sentence whether there is anything to load."""

import pytest

from stressrunner.http.exchange import Failure, FailureKind
from stressrunner.http.probe import probe
from stressrunner.http.tls import client_context

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both loops."""
    return request.param


async def test_open_port_is_found(serve):
    """Where something accepts connections there is nothing to say."""
    assert await probe(serve(lambda peer: peer.until_closed()).url, 5.0) is None


async def test_closed_port_is_named(unused_port):
    """Where nothing listens, the address and the reason are named."""
    failure = await probe(f"http://127.0.0.1:{unused_port}/path", 5.0)
    message = f"nothing listens at 127.0.0.1:{unused_port} (connection refused)"
    assert failure == Failure(FailureKind.REFUSED, message)


async def test_unknown_name_is_named():
    """A name without an address is a DNS failure that names it."""
    failure = await probe("http://nowhere.invalid", 5.0)
    assert failure.kind is FailureKind.DNS
    assert "'nowhere.invalid'" in failure.message


async def test_tls_is_part_of_the_probe(serve, authority):
    """A server whose certificate is not trusted is found out before the load."""
    server = serve(lambda peer: peer.until_closed(), tls=authority.server)
    assert (await probe(server.url, 5.0)).kind is FailureKind.TLS
    assert await probe(server.url, 5.0, tls=client_context(ca_file=authority.ca)) is None


async def test_silent_handshake_times_out(serve):
    """A server that accepts and then says nothing is not waited for longer than allowed."""
    server = serve(lambda peer: peer.until_closed())
    failure = await probe(server.url.replace("http:", "https:"), 0.1)
    assert failure.kind is FailureKind.TIMEOUT


async def test_plain_server_under_https_is_a_tls_failure(serve):
    """A server that does not speak TLS is not called unreachable."""

    def script(peer):
        peer.sock.recv(100)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    failure = await probe(serve(script).url.replace("http:", "https:"), 5.0)
    assert failure.kind is FailureKind.TLS


async def test_unix_socket_is_probed(serve, tmp_path):
    """A Unix socket is connected to as a port is, and named by its path where it is missing."""
    path = tmp_path / "app.sock"
    url = "http+unix://" + str(path).replace("/", "%2F")
    message = f"nothing listens at {path} (there is no such socket)"
    assert await probe(url, 5.0) == Failure(FailureKind.REFUSED, message)
    serve(lambda peer: peer.until_closed(), path=path)
    assert await probe(f"{url}/prefix", 5.0) is None
