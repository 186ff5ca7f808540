"""What the agents API shows of sessions: as the real one does, as other versions of it do, and kindly."""

import httpx
import pytest

from stressrunner.demo import DemoOptions
from stressrunner.demo.app import build_app
from stressrunner.demo.history import HISTORIES
from stressrunner.demo.opening import OPENINGS
from stressrunner.demo.options import DemoOptionError

RUN = "/api/v1/agent/simple_agent/run"
SESSIONS = "/api/v1/sessions"

pytestmark = pytest.mark.anyio


async def told(steps, query="", **options):
    """Return what steps return that get a client of the API."""
    app = build_app(DemoOptions.parse(f"demo://agents?latency=0s&jitter=0s&{query}"))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://demo", headers={"x-api-key": "k"}
        ) as client,
    ):
        return await steps(client)


async def say(client, count, name="s", **fields):
    """Send messages to a session, one after the other; return its id."""
    for number in range(count):
        body = {"message_content": f"m{number}", "session_name": name, **fields}
        reply = await client.post(RUN, json=body)
    return reply.json()["session_id"]


async def get(client, path, **query):
    """Return what is answered with status 200."""
    reply = await client.get(path, params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def contents(page):
    """Return what the user said on a page, in its order."""
    return [message["content"] for message in page["messages"] if message["role"] == "user"]


def test_options_and_registries_know_the_same_words():
    """Every history and every race that an option names is there, and no other."""
    for option, registry in (("history", HISTORIES), ("race", OPENINGS)):
        for word in registry:
            assert getattr(DemoOptions.parse(f"demo://agents?{option}={word}"), option) == word
        with pytest.raises(DemoOptionError) as refused:
            DemoOptions.parse(f"demo://agents?{option}=none")
        named = [word.strip("'") for word in refused.value.reason.replace(",", "").split() if "'" in word]
        assert named == list(registry)


async def test_a_history_has_the_newest_first_unless_asked():
    """Pages are cut from the newest end by default, and from the oldest with `sort_desc=false`."""

    async def steps(client):
        await say(client, 3)
        first = await get(client, f"{SESSIONS}/s", page_size=2)
        assert [message["role"] for message in first["messages"]] == ["assistant", "user"]
        assert contents(first) == ["m2"]
        for no in ("false", "0", "False"):
            oldest = await get(client, f"{SESSIONS}/s", page_size=2, sort_desc=no)
            assert contents(oldest) == ["m0"]
        last = await get(client, f"{SESSIONS}/s", page=3, page_size=2, sort_desc="true")
        assert contents(last) == ["m0"]
        assert contents(await get(client, f"{SESSIONS}/s", page=4, page_size=2)) == []

    await told(steps)


async def test_names_and_order_of_fields():
    """A history is its messages and where they are in it, and nothing else."""

    async def steps(client):
        await say(client, 30)
        page = await get(client, f"{SESSIONS}/s", page=2, page_size=50)
        messages = page.pop("messages")
        assert list(page.items()) == [("total", 60), ("page", 2), ("page_size", 50), ("total_pages", 2)]
        assert [list(message) for message in messages[:1]] == [["id", "role", "content", "created_at"]]
        assert len(messages) == 10
        assert len((await get(client, f"{SESSIONS}/s"))["messages"]) == 50

    await told(steps)


async def test_the_other_version_has_the_session_beside_its_messages():
    """With `history=current_page` the page is called so, and what is not known of a session is left out."""

    async def steps(client):
        session_id = await say(client, 2)
        page = await get(client, f"{SESSIONS}/{session_id}", page=2, page_size=3, sort_desc="no")
        assert list(page) == [
            *("session_id", "agent_id", "session_name", "created_at", "last_updated", "message_count"),
            *("agent_name", "messages", "exists", "total_messages", "current_page", "total_pages"),
            "system_prompt",
        ]
        assert (page["session_id"], page["session_name"], page["agent_name"]) == (
            session_id,
            "s",
            "simple_agent",
        )
        assert (page["total_messages"], page["current_page"], page["total_pages"]) == (4, 2, 2)
        assert page["created_at"] < page["last_updated"] == page["messages"][-1]["created_at"]
        assert (await get(client, f"{SESSIONS}/s"))["session_id"] == "s"
        await say(client, 1, "u", user={"email": "a@example.com"}, session_origin="cli")
        named = await get(client, f"{SESSIONS}/u")
        assert (named["user_id"], named["session_origin"]) == (
            (await client.post("/api/v1/users", json={"email": "a@example.com"})).json()["id"],
            "cli",
        )

    await told(steps, "history=current_page")


async def test_a_list_of_sessions_is_as_a_history_is():
    """Sessions come newest first in short pages, with null for a user who is not known."""

    async def steps(client):
        for number in range(3):
            await say(client, 1, f"s{number}")
        page = await get(client, SESSIONS, page_size=2)
        sessions = page.pop("sessions")
        assert list(page.items()) == [
            ("total", 3), ("total_count", 3), ("page", 1), ("page_size", 2), ("total_pages", 2),
        ]  # fmt: skip
        assert [session["session_name"] for session in sessions] == ["s2", "s1"]
        assert (sessions[0]["user_id"], sessions[0]["message_count"]) == (None, 2)
        oldest = await get(client, SESSIONS, page_size=2, sort_desc="false")
        assert [session["session_name"] for session in oldest["sessions"]] == ["s0", "s1"]

    await told(steps)


async def test_a_name_is_looked_for_before_an_id():
    """A session that is named like the id of another one hides it, and no more so with `history=kind`."""

    async def steps(client):
        hidden = await say(client, 1, "s")
        await say(client, 2, hidden)
        return len((await get(client, f"{SESSIONS}/{hidden}"))["messages"])

    assert await told(steps) == 4
    assert await told(steps, "history=kind") == 2


async def test_kind_pages_cover_a_list_once():
    """Following `next_page` until it is null reads every session once, in order."""

    async def steps(client):
        for number in range(7):
            await say(client, 1, f"s{number}")
        names, number = [], 1
        while number is not None:
            page = await get(client, SESSIONS, page=number, page_size=3)
            assert (page["total"], page["total_pages"], page["page"]) == (7, 3, number)
            names += [session["session_name"] for session in page["sessions"]]
            number = page["next_page"]
        assert names == [f"s{number}" for number in range(7)]
        assert {session["message_count"] for session in page["sessions"]} == {2}

    await told(steps, "history=kind")


async def test_a_kind_history_is_paged_too():
    """A session's messages come oldest first, and a page beyond the end is empty; unknown fields do not matter."""

    async def steps(client):
        session_id = await say(client, 3, unknown=1)
        pages = [await get(client, f"{SESSIONS}/s", page=number, page_size=4) for number in (1, 2, 3)]
        assert [contents(page) for page in pages] == [["m0", "m1"], ["m2"], []]
        assert [page["next_page"] for page in pages] == [2, None, None]
        assert (pages[0]["session_id"], pages[0]["session_name"]) == (session_id, "s")

    await told(steps, "history=kind")


@pytest.mark.parametrize("path", [SESSIONS, f"{SESSIONS}/s"])
@pytest.mark.parametrize(
    ("query", "history"),
    [
        ("page_size=101", "strict"),
        ("page_size=101", "current_page"),
        ("page_size=1001", "kind"),
        ("page_size=0", "strict"),
        ("page=0", "strict"),
        ("page=x", "strict"),
        ("page=²", "kind"),
        ("page=" + "9" * 5000, "kind"),
        ("sort_desc=perhaps", "strict"),
    ],
)
async def test_a_wrong_page_is_422(path, query, history):
    """Pages are whole numbers from 1 on, of at most 100 entries, kindly of 1,000; an order is a yes or no."""

    async def steps(client):
        await say(client, 1)
        reply = await client.get(f"{path}?{query}")
        assert reply.status_code == 422
        (problem,) = reply.json()["detail"]
        assert problem["loc"] == ["query", query.partition("=")[0]]

    await told(steps, f"history={history}")
