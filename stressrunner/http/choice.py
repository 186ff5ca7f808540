"""Which transport serves a target: the fast one, unless it cannot."""

import ssl

from stressrunner.http.exchange import TransportFactory
from stressrunner.http.h1 import H1Transports

__all__ = ["transports_for"]


def transports_for(
    base_url: str, *, http2: bool = False, proxy: str | None = None, tls: ssl.SSLContext | None = None
) -> TransportFactory:
    """Return what sends requests to a base URL: HTTP/2 is h2's business, proxies are httpx's, all else is h1's.

    `tls` is built by `client_context`, with the same `http2`; without it, servers are verified as it does by default.

    Raises:
        ValueError: a URL is not an http or https URL.
    """
    if http2:
        # Its package is an extra one, and most runs do without.
        from stressrunner.http.h2_transport import H2Transports  # noqa: PLC0415  said above
        from stressrunner.http.proxy import proxy_of  # noqa: PLC0415  as above

        return H2Transports(base_url, tls=tls, proxy=None if proxy is None else proxy_of(proxy))
    if proxy is not None:
        # Most runs do without httpx, whose import takes longer than all the rest of theirs.
        from stressrunner.http.httpx_transport import HttpxTransports  # noqa: PLC0415  said above

        return HttpxTransports(base_url, tls=tls, proxy=proxy)
    return H1Transports(base_url, tls=tls)
