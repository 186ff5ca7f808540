"""The head of an HTTP/1.1 request as bytes; what is the same from request to request is built once."""

import re
from typing import NamedTuple

from stressrunner.http.exchange import Headers, Request
from stressrunner.http.wire import standing_headers, tells_length

__all__ = ["HeadWriter", "RequestBytes"]

#: A name of a header, or a method (RFC 9110, 5.6.2).
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

#: What ends a line or a header for some server, and so could smuggle another one in.
_BREAKS = re.compile(r"[\r\n\0]")

#: Different sets of header lines that are kept; beyond, headers are taken to differ in every request.
_KEPT = 256


#: A body that is longer is not copied to stand behind its head.
_LARGE_BYTES = 64 * 1024


class RequestBytes(NamedTuple):
    """A request ready to be written."""

    request: Request
    head: bytes  #: with the body behind it, unless that is large
    body: bytes  #: what is written after the head
    size: int  #: in bytes
    closes: bool  #: the request says that it is the last one on its connection


class _Lines(NamedTuple):
    text: str
    tells_length: bool  #: even when there is no body
    closes: bool


class _Begun(NamedTuple):
    """The beginning of a message, for requests that differ in their bodies alone."""

    method: str
    path: str
    headers: Headers
    octets: bytes  #: all that stands before `Content-Length`
    tells_length: bool
    closes: bool


class HeadWriter:
    """Writes the heads of requests to one origin."""

    def __init__(self, authority: str) -> None:
        self._authority = authority
        self._kept: dict[tuple[str, Headers], _Lines] = {}
        self._begun: dict[int, _Begun] = {}  # by the id of their headers, which they keep alive

    def message(self, request: Request, path: str) -> RequestBytes:
        """Return a request, whose target is at this path of the origin, ready to be written.

        Raises:
            ValueError: method, path or a header cannot be put into HTTP.
        """
        headers, body = request.headers, request.body
        begun = self._begun.get(id(headers))  # equal headers have other ids, and are not hashed
        if begun is None or begun.path != path or begun.method != request.method:
            begun = self._begin(request.method, path, headers)
        length = len(body)
        if length > _LARGE_BYTES:
            head = b"%bContent-Length: %d\r\n\r\n" % (begun.octets, length)
            return RequestBytes(request, head, body, len(head) + length, begun.closes)
        if length or begun.tells_length:
            head = b"%bContent-Length: %d\r\n\r\n%b" % (begun.octets, length, body)
        else:
            head = begun.octets + b"\r\n"
        return tuple.__new__(RequestBytes, (request, head, b"", len(head), begun.closes))

    def _begin(self, method: str, path: str, headers: Headers) -> _Begun:
        """Return the beginning of a request, and remember it."""
        lines = self._kept.get((method, headers)) or self._keep(method, headers)
        if " " in path or not path.isascii() or not path.isprintable():
            raise ValueError(f"the path {path!r} is not percent-encoded")
        octets = f"{method} {path} HTTP/1.1\r\n{lines.text}".encode()
        begun = _Begun(method, path, headers, octets, lines.tells_length, lines.closes)
        if len(self._begun) >= _KEPT:
            self._begun.clear()
        self._begun[id(headers)] = begun
        return begun

    def _keep(self, method: str, headers: Headers) -> _Lines:
        if not _TOKEN.fullmatch(method):
            raise ValueError(f"{method!r} is not a method")
        text, closes = [], False
        for name, value in standing_headers(headers, self._authority):
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a header")
            if _BREAKS.search(value):
                raise ValueError(f"the value of {name} has a line break")
            text.append(f"{name}: {value}\r\n")
            closes |= name.lower() == "connection" and "close" in value.lower()
        lines = _Lines("".join(text), tells_length(method), closes)
        if len(self._kept) == _KEPT:
            self._kept.clear()
        self._kept[method, headers] = lines
        return lines
