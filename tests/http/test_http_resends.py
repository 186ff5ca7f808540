"""Requests are sent again by themselves only where their kept connection was lost at once."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import anyio
import pytest
from http_scripts import OK

from stressrunner.http.exchange import Failure, FailureKind, Request
from stressrunner.http.failures import CLOSED_SILENT
from stressrunner.http.h1 import H1Transports
from stressrunner.http.httpx_transport import HttpxTransports
from stressrunner.http.pool import SharedPool
from stressrunner.http.resends import AT_ONCE_NS, is_sent_again


def pooled(url):
    """Return transports that users share."""
    return SharedPool(H1Transports(url), 3)


TRANSPORTS = pytest.mark.parametrize(
    "factory", [H1Transports, HttpxTransports, pooled], ids=["h1", "httpx", "pooled"]
)

#: The case that is sent again; each test changes one thing of it.
AT_ONCE = {"is_kept": True, "bytes_received": 0, "sent_ns": 1_000, "lost_ns": 1_000 + AT_ONCE_NS}


@pytest.fixture
def anyio_backend():
    """Both transports run under asyncio."""
    return "asyncio"


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({}, True),
        ({"lost_ns": 1_001 + AT_ONCE_NS}, False),
        ({"lost_ns": 500}, True),
        ({"sent_ns": None, "lost_ns": 10**12}, True),
        ({"is_kept": False}, False),
        ({"bytes_received": 1}, False),
    ],
)
def test_only_what_is_lost_at_once_is_sent_again(change, again):
    """A kept connection, nothing of a response, and a loss before the write or a few milliseconds after it."""
    assert is_sent_again(CLOSED_SILENT, **(AT_ONCE | change)) is again


@pytest.mark.parametrize("kind", [kind for kind in FailureKind if kind is not FailureKind.RESET])
def test_other_failures_are_not_sent_again(kind):
    """Only a lost connection is a reason; a broken response or a timeout would come again."""
    assert not is_sent_again(Failure(kind, ""), **AT_ONCE)
    assert not is_sent_again(None, **AT_ONCE)


@TRANSPORTS
@pytest.mark.parametrize("by_reset", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.anyio
async def test_request_that_was_held_is_not_sent_again(serve, factory, method, by_reset):
    """A server that takes a request on a kept connection, thinks, and closes, has failed; the method does not matter."""

    def script(peer):
        peer.request()
        peer.send(OK)
        peer.request()
        peer.stopped.wait(0.05)
        if by_reset:
            peer.reset()

    server = serve(script)
    async with factory(server.url).open() as transport:
        await transport.exchange(Request("GET", "/"))
        exchange = await transport.exchange(Request(method, "/"))
    assert exchange.failure.kind is FailureKind.RESET
    assert "reset by peer" in exchange.failure.message if by_reset else exchange.failure == CLOSED_SILENT
    assert (exchange.resent, exchange.status, server.connections) == (False, 0, 1)


@TRANSPORTS
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.anyio
async def test_request_that_crossed_the_end_of_its_connection_is_sent_again(serve, factory, method):
    """What a server closes at once under a request goes over a new connection, once, and is counted as resent."""

    def script(peer):
        peer.request()
        if peer.number == 0:
            peer.send(OK)
            peer.request()
        elif peer.number == 1:
            peer.send(OK)

    for _ in range(20):
        server = serve(script)
        async with factory(server.url).open() as transport:
            await transport.exchange(Request("GET", "/"))
            exchange = await transport.exchange(Request(method, "/"))
        if exchange.failure is None or exchange.completed_ns - exchange.sent_ns <= AT_ONCE_NS:
            break  # else the machine was so busy that the loss was noticed late
    assert (exchange.failure, exchange.status, exchange.resent) == (None, 200, True)
    assert server.connections == 2


#: A server of two processes: the parent listens, the worker serves; /hold is never answered. Both end with their stdin.
WORKER = """
import os, socket, sys, threading

def serve(sock):
    while received := sock.recv(65536):
        if received.startswith(b"GET /hold"):
            os.write(1, b"held\\n")
        else:
            sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")

listener = socket.create_server(("127.0.0.1", 0))
while True:
    worker = os.fork()
    if worker == 0:
        threading.Thread(target=lambda: (os.read(0, 1), os._exit(0))).start()
        print(listener.getsockname()[1], os.getpid(), flush=True)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    os.waitpid(worker, 0)
"""


@contextmanager
def workers():
    """Run the server; give its port, the worker's process id, and what the server prints."""
    command = [sys.executable, "-c", WORKER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            port, worker = map(int, process.stdout.readline().split())
            yield port, worker, process.stdout
        finally:
            process.kill()


@TRANSPORTS
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the server forks its worker")
@pytest.mark.anyio
async def test_crash_of_a_worker_is_seen(factory):
    """A worker that is killed while it holds requests is an error of each, although its successor would answer."""
    ended = []
    with workers() as (port, worker, printed):
        async with (
            factory(f"http://127.0.0.1:{port}").open() as transport,
            anyio.create_task_group() as tasks,
        ):

            async def user(path):
                ended.append(await transport.exchange(Request("GET", path)))

            for path in ("/", "/hold"):  # the second time over the connections of the first
                for _ in range(3):
                    tasks.start_soon(user, path)
                while path == "/" and len(ended) < 3:
                    await anyio.lowlevel.checkpoint()
            for _ in range(3):
                assert (await anyio.to_thread.run_sync(printed.readline)) == "held\n"
            await anyio.sleep(0.02)  # longer than what counts as at once
            os.kill(worker, signal.SIGKILL)
            while len(ended) < 6:
                await anyio.lowlevel.checkpoint()
            afterwards = await transport.exchange(Request("GET", "/"))
    held = ended[3:]
    assert [(e.failure.kind, e.resent, e.connect_ns) for e in held] == [(FailureKind.RESET, False, None)] * 3
    assert (afterwards.status, afterwards.failure) == (200, None)
