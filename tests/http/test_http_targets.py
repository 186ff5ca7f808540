"""Whole runs against targets that need more than a host and a port: sockets, certificates, proxies, HTTP/2."""

import json

import anyio
import pytest
from http_scripts import Http2Script, Site

from stressrunner.fleet.launch import Crew
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
    async with Crew() as crew:
        return await run(
            load_document(path, environ={}), Options(seed=1, workers=0), Silence(), anyio.Event(), crew
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
    """HTTP/2 is spoken by httpx, which the result says."""
    result = await result_of(tmp_path, {"base_url": serve(Http2Script()).url, "http": 2})
    assert (result.totals.ok, result.generator.transport) == (6, "httpx")


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
