"""When a request is sent again by itself: the kept connection that it was given was lost at once.

Servers close connections that idle, and the end of one may cross the next request on its way. That is nobody's fault, so
the request is sent again over a new connection, whatever its method, and counted as `resent`. A server that has had the
request for longer has begun with it: that it then closes without a word is an answer of its kind, and is an error.
"""

from stressrunner.http.exchange import Failure, FailureKind

__all__ = ["AT_ONCE_NS", "is_sent_again"]

#: How long after the request's first byte a connection may be lost to be lost at once: what crosses on the way arrives
#: by then, and what a worker dies of takes longer.
AT_ONCE_NS = 5_000_000


def is_sent_again(
    failure: Failure | None, *, is_kept: bool, bytes_received: int, sent_ns: int | None, lost_ns: int
) -> bool:
    """Whether a request that ended with `failure` is sent again, over a new connection and once.

    `is_kept` says whether the connection had served a request before; `bytes_received` counts what came for this one, an
    interim response included. `sent_ns` is when its first byte was written, None when none was, and `lost_ns` when the
    loss was noticed, both on one clock in nanoseconds.
    """
    if failure is None or failure.kind is not FailureKind.RESET or not is_kept or bytes_received:
        return False
    return sent_ns is None or lost_ns - sent_ns <= AT_ONCE_NS
