"""Executes a plan in this process: the load, and once a second a look at what it has counted."""

from collections.abc import Callable
from typing import Protocol

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.load import Load
from stressrunner.http.exchange import TransportFactory
from stressrunner.metrics.collector import Collector, Observer
from stressrunner.metrics.ledger import Ledger, PhaseOutline, Summary
from stressrunner.metrics.tally import Tally
from stressrunner.plan.plan import Plan
from stressrunner.units import NS_PER_S

__all__ = ["Ear", "LocalFleet"]

_TICK_NS = NS_PER_S


class Ear(Protocol):
    """Is told once a second what was counted; says True to have the load cut off."""

    def heard(self, at_s: float, delta: Tally, ledger: Ledger) -> bool:
        """Take what was counted since the last time, `at_s` after the load began."""


class LocalFleet:
    """Runs all of a plan in this process."""

    def __init__(self, plan: Plan, transports: TransportFactory, base_url: str, clock: Clock) -> None:
        self._plan = plan
        self._transports = transports
        self._base_url = base_url
        self._clock = clock
        self._load: Load | None = None

    def stop(self) -> None:
        """Cut the load off now; what was measured stays."""
        if self._load is not None:
            self._load.stop()

    async def execute(
        self, ear: Ear, observers: tuple[Observer, ...] = (), started: Callable[[int], None] = lambda _: None
    ) -> Summary:
        """Carry out the plan and return its figures; `started` is told when, in monotonic nanoseconds."""
        collector = Collector(observers)
        load = self._load = Load(self._plan, self._transports, self._base_url, self._clock, collector)
        origin_ns = self._clock.now_ns()
        started(origin_ns)
        outlines = [
            PhaseOutline(phase.spec.name, phase.spec.warmup, self._plan.planned(phase.index))
            for phase in self._plan.phases
        ]
        ledger = Ledger(self._plan.endpoint_names, outlines, origin_ns)
        last_ns = origin_ns

        def look() -> None:
            nonlocal last_ns
            now_ns = self._clock.now_ns()
            delta = collector.drain()
            ledger.add(delta, last_ns, now_ns)
            last_ns = now_ns
            if ear.heard((now_ns - origin_ns) / NS_PER_S, delta, ledger):
                load.stop()

        async def tick() -> None:
            at_ns = origin_ns
            while True:
                at_ns += _TICK_NS
                await self._clock.sleep_until(at_ns)
                look()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            await load.run()
            tasks.cancel_scope.cancel()
        look()
        return ledger.summary([(span.started_ns, span.ended_ns) for span in load.spans])
