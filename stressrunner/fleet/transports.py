"""What sends the requests of a generator."""

import ssl

from stressrunner.http.choice import transports_for
from stressrunner.http.exchange import TransportFactory
from stressrunner.http.guard import Guarded
from stressrunner.http.hosts import Hosts
from stressrunner.http.origin import origin_of
from stressrunner.http.pool import SharedPool
from stressrunner.http.tls import client_context
from stressrunner.plan.plan import Plan

__all__ = ["tls_of", "transports_to"]


def transports_to(base_url: str, plan: Plan) -> TransportFactory:
    """Return what sends a plan's requests: a transport per user, or this generator's share of a pool."""
    target = plan.target
    factory = transports_for(base_url, http2=target.http == "2", proxy=target.proxy, tls=tls_of(plan))
    if plan.connections is not None:
        factory = SharedPool(factory, plan.part.share(plan.connections))
    if any(endpoint.request.may_leave for endpoint in plan.endpoints):
        return Guarded(factory, Hosts(origin_of(base_url).host, target.allow_hosts))
    return factory


def tls_of(plan: Plan) -> ssl.SSLContext:
    """Return the TLS settings of a plan's target.

    Raises:
        OSError: a file of the target's can no longer be read.
        ssl.SSLError: a file no longer has a usable certificate or key.
    """
    tls = plan.target.tls
    return client_context(verify=tls.verify, ca_file=tls.ca, certificate=tls.certificate, key=tls.key)
