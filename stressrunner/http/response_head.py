"""The head of an HTTP/1.1 response, read from its bytes: what it says, and where its body ends (RFC 9112).

What the RFC lets a recipient take is taken: lines that end in LF alone (2.2), folded lines (5.2), the same Content-Length
several times (RFC 9110, 8.6), gzip and deflate as transfer codings (7.2). What could make two readers see two different
responses is refused: CR and NUL inside of lines (2.2), blanks before a colon (5.1), Content-Lengths that differ or stand
beside a Transfer-Encoding (6.3), codings that are not known (7), status codes below 100 (RFC 9110, 15).
"""

import re
from typing import Final, NamedTuple

from stressrunner.http.exchange import Headers

__all__ = ["CHUNKED", "UNTIL_CLOSE", "NotHttp", "ResponseHead", "read_head", "read_lines", "read_status_line"]

CHUNKED: Final = -1  #: the body comes in chunks
UNTIL_CLOSE: Final = -2  #: the body ends with the connection

_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_STATUS_LINE = rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: [^\r\n\0]*+)?"
#: A head as nearly all servers send it.
_PLAIN = re.compile(_STATUS_LINE + rb"\r\n((?:" + _NAME + rb":[^\r\n\0]*+\r\n)*+)\r\n")
_STATUS = re.compile(_STATUS_LINE)
_FIELD = re.compile(rb"(" + _NAME + rb"):([^\r\n\0]*+)")
_PLAIN_LINES = re.compile(r"([^:\r\n]++):[ \t]*+([^\r\n]*+)\r\n")

#: Content-Length as a number that fits: more digits are nothing that anybody sends.
_LENGTH = re.compile(r"0*[0-9]{1,18}")

#: Transfer codings that can be undone here beside chunked, which are undone as content encodings are (RFC 9112, 7.2).
_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})

_WITHOUT_BODY = frozenset({204, 304})
#: The names that are looked at; their lengths tell most others at less cost.
_TELLING = frozenset({"connection", "content-length", "content-encoding", "transfer-encoding"})
_LENGTHS = frozenset(map(len, _TELLING))


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
    plain = _PLAIN.fullmatch(head)
    if plain is None:
        line, _, rest = head.partition(b"\n")
        minor, status = read_status_line(line.removesuffix(b"\r"))
        headers = read_lines(rest)
    else:
        minor, status = int(plain[1]), int(plain[2])
        text = plain[3].decode("latin-1")
        headers = tuple(_PLAIN_LINES.findall(text))
        if " \r\n" in text or "\t\r\n" in text:
            headers = tuple([(name, value.rstrip(" \t")) for name, value in headers])
    return _understood(minor, status, headers, method)


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
    if found := _FIELD.fullmatch(line):
        return found[1].decode("latin-1"), found[2].decode("latin-1").strip(" \t")
    name, colon, _ = line.partition(b":")
    if b"\r" in line or b"\0" in line:
        raise NotHttp(f"its header line {_shown(line)} has a CR or NUL inside")
    if not colon:
        raise NotHttp(f"its header line {_shown(line)} has no colon")
    raise NotHttp(f"{_shown(name)} is not the name of a header")


def _shown(octets: bytes) -> str:
    return repr(octets[:40].decode("latin-1")) + ("..." if len(octets) > 40 else "")


def _understood(minor: int, status: int, headers: Headers, method: str) -> ResponseHead:
    said: dict[str, str] = {}
    for name, value in headers:
        if len(name) in _LENGTHS and (key := name.lower()) in _TELLING:
            said[key] = f"{said[key]},{value}" if key in said else value
    encoding = said.get("content-encoding", "").lower()
    codings = said.get("transfer-encoding")
    if codings is None:
        body_bytes = _length_of(said["content-length"]) if "content-length" in said else UNTIL_CLOSE
        is_kept = minor > 0
    else:
        if "content-length" in said:
            raise NotHttp("it has both Transfer-Encoding and Content-Length")
        body_bytes, applied = _coded(codings)
        encoding = f"{encoding},{applied}" if applied else encoding
        is_kept = minor > 0  # HTTP/1.0 has no codings, and so no connection is kept after one (RFC 9112, 6.1)
    if method == "HEAD" or status < 200 or status in _WITHOUT_BODY:
        body_bytes = 0
    if "connection" in said:
        options = {option.strip(" \t") for option in said["connection"].lower().split(",")}
        is_kept = "close" not in options and (is_kept or (codings is None and "keep-alive" in options))
    if body_bytes == UNTIL_CLOSE or status == 101:
        is_kept = False
    return ResponseHead(status, headers, body_bytes, encoding, is_kept)


def _length_of(lengths: str) -> int:
    """Return the one number that a Content-Length says, maybe several times."""
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
