"""What every transport puts on the wire beside the request itself, and how much it takes back."""

from typing import NamedTuple

from stressrunner import __version__
from stressrunner.http.exchange import Failure, FailureKind, Headers, Request

__all__ = ["DEFAULT_LIMITS", "IDEMPOTENT", "Limits", "complete_headers", "head_size", "head_too_large"]

#: Methods that may be sent again when the server closed a kept connection under them (RFC 9110, 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

#: Methods of which a server expects a body, so that its absence is said: Content-Length: 0.
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

_DEFAULTS: Headers = (
    ("User-Agent", f"stressrunner/{__version__}"),
    ("Accept", "*/*"),
    ("Accept-Encoding", "gzip, deflate"),
)


class Limits(NamedTuple):
    """How large a response may be before it is given up as `too_large`."""

    head_bytes: int = 64 * 1024  #: status line and header lines
    body_bytes: int = 64 * 1024 * 1024  #: as received, and again after the content encoding is undone


DEFAULT_LIMITS = Limits()


def complete_headers(request: Request, authority: str) -> Headers:
    """Return all header lines of a request: Host, what the request has, and what it leaves to the transport."""
    given = {name.lower() for name, _ in request.headers}
    host: Headers = () if "host" in given else (("Host", authority),)
    left = tuple(line for line in _DEFAULTS if line[0].lower() not in given)
    length: Headers = ()
    if request.body or request.method in _WITH_BODY:
        length = (("Content-Length", str(len(request.body))),)
    return host + left + request.headers + length


def head_size(first_line: int, headers: Headers) -> int:
    """Return the bytes of a head in HTTP/1.1: a first line of so many characters, header lines, the empty line."""
    return first_line + 4 + sum(len(name) + len(value) + 4 for name, value in headers)


def head_too_large(limit: int) -> Failure:
    """Return the failure of a response whose head exceeds the limit, in bytes."""
    return Failure(FailureKind.TOO_LARGE, f"the response has more than {limit:,} bytes of head")
