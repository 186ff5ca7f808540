"""The agents API as a Starlette application, in the shapes that a FastAPI service would have.

GET  /health                       no key, no fault, not counted
GET  /stats                        likewise: what reached the application, for comparing both sides
POST /api/v1/agent/{name}/run      takes the model's time, may fail, and what the options make of it
GET  /api/v1/agent/list            may fail
GET  /api/v1/sessions              may fail
GET  /api/v1/sessions/{key}        never fails, as it is the evidence of what was processed
POST /api/v1/users, /memories      may fail
POST /oauth2/token                 never fails; grants access tokens to clients, that stand in for a key
     /shop/...                     may fail; what a web shop has, for other kinds of scenarios
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stressrunner import __version__
from stressrunner.demo.agents import AGENTS, Completing, Model
from stressrunner.demo.bodies import Body, Rejected, read_body
from stressrunner.demo.history import HISTORIES, Histories
from stressrunner.demo.middleware import ApiKeyMiddleware, Traffic, TrafficCounter
from stressrunner.demo.opening import OPENINGS, MessagePlacement, Opening
from stressrunner.demo.options import DemoOptions
from stressrunner.demo.queues import QUEUES, RunFailed, RunReply, SessionQueue
from stressrunner.demo.shop import shop_routes
from stressrunner.demo.store import AgentSession, Store
from stressrunner.demo.tokens import TokenIssuer
from stressrunner.hosting.simulation import Faults, ModelDelay

__all__ = ["build_app"]

_RUN_FIELDS = (
    *("message_content", "input_text", "message_type", "mediaUrl", "mime_type", "media_contents"),
    *("channel_payload", "context", "session_id", "session_name", "session_origin", "user_id", "user"),
    *("message_limit", "agent_id", "parameters", "messages", "system_prompt", "preserve_system_prompt"),
)
_USER_FIELDS = ("email", "phone_number", "user_data")
_MEMORY_FIELDS = (
    *("name", "description", "content", "session_id", "user_id", "agent_id"),
    *("read_mode", "access", "metadata"),
)

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def build_app(options: DemoOptions) -> Starlette:
    """Return the application that behaves as the options say; its runs live in its lifespan."""
    store = Store()
    faults = Faults(options.error_ratio, options.seed)
    latency = ModelDelay(options.latency_s, options.jitter_s, options.seed)
    opening = OPENINGS[options.race](store, shares_anonymous=options.shares_anonymous)
    api = _AgentsApi(store, faults, opening, HISTORIES[options.history]())
    issuer = TokenIssuer(options.token_ttl_s, options.api_key)
    granting = Route("/oauth2/token", issuer.grant, methods=["POST"])
    routes = [*api.routes(), *shop_routes(latency, api.fallible), granting]
    traffic = Traffic(
        [(route.path_regex, route.path) for route in routes], uncounted=frozenset({"/health", "/stats"})
    )

    async def stats(request: Request) -> Response:
        return JSONResponse({**traffic.figures(), "runs": request.app.state.model.runs})

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with _backend(options.backend) as backend, anyio.create_task_group() as tasks:
            model = Model(store, latency, faults, capacity=options.capacity, backend=backend)
            app.state.model = model
            app.state.queue = QUEUES[options.queue](tasks, model)
            yield
            tasks.cancel_scope.cancel()

    return Starlette(
        routes=[Route("/health", _health), Route("/stats", stats), *routes],
        middleware=[
            Middleware(TrafficCounter, traffic),
            Middleware(ApiKeyMiddleware, options.api_key, issuer),
        ],
        exception_handlers={HTTPException: _http_error, Rejected: _rejection},
        lifespan=lifespan,
    )


@asynccontextmanager
async def _backend(url: str | None) -> AsyncIterator[Completing | None]:
    """Open the backend that the options name, if they name one."""
    if url is None:
        yield None
        return
    from stressrunner.demo.backend import ModelBackend  # noqa: PLC0415  httpx is for those who have a backend

    async with ModelBackend(url) as backend:
        yield backend


class _AgentsApi:
    """The endpoints under `/api/v1`."""

    def __init__(self, store: Store, faults: Faults, opening: Opening, histories: Histories) -> None:
        self._store = store
        self._faults = faults
        self._opening = opening
        self._histories = histories

    def routes(self) -> list[Route]:
        fallible = self.fallible
        return [
            Route("/api/v1/agent/list", fallible(self._list_agents)),
            Route("/api/v1/agent/{name}/run", self._run_agent, methods=["POST"]),
            Route("/api/v1/sessions", fallible(self._list_sessions)),
            Route("/api/v1/sessions/{key}", self._read_session),
            Route("/api/v1/users", fallible(self._create_user), methods=["POST"]),
            Route("/api/v1/memories", fallible(self._create_memory), methods=["POST"]),
        ]

    def fallible(self, endpoint: Endpoint) -> Endpoint:
        """Let an endpoint answer 500 at times. A run has its fault in the model, where it is due."""

        async def answer(request: Request) -> Response:
            if self._faults.strike():
                raise HTTPException(500, "simulated failure")
            return await endpoint(request)

        return answer

    async def _list_agents(self, _request: Request) -> Response:
        return JSONResponse([agent._asdict() for agent in AGENTS.values()])

    async def _run_agent(self, request: Request) -> Response:
        body = await self._read_body(request, _RUN_FIELDS)
        content = body.text("message_content", "input_text")
        body.optional_text("message_type")
        session_id, session_name = body.optional_text("session_id"), body.optional_text("session_name")
        origin = body.optional_text("session_origin")
        user = body.part("user")
        if self._histories.refuses_unknown_fields:
            user.only(*_USER_FIELDS)
        email = user.optional_email("email")
        body.check()
        name = request.path_params["name"]
        if name not in AGENTS:
            raise HTTPException(404, f"Agent '{name}' not found")
        known = None if session_id is None else self._session(session_id)
        opened = await self._opening.open(session_name, email, known)
        opened.session.note_run(AGENTS[name].id, name, origin)
        queue: SessionQueue = request.app.state.queue
        try:
            reply = await queue.submit(opened.session.id, content)
        except RunFailed as failure:
            raise HTTPException(500, str(failure)) from None
        return JSONResponse(_run_answer(opened, reply))

    async def _list_sessions(self, request: Request) -> Response:
        return JSONResponse(self._histories.list_sessions(self._store, request.query_params))

    async def _read_session(self, request: Request) -> Response:
        key = request.path_params["key"]
        session = self._session(key)
        return JSONResponse(self._histories.show_session(session, key, request.query_params))

    async def _create_user(self, request: Request) -> Response:
        body = await self._read_body(request, _USER_FIELDS)
        email, phone_number = body.email("email"), body.optional_text("phone_number")
        user_data = body.optional_object("user_data")
        body.check()
        return JSONResponse(self._store.put_user(email, phone_number, user_data)._asdict())

    async def _create_memory(self, request: Request) -> Response:
        body = await self._read_body(request, _MEMORY_FIELDS)
        name, content, user_id = body.text("name"), body.text("content"), body.text("user_id")
        body.check()
        return JSONResponse(self._store.add_memory(name, content, user_id)._asdict())

    async def _read_body(self, request: Request, known: tuple[str, ...]) -> Body:
        body = await read_body(request)
        if self._histories.refuses_unknown_fields:
            body.only(*known)
        return body

    def _session(self, key: str) -> AgentSession:
        session = self._histories.find(self._store, key)
        if session is None:
            raise HTTPException(404, f"Session '{key}' not found")
        return session


def _run_answer(opened: MessagePlacement, reply: RunReply) -> dict[str, Any]:
    read, written = len(reply.content.split()), len(reply.text.split())
    return {
        "message": reply.text,
        "success": True,
        "session_id": opened.session.id,
        "session_name": opened.session.name,
        "user_id": opened.user.id if opened.user else None,
        "tool_calls": [],
        # A word is a token to the simulated model.
        "usage": {"input_tokens": read, "output_tokens": written, "total_tokens": read + written},
    }


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "healthy", "version": __version__})


async def _http_error(_request: Request, error: Any) -> Response:
    return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)


async def _rejection(_request: Request, error: Any) -> Response:
    return JSONResponse({"detail": error.problems}, 422)
