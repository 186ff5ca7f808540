"""What sends the requests of a generator."""

import ssl
from urllib.parse import urlsplit

from stressrunner.engine.clock import Clock
from stressrunner.engine.token_keeper import TokenKeeper
from stressrunner.http.choice import transports_for
from stressrunner.http.exchange import TransportFactory
from stressrunner.http.guard import Guarded
from stressrunner.http.hosts import Hosts
from stressrunner.http.origin import origin_of
from stressrunner.http.pool import SharedPool
from stressrunner.http.tls import client_context
from stressrunner.plan.plan import Plan

__all__ = ["keeper_of", "tls_of", "transports_to"]

_LONGEST_TOKEN_REQUEST_S = 10.0  #: generators are given up when they are not ready in thrice that time


def transports_to(base_url: str, plan: Plan) -> TransportFactory:
    """Return what sends a plan's requests: a transport per user, or this generator's share of a pool."""
    factory = _transports(base_url, plan)
    if plan.connections is not None:
        factory = SharedPool(factory, plan.part.share(plan.connections))
    if _may_leave(plan):
        return _guarded(factory, base_url, plan)
    return factory


def keeper_of(base_url: str, plan: Plan, clock: Clock) -> TokenKeeper | None:
    """Return who keeps a plan's access tokens, over connections that no user waits for; None when it has none."""
    if not plan.tokens:
        return None
    prefix = urlsplit(base_url).path.rstrip("/")
    timeout_s = min(plan.target.timeout.total_s, _LONGEST_TOKEN_REQUEST_S)
    transports = _guarded(_transports(base_url, plan), base_url, plan)
    return TokenKeeper(plan.tokens, transports, prefix, timeout_s, clock)


def _transports(base_url: str, plan: Plan) -> TransportFactory:
    target = plan.target
    tls = tls_of(plan) if _may_speak_tls(base_url, plan) else None
    return transports_for(base_url, http2=target.http == "2", proxy=target.proxy, tls=tls)


def _may_speak_tls(base_url: str, plan: Plan) -> bool:
    """Return whether anything can be sent over TLS; if not, its settings need not be read, which takes 30 ms."""
    if base_url.startswith("https:") or plan.target.http == "2" or plan.target.proxy is not None:
        return True
    return bool(plan.tokens) or _may_leave(plan)


def _may_leave(plan: Plan) -> bool:
    """Return whether a request may go elsewhere than to the target: by a redirect, or as a whole URL."""
    if plan.read_back is not None and plan.read_back.request.may_leave:
        return True
    return any(endpoint.request.may_leave for endpoint in (*plan.endpoints, *plan.excluded))


def _guarded(factory: TransportFactory, base_url: str, plan: Plan) -> TransportFactory:
    return Guarded(factory, Hosts(origin_of(base_url).host, plan.target.allow_hosts))


def tls_of(plan: Plan) -> ssl.SSLContext:
    """Return the TLS settings of a plan's target.

    Raises:
        OSError: a file of the target's can no longer be read.
        ssl.SSLError: a file no longer has a usable certificate or key.
    """
    tls = plan.target.tls
    return client_context(
        verify=tls.verify,
        ca_file=tls.ca,
        certificate=tls.certificate,
        key=tls.key,
        http2=plan.target.http == "2",
    )
