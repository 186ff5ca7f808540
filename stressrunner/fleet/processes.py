"""Executes a plan in generator processes: the coordinator arms and polls them, adds up, and sends nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.fleet.launch import Channel
from stressrunner.fleet.messages import Assignment
from stressrunner.fleet.snapshot import Observer, Snapshot, aggregator_of
from stressrunner.fleet.worker_handle import WorkerHandle
from stressrunner.metrics.aggregator import Aggregator, Summary
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.sample_log import SampleParts
from stressrunner.plan.plan import Plan
from stressrunner.scenario.row_file import rows_to_wire
from stressrunner.units import NS_PER_S

__all__ = ["ProcessFleet", "Work"]

_TICK_NS = NS_PER_S
_ANSWER_WITHIN_S = 0.5  #: of a snapshot; what comes later belongs to the next one
_START_IN_NS = 10_000_000  #: enough for a message to be sent to every generator of this machine
_STOPPED_WITHIN_S = 2.0
_BUSY_STOPPED_WITHIN_S = 10.0  #: of one that says that it is alive and has not got round to it
_BUSY_LEASES = 6  #: for so many, one that is alive may hand nothing over


@dataclass(frozen=True, slots=True)
class Work:
    """What generators need to know beside the plan: the checked scenario, and where its target really is."""

    value: Mapping[str, Any]  #: of the Document
    rows: Mapping[str, Sequence[Any]]  #: of its feeders
    base_url: str
    samples: SampleParts | None = None  #: where every sample is written, if anywhere


class ProcessFleet:
    """Runs a plan in generators, each with a shard of it.

    A generator that dies, or says nothing for as long as a lease, ends the load: the others are stopped, and
    everything that was measured stays. One that says that it is busy is waited for, six leases at most: what it has
    measured still comes.
    """

    def __init__(
        self, plan: Plan, work: Work, channels: Sequence[Channel], clock: Clock, *, lease_s: float = 10.0
    ) -> None:
        """A generator that is not polled for `lease_s` stops by itself; polls come once a second."""
        self._plan = plan
        self._work = work
        self._clock = clock
        self._lease_s = lease_s
        count = len(channels)
        self._handles = [
            WorkerHandle(channel, f"generator {number} of {count}", clock)
            for number, channel in enumerate(channels, start=1)
        ]
        self._stopping = anyio.Event()
        self._changed = anyio.Event()

    @property
    def transport(self) -> str:
        """The transport that sends the requests; empty before the generators are ready."""
        return self._handles[0].transport

    @property
    def loop(self) -> str:
        """The package of the generators' event loops; empty before they are ready."""
        return self._handles[0].loop

    @property
    def failure(self) -> str:
        """Why a generator cut its load off, in one sentence; empty when none did."""
        found = next((handle for handle in self._handles if handle.failure), None)
        if found is None:
            return ""
        return found.failure if len(self._handles) == 1 else f"{found.name}: {found.failure}"

    @property
    def limit_hit(self) -> str:
        """The hard limit that a generator cut its load off for, in one sentence; empty when none did."""
        return next((handle.limit_hit for handle in self._handles if handle.limit_hit), "")

    @property
    def losses(self) -> tuple[str, ...]:
        """How generators were lost, a sentence for each."""
        return tuple(handle.loss for handle in self._handles if handle.loss)

    def stop(self) -> None:
        """Cut the load off now; what was measured stays."""
        self._stopping.set()

    async def execute(self, observer: Observer) -> Summary:
        """Carry out the plan and return its figures; without all generators ready, nothing is sent."""
        if not await self._prepared():
            return aggregator_of(self._plan, self._clock.now_ns()).summary({})
        origin_ns = self._clock.now_ns() + _START_IN_NS
        aggregator = aggregator_of(self._plan, origin_ns)
        for handle in self._handles:
            await handle.start(origin_ns)
        async with anyio.create_task_group() as tasks:
            for handle in self._handles:
                tasks.start_soon(self._listen, handle)
            tasks.start_soon(self._stop_when_told)
            await self._follow(aggregator, observer, origin_ns)
            tasks.cancel_scope.cancel()
        return aggregator.summary(self._spans_ns())

    async def _prepared(self) -> bool:
        """Get all generators ready; return False when one is lost, or the load was stopped before it began."""
        async with anyio.create_task_group() as tasks:

            async def give_up() -> None:
                await self._stopping.wait()
                tasks.cancel_scope.cancel()

            async def prepare(index: int, handle: WorkerHandle) -> None:
                await handle.prepare(self._assignment(index))
                if handle.loss:
                    self.stop()

            tasks.start_soon(give_up)
            async with anyio.create_task_group() as preparing:
                for index, handle in enumerate(self._handles):
                    preparing.start_soon(prepare, index, handle)
            tasks.cancel_scope.cancel()
        return not self._stopping.is_set()

    def _assignment(self, index: int) -> Assignment:
        samples = self._work.samples
        return Assignment(
            value=dict(self._work.value),
            rows={name: rows_to_wire(rows) for name, rows in self._work.rows.items()},
            base_url=self._work.base_url,
            seed=self._plan.seed,
            run_id=self._plan.run_id,
            uuid_salt=self._plan.uuid_salt,
            index=index,
            count=len(self._handles),
            lease_s=self._lease_s,
            captures=dict(self._plan.captures),
            cookies=list(self._plan.cookies),
            samples=None if samples is None else [samples.folder, samples.form],
        )

    @property
    def _live(self) -> list[WorkerHandle]:
        return [handle for handle in self._handles if not handle.has_ended]

    async def _listen(self, handle: WorkerHandle) -> None:
        await handle.listen()
        if handle.loss or handle.failure or handle.limit_hit:
            self.stop()
        self._changed.set()

    async def _stop_when_told(self) -> None:
        await self._stopping.wait()
        for handle in self._live:
            await handle.stop()
        await anyio.sleep(_STOPPED_WITHIN_S)
        self._end_by_force([handle for handle in self._live if not handle.is_busy], _STOPPED_WITHIN_S)
        await anyio.sleep(_BUSY_STOPPED_WITHIN_S - _STOPPED_WITHIN_S)
        self._end_by_force(self._live, _BUSY_STOPPED_WITHIN_S)

    def _end_by_force(self, handles: Sequence[WorkerHandle], within_s: float) -> None:
        for handle in handles:
            handle.lose("was ended by force", f"it did not stop within {within_s:g} s")
        self._changed.set()

    async def _follow(self, aggregator: Aggregator, observer: Observer, origin_ns: int) -> None:
        """Poll once a second and tell the observer, until all generators have ended."""
        last_ns = origin_ns

        def look() -> None:
            nonlocal last_ns
            now_ns = max(last_ns, self._clock.now_ns())
            delta = self._taken()
            aggregator.add(delta, last_ns, now_ns)
            at_s, took_s = (now_ns - origin_ns) / NS_PER_S, (now_ns - last_ns) / NS_PER_S
            absent_s = delta.absent_ns / NS_PER_S / len(self._handles)
            snapshot = Snapshot(at_s, took_s, delta, self._phases, origin_ns, absent_s)
            last_ns = now_ns
            if observer.observe(snapshot, aggregator.total):
                self.stop()

        while await self._still_live_at(origin_ns + ((last_ns - origin_ns) // _TICK_NS + 1) * _TICK_NS):
            await self._poll()
            look()
        look()

    async def _still_live_at(self, at_ns: int) -> bool:
        """Wait for a moment; return False as soon as all generators have ended."""
        with anyio.move_on_after((at_ns - self._clock.now_ns()) / NS_PER_S):
            while self._live:
                await self._changed.wait()
                self._changed = anyio.Event()
        return bool(self._live)

    async def _poll(self) -> None:
        live = self._live
        for handle in live:
            if handle.silent_s > self._lease_s:
                handle.lose("was given up", f"it has not answered for {self._lease_s:g} s")
                self.stop()
            elif handle.busy_s > self._lease_s * _BUSY_LEASES:
                busy_s = self._lease_s * _BUSY_LEASES
                handle.lose("was given up", f"it is alive, and has handed nothing over for {busy_s:g} s")
                self.stop()
            else:
                await handle.poll()
        with anyio.move_on_after(_ANSWER_WITHIN_S):
            for handle in live:
                await handle.answered.wait()

    def _taken(self) -> Delta:
        delta = Delta()
        for handle in self._handles:
            delta.merge(handle.take())
        delta.in_flight = sum(handle.in_flight for handle in self._handles)
        return delta

    @property
    def _phases(self) -> frozenset[int]:
        """The phases that are running; of a workload the earliest one that is running anywhere."""
        return self._plan.earliest(index for handle in self._handles for index in handle.phases)

    def _spans_ns(self) -> dict[int, tuple[int, int]]:
        """Return when each phase took place, from its first beginning to its last end."""
        spans: dict[int, tuple[int, int]] = {}
        for handle in self._handles:
            for index, (begin, end) in handle.spans_ns.items():
                first, last = spans.get(index, (begin, end))
                spans[index] = (min(first, begin), max(last, end))
        return spans
