"""HTTP/2 with servers that others wrote: what is counted here is what their logs have, each request once."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import anyio
import pytest

from stressrunner.http.exchange import Request
from stressrunner.http.h2_transport import H2Transports

pytestmark = pytest.mark.anyio
PATIENCE_S = 10

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    {more}
    server {{ listen 127.0.0.1:{port} http2; location / {{ return 200 "ok"; }} }}
}}
"""

APP = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-asked", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": body or b"ok"})
"""


@pytest.fixture
def anyio_backend():
    """The loop that runs have where it can be had."""
    try:
        import uvloop  # noqa: F401, PLC0415
    except ImportError:
        return "asyncio"
    return ("asyncio", {"use_uvloop": True})


def program(name):
    """Return the path of a program, or skip the test."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextlib.contextmanager
def running(command, port, folder):
    """Run a server until the end; it has to listen first. Give the file that its words go to."""
    said = folder / "said.log"
    with (
        said.open("wb") as words,
        subprocess.Popen(command, stdout=words, stderr=words, cwd=folder) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE_S
            while process.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert time.monotonic() < deadline, "the server does not listen"
            assert process.poll() is None, said.read_text()
            yield said
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@contextlib.contextmanager
def nginx(folder, port, more=""):
    """Run nginx; give what counts the requests in its log."""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, more=more))
    command = [program("nginx"), "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    with running(command, port, folder):
        yield lambda: len(re.findall(r'"(?:GET|POST) /', (folder / "access.log").read_text()))


@contextlib.contextmanager
def nghttpd(folder, port):
    """Run nghttpd; give what counts the requests in its log."""
    (folder / "index.html").write_text("ok")
    command = [program("nghttpd"), "--no-tls", "-v", "--echo-upload", "-d", str(folder), str(port)]
    with running(command, port, folder) as said:
        yield lambda: len(re.findall(rb":method: (?:GET|POST)", said.read_bytes()))


@contextlib.contextmanager
def hypercorn(folder, port):
    """Run hypercorn; give what counts the requests in its log.

    It ends no connection here: with GOAWAY it says that it has taken the very request that it then does not answer.
    """
    pytest.importorskip("hypercorn")
    (folder / "served.py").write_text(APP)
    (folder / "hypercorn.toml").write_text("keep_alive_max_requests = 1000000\n")
    command = [
        sys.executable,
        "-m",
        "hypercorn",
        "--config",
        "hypercorn.toml",
        "--access-logfile",
        "access.log",
    ]
    with running([*command, "--bind", f"127.0.0.1:{port}", "served:app"], port, folder):
        yield lambda: len(re.findall(r'"(?:GET|POST) /', (folder / "access.log").read_text()))


async def load(url, users, requests, at_once=1):
    """Send requests from several users, each over connections of its own; return what came of each."""
    exchanges = []
    kinds = [Request("GET", "/", is_standing=True), Request("POST", "/", (("X-Token", "t"),), b"body" * 100)]
    factory = H2Transports(url)

    async def user():
        async with factory.open() as transport:
            for begun in range(0, requests, at_once):
                async with anyio.create_task_group() as tasks:
                    for number in range(begun, begun + at_once):
                        tasks.start_soon(send, transport, kinds[number % 2])

    async def send(transport, request):
        exchanges.append(await transport.exchange(request))

    async with anyio.create_task_group() as tasks:
        for _ in range(users):
            tasks.start_soon(user)
    return exchanges


async def logged(count, wanted):
    """Return how many requests a log has, once it has as many as wanted, or after a while."""
    with anyio.move_on_after(PATIENCE_S):
        while count() < wanted:  # noqa: ASYNC110  a log tells nobody that it has grown
            await anyio.sleep(0.02)
    return count()


@pytest.mark.parametrize(
    ("server", "users", "requests", "at_once"),
    [
        (nginx, 1, 2200, 1),  # which ends its connections after 1,000 requests each
        (nginx, 3, 120, 20),
        (nghttpd, 1, 300, 1),
        (nghttpd, 3, 120, 20),
        (hypercorn, 1, 100, 1),
        (hypercorn, 2, 100, 20),
    ],
)
async def test_counts_are_those_of_the_log(server, users, requests, at_once, tmp_path, unused_port):
    """Nothing fails, and the server has seen each request once, whatever connections it ends meanwhile."""
    with server(tmp_path, unused_port) as count:
        exchanges = await load(f"http://127.0.0.1:{unused_port}", users, requests, at_once)
        assert {(e.status, e.failure) for e in exchanges} == {(200, None)}
        assert len(exchanges) == users * requests
        assert await logged(count, len(exchanges)) == len(exchanges)
    assert all(e.acquired_ns <= e.sent_ns <= e.first_byte_ns <= e.completed_ns for e in exchanges)


async def test_connections_that_end_often(tmp_path, unused_port):
    """A server that takes few requests on a connection, while many are in flight on it, has each request once."""
    with nginx(tmp_path, unused_port, "keepalive_requests 7;") as count:
        exchanges = await load(f"http://127.0.0.1:{unused_port}", 2, 300, 20)
        assert {(e.status, e.failure) for e in exchanges} == {(200, None)}
        assert await logged(count, len(exchanges)) == len(exchanges) == 600


async def test_few_streams_at_once(tmp_path, unused_port):
    """A server that takes few streams at once is asked for no more, and has each request once."""
    more = "http2_max_concurrent_streams 2;"
    with nginx(tmp_path, unused_port, more) as count:
        exchanges = await load(f"http://127.0.0.1:{unused_port}", 1, 100, 20)
        assert {(e.status, e.failure) for e in exchanges} == {(200, None)}
        assert await logged(count, len(exchanges)) == len(exchanges) == 100


async def test_bodies_and_heads_of_size(tmp_path, unused_port):
    """Bodies larger than all windows go to hypercorn and back, and come back as they went."""
    body = os.urandom(1_500_000)
    with hypercorn(tmp_path, unused_port):
        async with H2Transports(f"http://127.0.0.1:{unused_port}").open() as transport:
            whole = await transport.exchange(Request("POST", "/large", (), body))
            head = await transport.exchange(Request("HEAD", "/head"))
            lines = tuple((f"x-{number}", "v" * 900) for number in range(30))
            wide = await transport.exchange(Request("GET", "/wide", lines))
    assert (whole.body == body, whole.failure) == (True, None)
    assert (head.status, head.body, head.failure) == (200, b"", None)
    assert (wide.status, wide.failure) == (200, None)
