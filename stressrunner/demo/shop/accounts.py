"""Who is logged in at the shop: a token for each login, sent back in a header or as a cookie."""

from collections.abc import Mapping
from hashlib import sha256

__all__ = ["COOKIE", "PASSWORD", "Accounts"]

#: The password of everybody; it guards nothing.
PASSWORD = "demo-password"  # noqa: S105  a password that is told to everyone
COOKIE = "shop_session"


class Accounts:
    """Tokens and whom they were given to."""

    def __init__(self) -> None:
        self._users: dict[str, str] = {}

    def log_in(self, user: str, password: str) -> str | None:
        """Return a token for a user of any name, or None when the password is wrong."""
        if not user or password != PASSWORD:
            return None
        token = sha256(f"{len(self._users)}/{user}".encode()).hexdigest()[:32]
        self._users[token] = user
        return token

    def user_of(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> str | None:
        """Return who a request comes from, by its bearer token or its cookie; None for a stranger."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self._users.get(token if scheme.lower() == "bearer" else cookies.get(COOKIE, ""))
