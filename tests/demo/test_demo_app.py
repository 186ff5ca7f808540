"""The agents API, called in process: shapes, refusals, paging, faults, and what it counts."""

from contextlib import asynccontextmanager
from uuid import UUID

import anyio
import httpx
import pytest
from trio.testing import MockClock

from stressrunner import __version__
from stressrunner.demo import DemoOptions
from stressrunner.demo.app import build_app

AT_ONCE = DemoOptions(latency_s=0, jitter_s=0)
RUN = "/api/v1/agent/simple_agent/run"

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client_of(options=AT_ONCE, **headers):
    """Open the API and a client of it, by default with a key."""
    app = build_app(options)
    headers = headers or {"x-api-key": "demo-key"}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://demo", headers=headers) as client,
    ):
        yield client


async def test_a_run_echoes_and_is_remembered():
    """A run answers with what it processed, and both sides are in the session's history."""
    async with client_of() as client:
        reply = await client.post(RUN, json={"message_content": "hello there", "session_name": "s1"})
        assert reply.status_code == 200
        body = reply.json()
        session_id = body.pop("session_id")
        assert str(UUID(session_id)) == session_id
        assert body == {
            "message": "Understood: hello there",
            "success": True,
            "session_name": "s1",
            "user_id": None,
            "tool_calls": [],
            "usage": {"input_tokens": 2, "output_tokens": 3, "total_tokens": 5},
        }
        for key in ("s1", session_id):
            history = (await client.get(f"/api/v1/sessions/{key}?sort_desc=false")).json()
            assert [(m["role"], m["content"]) for m in history["messages"]] == [
                ("user", "hello there"),
                ("assistant", "Understood: hello there"),
            ]


async def test_a_session_is_found_by_name_by_id_or_made():
    """One name is one session with one id, an id leads to it too, and without either each run has its own."""
    async with client_of() as client:

        async def session_of(**fields):
            reply = await client.post(RUN, json={"input_text": "m", **fields})
            return reply.json()["session_id"]

        named = await session_of(session_name="s1")
        assert await session_of(session_name="s1") == named
        assert await session_of(session_id=named) == named
        others = {await session_of(), await session_of(), await session_of(session_name="s2")}
        assert len(others | {named}) == 4


async def test_lists_of_agents_and_health():
    """Agents are listed with id, name and description; health needs no key and says the version."""
    async with client_of() as client:
        agents = (await client.get("/api/v1/agent/list")).json()
        assert "simple_agent" in [agent["name"] for agent in agents]
        assert all(sorted(agent) == ["description", "id", "name"] for agent in agents)
    async with client_of(accept="*/*") as client:
        health = await client.get("/health")
        assert (health.status_code, health.json()) == (200, {"status": "healthy", "version": __version__})


async def test_users_and_memories_are_kept():
    """Creating answers 200 with what was given and an id; an address has one id."""
    async with client_of() as client:
        user = (await client.post("/api/v1/users", json={"email": "a@example.com"})).json()
        again = (
            await client.post("/api/v1/users", json={"email": "a@example.com", "user_data": {"n": 1}})
        ).json()
        assert user["email"] == "a@example.com"
        assert (again["id"], again["user_data"]) == (user["id"], {"n": 1})
        fields = {"name": "n", "content": "c", "user_id": user["id"]}
        memories = [(await client.post("/api/v1/memories", json=fields)).json() for _ in range(2)]
        assert all(fields.items() <= memory.items() for memory in memories)
        assert memories[0]["id"] != memories[1]["id"]


@pytest.mark.parametrize(
    ("accepted", "key", "status"),
    [(None, "anything", 200), (None, "", 401), ("right", "right", 200), ("right", "wrong", 401)],
)
async def test_the_key_is_asked_for(accepted, key, status):
    """Any key that is not empty does, unless one was set; the rest is 401 with a detail."""
    options = DemoOptions(api_key=accepted)
    async with client_of(options, **{"x-api-key": key}) as client:
        reply = await client.get("/api/v1/agent/list")
        assert reply.status_code == status
        assert status == 200 or reply.json()["detail"]
        assert (await client.get("/api/nothing")).status_code == (404 if status == 200 else 401)


CLIENT = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "s+ cret"}


async def granted(options, form=CLIENT, **auth):
    """Return the reply to a client that asks for a token."""
    async with client_of(options, accept="*/*") as client:
        return await client.post("/oauth2/token", data=form, **auth)


