"""The head of an HTTP/1.1 response, read from its bytes: what it says, and where its body ends (RFC 9112).

What the RFC lets a recipient take is taken: lines that end in LF alone (2.2), folded lines (5.2), the same Content-Length
several times (RFC 9110, 8.6), gzip and deflate as transfer codings (7.2). What could make two readers see two different
responses is refused: CR and NUL inside of lines (2.2), blanks before a colon (5.1), Content-Lengths that differ or stand
beside a Transfer-Encoding (6.3), codings that are not known (7), status codes below 100 (RFC 9110, 15).
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from stressrunner.http.exchange import Headers

__all__ = ["CHUNKED", "UNTIL_CLOSE", "NotHttp", "ResponseHead", "read_head", "read_lines", "read_status_line"]

CHUNKED: Final = -1  #: the body comes in chunks
UNTIL_CLOSE: Final = -2  #: the body ends with the connection

_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_STATUS_LINE = rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: [^\r\n\0]*+)?"
_STATUS = re.compile(_STATUS_LINE)
_FIELD = re.compile(rb"(" + _NAME + rb"):([^\r\n\0]*+)")

#: Content-Length as a number that fits: more digits are nothing that anybody sends.
_LENGTH = re.compile(r"0*[0-9]{1,18}")

#: Transfer codings that can be undone here beside chunked, which are undone as content encodings are (RFC 9112, 7.2).
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})

_WITHOUT_BODY = frozenset({204, 304})
#: Names of the header lines that are looked at.
_TELLING = frozenset({"connection", "content-length", "content-encoding", "transfer-encoding"})


class NotHttp(Exception):  # it says what the response is; it never leaves the room
    """Says why bytes are no HTTP/1.1 response, to follow a colon."""


class ResponseHead(NamedTuple):
    """What a head says."""

    status: int
    headers: Headers  #: as they came, octet for octet in Latin-1, without blanks around values
    body_bytes: int  #: of the body, or CHUNKED or UNTIL_CLOSE
    encoding: (
        str  #: content encodings, then transfer codings other than chunked: in the order of being applied
    )
    is_kept: bool  #: the connection can take another request afterwards


def read_head(head: bytes, method: str) -> ResponseHead:
    """Read a head, its empty line included, of the response to a request with this method.

    Raises:
        NotHttp: it is none.
    """
    if not head.endswith(b"\r\n\r\n"):
        return _read_oddly(head, method)
    first, *lines = head[:-4].split(b"\r\n")
    if b"\n" in first:
        return _read_oddly(head, method)
    fields, told = [], []
    for line in lines:
        known = _known(line) if len(line) < _LONG else _line(line)
        if known is None:
            return _read_oddly(head, method)
        field, key = known
        fields.append(field)
        if key:
            told.append((key, field[1]))
    return _understood(read_status_line(first), tuple(fields), told, method)


def _read_oddly(head: bytes, method: str) -> ResponseHead:
    """Read a head that is not as nearly all servers send it; it may be none."""
    first, _, rest = head.partition(b"\n")
    version_and_status = read_status_line(first.removesuffix(b"\r"))
    headers = read_lines(rest)
    return _understood(
        version_and_status, headers, [(name.lower(), value) for name, value in headers], method
    )


def _line(line: bytes) -> tuple[tuple[str, str], str] | None:
    """Return what a header line says, with its name in lower case if that is one of `_TELLING`; None if it is none."""
    found = _FIELD.fullmatch(line)
    if found is None:
        return None
    name = found[1].decode("latin-1")
    key = name.lower()
    return (name, found[2].decode("latin-1").strip(" \t")), key if key in _TELLING else ""


#: Servers mostly say the same again.
_known = lru_cache(1024)(_line)
_LONG = 256  #: bytes of a line that is not worth to be remembered


@lru_cache(256)
def read_status_line(line: bytes) -> tuple[int, int]:
    """Return the minor version and the status code of a first line.

    Raises:
        NotHttp: it is no status line of HTTP/1.
    """
    if found := _STATUS.fullmatch(line):
        return int(found[1]), int(found[2])
    if code := re.match(rb"HTTP/1\.[0-9] (0[0-9]{2})(?: |$)", line):
        raise NotHttp(f"its status {code[1].decode()} is below 100")
    raise NotHttp(f"its first line is {_shown(line)}")


def read_lines(lines: bytes) -> Headers:
    """Read header lines, or trailers, up to their empty line, however they end and are folded.

    Raises:
        NotHttp: a line is no header line.
    """
    unfolded: list[bytes] = []
    for line in lines.split(b"\n"):
        line = line.removesuffix(b"\r")  # noqa: PLW2901
        if not line:
            break
        if line[0] not in b" \t":
            unfolded.append(line)
        elif unfolded:  # obs-fold, which is replaced by a blank
            unfolded[-1] = unfolded[-1].rstrip(b" \t") + b" " + line.strip(b" \t")
        else:
            raise NotHttp("its first header line begins with a blank")
    return tuple([_field(line) for line in unfolded])


def _field(line: bytes) -> tuple[str, str]:
    if known := _line(line):
        return known[0]
    name, colon, _ = line.partition(b":")
    if b"\r" in line or b"\0" in line:
        raise NotHttp(f"its header line {_shown(line)} has a CR or NUL inside")
    if not colon:
        raise NotHttp(f"its header line {_shown(line)} has no colon")
    raise NotHttp(f"{_shown(name)} is not the name of a header")


def _shown(octets: bytes) -> str:
    return repr(octets[:40].decode("latin-1")) + ("..." if len(octets) > 40 else "")


def _understood(
    first: tuple[int, int], headers: Headers, told: list[tuple[str, str]], method: str
) -> ResponseHead:
    """Return what a head says; `told` are its lines with names in lower case, those at least that are in `_TELLING`."""
    minor, status = first
    said: dict[str, str] = {}
    for key, value in told:
        said[key] = f"{said[key]},{value}" if key in said else value
    encoding = said["content-encoding"].lower() if "content-encoding" in said else ""
    codings, length = said.get("transfer-encoding"), said.get("content-length")
    is_kept = minor > 0
    if codings is None:
        body_bytes = UNTIL_CLOSE if length is None else _length_of(length)
    else:
        if length is not None:
            raise NotHttp("it has both Transfer-Encoding and Content-Length")
        body_bytes, applied = _coded(codings)
        encoding = f"{encoding},{applied}" if applied else encoding
    if method == "HEAD" or status < 200 or status in _WITHOUT_BODY:
        body_bytes = 0
    if "connection" in said:
        options = {option.strip(" \t") for option in said["connection"].lower().split(",")}
        # HTTP/1.0 has no codings, so no connection is kept after one (RFC 9112, 6.1).
        is_kept = "close" not in options and (is_kept or (codings is None and "keep-alive" in options))
    if body_bytes == UNTIL_CLOSE or status == 101:
        is_kept = False
    fields = (status, headers, body_bytes, encoding, is_kept)
    return tuple.__new__(ResponseHead, fields)  # half of what calling it costs


def _length_of(lengths: str) -> int:
    """Return the one number that a Content-Length says, maybe several times."""
    if len(lengths) < 19 and lengths.isdecimal() and lengths.isascii():
        return int(lengths)
    said = {length.strip(" \t") for length in lengths.split(",")} if "," in lengths else {lengths}
    numbers = {int(length) for length in said if _LENGTH.fullmatch(length)}
    if len(numbers) != 1 or not all(map(_LENGTH.fullmatch, said)):
        raise NotHttp(f"its Content-Length is {lengths[:40]!r}")
    return numbers.pop()


def _coded(codings: str) -> tuple[int, str]:
    """Return how a body with these transfer codings ends, and those that are to be undone after chunked."""
    names = [name for coding in codings.lower().split(",") if (name := coding.strip(" \t"))]
    ends_by_chunks = names[-1:] == ["chunked"]
    applied = names[:-1] if ends_by_chunks else names
    if not names or not _CODINGS.issuperset(applied):
        raise NotHttp(f"its Transfer-Encoding is {codings[:40]!r}")
    return CHUNKED if ends_by_chunks else UNTIL_CLOSE, ",".join(applied)
