"""Reading an HTTP/1.1 response from bytes as they come, without a socket: llhttp's events made into a response."""

from typing import Final

import httptools

from stressrunner.http.content import body_too_large
from stressrunner.http.exchange import Failure, FailureKind, Headers
from stressrunner.http.failures import CLOSED_EARLY, CLOSED_SILENT
from stressrunner.http.h1_heads import KnownHead, KnownHeads
from stressrunner.http.wire import Limits, head_size, head_too_large

__all__ = ["ResponseReader"]

_STATUS_LINE: Final = len("HTTP/1.1 200 OK")


class ResponseReader:
    """Reads the responses of one connection, one after the other.

    `expect` begins a response, `feed` and `finish` (the end of the connection) bring it on, until `complete` is
    True or `failure` says why there is none. What comes after a complete response makes the connection useless.
    """

    __slots__ = (
        "_body",
        "_body_size",
        "_decoded",
        "_decoded_from",
        "_encoding",
        "_fruitless",
        "_has_head",
        "_headers",
        "_heads",
        "_is_interim",
        "_limits",
        "_method",
        "_parser",
        "bytes_received",
        "complete",
        "failure",
        "known",
        "reusable",
        "status",
    )

    def __init__(self, limits: Limits, heads: KnownHeads | None = None) -> None:
        """`heads` are those of the origin's earlier responses, from whatever connection."""
        self._limits = limits
        self._heads = KnownHeads() if heads is None else heads
        self._parser: httptools.HttpResponseParser | None = None
        self._decoded_from: list[tuple[bytes, bytes]] = []
        self._decoded: Headers = ()
        self._encoding = ""
        self.known: KnownHead | None = None  #: the head, where it is one that was read before
        self.reusable = True  #: whether the connection can take another request after this response
        self.expect("GET")

    def expect(self, method: str) -> None:
        """Begin the response to a request with this method."""
        self._method = method
        self._body: list[bytes] = []
        self.status = 0
        self.bytes_received = 0
        self.complete = False
        if self.known is not None:  # the response before was not parsed, so the rest is as it was
            self.known = None
            return
        self._headers: list[tuple[bytes, bytes]] = []
        self._body_size = 0
        self._fruitless = 0  # bytes that came with nothing of the body: head, trailers
        self._has_head = False
        self._is_interim = False
        self.failure: Failure | None = None

    def release(self) -> None:
        """Let go of the parser, whose callbacks make a cycle with the reader."""
        self._parser = None

    @property
    def headers(self) -> Headers:
        """Header lines of the final response, without those of interim responses and trailers.

        Servers say mostly the same again, for which the tuple of the response before is used again.
        """
        if self.known is not None:
            return self.known.headers
        if self._headers != self._decoded_from:
            self._decoded_from = self._headers
            self._decoded = tuple(
                [(n.decode("latin-1"), v.decode("latin-1").rstrip()) for n, v in self._headers]
            )
            self._encoding = b",".join(self._values(b"content-encoding")).decode("latin-1")
        return self._decoded

    @property
    def content_encoding(self) -> str:
        """The encodings that were applied to the body, in order, as in the header; "" for none."""
        if self.known is not None:
            return self.known.content_encoding
        return self._encoding if self.headers else ""

    @property
    def body(self) -> bytes:
        """The body as it was sent, its content encoding included."""
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    def feed(self, received: bytes) -> None:
        """Read on; after a complete response, anything more makes the connection useless."""
        if self.bytes_received:
            self._parse(received)
            return
        known = None if self._method == "HEAD" else self._heads.recall(received)
        if known is not None:
            self.known = known
            self.status = known.status
            self.bytes_received = known.length
            self._body = [received[known.head_bytes :]]
            self.complete = self.reusable = True
        elif received[0] != 0x48:  # llhttp also takes RTSP and ICE
            self._reject("it does not begin with HTTP/")
        else:
            self._parse(received)
            if self.complete and self.reusable and self._method != "HEAD":
                read = KnownHead(self.status, self.headers, self.content_encoding, 0, 0)
                self._heads.learn(received, self._body_size, read)

    def _parse(self, received: bytes) -> None:
        self.bytes_received += len(received)
        body_size = self._body_size
        if self._parser is None:  # made late: whose responses are all known needs none
            self._parser = httptools.HttpResponseParser(self)
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserUpgrade:
            self.reusable = False
        except httptools.HttpParserError as error:
            self.reusable = False
            if not self.complete and self.failure is None:
                self._reject(str(error))
        if not self.complete and self._body_size == body_size:
            self._bound_head(len(received))

    def finish(self) -> None:
        """Take the end of the connection: the end of some bodies, too early for everything else."""
        self.reusable = False
        if self.complete or self.failure is not None:
            return
        if self._has_head and self._ends_with_connection:
            self.complete = True
        else:
            self.failure = CLOSED_EARLY if self.bytes_received else CLOSED_SILENT

    def on_message_begin(self) -> None:
        """Take the beginning of a response: the first, or the one after an interim response."""
        if self.complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header line, or a trailer, which is not kept."""
        if not self._has_head:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the end of a head: decide whether it is the final one and what body it announces."""
        if self.complete or self._parser is None:
            return
        version = self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._reject(f"it is HTTP/{version}")
        status = self._parser.get_status_code()
        self._is_interim = 100 <= status < 200 and status != 101
        if self._is_interim:
            return
        self._has_head = True
        self.status = status
        # Only what came in many bytes is worth the count of its head.
        limit = self._limits.head_bytes
        if self.bytes_received > limit and head_size(_STATUS_LINE, self._headers) > limit:
            self._fail(head_too_large(limit))
        if self._method == "HEAD":
            self._end_without_body(version)

    def on_body(self, part: bytes) -> None:
        """Take a part of the body, its framing undone."""
        if self.complete:  # a body after the head of a response to HEAD
            self.reusable = False
            return
        self._body_size += len(part)
        if self._body_size > self._limits.body_bytes:
            self._fail(body_too_large(self._limits.body_bytes))
        else:
            self._body.append(part)

    def on_message_complete(self) -> None:
        """Take the end of a response, or of an interim one, after which the final one comes."""
        if self._is_interim:
            self._headers = []
        elif not self.complete and self.failure is None and self._parser is not None:
            self.complete = True
            self.reusable = self._parser.should_keep_alive() and self.status != 101

    def _bound_head(self, more: int) -> None:
        """Limit what llhttp gathers while it waits for the end of a head or of trailers."""
        self._fruitless += more
        if self._fruitless > self._limits.head_bytes:
            self._fail(head_too_large(self._limits.head_bytes))

    def _end_without_body(self, version: str) -> None:
        """End a response to HEAD, whose head announces a body that does not come.

        llhttp would wait for that body, so the next response gets a parser of its own.
        """
        self._parser = None
        self.complete = True
        said = self._values(b"connection")
        self.reusable = b"close" not in said if version == "1.1" else b"keep-alive" in said

    @property
    def _ends_with_connection(self) -> bool:
        """Whether the body has no other end than that of the connection (RFC 9112, 6.3)."""
        codings = self._values(b"transfer-encoding")
        return codings[-1] != b"chunked" if codings else not self._values(b"content-length")

    def _values(self, name: bytes) -> list[bytes]:
        """Return the members of a header's list, in lower case."""
        values = (value for other, value in self._headers if other.lower() == name)
        return [member.strip() for value in values for member in value.lower().split(b",")]

    def _reject(self, words: str) -> None:
        self._fail(Failure(FailureKind.PROTOCOL, f"the response is not HTTP/1.1: {words}"))

    def _fail(self, failure: Failure) -> None:
        self.reusable = False
        if self.failure is None:
            self.failure = failure
