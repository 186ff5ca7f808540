"""What goes over the wire and what comes back: requests, exchanges, and the seam between engine and transport.

The times of an exchange are monotonic nanoseconds:

    A acquired    a connection (or the right to open one) was given to the request
    S sent        first byte of the request written
    F first byte  first byte of the response received
    E completed   response complete, or the exchange given up
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

__all__ = [
    "NEVER_FINISHED",
    "NOT_REACHED",
    "DirectTransport",
    "DirectTransports",
    "Done",
    "Exchange",
    "Failure",
    "FailureKind",
    "Headers",
    "Request",
    "Transport",
    "TransportFactory",
]

#: Header lines in order, as they were sent or received.
Headers = tuple[tuple[str, str], ...]


class FailureKind(StrEnum):
    """Why an exchange has no complete response."""

    DNS = "dns"  #: the host has no address
    CONNECT = "connect"  #: no connection, for a reason that none of the others names
    REFUSED = "refused"  #: nothing listens at the port
    TLS = "tls"  #: the handshake failed, or the certificate is not trusted
    TIMEOUT = "timeout"  #: not finished in time
    RESET = "reset"  #: the connection was lost after the request began
    PROTOCOL = "protocol"  #: what came back is not HTTP
    TOO_LARGE = "too_large"  #: the response exceeds the limit on its head or body
    REDIRECTS = "redirects"  #: too many redirects, or one that leads nowhere
    NOT_ALLOWED = "not_allowed"  #: it would have gone to a host that the scenario does not list
    GENERATOR = "generator"  #: this machine ran out of descriptors or ports: never the target's fault


#: Failures by which an exchange never finished: they rank last in latencies. The rest failed at a known time.
NEVER_FINISHED = frozenset({FailureKind.TIMEOUT, FailureKind.RESET})

#: Failures in which the target was not reached at all.
NOT_REACHED = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.REFUSED, FailureKind.TLS})


class Failure(NamedTuple):
    """An exchange without a complete response."""

    kind: FailureKind
    message: str  #: one sentence, without addresses that change from request to request


class Request(NamedTuple):
    """One HTTP request, ready to be sent."""

    method: str  #: upper case
    target: str  #: path and query, percent-encoded; or a whole URL for another origin than the transport's
    headers: Headers = ()  #: without Host and Content-Length, which the transport adds
    body: bytes = b""
    timeout_s: float = 30.0  #: from `acquired` to `completed`
    connect_timeout_s: float = 30.0
    needs_body: bool = True  #: somebody reads the response's body, so its content encoding is to be undone
    follow_redirects: bool = False  #: by whoever keeps the conversation; a transport sends one request
    is_standing: bool = (
        False  #: this very object is sent again and again, so what goes over the wire may be kept
    )


class Exchange(NamedTuple):
    """One request with all that came back for it, and when.

    What is measured of it comes in the order of `Sample`, which takes it over in one piece.
    """

    request: Request
    acquired_ns: int
    sent_ns: int | None  #: None when no byte was written
    first_byte_ns: int | None
    completed_ns: int
    connect_ns: int | None = None  #: time spent on opening a connection, TLS included, when one was opened
    status: int = 0  #: 0 without a response
    bytes_sent: int = 0
    bytes_received: int = 0
    headers: Headers = ()
    body: bytes = b""  #: with the content encoding undone, unless `content_encoding` says which it still has
    failure: Failure | None = None
    resent: bool = False  #: sent a second time, because a kept connection was lost at once (`resends`)
    redirects: int = 0  #: requests beyond the first that redirects asked for; `request` is the last of them
    content_encoding: str = ""  #: of `body`, when nobody needed it undone


class Transport(Protocol):
    """Sends one request at a time or many at once, over connections of its own."""

    async def exchange(self, request: Request) -> Exchange:
        """Send a request and return all that came of it.

        What goes wrong on the network is returned as `failure`, never raised; only cancellation passes through.
        """


#: Called with all that came of a request, from the event loop.
Done: TypeAlias = Callable[[Exchange], None]


class DirectTransport(Transport, Protocol):
    """A transport that can also call back: no future, no task, and no coroutines to be resumed for a request."""

    def begin(self, request: Request, done: Done) -> None:
        """Send a request; `done` is called once with all that came of it, after this has returned.

        It is not called when the transport is left before that.
        """


class TransportFactory(Protocol):
    """Opens transports to one origin."""

    #: For the report: which transport served the run.
    name: str

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport that closes its connections when it is left."""


@runtime_checkable
class DirectTransports(TransportFactory, Protocol):
    """Opens transports that call back, and closes them, without a context for each of them."""

    def enter(self) -> DirectTransport:
        """Return a transport that is open."""

    async def leave(self, transports: Sequence[DirectTransport]) -> None:
        """Close transports that were entered; when cancelled, without waiting until their connections are gone."""
