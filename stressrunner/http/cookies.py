"""Cookies as RFC 6265 has them: which responses set them, and which requests they go with."""

import ipaddress
import re
import time
from collections.abc import Callable, Container, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from stressrunner.http.exchange import Headers
from stressrunner.http.origin import Origin

__all__ = ["CookieJar", "cookie_names"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_INTEGER = re.compile(r"-?[0-9]+")
#: Between the parts of a date (RFC 6265, 5.1.1).
_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LARGEST = 4096  #: characters of name and value together; browsers pass over larger ones too
_MOST = 180  #: cookies that a jar keeps; the oldest make room


class _Cookie(NamedTuple):
    """A cookie as it is kept."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool  #: not for hosts below the domain
    secure: bool  #: for https alone
    expires_s: float | None  #: in seconds since 1970; None when it lasts as long as the jar

    def goes_to(self, origin: Origin, path: str) -> bool:
        """Whether the cookie is sent with requests for a path (without query) of an origin."""
        if self.secure and origin.scheme != "https":
            return False
        if self.host_only:
            return origin.host == self.domain and _path_matches(path, self.path)
        return _domain_matches(origin.host, self.domain) and _path_matches(path, self.path)


class CookieJar:
    """The cookies of one user agent; it lives as long as what it belongs to, such as an iteration."""

    __slots__ = ("_cookies", "_now_s")

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        """`now_s` tells the seconds since 1970, which cookies expire by."""
        self._cookies: dict[tuple[str, str, str], _Cookie] = {}
        self._now_s = now_s

    def __len__(self) -> int:
        return len(self._cookies)

    def copy(self) -> "CookieJar":
        """Return a jar with the same cookies, which may go its own way."""
        jar = CookieJar(self._now_s)
        jar._cookies = dict(self._cookies)
        return jar

    def to_wire(self) -> list[Any]:
        """Return the cookies as JSON values, for `from_wire` of another process."""
        return [list(cookie) for cookie in self._cookies.values()]

    @classmethod
    def from_wire(cls, cookies: Iterable[Any]) -> "CookieJar":
        """Return a jar with the cookies that `to_wire` of another one gave."""
        jar = cls()
        for fields in cookies:
            cookie = _Cookie(*fields)
            jar._cookies[cookie.domain, cookie.path, cookie.name] = cookie
        return jar

    def store(self, headers: Headers, origin: Origin, target: str) -> None:
        """Take the cookies that a response sets; `target` is the path and query that was asked for."""
        for name, value in headers:
            if name.lower() == "set-cookie":
                self._set(value, origin, target.partition("?")[0])

    def line(self, origin: Origin, target: str, but: Container[str] = ()) -> str:
        """Return the value of the Cookie header for a request, without the names in `but`; "" for no cookies.

        Cookies of longer paths come first, then those that were set first (RFC 6265, 5.4).
        """
        path, now_s = target.partition("?")[0], self._now_s()
        expired = [key for key, cookie in self._cookies.items() if _is_over(cookie, now_s)]
        for key in expired:
            del self._cookies[key]
        sent = [c for c in self._cookies.values() if c.name not in but and c.goes_to(origin, path)]
        sent.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in sent)

    def _set(self, text: str, origin: Origin, path: str) -> None:
        cookie = _parsed(text, origin, path, self._now_s())
        if cookie is None:
            return
        key = (cookie.domain, cookie.path, cookie.name)
        if _is_over(cookie, self._now_s()):
            self._cookies.pop(key, None)  # how servers delete
            return
        self._cookies[key] = cookie  # a cookie that is set again keeps its place
        if len(self._cookies) > _MOST:
            del self._cookies[next(iter(self._cookies))]


def cookie_names(line: str) -> frozenset[str]:
    """Return the names in the value of a Cookie header."""
    return frozenset(pair.partition("=")[0].strip() for pair in line.split(";"))


def _is_over(cookie: _Cookie, now_s: float) -> bool:
    return cookie.expires_s is not None and cookie.expires_s <= now_s


def _parsed(text: str, origin: Origin, path: str, now_s: float) -> _Cookie | None:
    """Return the cookie of a Set-Cookie header, or None where it is none, or not the origin's to set."""
    pair, _, rest = text.partition(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not name or len(name) + len(value) > _LARGEST or _CONTROL.search(name + value):
        return None
    attributes = dict(_attributes(rest))
    domain = attributes.get("domain", "").removeprefix(".").lower()
    if domain and not _may_set(origin.host, domain):
        return None
    given_path = attributes.get("path", "")
    return _Cookie(
        name,
        value,
        domain or origin.host,
        given_path if given_path.startswith("/") else path[: path.rfind("/")] or "/",
        host_only=not domain or _is_address(origin.host),
        secure="secure" in attributes,
        expires_s=_expiry(attributes, now_s),
    )


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        name, _, value = part.partition("=")
        yield name.strip().lower(), value.strip()


def _expiry(attributes: dict[str, str], now_s: float) -> float | None:
    """Return when a cookie expires, in seconds since 1970; Max-Age is stronger than Expires."""
    age = attributes.get("max-age", "")
    if _INTEGER.fullmatch(age):
        return now_s + float(age)
    return _date_s(attributes.get("expires", ""))


def _date_s(text: str) -> float | None:
    """Return a date of the forms that servers use, in seconds since 1970; None for anything else (5.1.1)."""
    found: dict[str, int] = {}
    for token in _DELIMITERS.split(text):
        month = token[:3].lower()
        if "hour" not in found and (match := _TIME.match(token)):
            found |= zip(("hour", "minute", "second"), map(int, match.groups()), strict=True)
        elif "day" not in found and (match := _DAY.match(token)):
            found["day"] = int(match[1])
        elif "month" not in found and month in _MONTHS:
            found["month"] = _MONTHS.index(month) + 1
        elif "year" not in found and (match := _YEAR.match(token)):
            year = int(match[1])
            found["year"] = year if year >= 100 else year + (1900 if year >= 70 else 2000)
    try:
        # What is missing is missed by datetime; only the time of day may be left out there, and is not here.
        return datetime(**found, tzinfo=UTC).timestamp() if "hour" in found else None
    except (TypeError, ValueError):
        return None


def _may_set(host: str, domain: str) -> bool:
    """Whether a host may set cookies for a domain: its own or one above it, but none for all of `com`."""
    return host == domain or ("." in domain and _domain_matches(host, domain))


def _domain_matches(host: str, domain: str) -> bool:
    return host == domain or (host.endswith(f".{domain}") and not _is_address(host))


def _path_matches(path: str, of_cookie: str) -> bool:
    if not path.startswith(of_cookie):
        return False
    return len(path) == len(of_cookie) or of_cookie.endswith("/") or path[len(of_cookie)] == "/"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
