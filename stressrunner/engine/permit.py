"""Whether an iteration may begin further requests: until `graceful_stop` is over, or for good.

A permit that was taken back does not cut off a request in flight: the iteration ends where it would begin the next
request, or wait for the moment to do so.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

__all__ = ["Permit"]


class Permit:
    """Of one user: its iteration asks before each request, and says when it waits."""

    __slots__ = ("_in_flight", "_waiting", "is_over", "scope")

    def __init__(self) -> None:
        self.scope = anyio.CancelScope()  #: of the iteration, or of all of a user's; who runs them enters it
        self.is_over = False  #: no further request may begin
        self._in_flight = 0
        self._waiting = 0  # branches that wait for something else than a response

    def take_back(self) -> None:
        """Let no further request begin; an iteration without one in flight ends now."""
        self.is_over = True
        self._end()

    async def begin(self) -> None:
        """Begin a request; `end` has to follow. After the permit was taken back this never returns: it is cancelled."""
        if self.is_over:
            with self.waiting():
                await anyio.sleep_forever()
        self._in_flight += 1

    def end(self) -> None:
        """End a request, which was answered or cut off."""
        self._in_flight -= 1
        self._end()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for a moment while this is entered."""
        self._waiting += 1
        self._end()
        try:
            yield
        finally:
            self._waiting -= 1

    def _end(self) -> None:
        # An iteration that neither sends nor waits is on its way to one or the other, or to its own end.
        if self.is_over and self._waiting and not self._in_flight:
            self.scope.cancel()
