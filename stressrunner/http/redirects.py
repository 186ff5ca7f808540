"""Where a redirect leads, and what is sent there: pure functions of requests and responses."""

import re
from urllib.parse import quote, urljoin, urlsplit

from stressrunner.http.exchange import Exchange, Headers, Request
from stressrunner.http.origin import Origin, locate

__all__ = ["location_of", "redirected"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: What a URL may have as it is: escapes already made, reserved and unreserved characters (RFC 3986).
_KEPT = "%:/?#[]@!$&'()*+,;=-._~"
#: Header lines about a body, which go with it.
_OF_BODY = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
#: Header lines that are nobody else's business than the origin's they were meant for.
_OF_ORIGIN = frozenset({"authorization", "cookie", "proxy-authorization", "host"})


def location_of(exchange: Exchange) -> str:
    """Return what the Location of a redirect says, or "" where the response is none that can be followed."""
    if exchange.status not in _REDIRECTS or exchange.failure is not None:
        return ""
    return next((value for name, value in exchange.headers if name.lower() == "location"), "")


def redirected(request: Request, status: int, location: str, base: Origin) -> Request:
    """Return the request that a redirect asks for; `base` is the origin that paths belong to.

    303 is answered by GET, as are 301 and 302 to POST; everything else keeps its method and body. What was meant
    for one origin, such as Authorization, is not sent to another.

    Raises:
        ValueError: the location is no http or https URL.
    """
    origin, path = locate(request.target, base)
    new_origin, new_path = _resolved(location, origin, path)
    dropped: frozenset[str] = frozenset()
    method, body = request.method, request.body
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body, dropped = "GET", b"", _OF_BODY
    if new_origin != origin:
        dropped |= _OF_ORIGIN
    return request._replace(
        method=method,
        target=new_path if new_origin == base else new_origin.url + new_path,
        headers=_without(request.headers, dropped) if dropped else request.headers,
        body=body,
    )


def _resolved(location: str, origin: Origin, path: str) -> tuple[Origin, str]:
    """Return origin and path of a location that was given at a path of an origin."""
    # Header lines are read as Latin-1, which keeps the octets; servers that do not escape mean UTF-8.
    location = quote(location.strip().encode("latin-1"), safe=_KEPT).partition("#")[0]
    if location.startswith("//"):
        location = f"{origin.scheme}:{location}"
    if not _SCHEME.match(location):
        parts = urlsplit(urljoin(f"http://host{path}", location))
        return origin, f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    if not location.lower().startswith(("http:", "https:")):
        raise ValueError(f"{location!r} is not an http or https URL")
    found, new_path = locate(location, origin)
    # Behind a Unix socket, servers call themselves by the Host that they were asked with.
    return (origin if found == origin._replace(socket="") else found), new_path


def _without(headers: Headers, names: frozenset[str]) -> Headers:
    return tuple(line for line in headers if line[0].lower() not in names)
