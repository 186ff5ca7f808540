"""Fetches the access tokens of a generator and renews them before they expire (OAuth 2.0 client credentials, RFC 6749).

Each generator holds a token of its own for each client: they share nothing but the plan, and a token endpoint that
sees as many requests as there are generators bears it. A token is renewed when three quarters of its life are over, or
30 s before its end where that is later. What goes wrong is tried again, at longer and longer distances; requests fail under
the kind `auth` from the moment on in which there is no valid token.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.http.exchange import Exchange, Headers, Request, TransportFactory
from stressrunner.plan.tokens import AccessToken
from stressrunner.units import NS_PER_S

__all__ = ["TokenKeeper", "TokenTraffic"]

_SHORTEST_PAUSE_NS = NS_PER_S // 10  #: also between tokens that live no longer
_FIRST_PAUSE_NS = NS_PER_S
_LONGEST_PAUSE_NS = 30 * NS_PER_S
_EARLY_NS = 30 * NS_PER_S
_MOST_CHARACTERS = 200  #: of a reply's words about an error


class TokenTraffic(NamedTuple):
    """Requests for tokens."""

    sent: int
    failed: int  #: of them, that gave no token
    granted: tuple[str, ...]  #: the tokens that were given, which no output may have


class _Granted(NamedTuple):
    text: str
    lives_ns: int | None  #: from when it was asked for; None for ever


class _Refused(Exception):
    """No token was given; the text says why."""

    def __init__(self, reason: str, status: int = 0) -> None:
        self.status = status
        super().__init__(reason)


class TokenKeeper:
    """Keeps the tokens of a plan valid."""

    def __init__(
        self,
        tokens: Sequence[AccessToken],
        transports: TransportFactory,
        prefix: str,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        """Keep tokens; `transports` and `prefix` lead to the target, for token URLs that are paths of it."""
        self._kept = [_Kept(token, transports, prefix, timeout_s, clock) for token in tokens]

    def hand_over(self) -> TokenTraffic:
        """Return what was sent since the last time."""
        traffic = TokenTraffic(
            sum(kept.sent for kept in self._kept),
            sum(kept.failed for kept in self._kept),
            tuple(token for kept in self._kept for token in kept.granted),
        )
        for kept in self._kept:
            kept.sent = kept.failed = 0
            kept.granted.clear()
        return traffic

    async def fetch(self) -> None:
        """Fetch every token once, before anything is sent that needs one."""
        async with anyio.create_task_group() as tasks:
            for kept in self._kept:
                tasks.start_soon(kept.fetch)

    async def keep(self) -> None:
        """Renew the tokens for as long as this is not cancelled."""
        async with anyio.create_task_group() as tasks:
            for kept in self._kept:
                tasks.start_soon(kept.renew)


class _Kept:
    """One token."""

    def __init__(
        self, token: AccessToken, transports: TransportFactory, prefix: str, timeout_s: float, clock: Clock
    ) -> None:
        self.sent = self.failed = 0  #: since they were handed over
        self.granted: list[str] = []  #: tokens, since then
        self._token = token
        self._transports = transports
        url = token.client.token_url
        self._url = f"{prefix}{url}" if url.startswith("/") else url
        self._timeout_s = timeout_s
        self._clock = clock
        self._in_body = False  # whether the client's secret goes there instead of a header
        self._expires_ns: int | None = None
        self._due_ns: int | None = None  # when to fetch the next; None for never
        self._pause_ns = _FIRST_PAUSE_NS

    async def fetch(self) -> None:
        """Fetch a token, and know when to fetch the next."""
        asked_ns = self._clock.now_ns()
        try:
            granted = await self._ask()
        except _Refused as error:
            now_ns = self._clock.now_ns()
            if self._expires_ns is None or now_ns >= self._expires_ns:
                self._expires_ns = None
                self._token.lose(f"no access token: {error}")
            self._due_ns = now_ns + self._pause_ns
            if self._expires_ns is not None:
                self._due_ns = min(self._due_ns, self._expires_ns)
            self._pause_ns = min(2 * self._pause_ns, _LONGEST_PAUSE_NS)
            return
        self._token.give(granted.text)
        self.granted.append(granted.text)
        self._pause_ns = _FIRST_PAUSE_NS
        lives_ns = granted.lives_ns
        self._expires_ns = None if lives_ns is None else asked_ns + lives_ns
        if lives_ns is None:
            self._due_ns = None
        else:
            early_ns = max(lives_ns * 3 // 4, lives_ns - _EARLY_NS)
            self._due_ns = max(asked_ns + early_ns, self._clock.now_ns() + _SHORTEST_PAUSE_NS)

    async def renew(self) -> None:
        """Fetch a token whenever one is due."""
        while self._due_ns is not None:
            await self._clock.sleep_until(self._due_ns)
            if self._expires_ns is not None and self._clock.now_ns() >= self._expires_ns:
                self._token.lose("the access token has expired, and no other one was given")
            await self.fetch()

    async def _ask(self) -> _Granted:
        """Ask for a token; a client whose secret is not taken in a header sends it in the body from then on."""
        try:
            return await self._exchange()
        except _Refused as error:
            if self._in_body or error.status not in (400, 401):
                raise
            self._in_body = True
            try:
                return await self._exchange()
            except _Refused:
                self._in_body = False
                raise

    async def _exchange(self) -> _Granted:
        self.sent += 1
        async with self._transports.open() as transport:
            exchange = await transport.exchange(self._request())
        try:
            return _granted(exchange)
        except _Refused:
            self.failed += 1
            raise

    def _request(self) -> Request:
        client = self._token.client
        form = {"grant_type": "client_credentials"}
        form |= {"scope": client.scope} if client.scope else {}
        form |= {"audience": client.audience} if client.audience else {}
        headers: Headers = (
            ("Accept", "application/json"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        )
        if self._in_body:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        else:
            headers = (*headers, ("Authorization", _credentials(client.client_id, client.client_secret)))
        return Request("POST", self._url, headers, urlencode(form).encode(), self._timeout_s, self._timeout_s)


def _credentials(client_id: str, client_secret: str) -> str:
    """Return the header value by which a client says who it is (RFC 6749, 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {b64encode(pair.encode()).decode('ascii')}"


def _granted(exchange: Exchange) -> _Granted:
    """Return the token in a reply; raises _Refused where there is none."""
    if exchange.failure is not None:
        raise _Refused(exchange.failure.message)
    try:
        reply = json.loads(exchange.body)
    except (ValueError, RecursionError):
        reply = None
    if exchange.status != 200:
        raise _Refused(_reason(exchange.status, reply), exchange.status)
    text = reply.get("access_token") if isinstance(reply, dict) else None
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        raise _Refused("the reply of the token endpoint has no access_token")
    kind = reply.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise _Refused(f"the token is of the type {kind!r}, and only Bearer is known"[:_MOST_CHARACTERS])
    return _Granted(text, _lifetime_ns(reply.get("expires_in")))


def _reason(status: int, reply: Any) -> str:
    """Return why a token endpoint gave no token, in the words of its reply where it has some."""
    words = [reply.get(key) for key in ("error", "error_description")] if isinstance(reply, dict) else []
    said = ": ".join(word for word in words if isinstance(word, str))
    return f"the token endpoint replied with {status}{' ' if said else ''}{said}"[:_MOST_CHARACTERS]


def _lifetime_ns(expires_in: Any) -> int | None:
    """Return how long a token lives; None for ever, where the reply does not say."""
    try:
        return max(0, round(float(expires_in) * NS_PER_S))
    except (TypeError, ValueError, OverflowError):
        return None
