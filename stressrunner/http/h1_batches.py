"""Batches of an event loop: responses that have come are read, then judged, then what follows upon them is written.

Each of the three is done for all connections before the next, and both gain by it. What reads, what judges and what
writes are far apart in the machine's memory, and by turns each would find its own pushed out of the processor's caches.
And a server that is faster than we are sleeps after every request: to wake it up costs the sender more than the write
itself. Responses are read sooner, too, and their times are truer for that. What is begun at any other time than upon
a response is written at once.
"""

import asyncio
from typing import Protocol

__all__ = ["Answered", "Batches"]


class Answered(Protocol):
    """A connection whose request has ended with a response."""

    def conclude(self) -> None:
        """Hand over what came of the request, unless that was done meanwhile."""

    def write_request(self) -> None:
        """Write the request that was put off, unless it has ended."""


class Batches:
    """What is done when the event loop comes round."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._answered: list[Answered] = []
        self._writing: list[Answered] = []
        self.is_judging = False  #: whether what is begun now follows upon a response, and is to be put off

    def answered(self, connection: Answered) -> None:
        """Let a connection conclude its request soon."""
        if not self._answered:
            self._loop.call_soon(self._come)
        self._answered.append(connection)

    def put_off(self, connection: Answered) -> None:
        """Let a request be written when all responses are judged; only while that is done."""
        self._writing.append(connection)

    def _come(self) -> None:
        left, self._answered = iter(self._answered), []
        self.is_judging = True
        try:
            for connection in left:
                connection.conclude()
        finally:  # what is raised is a bug of ours, for the event loop's handler; all others still have their turn
            self.is_judging = False
            for connection in left:
                self.answered(connection)
            writing, self._writing = self._writing, []
            for connection in writing:
                connection.write_request()