@pytest.mark.parametrize(
    ("form", "auth", "accepted", "status"),
    [
        (CLIENT, None, None, 200),
        (CLIENT, None, "s+ cret", 200),
        (CLIENT, None, "another", 401),
        ({"grant_type": "client_credentials"}, ("me", "s%2B+cret"), "s+ cret", 200),
        ({"grant_type": "client_credentials"}, ("me", ""), None, 401),
        ({"grant_type": "client_credentials"}, None, None, 401),
        (CLIENT | {"grant_type": "password"}, None, None, 400),
    ],
)
async def test_tokens_are_granted_to_clients(form, auth, accepted, status):
    """A client that says who it is, in a header or in the form, gets a token; another one is told what is wrong."""
    reply = await granted(DemoOptions(api_key=accepted, token_ttl_s=60), form, auth=auth)
    assert reply.status_code == status
    body = reply.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 60) if status == 200 else body["error"]


async def test_a_token_stands_in_for_a_key():
    """A token opens what a key does until it expires; one that was never granted does not."""
    async with client_of(accept="*/*") as client:
        token = (await client.post("/oauth2/token", data=CLIENT)).json()["access_token"]
        for sent, status in ((token, 200), (token + "0", 401), ("1.x", 401), ("", 401)):
            headers = {"authorization": f"Bearer {sent}"}
            assert (await client.get("/api/v1/agent/list", headers=headers)).status_code == status
    async with client_of(DemoOptions(token_ttl_s=0), accept="*/*") as client:
        token = (await client.post("/oauth2/token", data=CLIENT)).json()["access_token"]
        reply = await client.get("/api/v1/agent/list", headers={"authorization": f"Bearer {token}"})
        assert (reply.status_code, reply.json()["detail"]) == (401, "The access token has expired")


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("POST", "/api/v1/agent/nobody/run", 404, "Agent 'nobody' not found"),
        ("GET", "/api/v1/sessions/nowhere", 404, "Session 'nowhere' not found"),
        ("GET", "/api/v1/nothing", 404, "Not Found"),
        ("GET", "/nothing", 404, "Not Found"),
        ("PUT", "/api/v1/users", 405, "Method Not Allowed"),
    ],
)
async def test_what_is_not_there(method, path, status, detail):
    """Unknown agents, sessions, paths and methods are told in a JSON detail."""
    async with client_of() as client:
        reply = await client.request(method, path, json={"message_content": "m"})
        assert (reply.status_code, reply.json()) == (status, {"detail": detail})


@pytest.mark.parametrize(
    ("path", "body", "problems"),
    [
        (RUN, "{}", [("missing", ["body", "message_content"])]),
        (RUN, '{"message_content": 1}', [("string_type", ["body", "message_content"])]),
        (RUN, '{"input_text": null}', [("string_type", ["body", "input_text"])]),
        (RUN, '{"message_content": "', [("json_invalid", ["body"])]),
        (RUN, r'{"message_content": "\ud800"}', [("json_invalid", ["body"])]),
        (RUN, '{"message_content": "m", "x": NaN}', [("json_invalid", ["body"])]),
        (RUN, "[" * 100_000, [("json_invalid", ["body"])]),
        (RUN, "[]", [("dict_type", ["body"])]),
        (RUN, "", [("missing", ["body"])]),
        (
            RUN,
            '{"message_content": "m", "user": {"email": "nobody"}}',
            [("value_error", ["body", "user", "email"])],
        ),
        (RUN, '{"user": 1}', [("missing", ["body", "message_content"]), ("dict_type", ["body", "user"])]),
        (RUN, '{"message_content": "m", "x": 1e999}', [("json_invalid", ["body"])]),
        (RUN, '{"message_content": "m", "x": 1}', [("extra_forbidden", ["body", "x"])]),
        (RUN, '{"x": 1}', [("extra_forbidden", ["body", "x"]), ("missing", ["body", "message_content"])]),
        (
            RUN,
            '{"message_content": "m", "user": {"name": "x"}}',
            [("extra_forbidden", ["body", "user", "name"])],
        ),
        ("/api/v1/users", '{"email": "a@b.c", "id": 1}', [("extra_forbidden", ["body", "id"])]),
        (
            "/api/v1/memories",
            '{"name": "n", "content": "c", "user_id": "u", "x": 1}',
            [("extra_forbidden", ["body", "x"])],
        ),
        ("/api/v1/users", "{}", [("missing", ["body", "email"])]),
        ("/api/v1/users", '{"email": "nobody"}', [("value_error", ["body", "email"])]),
        ("/api/v1/users", '{"email": 5}', [("string_type", ["body", "email"])]),
        ("/api/v1/users", '{"email": "a@b.c", "user_data": 1}', [("dict_type", ["body", "user_data"])]),
        (
            "/api/v1/memories",
            '{"name": "n"}',
            [("missing", ["body", "content"]), ("missing", ["body", "user_id"])],
        ),
    ],
)
async def test_a_wrong_body_is_422_with_every_problem(path, body, problems):
    """A body that does not fit is refused as FastAPI does it: place, message and type of each problem."""
    async with client_of() as client:
        reply = await client.post(path, content=body)
        assert reply.status_code == 422
        detail = reply.json()["detail"]
        assert [(problem["type"], problem["loc"]) for problem in detail] == problems
        assert all(problem["msg"] for problem in detail)


