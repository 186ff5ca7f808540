"""How requests say who sends them: from what stands under `auth` to what the plan compiles."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from stressrunner.scenario.model import ApiKey, Auth, Basic, Bearer, OAuth2

__all__ = ["auth_of", "check_header_name", "check_no_placeholders", "check_token_url"]

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, token
_NOT_IN_URL = re.compile(r"[\s\x00-\x1f\x7f]")


def auth_of(holder: Mapping[str, Any], inherited: Auth | None = None) -> Auth | None:
    """Return the `auth` of a target or endpoint without mistakes; what is inherited where it has none."""
    auth = holder.get("auth")
    if auth is None:
        return inherited
    if auth == "none":
        return None
    if "bearer" in auth:
        return Bearer(auth["bearer"])
    if "basic" in auth:
        return Basic(**auth["basic"])
    if "api_key" in auth:
        key = auth["api_key"]
        place: Any = "header" if "header" in key else "query"
        return ApiKey(place, key[place], key["value"])
    return OAuth2(**auth["oauth2"])


def check_header_name(text: str) -> None:
    """Raise ValueError when a text is not the name of a header."""
    if not _HEADER_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a header")


def check_no_placeholders(text: str) -> None:
    """Raise ValueError when a text has placeholders that are filled for every request, where there are no requests yet."""
    if "{{" in text:
        raise ValueError("a token is fetched before any request, so there is no '{{ }}' here; use '${...}'")


def check_token_url(text: str) -> None:
    """Raise ValueError when a text is neither a whole URL nor a path."""
    check_no_placeholders(text)
    if _NOT_IN_URL.search(text):
        raise ValueError("a URL has no blanks and no line ends in it")
    if text.startswith("/") and not text.startswith("//"):
        return
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"{text!r} is no URL; write 'https://HOST/PATH', or '/PATH' for a path of the target"
        )
    if parts.username is not None or parts.fragment:
        raise ValueError("a token URL has no user and no '#'; the client's secret is 'client_secret'")
