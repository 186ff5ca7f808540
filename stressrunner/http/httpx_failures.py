"""What httpcore and those below it say of an exchange that went wrong, in the terms of an exchange."""

import ssl
from enum import Enum, auto

import anyio
import httpcore

from stressrunner.http.exchange import Failure, FailureKind, Request
from stressrunner.http.failures import connect_failure, connect_timeout, lost_connection, unsendable
from stressrunner.http.origin import Origin
from stressrunner.http.tunnel import proxy_refuses

__all__ = ["Stage", "failure_of"]

#: The loss of an open connection.
_LOST = (
    httpcore.ReadError,
    httpcore.WriteError,
    OSError,
    EOFError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
)


class Stage(Enum):
    """How far an exchange had come."""

    CONNECTING = auto()
    CONNECTED = auto()  #: to the target, or to the proxy before it
    SENT = auto()  #: at least in part


def failure_of(
    error: Exception, stage: Stage, peers: tuple[Origin, Origin | None], request: Request
) -> Failure:
    """Name an error of httpcore, or of those below it; what none of them should raise is named by its type.

    `peers` are the origin that was asked for, and the proxy that was connected to instead of it.
    """
    origin, proxy = peers
    peer = proxy or origin
    match error:
        case httpcore.ConnectTimeout():
            return connect_timeout(peer, request.connect_timeout_s)
        case httpcore.LocalProtocolError() | httpcore.UnsupportedProtocol():
            return unsendable(str(error))
        case httpcore.ProxyError():
            return proxy_refuses(peer, str(error))
        case httpcore.RemoteProtocolError() if proxy is not None and stage is not Stage.SENT:
            return proxy_refuses(peer, f"what it says is not HTTP: {error}")
        case httpcore.ConnectError() | ssl.SSLError() if stage is not Stage.SENT:
            return _unconnected(error, stage, origin, peer)
        case _ if isinstance(error, _LOST):
            return lost_connection(error) if stage is Stage.SENT else _unconnected(error, stage, origin, peer)
    words = f"{type(error).__name__}: {error}"
    return Failure(FailureKind.PROTOCOL, f"httpx could not end the exchange ({words})")


def _unconnected(error: Exception, stage: Stage, origin: Origin, peer: Origin) -> Failure:
    failure = connect_failure(error, peer)
    # Behind an open connection to a proxy, it is the target's TLS that failed.
    is_tunnelled = failure.kind is FailureKind.TLS and stage is not Stage.CONNECTING
    return connect_failure(error, origin) if is_tunnelled else failure
