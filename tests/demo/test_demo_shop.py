"""The shop of the embedded target, in process: login, items, uploads, GraphQL, jobs, and too many requests."""

from contextlib import asynccontextmanager
from hashlib import sha256

import anyio
import httpx
import pytest
from trio.testing import MockClock

from stressrunner.demo import DemoOptions
from stressrunner.demo.app import build_app

ADA = {"user": "ada", "password": "demo-password"}


@asynccontextmanager
async def shop(**options):
    """Open the API and a client of it that has no API key."""
    app = build_app(DemoOptions(**{"latency_s": 2, "jitter_s": 0, **options}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://demo") as client,
    ):
        yield client


def told(steps, **options):
    """Run steps with a client in virtual time, and return what they return."""

    async def inside():
        async with shop(**options) as client:
            return await steps(client)

    clock = MockClock(autojump_threshold=0)
    return anyio.run(inside, backend="trio", backend_options={"clock": clock})


@pytest.mark.parametrize("how", ["json", "data"])
def test_a_login_gives_a_token_and_a_cookie(how):
    """A login by JSON or by form is known again by its token and by its cookie, and by nothing else."""

    async def steps(client):
        assert (await client.get("/shop/me")).status_code == 401
        reply = await client.post("/shop/login", **{how: ADA})
        assert reply.json()["user"] == "ada"
        assert (await client.get("/shop/me")).json() == {"user": "ada"}
        client.cookies.clear()
        bearer = {"authorization": f"Bearer {reply.json()['token']}"}
        assert (await client.get("/shop/me", headers=bearer)).json() == {"user": "ada"}
        assert (await client.get("/shop/me", headers={"authorization": "Bearer x"})).status_code == 401
        assert (await client.post("/shop/login", **{how: {**ADA, "password": "x"}})).status_code == 401

    told(steps)


def test_items_are_made_changed_and_removed():
    """Those who are logged in add an item, change it and remove it; others are told to log in."""

    async def steps(client):
        lamp = {"name": "red lamp", "price": 9.5}
        assert (await client.post("/shop/items", json=lamp)).status_code == 401
        await client.post("/shop/login", json=ADA)
        made = await client.post("/shop/items", json=lamp)
        assert (made.status_code, made.json()) == (201, {"id": 26, **lamp})
        changed = await client.put("/shop/items/26", json={**lamp, "price": 8})
        assert changed.json()["price"] == (await client.get("/shop/items/26")).json()["price"] == 8
        assert (await client.delete("/shop/items/26")).status_code == 204
        assert (await client.get("/shop/items/26")).status_code == 404
        problems = (await client.post("/shop/items", json={"price": True})).json()["detail"]
        assert [problem["loc"][1] for problem in problems] == ["name", "price"]

    told(steps)


def test_items_come_in_pages():
    """Each page names the next one, and the last one does not."""

    async def steps(client):
        ids, page = [], 1
        while page is not None:
            body = (await client.get("/shop/items", params={"page": page, "page_size": 10})).json()
            ids += [item["id"] for item in body["items"]]
            page = body["next_page"]
        return ids

    assert told(steps) == list(range(1, 26))


def test_an_upload_is_described():
    """Fields come back as they were sent; of a file name, type, size and SHA-256."""

    async def steps(client):
        files = {"report": ("report.pdf", b"\x00\r\n--x", "application/pdf")}
        reply = await client.post("/shop/files", data={"title": "quarterly é"}, files=files)
        assert reply.status_code == 201
        assert reply.json() == {
            "fields": {"title": "quarterly é"},
            "files": [
                {
                    "field": "report",
                    "name": "report.pdf",
                    "type": "application/pdf",
                    "size": 6,
                    "sha256": sha256(b"\x00\r\n--x").hexdigest(),
                }
            ],
        }
        assert (await client.post("/shop/files", json={})).status_code == 422
        broken = {"content-type": "multipart/form-data"}
        assert (await client.post("/shop/files", content=b"x", headers=broken)).status_code == 422

    told(steps)


@pytest.mark.parametrize(
    ("query", "variables", "reply"),
    [
        (
            "query($id: Int!) { item(id: $id) { id name } }",
            {"id": 1},
            {"data": {"item": {"id": 1, "name": "lamp 1"}}},
        ),
        ("{ items(first: 2) { price } }", None, {"data": {"items": [{"price": 5.0}, {"price": 6.0}]}}),
        (
            "{ item(id: 99) { id } }",
            {},
            {"data": {"item": None}, "errors": [{"message": "There is no such item"}]},
        ),
        ("{ item(id: 1) { colour } }", {}, {"errors": [{"message": "Cannot query field 'colour'"}]}),
        ("{ users { id } }", {}, {"errors": [{"message": "Cannot query field 'users'"}]}),
        ("{", {}, {"errors": [{"message": "Syntax Error: a selection is expected"}]}),
    ],
)
def test_graphql_answers_with_data_or_errors(query, variables, reply):
    """What is wrong with a query is told with status 200, as GraphQL servers do."""

    async def steps(client):
        return await client.post("/shop/graphql", json={"query": query, "variables": variables})

    answered = told(steps)
    assert (answered.status_code, answered.json()) == (200, reply)


def test_a_job_is_done_after_its_time():
    """A job is running until the model's latency has passed, and has a result then."""

    async def steps(client):
        begun = await client.post("/shop/jobs")
        assert (begun.status_code, begun.json()) == (202, {"id": 1, "status": "running"})
        await anyio.sleep(1.9)
        assert (await client.get("/shop/jobs/1")).json()["status"] == "running"
        await anyio.sleep(0.2)
        assert (await client.get("/shop/jobs/1")).json() == {"id": 1, "status": "done", "result": 2}
        assert (await client.get("/shop/jobs/2")).status_code == 404

    told(steps)


def test_too_many_requests_are_told_when_to_come_again():
    """Beyond five requests a second the answer is 429, and after the time that it names there is room again."""

    async def steps(client):
        codes = [(await client.get("/shop/limited")).status_code for _ in range(6)]
        assert codes == [200] * 5 + [429]
        refused = await client.get("/shop/limited")
        assert refused.headers["retry-after"] == "1"
        await anyio.sleep(float(refused.headers["retry-after"]))
        assert (await client.get("/shop/limited")).status_code == 200

    told(steps)


def test_the_shop_fails_as_the_options_say():
    """With `errors=100%` nothing in the shop is answered well."""

    async def steps(client):
        return (await client.get("/shop/items")).status_code

    assert told(steps, error_ratio=1.0) == 500


@pytest.mark.parametrize("path", ["/shop/items/", "/shop/jobs/"])
@pytest.mark.parametrize("number", ["9" * 5000, "9" * 30, "x", "-1", "1.0", "²"])
def test_what_is_no_id_is_not_there(path, number):
    """An id of any length or kind that nothing has is answered with 404 in JSON."""

    async def steps(client):
        reply = await client.get(path + number)
        assert (reply.status_code, list(reply.json())) == (404, ["detail"])

    told(steps)


@pytest.mark.parametrize("price", ["1e999", "-1e999", "NaN", "9" * 5000, '"1"', "null", "true"])
def test_what_is_no_price_is_refused(price):
    """A price that no answer could carry, or that is none, is answered with 422."""

    async def steps(client):
        token = (await client.post("/shop/login", json=ADA)).json()["token"]
        body = f'{{"name": "lamp", "price": {price}}}'
        headers = {"authorization": f"Bearer {token}"}
        reply = await client.post("/shop/items", content=body, headers=headers)
        assert (reply.status_code, list(reply.json())) == (422, ["detail"])

    told(steps)


@pytest.mark.parametrize("query", ["{item(id: %s) {id}}", "{items(first: %s) {id}}"])
def test_graphql_has_no_number_of_any_length(query):
    """A number that is too long for an id is that of no item, and bounds no list."""

    async def steps(client):
        reply = await client.post("/shop/graphql", json={"query": query % ("9" * 5000)})
        assert reply.status_code == 200
        data = reply.json()["data"]
        assert data.get("item") is None
        assert len(data.get("items", [])) in (0, 25)

    told(steps)
