"""One request over HTTP/2 with all that comes of it, read without a socket."""

from collections.abc import Callable, Iterable
from typing import Final

from stressrunner.http.content import body_too_large
from stressrunner.http.exchange import Done, Failure, FailureKind, Headers, Request
from stressrunner.http.h1_deadlines import NEVER_NS
from stressrunner.http.h2_heads import Field, Malformed, announced_length, list_size, response_head
from stressrunner.http.wire import ResponseLimits, head_too_large

__all__ = ["Stream", "not_http2"]

_WITHOUT_BODY: Final = (204, 304)


def not_http2(words: str) -> Failure:
    """Return the failure of a response that breaks the protocol."""
    return Failure(FailureKind.PROTOCOL, f"the response is not HTTP/2: {words}")


class Stream:
    """A request on its way: first without a stream, then in one, then with a response or a failure.

    The head and parts of the response are given to `take_head` and `take_data`, until `complete` is True or
    `failure` says why there will be none.
    """

    __slots__ = (
        "_announced",
        "_body_size",
        "_head_size",
        "_limits",
        "_parts",
        "acquired_ns",
        "bytes_received",
        "bytes_sent",
        "complete",
        "completed_ns",
        "connect_ns",
        "deadline_ns",
        "done",
        "expired",
        "failure",
        "fields",
        "first_byte_ns",
        "headers",
        "number",
        "refused",
        "request",
        "resent",
        "sent_ns",
        "status",
        "unsent",
        "window",
    )

    def __init__(
        self, request: Request, fields: list[Field], limits: ResponseLimits, acquired_ns: int
    ) -> None:
        self.request = request
        self.fields = fields  #: the head of the request
        self.acquired_ns = acquired_ns
        self.deadline_ns = acquired_ns + int(request.timeout_s * 1e9)
        self.connect_ns: int | None = None  #: what opening the connection took, for whom it was opened
        self.done: Done | None = None  #: who waits for what comes of it
        self.expired: Callable[[Stream], None] | None = None  #: told when its time is over
        self.resent = False  #: it was sent before, without having been answered
        self._limits = limits
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what came of it, for another connection."""
        self.number = 0  #: of the stream; 0 before it has one
        self.window = 0  #: bytes of the body that the peer takes now
        self.unsent: memoryview | None = memoryview(self.request.body) if self.request.body else None
        self.sent_ns: int | None = None  #: when the first byte was written
        self.first_byte_ns: int | None = None
        self.completed_ns = 0
        self.bytes_sent = 0  #: of the stream's frames
        self.bytes_received = 0
        self.status = 0
        self.headers: Headers = ()
        self.complete = False
        self.failure: Failure | None = None
        self.refused = False  #: the server says that it has not looked at the request
        self._announced: int | None = None
        self._head_size = 0
        self._body_size = 0
        self._parts: list[bytes] = []

    @property
    def body(self) -> bytes:
        """The body as it was sent, its content encoding included."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    @property
    def content_encoding(self) -> str:
        """The encodings that were applied to the body, in order; "" for none."""
        return ",".join(value for name, value in self.headers if name == "content-encoding")

    def expire(self) -> None:
        """Tell that its time is over."""
        self.deadline_ns = NEVER_NS
        if self.expired is not None:
            self.expired(self)

    def take_head(self, fields: Iterable[tuple[bytes, bytes]], *, ends: bool) -> None:
        """Take the head of an interim response, of the response, or trailers, which are not kept."""
        try:
            self._take_head(fields, ends=ends)
        except Malformed as error:
            self.failure = not_http2(str(error))

    def take_data(self, part: bytes, *, ends: bool) -> None:
        """Take a part of the body."""
        if not self.status:
            self.failure = not_http2("a body comes before its head")
            return
        self._body_size += len(part)
        if self._announced is not None and self._body_size > self._announced:
            self.failure = self._longer(self._announced)
        elif self._body_size > self._limits.body_bytes:
            self.failure = body_too_large(self._limits.body_bytes)
        else:
            if part:
                self._parts.append(part)
            if ends:
                self._finish()

    def _take_head(self, fields: Iterable[tuple[bytes, bytes]], *, ends: bool) -> None:
        is_trailer = self.status != 0
        if is_trailer and not ends:
            raise Malformed("a second head does not end it")
        status, headers = response_head(fields, is_trailer=is_trailer)
        self._head_size += list_size(headers)
        if self._head_size > self._limits.head_bytes:
            self.failure = head_too_large(self._limits.head_bytes)
        elif is_trailer:
            self._finish()
        elif status >= 200:
            self.status, self.headers = status, headers
            announced = announced_length(headers)
            is_bare = self.request.method == "HEAD" or status in _WITHOUT_BODY
            self._announced = 0 if is_bare else announced
            if ends:
                self._finish()
        elif ends:
            raise Malformed("it ends with an interim response")

    def _finish(self) -> None:
        if self._announced is not None and self._body_size < self._announced:
            words = f"the response ended after {self._body_size:,} of {self._announced:,} bytes"
            self.failure = Failure(FailureKind.PROTOCOL, words)
        else:
            self.complete = True

    def _longer(self, announced: int) -> Failure:
        if self.request.method == "HEAD" or self.status in _WITHOUT_BODY:
            return not_http2("a body comes where none may be")
        return Failure(
            FailureKind.PROTOCOL, f"the response is longer than the {announced:,} bytes it announces"
        )
