"""Responses as hostile, broken and merely odd servers send them, and what is to come of each.

`source` is the place that decides: a section of RFC 9112 or 9110, or our own choice where they leave one. All
transports judge alike, and so does curl 7.88, but where `WITH_CURL` at the end says how and why it does not.
"""

import gzip
import zlib
from typing import NamedTuple

from stressrunner.http.exchange import FailureKind
from stressrunner.http.wire import ResponseLimits

__all__ = ["LIMITS", "NEXT", "ROWS", "WITH_CURL", "Answer", "Row"]

LIMITS = ResponseLimits(head_bytes=10_000, body_bytes=10_000)

#: What servers of the table say to every request after the first.
NEXT = b"HTTP/1.1 203 Next\r\nContent-Length: 4\r\n\r\nnext"

PROTOCOL, RESET, TOO_LARGE = FailureKind.PROTOCOL, FailureKind.RESET, FailureKind.TOO_LARGE


class Answer(NamedTuple):
    """A response that counts."""

    body: bytes = b"ok"
    status: int = 200
    kept: bool = True  # its connection takes the next request
    headers: tuple[tuple[str, str], ...] = ()  # among others


class Row(NamedTuple):
    """One response."""

    name: str
    octets: bytes
    expected: Answer | FailureKind
    source: str
    closes: bool = False  # the server closes behind it, else it waits for the next request
    method: str = "GET"
    words: str = ""  # of the failure, in part
    keeps: bool = False  # of a failure: the connection is none the worse for it


KEPT, CLOSED = Answer(), Answer(kept=False)
LINE = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 2\r\n"
OK = b"\r\nok"
CODED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = gzip.compress(b"ok" * 20, mtime=0)


def framed(line):
    """Return a response with a first line of its own."""
    return line + b"\r\n" + LENGTH + OK


def lined(line, body=b"ok"):
    """Return a response with one more header line."""
    return LINE + line + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def sized(line, body=b"ok"):
    """Return a response whose header line tells the length in its way."""
    return LINE + line + b"\r\n\r\n" + body


def chunked(body, codings=b"chunked"):
    """Return a response with a body in chunks."""
    return LINE + b"Transfer-Encoding: " + codings + b"\r\n\r\n" + body


def encoded(encoding, body):
    """Return a response with an encoded body."""
    return lined(b"Content-Encoding: " + encoding, body)


