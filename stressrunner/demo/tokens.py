"""Access tokens of the embedded target: OAuth 2.0 client credentials (RFC 6749, 4.4), as an identity provider grants them."""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

__all__ = ["TokenIssuer"]


class TokenIssuer:
    """Grants tokens, and knows its own again until they expire."""

    def __init__(
        self, lives_s: float, accepted: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Grant tokens that live so long; `accepted` is the secret of clients, None takes any that is not empty."""
        self._lives_s = lives_s
        self._accepted = accepted
        self._clock = clock
        self._key = secrets.token_bytes(16)

    async def grant(self, request: Request) -> Response:
        """Answer a client that asks for a token."""
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        client, secret = _client(request.headers.get("authorization", ""), form)
        if not client or not secret or (self._accepted is not None and secret != self._accepted):
            return JSONResponse({"error": "invalid_client"}, 401, {"www-authenticate": "Basic"})
        granted = {"token_type": "Bearer", "expires_in": self._lives_s, "access_token": self._token()}
        return JSONResponse(granted, headers={"cache-control": "no-store"})

    def _token(self) -> str:
        expires_ms = str(int((self._clock() + self._lives_s) * 1000))  # rounded down: none lives too long
        return f"{expires_ms}.{self._signature(expires_ms)}"

    def _signature(self, expires_ms: str) -> str:
        return hmac.new(self._key, expires_ms.encode(), "sha256").hexdigest()

    def refusal(self, token: str) -> str | None:
        """Return why a token does not open the door; None when it does."""
        expires_ms, _, signature = token.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(expires_ms).encode()):
            return "The access token is not valid"
        return "The access token has expired" if self._clock() * 1000 >= int(expires_ms) else None


def _client(authorization: str, form: Mapping[str, str]) -> tuple[str, str]:
    """Return name and secret of a client, from its header or else the form."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)
