"""One connection before the load, to say at once that nothing listens."""

import contextlib
import ssl

import anyio
from anyio.abc import ByteStream

from stressrunner.http.exchange import Failure
from stressrunner.http.failures import connect_failure, connect_timeout
from stressrunner.http.origin import Origin, origin_of
from stressrunner.http.tls import client_context

__all__ = ["probe"]


async def probe(base_url: str, timeout_s: float, *, tls: ssl.SSLContext | None = None) -> Failure | None:
    """Open and close one connection, with the TLS handshake for https; return what kept it from opening.

    Raises:
        ValueError: `base_url` is not an http or https URL.
    """
    origin = origin_of(base_url)
    with anyio.move_on_after(timeout_s):
        try:
            stream = await _connect(origin, tls)
        except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
            return connect_failure(error, origin)
        with contextlib.suppress(OSError, anyio.BrokenResourceError):
            await stream.aclose()
        return None
    return connect_timeout(origin, timeout_s)


async def _connect(origin: Origin, tls: ssl.SSLContext | None) -> ByteStream:
    if origin.socket:
        return await anyio.connect_unix(origin.socket)
    if origin.scheme == "http":
        return await anyio.connect_tcp(origin.host, origin.port)
    context = client_context() if tls is None else tls
    return await anyio.connect_tcp(
        origin.host, origin.port, tls=True, ssl_context=context, tls_standard_compatible=False
    )
