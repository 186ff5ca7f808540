"""Requests that follow upon responses, written together once all responses that are there have been read.

A server that is faster than we are sleeps after every request, and to wake it up costs the sender more than the write
itself. So what users send next waits until the responses that the event loop has found ready are read, which also reads
them sooner, and their times are truer for that. It waits for no more than that, and what is begun at any other time is
written at once.
"""

import asyncio
from typing import Protocol

__all__ = ["Outbox", "Writer"]


class Writer(Protocol):
    """Something that has a request to be written."""

    def write_request(self) -> None:
        """Write it, unless it has ended; called once."""


class Outbox:
    """Requests to be written when the event loop comes round."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Writer] = []
        self.is_open = (
            False  #: whether a response is being taken, so that what follows upon it is put in here
        )

    def put(self, writer: Writer) -> None:
        """Let a request be written soon."""
        if not self._waiting:
            self._loop.call_soon(self._write_all)
        self._waiting.append(writer)

    def _write_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for writer in waiting:
            writer.write_request()
