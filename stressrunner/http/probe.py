"""One connection before the load, to say at once that nothing listens, or nothing that speaks HTTP/2."""

import contextlib
import ssl

import anyio
from anyio.abc import ByteStream

from stressrunner.http.exchange import Failure
from stressrunner.http.failures import connect_failure, connect_timeout
from stressrunner.http.origin import Origin, origin_of
from stressrunner.http.tls import client_context

__all__ = ["probe", "probe_http2"]


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


async def probe_http2(
    base_url: str, timeout_s: float, *, tls: ssl.SSLContext | None = None, proxy: str | None = None
) -> Failure | None:
    """Open and close one connection, through a proxy if there is one; return what kept HTTP/2 from being spoken on it.

    `tls` is built by `client_context` with `http2=True`. It runs under asyncio only.

    Raises:
        ValueError: a URL is not an http or https URL.
    """
    # The package that speaks HTTP/2 is an extra one.
    from stressrunner.http.h2_transport import H2Transports  # noqa: PLC0415  said above
    from stressrunner.http.proxy import proxy_of  # noqa: PLC0415  as above

    transports = H2Transports(base_url, tls=tls, proxy=None if proxy is None else proxy_of(proxy))
    return await transports.greet(timeout_s)
