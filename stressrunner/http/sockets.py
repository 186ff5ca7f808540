"""What the system knows of a socket that the event loop has not come round to."""

import os
import select

__all__ = ["IDLE_CHECK_NS", "is_readable"]

#: A connection idle for longer is looked at before it is used again: servers close those that idle, and the
#: event loop may not have come round to it. Less is not worth the microsecond.
IDLE_CHECK_NS = 100_000_000


def is_readable(descriptor: int) -> bool:
    """Whether a socket has something to read, or its end."""
    if os.name == "nt":
        return bool(select.select([descriptor], [], [], 0)[0])
    watch = select.poll()
    watch.register(descriptor, select.POLLIN)
    return bool(watch.poll(0))
