"""What every request passes on its way in: it is counted, and under `/api/` it needs a key."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from stressrunner.demo.tokens import TokenIssuer

__all__ = ["ApiKeyMiddleware", "Traffic", "TrafficCounter"]


class Traffic:
    """How many requests came in, by method and path template, and how many are being answered now."""

    def __init__(self, templates: Sequence[tuple[re.Pattern[str], str]], uncounted: frozenset[str]) -> None:
        self._templates = templates
        self._uncounted = uncounted  # paths that would disturb what they are asked about
        self._by_route: Counter[str] = Counter()
        self._in_flight = 0

    def arrive(self, method: str, path: str) -> bool:
        """Count a request and return True, or return False for one that is not counted."""
        if path in self._uncounted:
            return False
        template = next((text for pattern, text in self._templates if pattern.match(path)), "unmatched")
        self._by_route[f"{method} {template}"] += 1
        self._in_flight += 1
        return True

    def leave(self) -> None:
        """Note that a counted request has been answered or given up."""
        self._in_flight -= 1

    def figures(self) -> dict[str, Any]:
        """Return the counts as `/stats` shows them."""
        return {
            "requests": {"total": self._by_route.total(), "by_route": dict(self._by_route)},
            "in_flight": self._in_flight,
        }


class TrafficCounter:
    """Counts requests as they arrive, also those that are turned away further in."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count it."""
        if scope["type"] != "http" or not self._traffic.arrive(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._traffic.leave()


class ApiKeyMiddleware:
    """Answers 401 to requests under `/api/` that have neither a key nor an access token.

    The key stands in `x-api-key`, and must be the one `accepted`, if there is one; a token stands behind `Bearer`.
    """

    def __init__(self, app: ASGIApp, accepted: str | None, issuer: TokenIssuer) -> None:
        self._app = app
        self._accepted = accepted
        self._issuer = issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it may come in."""
        reason = self._refusal(scope)
        if reason is None:
            await self._app(scope, receive, send)
        else:
            await JSONResponse({"detail": reason}, 401)(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            return None
        headers = Headers(scope=scope)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._issuer.refusal(token)
        key = headers.get("x-api-key")
        if not key:
            return "The header x-api-key is missing"
        if self._accepted is not None and key != self._accepted:
            return "The API key is not valid"
        return None