async def test_faults_spare_what_is_evidence():
    """With an error ratio of 1 everything fails but health, stats and the history of a session."""
    async with client_of(DemoOptions(latency_s=0, jitter_s=0, error_ratio=1)) as client:
        run = await client.post(RUN, json={"message_content": "m", "session_name": "s"})
        assert (run.status_code, run.json()) == (500, {"detail": "the simulated model failed"})
        for path in ("/api/v1/agent/list", "/api/v1/sessions"):
            assert (await client.get(path)).json() == {"detail": "simulated failure"}
        for path in ("/api/v1/users", "/api/v1/memories"):
            assert (await client.post(path, json={})).status_code == 500
        assert (await client.get("/health")).status_code == 200
        history = await client.get("/api/v1/sessions/s")
        assert (history.status_code, history.json()["messages"]) == (200, [])


async def test_every_request_is_counted_by_route():
    """The counts are of everything that came in, refused or not, except health and the counts themselves."""
    async with client_of() as client:
        await client.post(RUN, json={"message_content": "m"})
        await client.post(RUN, json={})
        await client.get("/api/v1/sessions/a")
        await client.get("/api/v1/sessions/b")
        await client.get("/api/v1/agent/list", headers={"x-api-key": ""})
        await client.get("/nothing")
        await client.get("/health")
        await client.get("/stats")
        assert (await client.get("/stats")).json() == {
            "requests": {
                "total": 6,
                "by_route": {
                    "POST /api/v1/agent/{name}/run": 2,
                    "GET /api/v1/sessions/{key}": 2,
                    "GET /api/v1/agent/list": 1,
                    "GET unmatched": 1,
                },
            },
            "in_flight": 0,
            "runs": 1,
        }


async def burst_of(client, *bodies):
    """Send runs all at once; return the replies in order."""
    replies = [None] * len(bodies)

    async def send(number, body):
        replies[number] = await client.post(RUN, json={"message_content": f"m{number}", **body})

    async with anyio.create_task_group() as tasks:
        for number, body in enumerate(bodies):
            tasks.start_soon(send, number, body)
    return replies


async def history_of(client, key):
    """Return the user messages that a session remembers, oldest first, those that were joined taken apart."""
    messages = (await client.get(f"/api/v1/sessions/{key}?sort_desc=false")).json()["messages"]
    return [m for entry in messages if entry["role"] == "user" for m in entry["content"].split("\n---\n")]


FIRST = {"session_name": "s1", "user": {"email": "new@example.com"}}


async def test_first_messages_of_one_user_share_a_session():
    """Many first messages of one new user are one user and one session, which remembers all of them."""
    async with client_of() as client:
        bodies = [reply.json() for reply in await burst_of(client, *[FIRST] * 20)]
        assert len({body["user_id"] for body in bodies}) == 1
        assert len({body["session_id"] for body in bodies}) == 1
        assert bodies[0]["user_id"] is not None
        assert sorted(await history_of(client, "s1")) == sorted(f"m{number}" for number in range(20))
        user = (await client.post("/api/v1/users", json={"email": "new@example.com"})).json()
        assert user["id"] == bodies[0]["user_id"]


async def test_first_messages_may_race():
    """With `race=1` each of them begins a user and a session of its own, and the name leads to one of them alone."""
    async with client_of(DemoOptions.parse("demo://agents?latency=0s&jitter=0s&race=1")) as client:
        bodies = [reply.json() for reply in await burst_of(client, *[FIRST] * 20)]
        ids = {body["session_id"] for body in bodies}
        assert len(ids) == len({body["user_id"] for body in bodies}) == 20
        assert len(await history_of(client, "s1")) == 1
        assert sorted([m for key in ids for m in await history_of(client, key)]) == sorted(
            f"m{number}" for number in range(20)
        )
        later = [(await burst_of(client, FIRST))[0].json() for _ in range(3)]
        assert len({body["session_id"] for body in later} & ids) == 1
        assert {body["session_id"] for body in later} <= ids
        known = bodies[0]["session_id"]
        assert (await burst_of(client, {"session_id": known}))[0].json()["session_id"] == known


