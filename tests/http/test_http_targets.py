"""Wplaceholder runs against targets that need more than a host and a port: sockets, certificates, proxies, HTTP/2."""

import json
import socket
import ssl

import anyio
import pytest
from h2_peer import Http2Peer, answer
from http_scripts import Site, without_http2

from stressrunner.fleet.launch import WorkerPool
from stressrunner.result.codec import to_json
from stressrunner.run.listener import Silence
from stressrunner.run.run import Options, run
from stressrunner.scenario.document import load_document

pytestmark = pytest.mark.anyio
SCENARIO = """
stressrunner: 1
name: targets
endpoints: {home: {get: /home, follow_redirects: true, checks: status == 200}}
load: {concurrency: 2, requests: 6}
"""


@pytest.fixture
def anyio_backend():
    """Runs are asyncio's."""
    return "asyncio"


async def result_of(folder, target):
    """Run the scenario against a target and return the result."""
    path = folder / "scenario.yaml"
    path.write_text(f"{SCENARIO}target: {json.dumps(target)}\n", "utf-8")
    async with WorkerPool() as pool:
        return await run(
            load_document(path, environ={}), Options(seed=1, workers=0), Silence(), anyio.Event(), pool
        )


async def test_run_over_a_socket(serve, tmp_path):
    """A run reaches a Unix socket, follows redirects on it, and counts them apart."""
    server = serve(Site(home="302 Found\r\nLocation: http://localhost/there"), path=tmp_path / "s")
    result = await result_of(tmp_path, {"base_url": server.url})
    assert (result.totals.sent, result.totals.ok, result.totals.redirects) == (6, 6, 6)
    assert (result.generator.transport, result.run.target) == ("h1", server.url)


async def test_run_that_trusts_its_own_authority(serve, tmp_path, authority):
    """With the authority's file beside the scenario the target is trusted; without it, it is not reached."""
    server = serve(Site(), tls=authority.server)
    (tmp_path / "ca.pem").write_bytes(authority.ca.read_bytes())
    trusting = await result_of(tmp_path, {"base_url": server.url, "tls": {"ca": "ca.pem"}})
    assert trusting.totals.ok == 6
    careless = await result_of(tmp_path, {"base_url": server.url, "tls": {"verify": False}})
    assert careless.totals.ok == 6
    wary = await result_of(tmp_path, {"base_url": server.url})
    assert (wary.verdict.exit_code, wary.totals.sent) == (4, 0)


async def test_run_over_http2(serve, tmp_path):
    """HTTP/2 is spoken by a transport of its own, which the result says; each request is sent once."""
    script = Http2Peer(lambda peer, stream, _: answer(stream))
    result = await result_of(tmp_path, {"base_url": serve(script).url, "http": 2})
    assert (result.totals.ok, result.generator.transport) == (6, "h2")
    assert script.paths == ["/home"] * 6


async def test_target_without_http2_is_told_before_the_load(serve, tmp_path):
    """Where HTTP/2 is asked for and not spoken, nothing is sent, and that is said."""
    server = serve(without_http2)
    result = await result_of(tmp_path, {"base_url": server.url, "http": 2})
    assert (result.verdict.exit_code, result.totals.sent) == (4, 0)
    assert "the server does not speak HTTP/2" in " ".join(result.verdict.reasons)
    assert server.connections == 1


async def test_run_survives_broken_tls(serve, tmp_path, authority):
    """A server whose TLS breaks after some replies fails the requests it breaks under; all else is measured."""
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(authority.ca, authority.key)
    secure.set_alpn_protocols(["h2"])

    def reply(peer, stream, _):
        if stream < 5:
            return answer(stream)
        with socket.socket(fileno=peer.sock.detach()) as bare:
            bare.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            bare.recv(100)
        return None

    target = {"base_url": serve(Http2Peer(reply), tls=secure).url, "http": 2, "tls": {"verify": False}}
    result = await result_of(tmp_path, target)
    assert (result.totals.sent, result.totals.completed) == (6, 6)
    assert result.totals.ok in (4, 5)  # how many connections of two users get to a third request
    assert {group.kind for group in result.errors} == {"tls"}


async def test_run_through_a_proxy(serve, tmp_path):
    """A target that only the proxy knows is reached through it; its password is nowhere in the result."""
    proxy = serve(Site()).url.replace("//", "//load:open%20sesame@")
    result = await result_of(tmp_path, {"base_url": "http://target.invalid", "proxy": proxy})
    assert result.totals.ok == 6
    assert result.run.target.startswith("http://target.invalid through http://load:***@127.0.0.1:")
    assert "sesame" not in to_json(result)


async def test_run_through_a_proxy_that_is_not_there(tmp_path, unused_port):
    """It is the proxy that is called unreachable."""
    target = {"base_url": "http://target.invalid", "proxy": f"http://127.0.0.1:{unused_port}"}
    result = await result_of(tmp_path, target)
    assert result.verdict.exit_code == 4
    assert f"nothing listens at 127.0.0.1:{unused_port}" in " ".join(result.verdict.reasons)
