"""The sink as a process: it starts, tells what it saw, and is never left behind."""

import socket
from contextlib import closing

import anyio
import httpx
import psutil
import pytest

from stressrunner.demo import DemoOptions
from stressrunner.demo.process import running_demo
from stressrunner.hosting import HostingFailed
from stressrunner.sink import SinkOptions
from stressrunner.sink.process import running_sink

pytestmark = pytest.mark.anyio


async def test_it_tells_what_it_saw_until_it_is_stopped():
    """While it is wanted its log can be read; afterwards the process is gone and reading fails with OSError."""
    async with running_sink(SinkOptions()) as sink, httpx.AsyncClient() as client:
        assert (await sink.log()).observations == {}
        await client.post(f"{sink.base_url}/echo", content="sr.ab.0.1 sr.ab.0.2")
        log = await sink.log()
        assert {token: seen.processed for token, seen in log.observations.items()} == {
            "sr.ab.0.1": 1,
            "sr.ab.0.2": 1,
        }
    assert not psutil.pid_exists(sink.pid)
    with pytest.raises(OSError, match=r".+"):
        await sink.log()


async def test_a_busy_port_says_so():
    """A port that is taken fails the start with a sentence that names the sink."""
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(HostingFailed, match=f"^the sink did not start: cannot listen on port {port}: "):
            async with running_sink(SinkOptions(port=port)):
                pytest.fail("the sink claims to have started")


@pytest.mark.parametrize(("queue", "processed"), [("duplicate", 2), ("merge", 1)])
async def test_the_embedded_target_asks_it(queue, processed):
    """A target with the sink as backend hands it each message that it processes, and says what it answers."""
    async with running_sink(SinkOptions()) as sink:
        options = DemoOptions(latency_s=0.2, jitter_s=0, queue=queue, backend=sink.completions_url)
        async with running_demo(options) as demo, httpx.AsyncClient(base_url=demo.base_url) as client:
            replies = await _burst(client, "sr.ab.0.0", "sr.ab.0.1")
            assert [reply.json()["message"] for reply in replies] == ["Understood 1 words."] * 2
        log = await sink.log()
        assert sorted(seen.processed for seen in log.observations.values()) == [1, processed]


async def test_a_backend_that_fails_fails_the_run():
    """What the backend does not answer is told with 500 and is not remembered."""
    async with running_sink(SinkOptions(error_ratio=1)) as sink:
        options = DemoOptions(latency_s=0, jitter_s=0, backend=sink.completions_url)
        async with running_demo(options) as demo, httpx.AsyncClient(base_url=demo.base_url) as client:
            (reply,) = await _burst(client, "m")
            assert reply.status_code == 500
            assert reply.json()["detail"].startswith("the model backend failed: ")
            history = await client.get("/api/v1/sessions/s", headers={"x-api-key": "k"})
            assert history.json()["messages"] == []


async def _burst(client, *texts):
    """Send messages to one session all at once; return the replies."""
    replies = []

    async def send(text):
        body = {"message_content": text, "session_name": "s"}
        replies.append(
            await client.post("/api/v1/agent/simple_agent/run", json=body, headers={"x-api-key": "k"})
        )

    async with anyio.create_task_group() as tasks:
        for text in texts:
            tasks.start_soon(send, text)
    return replies