async def test_a_new_user_may_be_made_at_the_wrong_moment():
    """With `race=user` one of the first messages makes the user; what the others say is answered and not stored."""
    async with client_of(DemoOptions.parse("demo://agents?latency=0s&jitter=0s&race=user")) as client:
        user = {"email": "new@example.com"}
        first = [{"session_name": f"s{number}", "user": user} for number in range(5)]
        replies = await burst_of(client, *first, {"session_name": "s5"})
        assert {reply.status_code for reply in replies} == {200}
        bodies = [reply.json() for reply in replies]
        made = [number for number, body in enumerate(bodies) if body["user_id"] is not None]
        assert len(made) == 1
        kept = [number for number in range(6) if await history_of(client, f"s{number}")]
        assert kept == [*made, 5]  # one without a user loses nothing
        later = await burst_of(client, {"session_name": "s6", "user": user})
        assert later[0].json()["user_id"] == bodies[made[0]]["user_id"]
        assert await history_of(client, "s6") == ["m0"]


async def test_messages_of_one_new_session_find_its_user():
    """With `race=user`, first messages of one session are all stored: the one that makes the user begins the session."""
    async with client_of(DemoOptions.parse("demo://agents?latency=0s&jitter=0s&race=user")) as client:
        await burst_of(client, *[FIRST] * 5)
        assert len(await history_of(client, "s1")) == 5


@pytest.mark.parametrize(("option", "sessions"), [("own", 5), ("shared", 1)])
async def test_callers_without_a_session(option, sessions):
    """They have a session each; with `anonymous=shared` they are all in one, beside those who name theirs."""
    options = DemoOptions.parse(f"demo://agents?latency=1ms&jitter=0s&anonymous={option}")
    async with client_of(options) as client:
        replies = await burst_of(client, *[{}] * 5, {"session_name": "s1"})
        *anonymous, named = [reply.json() for reply in replies]
        assert len({body["session_id"] for body in anonymous}) == sessions
        assert {body["session_name"] for body in anonymous} == {None}
        histories = [await history_of(client, body["session_id"]) for body in anonymous]
        assert {len(history) for history in histories} == {5 // sessions}
        assert all(f"m{number}" in history for number, history in enumerate(histories))
        assert await history_of(client, named["session_id"]) == ["m5"]


@pytest.mark.parametrize(("concurrency", "lost"), [(1, 0), (5, 0), (6, 1), (20, 15)])
async def test_beyond_its_capacity_it_loses_what_it_acknowledged(concurrency, lost):
    """Of runs at the same time as many are remembered as there is room for, and all are answered."""
    options = DemoOptions.parse("demo://agents?latency=20ms&jitter=0s&capacity=5")
    async with client_of(options) as client:
        for _ in range(2):
            names = [{"session_name": f"s{number}"} for number in range(concurrency)]
            replies = await burst_of(client, *names)
            assert {reply.status_code for reply in replies} == {200}
        counts = [len(await history_of(client, name["session_name"])) for name in names]
        assert 2 * concurrency - sum(counts) == 2 * lost


async def test_what_was_replaced_is_told_apart():
    """A superseded message is answered with 500 and the words `No response returned`."""
    async with client_of(DemoOptions(latency_s=0.05, jitter_s=0, queue="latest")) as client:
        replies = await burst_of(client, *[{"session_name": "s"}] * 3)
        answered = [f"m{number}" for number, reply in enumerate(replies) if reply.status_code == 200]
        assert len(answered) == 1
        assert await history_of(client, "s") == answered
        others = [reply for reply in replies if reply.status_code != 200]
        assert [(reply.status_code, reply.json()) for reply in others] == [
            (500, {"detail": "No response returned"})
        ] * 2


def test_a_burst_is_merged():
    """Of a burst to one session the first is answered alone and the rest by one run that they share."""
    replies = {}

    async def send(client, number):
        await anyio.sleep(number / 100)
        body = {"message_content": f"m{number}", "session_name": "s"}
        replies[number] = (await client.post(RUN, json=body)).json()["message"]

    async def burst():
        began_s = anyio.current_time()
        async with client_of(DemoOptions(latency_s=1, jitter_s=0)) as client:
            async with anyio.create_task_group() as tasks:
                for number in range(4):
                    tasks.start_soon(send, client, number)
                await anyio.sleep(0.5)
                assert (await client.get("/stats")).json()["in_flight"] == 4
            assert (await client.get("/stats")).json()["runs"] == 2
        return anyio.current_time() - began_s

    clock = MockClock(autojump_threshold=0)
    assert anyio.run(burst, backend="trio", backend_options={"clock": clock}) == pytest.approx(2)
    joined = "Understood: m1\n---\nm2\n---\nm3"
    assert replies == {0: "Understood: m0", 1: joined, 2: joined, 3: joined}
