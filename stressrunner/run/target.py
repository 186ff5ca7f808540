"""The target of a run: the one that the scenario names, or the embedded one, started and stopped by the run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from stressrunner.demo import DemoOptions, running_demo
from stressrunner.http.exchange import TransportFactory
from stressrunner.http.h1 import H1Transports
from stressrunner.http.pool import SharedPool
from stressrunner.masking import MASK
from stressrunner.plan.plan import Plan

__all__ = ["LiveTarget", "is_embedded", "shown", "target_of", "transports_to"]


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """A target that can be sent requests."""

    base_url: str  #: http or https, without a trailing slash
    pid: int | None  #: of the embedded target
    embedded: bool


def is_embedded(base_url: str) -> bool:
    """Return whether a base URL names the project's own demonstration API."""
    return base_url.startswith("demo:")


def shown(base_url: str) -> str:
    """Return a base URL for reports, a password in it masked."""
    parts = urlsplit(base_url)
    if parts.password is None:
        return base_url
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{MASK}@{parts.netloc.rpartition('@')[2]}"))


@asynccontextmanager
async def target_of(plan: Plan) -> AsyncIterator[LiveTarget]:
    """Return the target, and stop it afterwards if it was started here.

    Raises:
        DemoFailed: the embedded target did not start.
    """
    if not is_embedded(plan.base_url):
        yield LiveTarget(plan.base_url.rstrip("/"), None, embedded=False)
        return
    async with running_demo(DemoOptions.parse(plan.base_url)) as demo:
        yield LiveTarget(demo.base_url, demo.pid, embedded=True)


def transports_to(target: LiveTarget, plan: Plan) -> TransportFactory:
    """Return what sends the plan's requests: one transport per user, or a shared pool of the size it says."""
    factory = H1Transports(target.base_url)
    return factory if plan.connections is None else SharedPool(factory, plan.connections)
