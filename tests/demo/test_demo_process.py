"""The embedded target as a process: it starts, answers, and is never left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager, suppress

import anyio
import httpx
import psutil
import pytest
from anyio.abc import ByteReceiveStream
from trio.testing import MockClock

from stressrunner.demo import DemoOptions
from stressrunner.demo.process import running_demo, serve_forever
from stressrunner.demo.queues import QUEUES
from stressrunner.hosting import HostingFailed
from stressrunner.hosting.process import announced_port

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and sessions are those of POSIX")

HANGING = DemoOptions(latency_s=3600, jitter_s=0)
RUN = (
    b"POST /api/v1/agent/simple_agent/run HTTP/1.1\r\nHost: demo\r\nx-api-key: k\r\n"
    b'Content-Length: 23\r\n\r\n{"message_content":"m"}'
)


def connect(port):
    """Open a connection whose end tells that the server has gone."""
    return closing(socket.create_connection(("127.0.0.1", port), timeout=10))


def read_to_the_end(connection):
    """Wait until the server ends the connection, by a reset too; TimeoutError if it does not."""
    with suppress(ConnectionResetError):
        while connection.recv(1000):
            pass


@contextmanager
def python(*arguments):
    """Run a Python process until it ends by itself, or until the test has failed."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.anyio
async def test_it_answers_while_it_is_wanted():
    """Inside the context the target answers with the options given; after it nothing listens any more."""
    options = DemoOptions(latency_s=0, jitter_s=0, api_key="k&y %")
    async with running_demo(options) as demo:
        async with httpx.AsyncClient(base_url=demo.base_url, headers={"x-api-key": "k&y %"}) as client:
            assert (await client.get("/health")).json()["status"] == "healthy"
            assert (await client.get("/api/v1/agent/list")).status_code == 200
            assert (await client.get("/stats")).json()["requests"]["total"] == 1
        port = int(demo.base_url.rpartition(":")[2])
        assert demo.base_url == f"http://127.0.0.1:{port}"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=10)


@pytest.mark.anyio
async def test_an_interrupted_run_leaves_no_target():
    """Cancelling the run ends the target, even in the middle of a request that would take an hour."""
    with anyio.CancelScope() as run, ExitStack() as connections:
        async with running_demo(HANGING) as demo:
            connection = connections.enter_context(connect(int(demo.base_url.rpartition(":")[2])))
            connection.sendall(RUN)
            run.cancel()
            await anyio.sleep_forever()
    assert run.cancelled_caught
    assert not psutil.pid_exists(demo.pid)


@posix_only
@pytest.mark.anyio
async def test_ctrl_c_at_the_terminal_does_not_reach_it():
    """The target has a session of its own, so the run that is interrupted can still read from it."""
    async with running_demo(DemoOptions()) as demo:
        assert os.getsid(demo.pid) == demo.pid


@pytest.mark.anyio
async def test_a_busy_port_says_so():
    """A port that is taken fails the start with a sentence and exit code 4, in a process and without."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(HostingFailed, match=f"cannot listen on port {port}: ") as raised:
            async with running_demo(DemoOptions(), port=port):
                pytest.fail("the target claims to have started")
        assert raised.value.exit_code == 4
        with pytest.raises(HostingFailed, match=f"cannot listen on port {port}: "):
            serve_forever(DemoOptions(), port, pytest.fail)


def test_a_child_with_wrong_options_says_so():
    """Options that the child cannot read end it with a sentence and no traceback."""
    with python("-m", "stressrunner.demo", "--options", "demo://agents?queue=none") as child:
        assert child.communicate(timeout=30) == (
            b"",
            b"queue=none: unknown queue. Queues: " + b", ".join(map(str.encode, QUEUES)) + b"\n",
        )
        assert child.returncode == 1


def test_a_port_out_of_range_says_so():
    """A port that cannot exist is told like one that is taken."""
    with pytest.raises(HostingFailed, match="cannot listen on port 70000: "):
        serve_forever(DemoOptions(), 70_000, pytest.fail)


class Silence(ByteReceiveStream):
    """The output of a child that never says anything."""

    async def receive(self, max_bytes=65536):
        """Wait for ever."""
        await anyio.sleep_forever()

    async def aclose(self):
        """Nothing to close."""


def test_a_child_that_does_not_answer_is_given_up():
    """Without an announcement the start fails after 15 seconds, not never."""

    async def wait():
        began_s = anyio.current_time()
        with pytest.raises(HostingFailed, match="does not answer within 15 s"):
            await announced_port("it", Silence())
        return anyio.current_time() - began_s

    clock = MockClock(autojump_threshold=0)
    assert anyio.run(wait, backend="trio", backend_options={"clock": clock}) == pytest.approx(15)


def test_the_child_stops_with_its_stdin():
    """The end of stdin stops the child silently and at once, also with a request that hangs."""
    with python("-m", "stressrunner.demo", "--options", HANGING.to_url()) as child:
        announced = json.loads(child.stdout.readline())
        assert announced["pid"] == child.pid
        with connect(announced["port"]) as connection:
            connection.sendall(RUN)
            assert child.communicate(timeout=5) == (b"", b"")
            read_to_the_end(connection)
        assert child.returncode == 0


@posix_only
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_the_child(number):
    """SIGTERM and SIGINT end the child with status 0 and without a trace on stderr."""
    with python("-m", "stressrunner.demo") as child:
        child.stdout.readline()
        child.send_signal(number)
        assert child.wait(timeout=5) == 0
        assert child.stderr.read() == b""


@posix_only
def test_it_does_not_outlive_a_run_that_is_killed():
    """The target ends although the process that started it had no chance to stop it."""
    program = (
        "import anyio\n"
        "from stressrunner.demo import DemoOptions, process\n"
        "async def run():\n"
        "    async with process.running_demo(DemoOptions()) as target:\n"
        "        print(target.base_url, flush=True)\n"
        "        await anyio.sleep_forever()\n"
        "anyio.run(run)\n"
    )
    with python("-c", program) as run:
        port = int(run.stdout.readline().rpartition(b":")[2])
        with connect(port) as connection:
            run.kill()
            read_to_the_end(connection)


@posix_only
def test_serving_in_the_foreground():
    """`serve_forever` answers on the port that it names, and returns when it is interrupted."""
    program = (
        "from stressrunner.demo import DemoOptions\n"
        "from stressrunner.demo.process import serve_forever\n"
        "serve_forever(DemoOptions(), 0, lambda port: print(port, flush=True))\n"
        "print('returned')\n"
    )
    with python("-c", program) as server:
        port = int(server.stdout.readline())
        assert httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=5) == (b"returned\n", b"")


def test_importing_it_costs_no_web_framework():
    """A run that targets something else does not pay for the modules that serve the API."""
    program = "import sys, stressrunner.demo; print({'starlette', 'uvicorn'} & set(sys.modules))"
    with python("-c", program) as process:
        assert process.communicate(timeout=30) == (b"set()\n", b"")
