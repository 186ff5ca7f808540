"""The sink, called in process: the shapes of a model backend, and what it notes of what it is asked."""

import json

import anyio
import httpx
import pytest
from trio.testing import MockClock

from stressrunner.sink import SinkLog, SinkOptions, TokenObservation
from stressrunner.sink.app import build_app

CHAT = "/v1/chat/completions"
TOKEN = "sr.ab.0.1"

pytestmark = pytest.mark.anyio


def client_of(**options):
    """Return a client of a sink."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(build_app(SinkOptions(**options))), base_url="http://sink"
    )


async def log_of(client):
    """Return what a sink has noted, calls and failures of each token."""
    log = SinkLog.from_json((await client.get("/log")).json())
    return {token: (seen.calls, seen.failed) for token, seen in log.observations.items()}


def user(text):
    """Return a message of a user."""
    return {"role": "user", "content": text}


async def test_a_completion_has_the_usual_shape():
    """The answer has an id, the model, one choice and the usage, and does not repeat what was said."""
    async with client_of() as client:
        body = {
            "model": "m1",
            "messages": [{"role": "system", "content": "be brief"}, user(f"hello {TOKEN}")],
        }
        reply = (await client.post(CHAT, json=body)).json()
        assert isinstance(reply.pop("created"), int)
        assert reply == {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "m1",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Understood 2 words."},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7},
        }
        assert await log_of(client) == {TOKEN: (1, 0)}


async def test_a_stream_adds_up_to_the_answer():
    """Streamed, the words of the deltas are the answer, the usage comes if wanted, and the stream ends as it has to."""
    async with client_of() as client:
        body = {"messages": [user("hello")], "stream": True, "stream_options": {"include_usage": True}}
        reply = await client.post(CHAT, json=body)
        assert reply.headers["content-type"].startswith("text/event-stream")
        *events, last = [event.removeprefix("data: ") for event in reply.text.split("\n\n") if event]
        chunks = [json.loads(event) for event in events]
        assert last == "[DONE]"
        assert chunks.pop()["usage"]["completion_tokens"] == 3
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
        assert "".join(delta.get("content", "") for delta in deltas) == "Understood 1 words."
        assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 4 + ["stop"]
        whole = await client.post(CHAT, json={**body, "stream_options": None})
        assert "usage" not in whole.text


async def test_only_what_is_new_is_processed():
    """Of a conversation the messages since the assistant's last turn count; what was answered before does not."""
    async with client_of() as client:
        turns = [user("sr.ab.0.0"), {"role": "assistant", "content": "yes: sr.ab.0.0"}]
        parts = [{"type": "text", "text": "sr.ab.0.2"}, {"type": "image_url"}]
        for messages in (
            turns[:1],
            [*turns, user("sr.ab.0.1"), user(parts)],
            [
                *turns,
                user("sr.ab.0.1"),
                {"role": "assistant", "tool_calls": []},
                {"role": "tool", "content": "4"},
            ],
        ):
            await client.post(CHAT, json={"messages": messages})
        assert await log_of(client) == {"sr.ab.0.0": (1, 0), "sr.ab.0.1": (1, 0), "sr.ab.0.2": (1, 0)}


async def test_an_echo_is_what_was_sent():
    """The body comes back as it was, with its type, and its tokens are noted."""
    async with client_of() as client:
        sent = f"<a>{TOKEN}</a>".encode()
        reply = await client.post("/echo", content=sent, headers={"content-type": "text/xml"})
        assert (reply.content, reply.headers["content-type"]) == (sent, "text/xml; charset=utf-8")
        assert await log_of(client) == {TOKEN: (1, 0)}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"messages": []}', b'{"messages": ["m"]}', b"[" * 100_000], ids=str
)
async def test_what_is_no_question_is_refused(body):
    """A body that is not a conversation is answered with 400 and an error in the usual shape; nothing is noted."""
    async with client_of() as client:
        reply = await client.post(CHAT, content=body)
        assert reply.status_code == 400
        assert reply.json()["error"]["type"] == "invalid_request_error"
        assert (await client.get("/log")).json() == {"tokens": {}, "requests": 0, "unlogged": 0}


async def test_failures_are_noted_as_such():
    """With an error ratio of 1 every answer is a 500, and the log tells that nothing was processed."""
    async with client_of(error_ratio=1) as client:
        reply = await client.post(CHAT, json={"messages": [user(TOKEN)]})
        assert (reply.status_code, reply.json()["error"]["type"]) == (500, "server_error")
        assert (await client.post("/echo", content=TOKEN)).status_code == 500
        assert await log_of(client) == {TOKEN: (2, 2)}
        assert (await client.get("/health")).status_code == 200


def test_it_takes_its_time_and_notes_arrivals():
    """An answer takes the latency, and a message is noted when it arrives, before it is answered."""

    async def ask():
        async with client_of(latency_s=2) as client, anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.post(CHAT, json={"messages": [user(TOKEN)]}))
            await anyio.sleep(1)
            seen = SinkLog.from_json((await client.get("/log")).json()).observations[TOKEN]
            assert seen == TokenObservation(1, 0, seen.first_ns, seen.first_ns)
            began_s = anyio.current_time()
            async with anyio.create_task_group() as others:
                others.start_soon(lambda: client.post("/echo", content="m"))
            return anyio.current_time() - began_s

    clock = MockClock(autojump_threshold=0)
    assert anyio.run(ask, backend="trio", backend_options={"clock": clock}) == pytest.approx(2)
