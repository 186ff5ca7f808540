"""Executes a plan in this process: the load, and once a second a look at what it has counted."""

import anyio
from anyio import to_thread

from stressrunner.engine.clock import Clock
from stressrunner.engine.load import Load
from stressrunner.engine.token_keeper import TokenKeeper
from stressrunner.fleet.event_loop import loop_name
from stressrunner.fleet.snapshot import Observer, Snapshot, aggregator_of
from stressrunner.http.exchange import TransportFactory
from stressrunner.metrics.aggregator import Summary
from stressrunner.metrics.collector import Collector, SampleListener
from stressrunner.metrics.sample_log import SampleParts
from stressrunner.monitor.generator import calm
from stressrunner.plan.plan import Plan
from stressrunner.units import NS_PER_S

__all__ = ["LocalFleet"]

_TICK_NS = NS_PER_S


class LocalFleet:
    """Runs all of a plan in this process."""

    def __init__(
        self,
        plan: Plan,
        transports: TransportFactory,
        base_url: str,
        clock: Clock,
        *,
        samples: SampleParts | None = None,
        keeper: TokenKeeper | None = None,
    ) -> None:
        """With `samples`, every sample is written there; `keeper` keeps the plan's access tokens, if it has some."""
        self._samples = samples
        self._plan = plan
        self._transports = transports
        self._base_url = base_url
        self._clock = clock
        self._keeper = keeper
        self._load: Load | None = None

    @property
    def transport(self) -> str:
        """The transport that sends the requests."""
        return self._transports.name

    @property
    def loop(self) -> str:
        """The package of the event loop that runs."""
        return loop_name()

    @property
    def losses(self) -> tuple[str, ...]:
        """How generators were lost: this one cannot be."""
        return ()

    @property
    def failure(self) -> str:
        """Why the load cut itself off, in one sentence; empty when it did not."""
        return "" if self._load is None else self._load.failure

    @property
    def limit_hit(self) -> str:
        """The hard limit that cut the load off, in one sentence; empty when none did."""
        return "" if self._load is None else self._load.limit_hit

    def stop(self) -> None:
        """Cut the load off now; what was measured stays."""
        if self._load is not None:
            self._load.stop()

    async def execute(self, observer: Observer, listeners: tuple[SampleListener, ...] = ()) -> Summary:
        """Carry out the plan and return its figures."""
        if self._keeper is not None:
            await self._keeper.fetch()
        if self._samples is None:
            return await self._execute(observer, listeners)
        writer = self._samples.writer(self._plan, 0)
        writer.origin_ns = self._clock.now_ns()
        summary = await self._execute(observer, (*listeners, writer))
        await to_thread.run_sync(writer.close)
        return summary

    async def _execute(self, observer: Observer, listeners: tuple[SampleListener, ...]) -> Summary:
        collector = Collector(listeners, self._plan.warmups, self._plan.credentials)
        load = self._load = Load(self._plan, self._transports, self._base_url, self._clock, collector)
        origin_ns = self._clock.now_ns()
        aggregator = aggregator_of(self._plan, origin_ns)
        last_ns = origin_ns

        def look() -> None:
            nonlocal last_ns
            now_ns = self._clock.now_ns()
            delta = collector.drain()
            if self._keeper is not None:
                delta.add_tokens(*self._keeper.hand_over())
            aggregator.add(delta, last_ns, now_ns)
            at_s, took_s = (now_ns - origin_ns) / NS_PER_S, (now_ns - last_ns) / NS_PER_S
            snapshot = Snapshot(at_s, took_s, delta, load.phases, origin_ns, delta.absent_ns / NS_PER_S)
            last_ns = now_ns
            if observer.observe(snapshot, aggregator.total):
                load.stop()

        async def tick() -> None:
            at_ns = origin_ns
            while True:
                at_ns += _TICK_NS
                await self._clock.sleep_until(at_ns)
                look()

        with calm(collector.collected):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(tick)
                tasks.start_soon(load.watch.run, collector.stalled)
                if self._keeper is not None:
                    tasks.start_soon(self._keeper.keep)
                await load.run()
                tasks.cancel_scope.cancel()
        look()
        return aggregator.summary(
            {index: (span.started_ns, span.ended_ns) for index, span in load.spans.items()}
        )
