"""The body of a response that comes in chunks, its framing undone (RFC 9112, 7.1).

Sizes may be followed by blanks and extensions, which mean nothing here; trailers are read and left out. Lines end in
CRLF, but those of trailers, which are header lines, may do with LF. What comes of bytes does not depend on how they are cut.
"""

import re
from typing import Final

from stressrunner.http.content import body_too_large
from stressrunner.http.failures import ExchangeFailed
from stressrunner.http.response_head import NotHttp, read_lines
from stressrunner.http.wire import ResponseLimits, head_too_large

__all__ = ["EMPTY_LINE", "Chunks"]

#: The end of a head or of trailers, with the end of the line before.
EMPTY_LINE = re.compile(rb"\n\r?\n")

#: A size with what may follow it: blanks, extensions, the end of the line. It matches the beginning of each, too.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{0,20}+)([ \t]*+(?:;[^\r\n\0]*+)?)(\r?\n?)")
_PLAIN_SIZE = re.compile(rb"([0-9A-Fa-f]{1,20}+)\r\n")


#: The last chunk, without trailers.
_LAST: Final = b"0\r\n\r\n"

#: What comes next.
_SIZE: Final = 0
_CONTENT: Final = 1
_LINE_END: Final = 2  # of a chunk's content
_TRAILERS: Final = 3
_NOTHING: Final = 4


class Chunks:
    """Takes the bytes of a chunked body as they come."""

    __slots__ = ("_left", "_limits", "_next", "_pending", "_room", "parts", "size", "surplus")

    def __init__(self, limits: ResponseLimits) -> None:
        self._limits = limits
        self._next = _SIZE
        self._left = 0  # bytes of the present chunk
        self._pending = b""  # what is not yet enough
        self._room = limits.head_bytes  # for extensions, which are no more use than a head
        self.parts: list[bytes] = []  #: the content so far
        self.size = 0  #: bytes of it
        self.surplus = False  #: more came than the body

    @property
    def ended(self) -> bool:
        """Whether the body is complete."""
        return self._next == _NOTHING

    def feed(self, octets: bytes) -> None:
        """Read on.

        Raises:
            NotHttp: these are no chunks.
            ExchangeFailed: content, extensions or trailers are larger than the limits allow.
        """
        if self._pending:
            octets, self._pending = self._pending + octets, b""
        at = self._whole_chunks(octets) if self._next == _SIZE else 0
        while at < len(octets):
            if self._next == _NOTHING:
                self.surplus = True
                return
            before = at
            at = self._on(octets, at)
            if at == before:
                self._pending = octets[at:]
                return

    def _on(self, octets: bytes, at: int) -> int:
        """Read one thing on and return where it ends; where it is not all there, nothing."""
        if self._next == _SIZE:
            return self._size(octets, at)
        if self._next == _CONTENT:
            return self._content(octets, at)
        return self._line_end(octets, at) if self._next == _LINE_END else self._trailers(octets, at)

    def _whole_chunks(self, octets: bytes) -> int:
        """Take the chunks that are there whole, in the shortest way; return where the rest begins."""
        at, size, parts, line = 0, 0, self.parts, b"\n"
        room = self._limits.body_bytes - self.size
        while True:
            if octets.startswith(line, at):  # chunks of one size mostly follow each other
                begin = at + len(line)
            elif found := _PLAIN_SIZE.match(octets, at):
                line, size, begin = found[0], int(found[1], 16), found.end()
            else:
                break
            end = begin + size
            if not 0 < size <= room or octets[end : end + 2] != b"\r\n":
                break
            parts.append(octets[begin:end])
            room -= size
            at = end + 2
        self.size = self._limits.body_bytes - room
        if octets.startswith(_LAST, at):
            self._next = _NOTHING
            return at + len(_LAST)
        return at

    def _size(self, octets: bytes, at: int) -> int:
        found = _PLAIN_SIZE.match(octets, at)
        if found is None:
            return self._decorated_size(octets, at)
        self._begin(int(found[1], 16))
        return found.end()

    def _begin(self, size: int) -> None:
        self._left = size
        self._next = _CONTENT if size else _TRAILERS

    def _decorated_size(self, octets: bytes, at: int) -> int:
        """Read a size with something behind it, or the beginning of one."""
        found = _SIZE_LINE.match(octets, at)
        assert found is not None  # noqa: S101  # it matches nothing, too
        digits, extension, end = found.groups()
        if digits and len(extension) > self._room:  # what has no size is broken from its first byte on
            raise ExchangeFailed(head_too_large(self._limits.head_bytes))
        is_over = found.end() < len(octets) or end.endswith(b"\n")
        if (is_over or at < len(octets)) and (not digits or (is_over and end != b"\r\n")):
            # Up to what breaks it, which does not depend on how much has come.
            bad = 1 if not digits else found.end() - at + (not end.endswith(b"\n"))
            shown = octets[at : at + min(bad, 40)].decode("latin-1")
            raise NotHttp(f"the size of a chunk is broken at {shown!r}")
        if not is_over:
            return at
        self._room -= len(extension)
        self._begin(int(digits, 16))
        return found.end()

    def _content(self, octets: bytes, at: int) -> int:
        part = octets[at : at + self._left]
        if not part:
            return at
        self.parts.append(part)
        self.size += len(part)
        if self.size > self._limits.body_bytes:
            raise ExchangeFailed(body_too_large(self._limits.body_bytes))
        self._left -= len(part)
        if not self._left:
            self._next = _LINE_END
        return at + len(part)

    def _line_end(self, octets: bytes, at: int) -> int:
        end = octets[at : at + 2]
        if end == b"\r\n":
            self._next = _SIZE
            return at + 2
        if end and end != b"\r":
            raise NotHttp("a chunk is longer than its size")
        return at

    def _trailers(self, octets: bytes, at: int) -> int:
        for end in (b"\r\n", b"\n"):
            if octets.startswith(end, at):
                self._next = _NOTHING
                return at + len(end)
        found = EMPTY_LINE.search(octets, at)
        if (len(octets) if found is None else found.end()) - at > self._limits.head_bytes:
            raise ExchangeFailed(head_too_large(self._limits.head_bytes))
        if found is None:
            return at
        read_lines(octets[at : found.end()])
        self._next = _NOTHING
        return found.end()
