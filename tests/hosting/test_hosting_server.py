"""Serving on loopback: an application that does not start is an error, and answers are sent at once."""

import json
import socket
import subprocess
import sys
import time

import pytest

from stressrunner.hosting.server import CannotServe, LoopbackServer, listen

WITHOUT_UVLOOP = "import sys; sys.modules['uvloop'] = None\n"


async def raises_at_once(scope, receive, send):
    """Be an application that fails before it looks at anything."""
    raise TypeError("no such argument\nas that")


async def refuses(scope, receive, send):
    """Be an application that says that it does not start."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "Traceback\n  of old\nKeyError: 'db'\n"})


async def refuses_silently(scope, receive, send):
    """Be an application that does not say why."""
    await receive()
    await send({"type": "lifespan.startup.failed"})


@pytest.mark.parametrize(
    ("application", "reason"),
    [
        (raises_at_once, r"TypeError: no such argument as that"),
        (refuses, r"KeyError: 'db'"),
        (refuses_silently, r"the application gave no reason"),
    ],
)
def test_what_does_not_start_is_an_error(application, reason):
    """It is told with its reason, and nobody hears that requests are answered."""
    server = LoopbackServer(application, listen(0), lambda port: pytest.fail("it says that it serves"))
    with pytest.raises(CannotServe) as refused:
        server.serve_until_stopped()
    assert str(refused.value) == reason


def test_a_server_that_is_stopped_has_started():
    """One that was stopped as soon as it answered returns without an error."""
    heard = []
    server = LoopbackServer(raises_in_requests, listen(0), lambda port: (heard.append(port), server.stop()))
    server.serve_until_stopped()
    assert len(heard) == 1


async def raises_in_requests(scope, receive, send):
    """Be an application that starts and ends as it should."""
    for step in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{step}.complete"})


def test_the_embedded_target_that_does_not_start_is_an_error(capfd):
    """In the foreground and as a child the reason is told, and no port is announced."""
    broken = "import starlette.routing as r\nclass Broken:\n  def __init__(self, *a, **k): raise KeyError('routes')\n"
    broken += "import starlette.applications as a\na.Starlette.build_middleware_stack = Broken\n"
    child = broken + "from stressrunner.demo.__main__ import main\nimport sys; sys.argv = ['demo']; main()"
    told = subprocess.run([sys.executable, "-c", child], capture_output=True, timeout=60, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (1, b"", b"KeyError: 'routes'\n")
    command = broken + "from stressrunner.cli import main\nmain(['demo', '--port', '0'])"
    told = subprocess.run([sys.executable, "-c", command], capture_output=True, timeout=60, check=False)
    assert (told.returncode, told.stdout) == (4, b"")
    assert b"the embedded target did not start: KeyError: 'routes'" in told.stderr


@pytest.mark.parametrize("server", ["demo", "sink"])
def test_answers_on_kept_connections_do_not_wait_for_acknowledgements(server):
    """Without uvloop too: the quickest of several answers takes a part of the 40 ms that the kernel would wait."""
    program = WITHOUT_UVLOOP + f"from stressrunner.{server}.__main__ import main\nsys.argv = ['it']; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        port = json.loads(child.stdout.readline())["port"]
        took_s = []
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            for _ in range(8):
                began_s = time.perf_counter()
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: it\r\n\r\n")
                received = b""
                while b"}" not in received:
                    received += connection.recv(4096)
                took_s.append(time.perf_counter() - began_s)
        child.stdin.close()
        assert child.wait(timeout=10) == 0
    assert min(took_s[2:]) < 0.03, took_s
