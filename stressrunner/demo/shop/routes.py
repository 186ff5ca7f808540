"""The shop's endpoints. No API key; what wants a login says so.

POST /shop/login                 user and password, as JSON or form: a token, and a cookie
GET  /shop/me                    who is logged in
GET  /shop/items                 in pages
POST /shop/items                 a new one, for those who are logged in
GET, PUT, DELETE /shop/items/ID  one of them; changes are for those who are logged in
POST /shop/files                 a multipart form
POST /shop/graphql               items once more
POST /shop/jobs, GET .../ID      work that takes a while
GET  /shop/limited               5 requests a second; 429 with Retry-After beyond that
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stressrunner.demo.bodies import Body, read_body, read_page
from stressrunner.demo.shop.accounts import COOKIE, Accounts
from stressrunner.demo.shop.allowance import Allowance
from stressrunner.demo.shop.graphql import answer
from stressrunner.demo.shop.items import Item, Items
from stressrunner.demo.shop.jobs import Jobs
from stressrunner.demo.shop.uploads import read_upload
from stressrunner.hosting.simulation import ModelDelay

__all__ = ["shop_routes"]

_LONGEST_ID = 20  # digits


def shop_routes(latency: ModelDelay, fallible: Callable[[Any], Any]) -> list[Route]:
    """Return the routes of a shop; `fallible` lets an endpoint fail as often as the options say."""
    shop = _Shop(latency)
    one = "/shop/items/{id}"
    return [
        Route("/shop/login", fallible(shop.log_in), methods=["POST"]),
        Route("/shop/me", fallible(shop.me)),
        Route("/shop/items", fallible(shop.list_items)),
        Route("/shop/items", fallible(shop.add_item), methods=["POST"]),
        Route(one, fallible(shop.read_item)),
        Route(one, fallible(shop.change_item), methods=["PUT"]),
        Route(one, fallible(shop.remove_item), methods=["DELETE"]),
        Route("/shop/files", fallible(shop.upload), methods=["POST"]),
        Route("/shop/graphql", fallible(shop.query), methods=["POST"]),
        Route("/shop/jobs", fallible(shop.begin_job), methods=["POST"]),
        Route("/shop/jobs/{id}", fallible(shop.look_at_job)),
        Route("/shop/limited", fallible(shop.limited)),
    ]


class _Shop:
    def __init__(self, latency: ModelDelay) -> None:
        self._accounts = Accounts()
        self._items = Items()
        self._jobs = Jobs(latency)
        self._allowance = Allowance()

    async def log_in(self, request: Request) -> Response:
        body = await _read_form_or_json(request)
        user, password = body.text("user"), body.text("password")
        body.check()
        token = self._accounts.log_in(user, password)
        if token is None:
            raise HTTPException(401, "User or password is wrong")
        response = JSONResponse({"token": token, "user": user})
        response.set_cookie(COOKIE, token, path="/shop", httponly=True)
        return response

    async def me(self, request: Request) -> Response:
        return JSONResponse({"user": self._user(request)})

    async def list_items(self, request: Request) -> Response:
        page, items = read_page(request.query_params), self._items.all
        shown = [item._asdict() for item in page.of(items)]
        return JSONResponse({"items": shown, **page.figures(len(items))})

    async def add_item(self, request: Request) -> Response:
        self._user(request)
        body = await read_body(request)
        name, price = body.text("name"), body.number("price")
        body.check()
        return JSONResponse(self._items.add(name, price)._asdict(), 201)

    async def read_item(self, request: Request) -> Response:
        return JSONResponse(self._item(request)._asdict())

    async def change_item(self, request: Request) -> Response:
        self._user(request)
        item = self._item(request)
        body = await read_body(request)
        name, price = body.text("name"), body.number("price")
        body.check()
        return JSONResponse(self._items.change(item, name, price)._asdict())

    async def remove_item(self, request: Request) -> Response:
        self._user(request)
        self._items.remove(self._item(request))
        return Response(status_code=204)

    async def upload(self, request: Request) -> Response:
        return JSONResponse(await read_upload(request), 201)

    async def query(self, request: Request) -> Response:
        body = await read_body(request)
        query, variables = body.text("query"), body.optional_object("variables")
        body.check()
        return JSONResponse(answer(query, variables, self._items))

    async def begin_job(self, _request: Request) -> Response:
        return JSONResponse(self._jobs.begin(), 202)

    async def look_at_job(self, request: Request) -> Response:
        number = _id_of(request)
        job = None if number is None else self._jobs.look_at(number)
        if job is None:
            raise HTTPException(404, "There is no such job")
        return JSONResponse(job)

    async def limited(self, _request: Request) -> Response:
        wait_s = self._allowance.take()
        if wait_s is not None:
            raise HTTPException(429, "Too many requests", headers={"retry-after": str(wait_s)})
        return JSONResponse({"ok": True})

    def _user(self, request: Request) -> str:
        user = self._accounts.user_of(request.headers, request.cookies)
        if user is None:
            raise HTTPException(401, "Log in first", headers={"www-authenticate": "Bearer"})
        return user

    def _item(self, request: Request) -> Item:
        number = _id_of(request)
        item = None if number is None else self._items.find(number)
        if item is None:
            raise HTTPException(404, "There is no such item")
        return item


def _id_of(request: Request) -> int | None:
    """Return the id in a request's path; None when it is no number, or one of more digits than any id has."""
    text = request.path_params["id"]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID else None


async def _read_form_or_json(request: Request) -> Body:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return await read_body(request)
    fields = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    return Body({name: values[-1] for name, values in fields.items()})
