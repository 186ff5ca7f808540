"""What the URL of an HTTP proxy says."""

import re
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from stressrunner.http.origin import Origin, origin_of

__all__ = ["Proxy", "proxy_of", "unencoded"]

#: What ends a part of a URL or begins the next one, and how to write it in a user or a password.
_ENCODED = {"/": "%2F", "?": "%3F", "#": "%23", "@": "%40", "[": "%5B", "]": "%5D", " ": "%20"}
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Proxy(NamedTuple):
    """An HTTP proxy, and who asks it."""

    origin: Origin
    user: str | None = None  #: with `password`, as they are meant, not as the URL has them
    password: str = ""

    @property
    def authorization(self) -> str:
        """Value of Proxy-Authorization; "" without a user."""
        if self.user is None:
            return ""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


def proxy_of(url: str) -> Proxy:
    """Return the proxy that an http or https URL names.

    Raises:
        ValueError: it is no such URL, or user and password are not percent-encoded in it.
    """
    if problem := unencoded(url):
        raise ValueError(problem)
    parts = urlsplit(url)
    user = None if parts.username is None else unquote(parts.username)
    return Proxy(origin_of(url), user, unquote(parts.password or ""))


def unencoded(url: str) -> str:
    """Return what is wrong with user and password in the URL of a proxy; "" when nothing is.

    All before the last `@` is taken for them, as it is meant where a character in them ends the host for others. What
    else is said of such a URL would cite the password in part.
    """
    credentials, at, _ = url.partition("://")[2].rpartition("@")
    if not at:
        return ""
    for character in credentials:
        if character in _ENCODED:
            return f"user or password has a '{character}' that is not percent-encoded; write {_ENCODED[character]}"
    if _BARE_PERCENT.search(credentials):
        return "user or password has a '%' that is not percent-encoded; write %25"
    return ""
