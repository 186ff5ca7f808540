"""What went wrong on the network, in the terms of an exchange."""

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterable, Iterator

from stressrunner.http.exchange import Failure, FailureKind, Request
from stressrunner.http.origin import Origin

__all__ = [
    "CLOSED_EARLY",
    "CLOSED_SILENT",
    "CLOSED_WITHOUT_TLS",
    "ExchangeFailed",
    "closed_within",
    "connect_failure",
    "connect_timeout",
    "lost_connection",
    "response_timeout",
    "unasked_switch",
    "unsendable",
]

#: Errors that name a resource of this machine. EADDRNOTAVAIL is apart: it also means "no IPv6 here".
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

CLOSED_SILENT = Failure(FailureKind.RESET, "the server closed the connection without a response")
CLOSED_EARLY = Failure(FailureKind.RESET, "the server closed the connection before the response was complete")
CLOSED_WITHOUT_TLS = Failure(
    FailureKind.RESET,
    "the connection ended without the end that TLS announces, so the response may be cut off",
)


def closed_within(received: int, announced: int | None) -> Failure:
    """Return the failure of a body that ended with its connection, after `received` bytes; without `announced` in chunks."""
    of_all = f"of {announced:,} bytes" if announced is not None else "bytes, before its last chunk"
    return Failure(FailureKind.RESET, f"the response ended after {received:,} {of_all}")


class ExchangeFailed(Exception):
    """Carries a failure from where it was noticed to where the exchange is made; it never leaves the room."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.message)


def connect_failure(error: BaseException, origin: Origin) -> Failure:
    """Name what kept a connection to `origin` from being opened, TLS included.

    Libraries wrap the errors of several addresses in groups and causes, so all of them are looked at: a
    resource that this machine lacks comes first, then what says most about the target.
    """
    found = list(_chain(error))
    numbers = _numbers(found)
    if exhausted := numbers & _EXHAUSTED:
        return _generator_fault(exhausted.pop())
    for e in found:
        if isinstance(e, ssl.SSLError):
            return Failure(FailureKind.TLS, f"TLS with {origin.address} failed ({_tls_reason(e)})")
        if isinstance(e, socket.gaierror):
            return Failure(FailureKind.DNS, f"the name {origin.host!r} has no address ({e.strerror})")
    if origin.socket and errno.ENOENT in numbers:
        return Failure(FailureKind.REFUSED, f"nothing listens at {origin.address} (there is no such socket)")
    if errno.ECONNREFUSED in numbers:
        return Failure(FailureKind.REFUSED, f"nothing listens at {origin.address} (connection refused)")
    if errno.EADDRNOTAVAIL in numbers:
        return _generator_fault(errno.EADDRNOTAVAIL)
    reason = os.strerror(min(numbers)) if numbers else "it was closed while it was being opened"
    return Failure(FailureKind.CONNECT, f"no connection to {origin.address} ({reason})")


def connect_timeout(origin: Origin, timeout_s: float) -> Failure:
    """Return the failure of a connection that was not open in time."""
    return Failure(FailureKind.TIMEOUT, f"no connection to {origin.address} within {timeout_s:g} s")


def response_timeout(timeout_s: float) -> Failure:
    """Return the failure of an exchange that was not complete in time."""
    return Failure(FailureKind.TIMEOUT, f"no complete response within {timeout_s:g} s")


def lost_connection(error: BaseException) -> Failure:
    """Name the loss of an open connection; what broke TLS says so by an alert, or in OpenSSL's words."""
    found = list(_chain(error))
    for e in found:
        if isinstance(e, ssl.SSLError):
            return Failure(FailureKind.TLS, f"the connection was lost: TLS failed ({_tls_reason(e)})")
    numbers = _numbers(found)
    reason = os.strerror(min(numbers)) if numbers else "closed by the server"
    return Failure(FailureKind.RESET, f"the connection was lost ({reason})")


def unasked_switch(request: Request) -> Failure | None:
    """Return the failure of a request that a server answered with 101, unless it asked for that (RFC 9110, 7.8)."""
    if any(name.lower() == "upgrade" for name, _ in request.headers):
        return None
    return Failure(FailureKind.PROTOCOL, "the server switched to another protocol (101) without being asked")


def unsendable(reason: str) -> Failure:
    """Return the failure of a request that cannot be put into HTTP; no byte of it was sent."""
    return Failure(FailureKind.PROTOCOL, f"the request cannot be sent: {reason}")


#: Errors with numbers of their own, which mean nothing in the table of the system's.
_OTHER_NUMBERS = (socket.gaierror, ssl.SSLError)


def _numbers(errors: Iterable[BaseException]) -> set[int]:
    system = (e for e in errors if isinstance(e, OSError) and not isinstance(e, _OTHER_NUMBERS))
    return {e.errno for e in system if e.errno}


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with all its members and causes."""
    pending, seen = [error], set[int]()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            pending.extend(current.exceptions)
        pending.extend(e for e in (current.__cause__, current.__context__) if e is not None)


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    # OpenSSL's errors have a reason, such as WRONG_VERSION_NUMBER; Python's own have only their text.
    reason: str = getattr(error, "reason", None) or str(error)
    # An alert that the server sent has in front of it which version of TLS introduced it.
    return re.sub(r"^(ssl|tls)v\d+ alert", "alert of the server:", reason.replace("_", " ").lower())


def _generator_fault(number: int) -> Failure:
    what = "free local port" if number == errno.EADDRNOTAVAIL else "resource left for a connection"
    return Failure(FailureKind.GENERATOR, f"this machine has no {what} ({os.strerror(number)})")
