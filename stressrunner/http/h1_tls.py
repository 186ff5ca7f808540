"""One HTTP/1.1 connection over TLS, which tells what TLS has to say: alerts, broken records, an end that is none.

asyncio and uvloop drop what came before a record that TLS refuses, when both came together, and do not tell the end that
TLS announces from the one that it does not. So the object that they read from tells both.
"""

import asyncio
import ssl
import time
from typing import Any

from stressrunner.http.failures import lost_connection
from stressrunner.http.h1_connection import Connection

__all__ = ["TellingTls", "TlsConnection", "told_by"]


class TellingTls(ssl.SSLObject):
    """Gives what came before TLS broke, and says only then that it did."""

    broken: ssl.SSLError | None = None  #: why nothing more will come, behind what has come
    has_ended = False  #: the server has announced its end (close_notify)
    holds = False  #: something was read that is not handed over yet

    def read(self, len: int = 1024, buffer: Any = None) -> bytes:  # noqa: A002  # the name of the base
        """Return what came, or why nothing will."""
        if self.broken is not None:
            raise self.broken
        try:
            # Into a buffer, where there is one, and then its length is returned.
            came = super().read(len) if buffer is None else super().read(len, buffer)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            if not self.holds:
                raise
            self.broken = error
            raise ssl.SSLWantReadError from error
        self.holds = bool(came)
        self.has_ended = not came
        return came


def told_by(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return the context, whose connections tell from now on what `TlsConnection` asks for."""
    context.sslobject_class = TellingTls
    return context


class TlsConnection(Connection):
    """Writes a request and reads its response over TLS, in a context that `told_by` has returned."""

    __slots__ = ("_tls",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open connection."""
        super().connection_made(transport)
        self._tls: TellingTls = transport.get_extra_info("ssl_object")

    def data_received(self, data: bytes) -> None:
        """Take what the server sent, and why nothing will follow."""
        super().data_received(data)
        self._tls.holds = False
        error = self._tls.broken
        if error is None:
            return
        self.response.reusable = False
        if self.done is None:
            self.abort()
        elif not self.response.complete:
            self._end(lost_connection(error), time.monotonic_ns())

    def _finish(self) -> None:
        self.response.finish(is_orderly=self._tls.has_ended)
