"""The sink of a run: hosted before the target, so that an embedded one can be told of it, and read at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from stressrunner.plan.plan import Plan
from stressrunner.run.listener import Listener
from stressrunner.scenario.model import Scenario
from stressrunner.sink import SinkLog
from stressrunner.sink.process import RunningSink, running_sink

__all__ = ["log_of", "sink_of"]


@asynccontextmanager
async def sink_of(scenario: Scenario, plan: Plan, listener: Listener) -> AsyncIterator[RunningSink | None]:
    """Return the sink that the scenario wants, if it wants one, and stop it afterwards.

    Raises:
        HostingFailed: it did not start, for instance because its port is taken.
    """
    options = None if scenario.delivery is None else scenario.delivery.sink
    if options is None:
        yield None
        return
    async with running_sink(replace(options, seed=plan.seed)) as sink:
        listener.note(f"the sink is at {sink.completions_url}, for the service to use as its model backend")
        yield sink


async def log_of(sink: RunningSink | None) -> SinkLog | str | None:
    """Return what a sink has seen, or why that is not known; None without one."""
    try:
        return None if sink is None else await sink.log()
    except OSError as error:
        return str(error)