def in_chunks(octets):
    """Return octets as one chunk."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(octets), octets)


STATUS_LINES = [
    Row("plain", framed(b"HTTP/1.1 200 OK"), KEPT, "RFC 9112, 4"),
    Row("no reason", framed(b"HTTP/1.1 200 "), KEPT, "RFC 9112, 4"),
    Row("no reason and no blank", framed(b"HTTP/1.1 200"), KEPT, "as all clients: the blank says nothing"),
    Row("reason in Latin-1", framed(b"HTTP/1.1 200 Sch\xf6n"), KEPT, "RFC 9112, 4: obs-text"),
    Row("reason in UTF-8", framed("HTTP/1.1 200 Schön".encode()), KEPT, "RFC 9112, 4: obs-text"),
    Row("reason with a tab", framed(b"HTTP/1.1 200 O\tK"), KEPT, "RFC 9112, 4"),
    Row("reason with colons", framed(b"HTTP/1.1 200 X: y"), KEPT, "RFC 9112, 4"),
    Row("reason with a NUL", framed(b"HTTP/1.1 200 O\0K"), PROTOCOL, "RFC 9112, 4"),
    Row("reason with a CR", framed(b"HTTP/1.1 200 O\rK"), PROTOCOL, "RFC 9112, 2.2: bare CR"),
    Row("HTTP/1.0", framed(b"HTTP/1.0 200 OK"), CLOSED, "RFC 9112, 9.3"),
    Row("HTTP/1.0 kept", lined(b"Connection: keep-alive").replace(b"1.1", b"1.0"), KEPT, "RFC 9112, 9.3"),
    Row("HTTP/1.0 to its end", b"HTTP/1.0 200 OK\r\n\r\nok", CLOSED, "RFC 9112, 6.3", closes=True),
    Row("HTTP/1.9", framed(b"HTTP/1.9 200 OK"), KEPT, "RFC 9110, 6.2: as the highest minor version known"),
    Row("status 599", framed(b"HTTP/1.1 599 Odd"), Answer(status=599), "RFC 9110, 15"),
    Row("status 600", framed(b"HTTP/1.1 600 Odd"), Answer(status=600), "RFC 9110, 15: shown as it came"),
    Row("status 999", framed(b"HTTP/1.1 999 Odd"), Answer(status=999), "RFC 9110, 15: shown as it came"),
    Row("status 099", framed(b"HTTP/1.1 099 Odd"), PROTOCOL, "RFC 9110, 15", words="status 099 is below 100"),
    Row("status 000", framed(b"HTTP/1.1 000 Odd"), PROTOCOL, "RFC 9110, 15", words="status 000 is below 100"),
    Row("status of two digits", framed(b"HTTP/1.1 20 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("status of four digits", framed(b"HTTP/1.1 2000 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("status of letters", framed(b"HTTP/1.1 abc OK"), PROTOCOL, "RFC 9112, 4"),
    Row("status with a letter", framed(b"HTTP/1.1 2x0 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("negative status", framed(b"HTTP/1.1 -200 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("no status", framed(b"HTTP/1.1"), PROTOCOL, "RFC 9112, 4"),
    Row("no status but a reason", framed(b"HTTP/1.1 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("reason glued to the status", framed(b"HTTP/1.1 200OK"), PROTOCOL, "RFC 9112, 4"),
    Row("two blanks", framed(b"HTTP/1.1  200 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("tabs for blanks", framed(b"HTTP/1.1\t200\tOK"), PROTOCOL, "RFC 9112, 4"),
    Row("status glued to the version", framed(b"HTTP/1.1200 OK"), PROTOCOL, "RFC 9112, 2.3"),
    Row("version in lower case", framed(b"http/1.1 200 OK"), PROTOCOL, "RFC 9112, 2.3: case-sensitive"),
    Row("HTTP/2.0", framed(b"HTTP/2.0 200 OK"), PROTOCOL, "RFC 9110, 2.5"),
    Row("HTTP/2", framed(b"HTTP/2 200"), PROTOCOL, "RFC 9112, 2.3"),
    Row("HTTP/3", framed(b"HTTP/3 200"), PROTOCOL, "RFC 9112, 2.3"),
    Row("HTTP/0.9 by name", framed(b"HTTP/0.9 200 OK"), PROTOCOL, "RFC 9110, 2.5"),
    Row("HTTP/1", framed(b"HTTP/1 200 OK"), PROTOCOL, "RFC 9112, 2.3"),
    Row("HTTP/1.10", framed(b"HTTP/1.10 200 OK"), PROTOCOL, "RFC 9112, 2.3: one digit"),
    Row("HTTP/11.1", framed(b"HTTP/11.1 200 OK"), PROTOCOL, "RFC 9112, 2.3: one digit"),
    Row("HTTP/1.x", framed(b"HTTP/1.x 200 OK"), PROTOCOL, "RFC 9112, 2.3"),
    Row("HTTP/0.9", b"<html>hello</html>\n", PROTOCOL, "RFC 9112, 2.3: no status line", closes=True),
    Row("Shoutcast", framed(b"ICY 200 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("RTSP", framed(b"RTSP/1.0 200 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("SSH", b"SSH-2.0-OpenSSH_9.6\r\n", PROTOCOL, "RFC 9112, 4: told before the server closes"),
    Row("SMTP", b"220 mail.example.org ESMTP\r\n", PROTOCOL, "RFC 9112, 4: told before the server closes"),
    Row("TLS alert", b"\x15\x03\x01\x00\x02\x02\x16", PROTOCOL, "RFC 9112, 4"),
    Row("HTTP/2 settings", b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64", PROTOCOL, "RFC 9112, 4"),
    Row("garbage", b"\x00\x01\x02 what is this\r\n\r\n", PROTOCOL, "RFC 9112, 4"),
    Row("empty line first", b"\r\n" + framed(b"HTTP/1.1 200 OK"), PROTOCOL, "RFC 9112, 2.2: servers alone skip it"),
    Row("blank first", b" " + framed(b"HTTP/1.1 200 OK"), PROTOCOL, "RFC 9112, 4"),
    Row("byte order mark first", b"\xef\xbb\xbf" + framed(b"HTTP/1.1 200 OK"), PROTOCOL, "RFC 9112, 4"),
]  # fmt: skip

HEADER_LINES = [
    Row("no header", LINE + OK, CLOSED, "RFC 9112, 6.3", closes=True),
    Row("empty value", lined(b"X:"), KEPT._replace(headers=(("X", ""),)), "RFC 9110, 5.5"),
    Row("no blank behind the colon", lined(b"X:y"), KEPT._replace(headers=(("X", "y"),)), "RFC 9112, 5"),
    Row("blanks around a value", lined(b"X: \t y \t "), KEPT._replace(headers=(("X", "y"),)), "RFC 9112, 5"),
    Row("blanks inside a value", lined(b"X: y  \tz"), KEPT._replace(headers=(("X", "y  \tz"),)), "RFC 9110, 5.5"),
    Row("colons in a value", lined(b"X: a:b: c"), KEPT._replace(headers=(("X", "a:b: c"),)), "RFC 9112, 5"),
    Row("value in Latin-1", lined(b"X: \xfc"), KEPT._replace(headers=(("X", "\xfc"),)), "RFC 9110, 5.5: octets kept"),
    Row("value in UTF-8", lined("X: café".encode()), KEPT._replace(headers=(("X", "caf\xc3\xa9"),)), "RFC 9110, 5.5: octets kept"),
    Row("value ending in octet A0", lined("X: voilà".encode()), KEPT._replace(headers=(("X", "voil\xc3\xa0"),)), "RFC 9112, 5: only SP and HTAB are blanks"),
    Row("value ending in octet 85", lined("X: …".encode()[:-1] + b"\x85"), KEPT._replace(headers=(("X", "\xe2\x80\x85"),)), "RFC 9112, 5: only SP and HTAB are blanks"),
    Row("control in a value", lined(b"X: a\x01b"), KEPT._replace(headers=(("X", "a\x01b"),)), "RFC 9110, 5.5: may be kept"),
    Row("DEL in a value", lined(b"X: a\x7fb"), KEPT._replace(headers=(("X", "a\x7fb"),)), "RFC 9110, 5.5: may be kept"),
    Row("form feed in a value", lined(b"X: a\x0cb"), KEPT._replace(headers=(("X", "a\x0cb"),)), "RFC 9110, 5.5: may be kept"),
    Row("lines in order", lined(b"B: 1\r\na: 2\r\nB: 3"), KEPT._replace(headers=(("B", "1"), ("a", "2"), ("B", "3"))), "RFC 9110, 5.3"),
    Row("every character of names", lined(b"!#$%&'*+-.^_`|~09AZaz: y"), KEPT._replace(headers=(("!#$%&'*+-.^_`|~09AZaz", "y"),)), "RFC 9110, 5.6.2"),
    Row("LF alone", lined(b"X: y").replace(b"\r", b""), KEPT._replace(headers=(("X", "y"),)), "RFC 9112, 2.2"),
    Row("LF alone in the first line", framed(b"HTTP/1.1 200 OK").replace(b"\r", b"", 1), KEPT, "RFC 9112, 2.2"),
    Row("LF alone in one line", LINE + b"X: y\n" + LENGTH + OK, KEPT._replace(headers=(("X", "y"),)), "RFC 9112, 2.2"),
    Row("LF alone for the empty line", LINE + LENGTH + b"\nok", KEPT, "RFC 9112, 2.2"),
    Row("CRLF for the empty line alone", LINE + LENGTH[:-2] + b"\n\r\nok", KEPT, "RFC 9112, 2.2"),
    Row("folded", lined(b"X: one\r\n two"), KEPT._replace(headers=(("X", "one two"),)), "RFC 9112, 5.2"),
    Row("folded with a tab", lined(b"X: one\r\n\ttwo"), KEPT._replace(headers=(("X", "one two"),)), "RFC 9112, 5.2"),
    Row("folded twice", lined(b"X: one \r\n  two\r\n \tthree"), KEPT._replace(headers=(("X", "one two three"),)), "RFC 9112, 5.2"),
    Row("folded before its value", lined(b"X:\r\n one"), KEPT._replace(headers=(("X", "one"),)), "RFC 9112, 5.2"),
    Row("folded to nothing", lined(b"X: one\r\n \t"), KEPT._replace(headers=(("X", "one"),)), "RFC 9112, 5.2"),
    Row("folded with LF alone", lined(b"X: one\n two"), KEPT._replace(headers=(("X", "one two"),)), "RFC 9112, 5.2"),
    Row("folded length", sized(b"Content-Length:\r\n 2"), KEPT, "RFC 9112, 5.2"),
    Row("folded line that looks like a header", lined(b"X: one\r\n Content-Length: 9"), KEPT._replace(headers=(("X", "one Content-Length: 9"),)), "RFC 9112, 5.2"),
    Row("first line folded", LINE + b" X: y\r\n" + LENGTH + OK, PROTOCOL, "RFC 9112, 2.2"),
    Row("no colon", lined(b"nonsense"), PROTOCOL, "RFC 9112, 5", words="'nonsense' has no colon"),
    Row("no name", lined(b": y"), PROTOCOL, "RFC 9112, 5"),
    Row("blank before the colon", lined(b"X : y"), PROTOCOL, "RFC 9112, 5.1", words="'X ' is not the name of a header"),
    Row("tab before the colon", lined(b"X\t: y"), PROTOCOL, "RFC 9112, 5.1"),
    Row("blank before the colon of the length", sized(b"Content-Length : 2"), PROTOCOL, "RFC 9112, 5.1"),
    Row("blank in a name", lined(b"X Y: z"), PROTOCOL, "RFC 9110, 5.1"),
    Row("brackets in a name", lined(b"X[1]: y"), PROTOCOL, "RFC 9110, 5.1"),
    Row("quotes in a name", lined(b'"X": y'), PROTOCOL, "RFC 9110, 5.1"),
    Row("Latin-1 in a name", lined(b"\xfc: y"), PROTOCOL, "RFC 9110, 5.1"),
    Row("control in a name", lined(b"X\x01: y"), PROTOCOL, "RFC 9110, 5.1"),
    Row("NUL in a name", lined(b"X\0: y"), PROTOCOL, "RFC 9110, 5.1"),
    Row("NUL in a value", lined(b"X: a\0b"), PROTOCOL, "RFC 9110, 5.5", words="CR or NUL"),
    Row("NUL for a value", lined(b"X: \0"), PROTOCOL, "RFC 9110, 5.5"),
    Row("CR in a value", lined(b"X: a\rb"), PROTOCOL, "RFC 9112, 2.2: bare CR", words="CR or NUL"),
    Row("CR for a line end", LINE + b"X: y\r" + LENGTH + OK, PROTOCOL, "RFC 9112, 2.2: bare CR"),
    Row("CR before CRLF", LINE + b"X: y\r\r\n" + LENGTH + OK, PROTOCOL, "RFC 9112, 2.2: bare CR"),
    Row("CR for all line ends", LINE.replace(b"\r\n", b"\r") + b"Content-Length: 2\r\rok", RESET, "RFC 9112, 2.2: no head ends so", closes=True),
    Row("CR for the empty line", LINE + b"Content-Length: 2\r\n\r\r\nok", RESET, "RFC 9112, 2.2: no head ends so", closes=True),
    Row("large value", lined(b"X: " + b"x" * 9_900), KEPT, "9,953 of the 10,000 bytes allowed"),
    Row("many lines", lined(b"\r\n".join([b"X: y"] * 1_000)), KEPT, "6,045 of the 10,000 bytes allowed"),
    Row("value beyond the limit", lined(b"X: " + b"x" * 10_000), TOO_LARGE, "limit of our own on heads"),
    Row("lines beyond the limit", lined(b"\r\n".join([b"X: y"] * 2_000)), TOO_LARGE, "limit of our own on heads"),
    Row("endless value", LINE + b"X: " + b"x" * 20_000, TOO_LARGE, "limit of our own on heads: told before its end"),
    Row("endless reason", b"HTTP/1.1 200 " + b"x" * 20_000, TOO_LARGE, "limit of our own on heads: told before its end"),
]  # fmt: skip

CONTENT_LENGTHS = [
    Row("empty", sized(b"Content-Length: 0", b""), Answer(b""), "RFC 9112, 6.3"),
    Row("name in capitals", sized(b"CONTENT-LENGTH: 2"), KEPT, "RFC 9110, 5.1"),
    Row("leading zeros", sized(b"Content-Length: 0002"), KEPT, "RFC 9110, 8.6: 1*DIGIT"),
    Row("many leading zeros", sized(b"Content-Length: " + b"0" * 500 + b"2"), KEPT, "RFC 9110, 8.6: 1*DIGIT"),
    Row("tabs around a length", sized(b"Content-Length:\t2\t"), KEPT, "RFC 9112, 5"),
    Row("same length twice", sized(b"Content-Length: 2\r\nContent-Length: 2"), KEPT, "RFC 9110, 8.6"),
    Row("same length in a list", sized(b"Content-Length: 2, 2"), KEPT, "RFC 9110, 8.6"),
    Row("same length thrice", sized(b"Content-Length: 2,2\r\ncontent-length: 2"), KEPT, "RFC 9110, 8.6"),
    Row("different lengths", sized(b"Content-Length: 2\r\nContent-Length: 3", b"ok!"), PROTOCOL, "RFC 9112, 6.3"),
    Row("different lengths, larger first", sized(b"Content-Length: 3\r\nContent-Length: 2"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("different lengths in a list", sized(b"Content-Length: 2, 3"), PROTOCOL, "RFC 9112, 6.3"),
    Row("length and nonsense", sized(b"Content-Length: 2\r\nContent-Length: x"), PROTOCOL, "RFC 9112, 6.3"),
    Row("length and nothing", sized(b"Content-Length: 2\r\nContent-Length:"), PROTOCOL, "RFC 9112, 6.3"),
    Row("length with a comma", sized(b"Content-Length: 2,"), PROTOCOL, "RFC 9112, 6.3"),
    Row("no length", sized(b"Content-Length:"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("negative length", sized(b"Content-Length: -2"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length with a sign", sized(b"Content-Length: +2"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length in hex", sized(b"Content-Length: 0x2"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length with a point", sized(b"Content-Length: 2.0"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length with an underscore", sized(b"Content-Length: 0_2"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length in quotes", sized(b'Content-Length: "2"'), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length with a blank", sized(b"Content-Length: 2 0"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length with a unit", sized(b"Content-Length: 2 bytes"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length in words", sized(b"Content-Length: two"), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length in other digits", sized("Content-Length: ٢".encode()), PROTOCOL, "RFC 9112, 6.3", closes=True),
    Row("length of 30 digits", sized(b"Content-Length: 1" + b"0" * 29), PROTOCOL, "RFC 9110, 8.6: may overflow", closes=True),
    Row("length of 5,000 digits", sized(b"Content-Length: " + b"9" * 5_000), PROTOCOL, "RFC 9110, 8.6: may overflow", closes=True),
    Row("short body", sized(b"Content-Length: 100", b"abc"), RESET, "RFC 9112, 8", closes=True, words="ended after 3 of 100 bytes"),
    Row("no body", sized(b"Content-Length: 1000", b""), RESET, "RFC 9112, 8", closes=True, words="ended after 0 of 1,000 bytes"),
    Row("short body, last", sized(b"Connection: close\r\nContent-Length: 9", b"short"), RESET, "RFC 9112, 8", closes=True, words="ended after 5 of 9 bytes"),
    Row("short body, HTTP/1.0", sized(b"Content-Length: 9", b"short").replace(b"1.1", b"1.0"), RESET, "RFC 9112, 8", closes=True),
    Row("to its end", LINE + b"X: y\r\n\r\nok", CLOSED, "RFC 9112, 6.3", closes=True),
    Row("to its end although kept", LINE + b"Connection: keep-alive\r\n\r\nok", CLOSED, "RFC 9112, 6.3", closes=True),
    Row("nothing to its end", LINE + b"X: y\r\n\r\n", Answer(b"", kept=False), "RFC 9112, 6.3", closes=True),
    Row("body at the limit", sized(b"Content-Length: 10000", bytes(10_000)), Answer(bytes(10_000)), "limit of our own on bodies"),
    Row("body beyond the limit", sized(b"Content-Length: 10001", bytes(10_001)), TOO_LARGE, "limit of our own on bodies"),
    Row("endless body", LINE + b"X: y\r\n\r\n" + bytes(20_000), TOO_LARGE, "limit of our own on bodies: told before its end"),
]  # fmt: skip

CHUNKS = [
    Row("chunks", chunked(b"2\r\nok\r\n0\r\n\r\n"), KEPT, "RFC 9112, 7.1"),
    Row("several chunks", chunked(b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"), KEPT, "RFC 9112, 7.1"),
    Row("no chunk but the last", chunked(b"0\r\n\r\n"), Answer(b""), "RFC 9112, 7.1"),
    Row("last chunk of many zeros", chunked(b"2\r\nok\r\n0000\r\n\r\n"), KEPT, "RFC 9112, 7.1"),
    Row("size in capitals", chunked(b"A\r\n0123456789\r\n0\r\n\r\n"), Answer(b"0123456789"), "RFC 9112, 7.1"),
    Row("size with zeros", chunked(b"0002\r\nok\r\n0\r\n\r\n"), KEPT, "RFC 9112, 7.1"),
    Row("chunk of line ends", chunked(b"4\r\n\r\n\r\n\r\n0\r\n\r\n"), Answer(b"\r\n\r\n"), "RFC 9112, 7.1"),
    Row("chunk that looks like the last", chunked(b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"), Answer(b"0\r\n\r\n"), "RFC 9112, 7.1"),
    Row("coding in capitals", chunked(b"2\r\nok\r\n0\r\n\r\n", b"CHUNKED"), KEPT, "RFC 9112, 7"),
    Row("coding with blanks", chunked(b"2\r\nok\r\n0\r\n\r\n", b" chunked\t"), KEPT, "RFC 9112, 5"),
    Row("extension", chunked(b"2;x=y\r\nok\r\n0;z\r\n\r\n"), KEPT, "RFC 9112, 7.1.1"),
    Row("extension behind a size in hex", chunked(b"1A;x\r\n" + b"o" * 26 + b"\r\n0\r\n\r\n"), Answer(b"o" * 26), "RFC 9112, 7.1.1"),
    Row("extension in quotes", chunked(b'2;x="a;b"\r\nok\r\n0\r\n\r\n'), KEPT, "RFC 9112, 7.1.1"),
    Row("extension between blanks", chunked(b"2 ; x = y\r\nok\r\n0\r\n\r\n"), KEPT, "RFC 9112, 7.1.1: BWS"),
    Row("extension without a name", chunked(b"2;\r\nok\r\n0\r\n\r\n"), KEPT, "as curl: it says nothing"),
    Row("blanks behind a size", chunked(b"2 \t \r\nok\r\n0  \r\n\r\n"), KEPT, "as curl: old servers pad sizes"),
    Row("trailers", chunked(b"2\r\nok\r\n0\r\nA: b\r\nC: d\r\n\r\n"), KEPT, "RFC 9112, 7.1.2"),
    Row("trailers that look like framing", chunked(b"2\r\nok\r\n0\r\nContent-Length: 9\r\n\r\n"), KEPT, "RFC 9112, 7.1.2"),
    Row("folded trailer", chunked(b"2\r\nok\r\n0\r\nA: b\r\n c\r\n\r\n"), KEPT, "RFC 9112, 5.2"),
    Row("trailers with LF alone", chunked(b"2\r\nok\r\n0\r\nA: b\n\n"), KEPT, "RFC 9112, 2.2"),
    Row("LF alone behind the last chunk", chunked(b"2\r\nok\r\n0\r\n\n"), KEPT, "RFC 9112, 2.2"),
    Row("head with LF alone", CODED.replace(b"\r", b"") + b"2\r\nok\r\n0\r\n\r\n", KEPT, "RFC 9112, 2.2"),
    Row("gzip, chunked", chunked(in_chunks(GZIP), b"gzip, chunked"), Answer(b"ok" * 20), "RFC 9112, 7.2"),
    Row("x-gzip, chunked", chunked(in_chunks(GZIP), b"x-gzip,chunked"), Answer(b"ok" * 20), "RFC 9112, 7.2"),
    Row("deflate, chunked", chunked(in_chunks(zlib.compress(b"ok")), b"deflate, chunked"), KEPT, "RFC 9112, 7.2"),
    Row("codings in two lines", chunked(in_chunks(GZIP), b"gzip\r\nTransfer-Encoding: chunked"), Answer(b"ok" * 20), "RFC 9112, 7"),
    Row("codings with an empty one", chunked(b"2\r\nok\r\n0\r\n\r\n", b", chunked,"), KEPT, "RFC 9110, 5.6.1.2"),
    Row("gzip to its end", chunked(GZIP, b"gzip"), Answer(b"ok" * 20, kept=False), "RFC 9112, 6.3", closes=True),
    Row("gzip as both codings", LINE + b"Content-Encoding: gzip\r\nTransfer-Encoding: gzip, chunked\r\n\r\n" + in_chunks(gzip.compress(GZIP)), Answer(b"ok" * 20), "RFC 9112, 7"),
    Row("gzip, chunked, cut off", chunked(in_chunks(GZIP[:-4]), b"gzip, chunked"), PROTOCOL, "RFC 9112, 8", words="cut off", keeps=True),
    Row("coding foo", chunked(b"ok", b"foo"), PROTOCOL, "RFC 9112, 7", closes=True, words="Transfer-Encoding is 'foo'"),
    Row("foo, chunked", chunked(in_chunks(b"ok"), b"foo, chunked"), PROTOCOL, "RFC 9112, 7"),
    Row("identity", chunked(b"ok", b"identity"), PROTOCOL, "RFC 9112, 7: none such any more", closes=True),
    Row("compress, chunked", chunked(in_chunks(b"ok"), b"compress, chunked"), PROTOCOL, "not asked for, and cannot be undone"),
    Row("br, chunked", chunked(in_chunks(b"ok"), b"br, chunked"), PROTOCOL, "RFC 9112, 7: no transfer coding"),
    Row("chunked, gzip", chunked(b"2\r\nok\r\n0\r\n\r\n", b"chunked, gzip"), PROTOCOL, "RFC 9112, 6.1", closes=True),
    Row("chunked twice", chunked(in_chunks(in_chunks(b"ok")), b"chunked, chunked"), PROTOCOL, "RFC 9112, 6.1"),
    Row("chunked in two lines", chunked(in_chunks(b"ok"), b"chunked\r\nTransfer-Encoding: chunked"), PROTOCOL, "RFC 9112, 6.1"),
    Row("chunked with a parameter", chunked(in_chunks(b"ok"), b"chunked;q=1"), PROTOCOL, "RFC 9112, 7.1"),
    Row("no coding", chunked(b"ok", b""), PROTOCOL, "RFC 9112, 6.3: no framing can be told", closes=True),
    Row("chunkedx", chunked(in_chunks(b"ok"), b"chunkedx"), PROTOCOL, "RFC 9112, 7", closes=True),
    Row("chunked behind a vertical tab", chunked(in_chunks(b"ok"), b"\x0bchunked"), PROTOCOL, "RFC 9112, 5: no blank", closes=True),
    Row("chunks and a length", LINE + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", PROTOCOL, "RFC 9112, 6.3: ought to be an error"),
    Row("a length behind chunks", LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 12\r\n\r\n2\r\nok\r\n0\r\n\r\n", PROTOCOL, "RFC 9112, 6.3: ought to be an error"),
    Row("chunks in HTTP/1.0", chunked(b"2\r\nok\r\n0\r\n\r\n").replace(b"1.1", b"1.0"), CLOSED, "RFC 9112, 6.1: closed behind it"),
    Row("no last chunk", chunked(b"2\r\nok\r\n"), RESET, "RFC 9112, 8", closes=True, words="ended after 2 bytes, before its last chunk"),
    Row("no end of the last chunk", chunked(b"2\r\nok\r\n0\r\n"), RESET, "RFC 9112, 8", closes=True),
    Row("no end of the trailers", chunked(b"2\r\nok\r\n0\r\nA: b\r\n"), RESET, "RFC 9112, 8", closes=True),
    Row("short chunk", chunked(b"9\r\nhalf"), RESET, "RFC 9112, 8", closes=True, words="ended after 4 bytes"),
    Row("no chunk at all", chunked(b""), RESET, "RFC 9112, 8", closes=True, words="ended after 0 bytes"),
    Row("chunk of endless size", chunked(b"ffffffffffffffff\r\nok"), RESET, "RFC 9112, 8", closes=True),
    Row("size of 30 digits", chunked(b"0" * 29 + b"2\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1: may overflow"),
    Row("chunk longer than its size", chunked(b"2\r\nokay\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1", words="a chunk is longer than its size"),
    Row("no end of a chunk's content", chunked(b"2\r\nok0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1"),
    Row("LF alone behind a size", chunked(b"2\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1: no line of a head"),
    Row("LF alone behind content", chunked(b"2\r\nok\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1: no line of a head"),
    Row("CR alone behind a size", chunked(b"2\rok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1", closes=True),
    Row("no size", chunked(b"\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1"),
    Row("size in words", chunked(b"two\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1", words="the size of a chunk is broken at 't'"),
    Row("negative size", chunked(b"-2\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1"),
    Row("size with a sign", chunked(b"+2\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1"),
    Row("size with 0x", chunked(b"0x2\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1", closes=True),
    Row("size with an underscore", chunked(b"0_2\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1", closes=True),
    Row("size with words behind", chunked(b"2 ok\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1"),
    Row("blank before a size", chunked(b" 2\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1"),
    Row("CR in an extension", chunked(b"2;x\ry\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 2.2: bare CR"),
    Row("LF in an extension", chunked(b"2;x\ny\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1.1"),
    Row("NUL in an extension", chunked(b"2;x\0y\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1.1"),
    Row("trailer without a colon", chunked(b"2\r\nok\r\n0\r\nnonsense\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1.2"),
    Row("trailer with a CR", chunked(b"2\r\nok\r\n0\r\nA: b\rc\r\n\r\n"), PROTOCOL, "RFC 9112, 2.2: bare CR"),
    Row("large extension", chunked(b"2;" + b"x" * 11_000 + b"\r\nok\r\n0\r\n\r\n"), TOO_LARGE, "RFC 9112, 7.1.1: must be limited"),
    Row("large extension without a size", chunked(b";" + b"x" * 11_000 + b"\r\nok\r\n0\r\n\r\n"), PROTOCOL, "RFC 9112, 7.1: broken from its first byte on"),
    Row("endless extension", chunked(b"2;" + b"x" * 20_000), TOO_LARGE, "RFC 9112, 7.1.1: must be limited"),
    Row("many extensions", chunked(b"1;xxxxxxxxx\r\no\r\n" * 1_100 + b"0\r\n\r\n"), TOO_LARGE, "RFC 9112, 7.1.1: must be limited"),
    Row("large trailers", chunked(b"2\r\nok\r\n0\r\n" + b"A: b\r\n" * 2_000 + b"\r\n"), TOO_LARGE, "limit of our own on heads"),
    Row("endless trailers", chunked(b"2\r\nok\r\n0\r\nA: " + b"b" * 20_000), TOO_LARGE, "limit of our own on heads"),
    Row("chunks beyond the limit", chunked(b"64\r\n" + b"x" * 100 + b"\r\n") + (b"64\r\n" + b"x" * 100 + b"\r\n") * 100, TOO_LARGE, "limit of our own on bodies"),
]  # fmt: skip

WITHOUT_BODIES = [
    Row("HEAD", sized(b"Content-Length: 5000", b""), Answer(b""), "RFC 9112, 6.3", method="HEAD"),
    Row("HEAD without a length", LINE + b"X: y\r\n\r\n", Answer(b""), "RFC 9112, 6.3", method="HEAD"),
    Row("HEAD in chunks", CODED, Answer(b""), "RFC 9112, 6.3", method="HEAD"),
    Row("HEAD with gzip", sized(b"Content-Encoding: gzip\r\nContent-Length: 9", b""), Answer(b""), "RFC 9112, 6.3", method="HEAD"),
    Row("HEAD and a body", sized(b"Content-Length: 2"), Answer(b"", kept=False), "RFC 9112, 6.3", method="HEAD"),
    Row("HEAD and chunks", chunked(b"2\r\nok\r\n0\r\n\r\n"), Answer(b"", kept=False), "RFC 9112, 6.3", method="HEAD"),
    Row("HEAD, last", sized(b"Connection: close", b""), Answer(b"", kept=False), "RFC 9112, 9.6", method="HEAD"),
    Row("HEAD with different lengths", sized(b"Content-Length: 1\r\nContent-Length: 2", b""), PROTOCOL, "RFC 9110, 8.6", method="HEAD"),
    Row("HEAD cut off", LINE + b"X: y\r\n", RESET, "RFC 9112, 8", method="HEAD", closes=True),
    Row("204", b"HTTP/1.1 204 No Content\r\n\r\n", Answer(b"", 204), "RFC 9112, 6.3"),
    Row("204 with length 0", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", Answer(b"", 204), "RFC 9112, 6.3"),
    Row("204 with a length", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Answer(b"", 204), "RFC 9112, 6.3"),
    Row("204 and a body", b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", Answer(b"", 204, kept=False), "RFC 9112, 6.3"),
    Row("204 in chunks", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", Answer(b"", 204), "RFC 9112, 6.3"),
    Row("204 and chunks", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Answer(b"", 204, kept=False), "RFC 9112, 6.3"),
    Row("205 and a body", framed(b"HTTP/1.1 205 Reset Content"), Answer(status=205), "RFC 9112, 6.3: framed as any other"),
    Row("304", b"HTTP/1.1 304 Not Modified\r\n\r\n", Answer(b"", 304), "RFC 9112, 6.3"),
    Row("304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Answer(b"", 304), "RFC 9112, 6.3"),
    Row("304 and a body", framed(b"HTTP/1.1 304 Not Modified"), Answer(b"", 304, kept=False), "RFC 9112, 6.3"),
    Row("304 with gzip", b"HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n", Answer(b"", 304), "RFC 9112, 6.3"),
]  # fmt: skip

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
INTERIMS = [
    Row("100", CONTINUE + lined(b"X: y"), KEPT, "RFC 9110, 15.2"),
    Row("102", b"HTTP/1.1 102 Processing\r\n\r\n" + lined(b"X: y"), KEPT, "RFC 9110, 15.2"),
    Row("103 with headers", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + lined(b"X: y"), KEPT, "RFC 8297"),
    Row("199", b"HTTP/1.1 199 Odd\r\n\r\n" + lined(b"X: y"), KEPT, "RFC 9110, 15.2"),
    Row("several interim responses", CONTINUE * 5 + lined(b"X: y"), KEPT, "RFC 9110, 15.2"),
    Row("100 with LF alone", CONTINUE.replace(b"\r", b"") + lined(b"X: y"), KEPT, "RFC 9112, 2.2"),
    Row("100 with length 0", b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n" + lined(b"X: y"), KEPT, "RFC 9112, 6.3"),
    Row("100 with a length", b"HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n" + lined(b"X: y"), KEPT, "RFC 9112, 6.3"),
    Row("100 and close", b"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n" + lined(b"X: y"), KEPT, "RFC 9110, 7.6.1: of the final response"),
    Row("100 before 204", CONTINUE + b"HTTP/1.1 204 No Content\r\n\r\n", Answer(b"", 204), "RFC 9110, 15.2"),
    Row("100 before chunks", CONTINUE + chunked(b"2\r\nok\r\n0\r\n\r\n"), KEPT, "RFC 9110, 15.2"),
    Row("100 before HEAD's", CONTINUE + LINE + b"Content-Length: 9\r\n\r\n", Answer(b""), "RFC 9110, 15.2", method="HEAD"),
    Row("100 and no more", CONTINUE, RESET, "RFC 9112, 8", closes=True),
    Row("100 and half a head", CONTINUE + LINE, RESET, "RFC 9112, 8", closes=True),
    Row("100 and garbage", CONTINUE + b"garbage\r\n\r\n", PROTOCOL, "RFC 9112, 4"),
    Row("101 that nobody asked for", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", PROTOCOL, "RFC 9110, 7.8", closes=True, words="without being asked"),
    Row("100 without end", CONTINUE * 1_000, TOO_LARGE, "limit of our own on heads: interim ones included"),
]  # fmt: skip

CONNECTIONS = [
    Row("close", lined(b"Connection: close"), CLOSED, "RFC 9112, 9.6"),
    Row("Close", lined(b"CONNECTION: Close"), CLOSED, "RFC 9110, 7.6.1"),
    Row("close in a list", lined(b"Connection: keep-alive, close"), CLOSED, "RFC 9112, 9.6"),
    Row("close in a second line", lined(b"Connection: x\r\nConnection: close"), CLOSED, "RFC 9112, 9.6"),
    Row("close, chunks", LINE + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", CLOSED, "RFC 9112, 9.6"),
    Row("keep-alive", lined(b"Connection: keep-alive\r\nKeep-Alive: timeout=5"), KEPT, "RFC 9112, 9.3"),
    Row("option that is like close", lined(b"Connection: closed"), KEPT, "RFC 9110, 7.6.1"),
    Row("upgrade offered", lined(b"Connection: upgrade\r\nUpgrade: h2c"), KEPT, "RFC 9110, 7.8"),
    Row("HTTP/1.0 and close", lined(b"Connection: close").replace(b"1.1", b"1.0"), CLOSED, "RFC 9112, 9.3"),
    Row("HTTP/1.0 kept and close", lined(b"Connection: keep-alive, close").replace(b"1.1", b"1.0"), CLOSED, "RFC 9112, 9.3"),
    Row("HTTP/1.0 kept in capitals", lined(b"Connection: Keep-Alive").replace(b"1.1", b"1.0"), KEPT, "RFC 9110, 7.6.1"),
]  # fmt: skip

SURPLUS_IS = "RFC 9112, 6.3: never the answer to another request"
SURPLUS = [
    Row("another response", lined(b"X: y") + lined(b"X: z", b"bad"), CLOSED, SURPLUS_IS),
    Row("another head", lined(b"X: y") + LINE, CLOSED, SURPLUS_IS),
    Row("garbage behind", lined(b"X: y") + b"garbage", CLOSED, SURPLUS_IS),
    Row("one byte behind", lined(b"X: y") + b"!", CLOSED, SURPLUS_IS),
    Row("NUL behind", lined(b"X: y") + b"\0", CLOSED, SURPLUS_IS),
    Row("empty line behind", lined(b"X: y") + b"\r\n", CLOSED, SURPLUS_IS),
    Row("100 behind", lined(b"X: y") + CONTINUE, CLOSED, SURPLUS_IS),
    Row("behind an empty body", sized(b"Content-Length: 0", lined(b"X: y")), Answer(b"", kept=False), SURPLUS_IS),
    Row("behind chunks", chunked(b"2\r\nok\r\n0\r\n\r\n") + lined(b"X: z", b"bad"), CLOSED, SURPLUS_IS),
    Row("behind trailers", chunked(b"2\r\nok\r\n0\r\nA: b\r\n\r\n") + b"!", CLOSED, SURPLUS_IS),
    Row("behind 204", b"HTTP/1.1 204 No Content\r\n\r\n" + lined(b"X: z", b"bad"), Answer(b"", 204, kept=False), SURPLUS_IS),
    Row("behind 304", b"HTTP/1.1 304 Not Modified\r\n\r\n" + lined(b"X: z", b"bad"), Answer(b"", 304, kept=False), SURPLUS_IS),
    Row("behind HEAD's", LINE + b"\r\n" + lined(b"X: z", b"bad"), Answer(b"", kept=False), SURPLUS_IS, method="HEAD"),
    Row("behind the last response", lined(b"Connection: close") + b"garbage", CLOSED, SURPLUS_IS),
]  # fmt: skip

LOSSES = [
    Row("nothing", b"", RESET, "RFC 9112, 8", closes=True, words="without a response"),
    Row("one byte", b"H", RESET, "RFC 9112, 8", closes=True, words="before the response was complete"),
    Row("half a first line", b"HTTP/1.1 20", RESET, "RFC 9112, 8", closes=True),
    Row("a first line", LINE, RESET, "RFC 9112, 8", closes=True),
    Row("half a head", LINE + b"Content-", RESET, "RFC 9112, 8", closes=True),
    Row("a head without its empty line", LINE + LENGTH, RESET, "RFC 9112, 8", closes=True),
    Row("a head with half its empty line", LINE + LENGTH + b"\r", RESET, "RFC 9112, 8", closes=True),
]  # fmt: skip

CONTENT = [
    Row("gzip", encoded(b"gzip", GZIP), Answer(b"ok" * 20), "RFC 9110, 8.4.1"),
    Row("x-gzip", encoded(b"x-gzip", GZIP), Answer(b"ok" * 20), "RFC 9110, 8.4.1.3"),
    Row("GZIP", encoded(b"GZIP", GZIP), Answer(b"ok" * 20), "RFC 9110, 8.4.1"),
    Row("gzip in two members", encoded(b"gzip", GZIP + GZIP), Answer(b"ok" * 40), "RFC 1952, 2.2"),
    Row("gzip of nothing", encoded(b"gzip", gzip.compress(b"", mtime=0)), Answer(b""), "RFC 9110, 8.4.1"),
    Row("gzip and no body", encoded(b"gzip", b""), Answer(b""), "as curl: there is nothing to undo"),
    Row("gzip twice", encoded(b"gzip, gzip", gzip.compress(GZIP, mtime=0)), Answer(b"ok" * 20), "RFC 9110, 8.4"),
    Row("deflate", encoded(b"deflate", zlib.compress(b"ok")), KEPT, "RFC 9110, 8.4.1.2"),
    Row("deflate without its envelope", encoded(b"deflate", zlib.compress(b"ok")[2:-4]), KEPT, "RFC 9110, 8.4.1.2: a note on servers"),
    Row("identity encoding", encoded(b"identity", b"ok"), KEPT, "RFC 9110, 12.5.3"),
    Row("encoding that is not known", encoded(b"sdch", b"ok"), KEPT, "left as it is, with its header"),
    Row("gzip cut off", encoded(b"gzip", GZIP[:-3]), PROTOCOL, "RFC 9112, 8", words="cut off", keeps=True),
    Row("gzip of the first bytes alone", encoded(b"gzip", GZIP[:5]), PROTOCOL, "RFC 9112, 8", words="cut off", keeps=True),
    Row("gzip with a wrong sum", encoded(b"gzip", GZIP[:-8] + b"1234" + GZIP[-4:]), PROTOCOL, "RFC 1952, 2.3.1", words="damaged", keeps=True),
    Row("gzip that is none", encoded(b"gzip", b"not gzip at all"), PROTOCOL, "RFC 9110, 8.4.1", words="damaged", keeps=True),
    Row("gzip bomb", encoded(b"gzip", gzip.compress(bytes(1_000_000), mtime=0)), TOO_LARGE, "limit of our own on bodies", keeps=True),
]  # fmt: skip

ROWS = [
    *STATUS_LINES,
    *HEADER_LINES,
    *CONTENT_LENGTHS,
    *CHUNKS,
    *WITHOUT_BODIES,
    *INTERIMS,
    *CONNECTIONS,
    *SURPLUS,
    *LOSSES,
    *CONTENT,
]

_BY_REASON_WITH_CURL = {
    "laxer: takes CR for a character": ["reason with a CR", "CR in a value", "CR before CRLF", "CR for the empty line"],
    "stricter: knows HTTP/1.0 and HTTP/1.1 alone": ["HTTP/1.9"],
    "laxer: looks for three digits behind a version": ["reason glued to the status", "two blanks", "version in lower case"],
    "laxer: takes HTTP/2 for a version that one can write": ["HTTP/2.0", "HTTP/2"],
    "stricter: reads lengths before it unfolds them": ["folded length"],
    "laxer: does not look at names": [
        "no name", "blank before the colon", "tab before the colon", "blank in a name", "brackets in a name",
        "quotes in a name", "Latin-1 in a name", "control in a name",
    ],
    "laxer: takes the last length": [
        "different lengths", "different lengths, larger first", "different lengths in a list", "HEAD with different lengths",
    ],
    "laxer: takes the number that a length begins with": [
        "length with a comma", "length with a sign", "length in hex", "length with a point", "length with an underscore",
        "length with a blank", "length with a unit",
    ],
    "laxer: reads to the end where a length overflows": ["length of 30 digits", "length of 5,000 digits"],
    "laxer: does not miss the end of compressed content": [
        "gzip, chunked, cut off", "gzip cut off", "gzip of the first bytes alone",
    ],
    "laxer: knows other codings, and empty ones": ["identity", "br, chunked", "no coding"],
    "laxer: takes chunked twice for once": ["chunked twice", "chunked in two lines"],
    "laxer: lets Transfer-Encoding stand before Content-Length": ["chunks and a length", "a length behind chunks"],
    "laxer: takes LF alone between chunks": ["LF alone behind a size", "LF alone behind content"],
    "laxer: does not look behind sizes": ["size with words behind", "CR in an extension", "NUL in an extension"],
    "laxer: takes a head without its end": ["HEAD cut off", "100 and half a head", "a first line", "half a head"],
    "stricter: knows one member of gzip": ["gzip in two members"],
    "stricter: refuses what it cannot undo, when asked to undo": ["encoding that is not known"],
}  # fmt: skip

#: Rows by name, and why their outcome is another one.
WITH_CURL = {name: reason for reason, names in _BY_REASON_WITH_CURL.items() for name in names}
