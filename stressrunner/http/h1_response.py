"""Reading an HTTP/1.1 response from bytes as they come, without a socket."""

from typing import Final

from stressrunner.http.chunks import Chunks
from stressrunner.http.content import body_too_large
from stressrunner.http.exchange import Failure, FailureKind, Headers
from stressrunner.http.failures import (
    CLOSED_EARLY,
    CLOSED_SILENT,
    CLOSED_WITHOUT_TLS,
    ExchangeFailed,
    closed_within,
)
from stressrunner.http.h1_heads import KnownHead, KnownHeads
from stressrunner.http.response_head import (
    CHUNKED,
    UNTIL_CLOSE,
    NotHttp,
    ResponseHead,
    read_head,
    read_status_line,
)
from stressrunner.http.wire import ResponseLimits, head_too_large

__all__ = ["ResponseReader"]

_PROTOCOL: Final = b"HTTP/1."
_END: Final = b"\r\n\r\n"


#: What is being read.
_HEAD: Final = 0
_BODY: Final = 1  # of a known length
_CHUNKS: Final = 2
_REST: Final = 3  # a body that ends with the connection


class ResponseReader:
    """Reads the responses of one connection, one after the other.

    `expect` begins a response, `feed` and `finish` (the end of the connection) bring it on, until `complete` is
    True or `failure` says why there is none. What comes after a complete response makes the connection useless. What
    comes of bytes does not depend on how they are cut (test_any_bytes_mean_the_same_however_they_are_cut).
    """

    __slots__ = (
        "_body",
        "_body_size",
        "_chunks",
        "_head",
        "_head_size",
        "_heads",
        "_limits",
        "_method",
        "_part",
        "_pending",
        "bytes_received",
        "complete",
        "failure",
        "known",
        "reusable",
        "status",
    )

    def __init__(self, limits: ResponseLimits, heads: KnownHeads | None = None) -> None:
        """`heads` are those of the origin's earlier responses, from whatever connection."""
        self._limits = limits
        self._heads = KnownHeads() if heads is None else heads
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
        self._part = _HEAD
        self._head: ResponseHead | None = None
        self._head_size = 0  # of interim responses, then of all heads
        self._pending = b""
        self._body_size = 0
        self._chunks: Chunks | None = None
        self.failure: Failure | None = None

    @property
    def headers(self) -> Headers:
        """Header lines of the final response, without those of interim responses and trailers."""
        head = self.known or self._head
        return () if head is None else head.headers

    @property
    def content_encoding(self) -> str:
        """The encodings that were applied to the body, in order, as in the header; "" for none."""
        if self.known is not None:
            return self.known.content_encoding
        return "" if self._head is None else self._head.encoding

    @property
    def body(self) -> bytes:
        """The body as it was sent, its content encoding included."""
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    def feed(self, received: bytes) -> None:
        """Read on; after a complete response, anything more makes the connection useless."""
        if self.bytes_received:
            if self.complete or self.failure is not None:
                self.reusable = False
                return
            self._read(received)
            return
        known = None if self._method == "HEAD" else self._heads.recall(received)
        if known is not None:
            self.known = known
            self.status = known.status
            self.bytes_received = known.length
            self._body = [received[known.head_bytes :]]
            self.complete = self.reusable = True
            return
        self._read(received)
        if self.complete and self.reusable and self._part == _BODY and self._head is not None:
            read = KnownHead(self.status, self._head.headers, self._head.encoding, 0, 0)
            self._heads.learn(received, self._body_size, read)

    def finish(self, *, is_orderly: bool = True) -> None:
        """Take the end of the connection: the end of some bodies, too early for everything else.

        One that is not orderly, as TLS has not announced it, ends no body (RFC 9112, 9.8).
        """
        self.reusable = False
        if self.complete or self.failure is not None:
            return
        if self._part == _REST and is_orderly:
            self.complete = True
        elif self._part == _REST:
            self.failure = CLOSED_WITHOUT_TLS
        elif self._part == _HEAD:
            self.failure = CLOSED_EARLY if self.bytes_received else CLOSED_SILENT
        elif self._chunks is not None:
            self.failure = closed_within(self._chunks.size, None)
        elif self._head is not None:
            self.failure = closed_within(self._body_size, self._head.body_bytes)

    def _read(self, received: bytes) -> None:
        self.bytes_received += len(received)
        try:
            if self._part == _HEAD:
                self._read_heads(self._pending + received if self._pending else received)
            elif self._part == _CHUNKS:
                self._read_chunks(received)
            else:
                self._read_body(received)
        except NotHttp as error:
            self._fail(Failure(FailureKind.PROTOCOL, f"the response is not HTTP/1.1: {error}"))
        except ExchangeFailed as error:
            self._fail(error.failure)

    def _read_heads(self, octets: bytes) -> None:
        """Read the head that `octets` begin with, after those of interim responses, and what is there of the body."""
        while True:
            end = self._end_of_head(octets)
            if end == 0:
                self._pending = octets
                return
            head = read_head(octets[:end], self._method)
            self._head_size += end
            octets = octets[end:]
            if head.status >= 200 or head.status == 101:
                break
        self._pending = b""
        self._begin_body(head, octets)

    def _end_of_head(self, octets: bytes) -> int:
        """Return where a head ends, 0 if that has not come; what can be no head is refused as soon as it shows."""
        room = self._limits.head_bytes - self._head_size
        if not octets.startswith(_PROTOCOL) and not _PROTOCOL.startswith(octets[:room]):
            raise NotHttp("it does not begin with HTTP/1.")
        empty = octets.find(b"\n\r\n")  # an empty line, or one that ends in LF alone
        shorter = octets.find(b"\n\n", 0, empty + 1 if empty >= 0 else len(octets))
        end = shorter + 2 if shorter >= 0 else empty + 3 if empty >= 0 else 0
        if 0 < end <= room:
            return end
        first = octets.find(b"\n", 0, room)
        if first >= 0:
            read_status_line(octets[:first].removesuffix(b"\r"))
        if end or len(octets) > room:
            raise ExchangeFailed(head_too_large(self._limits.head_bytes))
        return 0

    def _begin_body(self, head: ResponseHead, octets: bytes) -> None:
        """Take the final head, and what is there of the body behind it."""
        self._head = head
        self.status = head.status
        self.reusable = head.is_kept
        if head.body_bytes == CHUNKED:
            self._part, self._chunks = _CHUNKS, Chunks(self._limits)
            self._read_chunks(octets)
        else:
            self._part = _REST if head.body_bytes == UNTIL_CLOSE else _BODY
            self._read_body(octets)

    def _read_body(self, octets: bytes) -> None:
        assert self._head is not None  # noqa: S101  # it came first
        if self._part == _BODY:
            left = self._head.body_bytes - self._body_size
            if len(octets) > left:
                self.reusable = False  # what comes behind a response is nobody's answer
                octets = octets[:left]
            self.complete = len(octets) == left
        if octets:
            self._body.append(octets)
            self._body_size += len(octets)
        if self._body_size > self._limits.body_bytes:
            raise ExchangeFailed(body_too_large(self._limits.body_bytes))

    def _read_chunks(self, octets: bytes) -> None:
        chunks = self._chunks
        assert chunks is not None  # noqa: S101  # the head has announced them
        chunks.feed(octets)
        if chunks.ended:
            self._body = chunks.parts
            self.complete = True
            self.reusable &= not chunks.surplus

    def _fail(self, failure: Failure) -> None:
        self.complete = self.reusable = False
        self.failure = failure
