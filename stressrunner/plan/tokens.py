"""Access tokens as requests see them: the one that is valid now, or why there is none.

Whoever keeps a token fetches and renews it; a request only looks. So authorization costs a request nothing, and none ever
waits for a token.
"""

from collections.abc import Mapping
from typing import Any

from stressrunner.expressions import CannotEvaluate
from stressrunner.scenario.model import OAuth2

__all__ = ["AccessToken", "NoToken"]


class NoToken(CannotEvaluate):
    """There is no access token; the text says why."""

    kind = "auth"


class AccessToken:
    """The access token of one client in this process."""

    __slots__ = ("_header", "_reason", "client")

    def __init__(self, client: OAuth2) -> None:
        self.client = client
        self._header: str | None = None
        self._reason = "no access token has been fetched"

    def give(self, text: str) -> None:
        """Take a token that is valid from now on."""
        self._header = f"Bearer {text}"

    def lose(self, reason: str) -> None:
        """Have none from now on, for a reason of one sentence."""
        self._header, self._reason = None, reason

    def header(self, _names: Mapping[str, Any]) -> str:
        """Return the value of an Authorization header; raises NoToken."""
        if self._header is None:
            raise NoToken(self._reason)
        return self._header
