"""The target of a run: the one that the scenario names, or the embedded one, started and stopped by the run."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

import anyio

from stressrunner.demo import DemoOptions
from stressrunner.demo.process import running_demo
from stressrunner.errors import TargetUnreachable
from stressrunner.fleet.transports import tls_of
from stressrunner.http.exchange import Failure
from stressrunner.http.probe import probe, probe_http2
from stressrunner.masking import MASK
from stressrunner.plan.plan import Plan
from stressrunner.sink.process import RunningSink

__all__ = ["LiveTarget", "is_embedded", "reach", "shown", "target_of"]


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """A target that can be sent requests."""

    base_url: str  #: http or https, without a trailing slash
    pid: int | None  #: of the embedded target
    embedded: bool
    ended: Callable[[], str] = lambda: (
        ""
    )  #: how the embedded one has ended by itself; empty while it is there


def is_embedded(base_url: str) -> bool:
    """Return whether a base URL names the project's own demonstration API."""
    return base_url.startswith("demo:")


def shown(base_url: str, proxy: str | None = None) -> str:
    """Return a target for reports: its base URL and the proxy before it, passwords in them masked."""
    if proxy is not None:
        return f"{shown(base_url)} through {shown(proxy)}"
    parts = urlsplit(base_url)
    if parts.password is None:
        return base_url
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{MASK}@{parts.netloc.rpartition('@')[2]}"))


async def reach(target: LiveTarget, plan: Plan, interrupted: anyio.Event | None = None) -> None:
    """Open one connection before the load, so that a dead target is named at once and in one sentence.

    Where HTTP/2 is to be spoken, the target has to begin to. With a proxy and HTTP/1.1, it is the proxy that is
    connected to: it alone can tell whether there is something behind it.

    Raises:
        TargetUnreachable: there is no such connection within the target's timeout for connecting, or until interrupted.
    """
    problem = "it was interrupted"
    async with anyio.create_task_group() as tasks:

        async def give_up() -> None:
            if interrupted is not None:
                await interrupted.wait()
                tasks.cancel_scope.cancel()

        tasks.start_soon(give_up)
        failure = await _probed(target, plan)
        problem = "" if failure is None else failure.message
        tasks.cancel_scope.cancel()
    if problem:
        raise TargetUnreachable(shown(target.base_url, plan.target.proxy), problem)


async def _probed(target: LiveTarget, plan: Plan) -> Failure | None:
    proxy, timeout_s = plan.target.proxy, plan.target.timeout.connect_s
    if plan.target.http == "2":
        return await probe_http2(target.base_url, timeout_s, tls=tls_of(plan), proxy=proxy)
    tls = tls_of(plan) if proxy is None and target.base_url.startswith("https:") else None
    return await probe(proxy or target.base_url, timeout_s, tls=tls)


@asynccontextmanager
async def target_of(plan: Plan, sink: RunningSink | None = None) -> AsyncIterator[LiveTarget]:
    """Return the target, and stop it afterwards if it was started here.

    An embedded target asks the run's sink, unless its options name another backend.

    Raises:
        HostingFailed: the embedded target did not start.
    """
    if not is_embedded(plan.base_url):
        yield LiveTarget(plan.base_url.rstrip("/"), None, embedded=False)
        return
    options = DemoOptions.parse(plan.base_url)
    if options.backend is None and sink is not None:
        options = replace(options, backend=sink.completions_url)
    async with running_demo(options) as demo:
        yield LiveTarget(demo.base_url, demo.pid, embedded=True, ended=demo.ended)
