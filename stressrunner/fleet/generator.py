"""One generator's shard of a plan: compiled, carried out, and handed over in numbered updates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import anyio
from anyio import to_thread

from stressrunner.engine.clock import Clock
from stressrunner.engine.load import Load
from stressrunner.engine.sample import Sample
from stressrunner.fleet.messages import Assignment, ProtocolError, Update
from stressrunner.fleet.transports import keeper_of, transports_to
from stressrunner.metrics.collector import Collector
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.sample_log import SampleParts, SampleWriter
from stressrunner.metrics.wire import delta_to_wire
from stressrunner.monitor.generator import check_room, limits
from stressrunner.plan.plan import Plan, compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.row_file import rows_from_wire

__all__ = ["MOST_ATTEMPTS", "Generator", "Handover"]

MOST_ATTEMPTS = 4_000  #: messages of one update: half a megabyte, which take some milliseconds to write


class _Described(NamedTuple):
    value: Mapping[str, Any]
    rows: Mapping[str, Sequence[Any]]
    secrets: tuple[str, ...] = ()


class Generator:
    """The load of one shard, with the health of the process that carries it out."""

    def __init__(self, assignment: Assignment, clock: Clock) -> None:
        """Compile the shard; everything that can fail before the first request fails here.

        Raises:
            GeneratorFault: this process may not open as many connections as the shard needs.
            Exception: of any kind, when the assignment is not what a coordinator sends.
        """
        plan = _plan_of(assignment)
        check_room(plan.most_connections, limits())
        transports = transports_to(assignment.base_url, plan)
        self._keeper = keeper_of(assignment.base_url, plan, clock)
        self.transport = transports.name  #: that sends the requests
        self._clock = clock
        self._samples = _writer_of(assignment, plan)
        listeners = () if self._samples is None else (self._samples,)
        self._collector = Collector(listeners, warmups=plan.warmups, credentials=plan.credentials)
        self._load = Load(plan, transports, assignment.base_url, clock, self._collector)
        self._origin_ns: int | None = None
        self._is_over = False
        self._latest: Handover | None = None

    async def prepare(self) -> None:
        """Fetch what has to be there before the first request: access tokens."""
        if self._keeper is not None:
            await self._keeper.fetch()

    async def run(self, start_ns: int) -> None:
        """Carry out the load from a moment on, in nanoseconds of the generator's clock."""
        self._origin_ns = start_ns
        if self._samples is not None:
            self._samples.origin_ns = start_ns
        await self._clock.sleep_until(start_ns)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._load.watch.run, self._collector.stalled)
            if self._keeper is not None:
                tasks.start_soon(self._keeper.keep)
            await self._load.run()
            tasks.cancel_scope.cancel()
        if self._samples is not None:
            await to_thread.run_sync(self._samples.close)
        self._is_over = True

    def collected(self, took_ns: int) -> None:
        """Count a pause for collecting garbage."""
        self._collector.collected(took_ns)

    def stop(self) -> None:
        """Cut the load off now; what was measured stays."""
        self._load.stop()

    def hand_over(self, seq: int) -> "Handover":
        """Return what the update of a number is made of: the latest one again, or the one after it.

        Raises:
            ProtocolError: it is neither, or the load has not begun.
        """
        latest = self._latest
        if latest is not None and seq == latest.seq:
            return latest
        following = 0 if latest is None else latest.seq + 1
        if seq != following or self._origin_ns is None or (latest is not None and latest.is_final):
            raise ProtocolError(f"there is no update {seq} here and now")
        self._latest = self._gather(seq, self._origin_ns)
        return self._latest

    def _gather(self, seq: int, origin_ns: int) -> "Handover":
        load = self._load
        delta, batches = self._collector.hand_over(MOST_ATTEMPTS)
        if self._keeper is not None:
            delta.add_tokens(*self._keeper.hand_over())
        frame = Update(
            seq=seq,
            is_final=self._is_over and self._collector.is_drained,
            delta=None,
            phases=sorted(load.phases),
            spans_ns=[
                [index, span.started_ns - origin_ns, span.ended_ns - origin_ns]
                for index, span in load.spans.items()
            ],
            failure=load.failure,
            limit_hit=load.limit_hit,
        )
        return Handover(frame, delta, batches, origin_ns)


class Handover:
    """What was counted since the update before, taken from the load in a moment; a thread makes the message of it."""

    def __init__(
        self, frame: Update, delta: Delta, batches: Sequence[Sequence[Sample]], origin_ns: int
    ) -> None:
        """`frame` is the message but for its delta, which is still to be extended by `batches` of samples."""
        self.seq = frame.seq
        self.is_final = frame.is_final
        self._update = frame
        self._delta = delta
        self._batches = batches
        self._origin_ns = origin_ns

    def update(self) -> Update:
        """Return the message, always the same; the first time that takes milliseconds, and no event loop."""
        if self._update.delta is None:
            for samples in self._batches:
                self._delta.extend(samples)
            self._update = replace(self._update, delta=delta_to_wire(self._delta, self._origin_ns))
        return self._update


def _writer_of(assignment: Assignment, plan: Plan) -> SampleWriter | None:
    if assignment.samples is None:
        return None
    return SampleParts(*assignment.samples).writer(plan, assignment.index)


def _plan_of(assignment: Assignment) -> Plan:
    rows = {name: rows_from_wire(rows) for name, rows in assignment.rows.items()}
    plan = compile_plan(
        build(_Described(assignment.value, rows)),
        seed=assignment.seed,
        run_id=assignment.run_id,
        uuid_salt=assignment.uuid_salt,
    )
    handed_on = replace(plan, captures=assignment.captures, cookies=tuple(assignment.cookies))
    return handed_on.shard(assignment.index, assignment.count)
