"""What httpx, h11 and h2 say of an exchange that went wrong, in the terms of an exchange."""

from enum import Enum, auto

import httpx

from stressrunner.http.exchange import Failure, FailureKind, Request
from stressrunner.http.failures import (
    CLOSED_EARLY,
    CLOSED_SILENT,
    connect_failure,
    connect_timeout,
    lost_connection,
    unsendable,
)
from stressrunner.http.origin import Origin

__all__ = ["Stage", "failure_of"]


class Stage(Enum):
    """How far an exchange had come."""

    CONNECTING = auto()
    CONNECTED = auto()  #: to the target, or to the proxy before it
    SENT = auto()  #: at least in part


def failure_of(
    error: httpx.HTTPError, stage: Stage, peers: tuple[Origin, Origin | None], request: Request
) -> Failure:
    """Name an error of httpx.

    `peers` are the origin that was asked for, and the proxy that was connected to instead of it.
    """
    origin, proxy = peers
    peer = proxy or origin
    match error:
        case httpx.ConnectTimeout():
            return connect_timeout(peer, request.connect_timeout_s)
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            return unsendable(str(error))
        case httpx.RemoteProtocolError():
            return _broken_response(error)
        case httpx.ProxyError():
            return Failure(FailureKind.CONNECT, f"the proxy at {peer.address} does not connect ({error})")
        case httpx.ConnectError():
            pass
        case _ if stage is Stage.SENT:
            return lost_connection(error)
    failure = connect_failure(error, peer)
    # Behind an open connection to a proxy, it is the target's TLS that failed.
    is_tunnelled = failure.kind is FailureKind.TLS and stage is not Stage.CONNECTING
    return connect_failure(error, origin) if is_tunnelled else failure


def _broken_response(error: httpx.RemoteProtocolError) -> Failure:
    """Tell a connection that ended too soon from one that brought something else than HTTP, by h11's and h2's words."""
    text = str(error)
    if text.startswith("Server disconnected"):
        return CLOSED_SILENT
    if text.startswith("peer closed connection"):
        return CLOSED_EARLY
    if text.startswith(("<ConnectionTerminated", "<StreamReset")):
        return Failure(
            FailureKind.RESET, "the server ended the HTTP/2 stream before the response was complete"
        )
    if text.startswith("Receive buffer too long"):
        return Failure(FailureKind.TOO_LARGE, "the head of the response is too long for httpx")
    return Failure(FailureKind.PROTOCOL, f"the response is not HTTP: {text}")
