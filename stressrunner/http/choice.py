"""Which transport serves a target: the fast one, unless it cannot."""

import ssl

from stressrunner.http.exchange import TransportFactory
from stressrunner.http.h1 import H1Transports

__all__ = ["transports_for"]


def transports_for(
    base_url: str, *, http2: bool = False, proxy: str | None = None, tls: ssl.SSLContext | None = None
) -> TransportFactory:
    """Return what sends requests to a base URL: HTTP/2 and proxies are httpx's business, all else is h1's.

    `tls` is built by `client_context`; without it, servers are verified as it does by default.

    Raises:
        ValueError: a URL is not an http or https URL.
    """
    if http2 or proxy is not None:
        # Most runs do without httpx, whose import takes longer than all the rest of theirs.
        from stressrunner.http.httpx_transport import HttpxTransports  # noqa: PLC0415  said above

        return HttpxTransports(base_url, tls=tls, http2=http2, proxy=proxy)
    return H1Transports(base_url, tls=tls)
