"""What every transport puts on the wire beside the request itself, and how much it takes back."""

from collections.abc import Iterable, Sized
from typing import NamedTuple

from stressrunner import __version__
from stressrunner.http.content import accepted_encodings
from stressrunner.http.exchange import Failure, FailureKind, Headers, Request

__all__ = [
    "DEFAULT_LIMITS",
    "ResponseLimits",
    "complete_headers",
    "head_size",
    "head_too_large",
    "standing_headers",
    "tells_length",
]

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})

#: Lines that have a place of their own, or none.
_NOT_FREE = frozenset({"host", "content-length", "transfer-encoding"})


class ResponseLimits(NamedTuple):
    """How large a response may be before it is given up as `too_large`."""

    head_bytes: int = 64 * 1024  #: status line and header lines
    body_bytes: int = 64 * 1024 * 1024  #: as received, and again after the content encoding is undone


DEFAULT_LIMITS = ResponseLimits()


def complete_headers(request: Request, authority: str) -> Headers:
    """Return all header lines of a request: Host, what it has, and what it leaves to the transport."""
    lines = standing_headers(request.headers, authority)
    if request.body or tells_length(request.method):
        lines += (("Content-Length", str(len(request.body))),)
    return lines


def standing_headers(headers: Headers, authority: str) -> Headers:
    """Return the header lines that do not depend on the body, Host first.

    Content-Length and Transfer-Encoding are left out: how a body is framed is the transport's business.
    """
    given = {name.lower() for name, _ in headers}
    hosts = tuple(line for line in headers if line[0].lower() == "host") or (("Host", authority),)
    defaults = (
        ("User-Agent", f"stressrunner/{__version__}"),
        ("Accept", "*/*"),
        ("Accept-Encoding", accepted_encodings()),
    )
    left = tuple(line for line in defaults if line[0].lower() not in given)
    return hosts + left + tuple(line for line in headers if line[0].lower() not in _NOT_FREE)


def tells_length(method: str) -> bool:
    """Whether a server expects a body with this method, so that its absence is said: Content-Length: 0."""
    return method in _WITH_BODY


def head_size(first_line: int, headers: Iterable[tuple[Sized, Sized]]) -> int:
    """Return the bytes of a head in HTTP/1.1: a first line of so many bytes, header lines, the empty line."""
    return first_line + 4 + sum(len(name) + len(value) + 4 for name, value in headers)


def head_too_large(limit: int) -> Failure:
    """Return the failure of a response whose head exceeds the limit, in bytes."""
    return Failure(FailureKind.TOO_LARGE, f"the response has more than {limit:,} bytes of head")
