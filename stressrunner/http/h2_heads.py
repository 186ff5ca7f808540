"""The heads of HTTP/2 messages (RFC 9113, 8): of requests as they are sent, of responses as they may be."""

import re
from collections.abc import Iterable

from stressrunner.http.exchange import Headers, Request
from stressrunner.http.origin import Origin
from stressrunner.http.wire import complete_headers, head_size

__all__ = ["Field", "Malformed", "announced_length", "list_size", "request_fields", "response_head"]

#: A line of a head for the encoder of HPACK: name, value, and whether to keep it out of the table of both sides.
Field = tuple[bytes, bytes, bool]

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LOWER_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_BREAKS = re.compile(rb"[\r\n\0]")

#: Lines about the connection, which HTTP/2 has other means for (RFC 9113, 8.2.2).
_OF_CONNECTION = frozenset(
    {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"}
)

#: Lines that are likely to be other ones in the next request: in the table they would push out those that stay.
_CHANGING = frozenset({b":path", b"content-length"})


class Malformed(Exception):
    """A response breaks the rules for heads and bodies, which ends its stream and no other."""


def request_fields(request: Request, origin: Origin, path: str) -> list[Field]:
    """Return the head of a request to `path` of an origin; lines about the connection are left out.

    Raises:
        ValueError: method, path or a header cannot be put into HTTP.
    """
    if not _TOKEN.fullmatch(request.method.encode()):
        raise ValueError(f"{request.method!r} is not a method")
    if " " in path or not path.isascii() or not path.isprintable():
        raise ValueError(f"the path {path!r} is not percent-encoded")
    lines: list[tuple[bytes, bytes]] = []
    authority = b""
    for name, value in complete_headers(request, origin.authority):
        line = (name.lower().encode(), value.strip(" \t").encode())
        if not _TOKEN.fullmatch(line[0]):
            raise ValueError(f"{name!r} is not the name of a header")
        if _BREAKS.search(line[1]):
            raise ValueError(f"the value of {name} has a line break")
        if line[0] == b"host":
            authority = line[1]
        elif _may_be_sent(*line):
            lines.append(line)
    pseudo = [
        (b":method", request.method.encode()),
        (b":scheme", origin.scheme.encode()),
        (b":authority", authority),
        (b":path", path.encode()),
    ]
    return [(name, value, name in _CHANGING) for name, value in (*pseudo, *lines)]


def _may_be_sent(name: bytes, value: bytes) -> bool:
    return name not in _OF_CONNECTION and (name != b"te" or value.lower() == b"trailers")


def response_head(fields: Iterable[tuple[bytes, bytes]], *, is_trailer: bool = False) -> tuple[int, Headers]:
    """Return status and header lines of a response, or of trailers, which have no status: 0.

    Raises:
        Malformed: RFC 9113 does not allow it.
    """
    status = b""
    lines: list[tuple[str, str]] = []
    for name, value in fields:
        if name.startswith(b":"):
            if name != b":status" or status or lines or is_trailer:
                raise Malformed("a pseudo-header is not where it may be")
            status = value
            continue
        if not _LOWER_TOKEN.fullmatch(name):
            raise Malformed("the name of a header has characters that it may not have")
        if _BREAKS.search(value) or value.strip(b" \t") != value:
            raise Malformed("the value of a header has characters that it may not have")
        if name in _OF_CONNECTION:
            raise Malformed("a header is about the connection")
        lines.append((name.decode("ascii"), value.decode("latin-1")))
    if is_trailer:
        return 0, tuple(lines)
    if len(status) != 3 or not status.isdigit() or status < b"100":
        raise Malformed("it has no status of three digits from 100 on" if status else "it has no status")
    if status == b"101":
        raise Malformed("there is no status 101 in HTTP/2")
    return int(status), tuple(lines)


def announced_length(headers: Headers) -> int | None:
    """Return how long a head says that the body is, in bytes; None when it does not.

    Raises:
        Malformed: it says several lengths, or none that is a number.
    """
    values = [v.strip() for name, value in headers if name == "content-length" for v in value.split(",")]
    if not values:
        return None
    if len(set(values)) > 1 or not (values[0].isascii() and values[0].isdigit()) or len(values[0]) > 18:
        raise Malformed("its Content-Length is no number, or several")
    return int(values[0])


def list_size(headers: Headers) -> int:
    """Return the bytes that a head has in HTTP/1.1, by which its size is limited there too."""
    return head_size(len("HTTP/1.1 200"), headers)
