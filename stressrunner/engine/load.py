"""One generator's part of a load: the workloads of its plan, side by side."""

import anyio

from stressrunner.engine.budget import RequestBudget
from stressrunner.engine.clock import Clock
from stressrunner.engine.loop_watch import LoopWatch
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sending import Cut, Sender
from stressrunner.engine.setup_teardown import ExecutionTarget
from stressrunner.engine.workload import PhaseSpan, WorkloadRun
from stressrunner.http.exchange import DirectTransports, TransportFactory
from stressrunner.plan.plan import Plan

__all__ = ["Load"]

#: Turns of the event loop until a response that was read has been stamped: by callbacks, and by tasks in many steps.
_DIRECT_TURNS, _TASK_TURNS = 2, 8


class Load:
    """One generator's part of a plan, carried out once.

    Workloads share the clock, the recorder, a pool of connections if there is one, and the hard limits. What cuts one
    of them off, its graceful_stop apart, cuts all of them off.
    """

    def __init__(
        self, plan: Plan, transports: TransportFactory, base_url: str, clock: Clock, recorder: Recorder
    ) -> None:
        self._requests = plan.limits.requests
        share = None if self._requests is None else plan.part.share(self._requests)
        budget = None if share is None else RequestBudget(share, self._hit_limit)
        turns = _DIRECT_TURNS if isinstance(transports, DirectTransports) else _TASK_TURNS
        self.watch = LoopWatch(
            clock, turns=turns
        )  #: to be run beside the load, or nothing is known to be late
        self._workloads: list[WorkloadRun] = []
        for workload in plan.workloads:
            cut = Cut()
            sender = Sender(base_url, clock, recorder, cut, budget, self.watch)
            target = ExecutionTarget(base_url, transports, sender, clock, recorder)
            self._workloads.append(WorkloadRun(plan.of_workload(workload), target, cut, self._fail))
        self.failure = ""  #: why the load cut itself off, in one sentence
        self.limit_hit = ""  #: the hard limit that cut the load off, in one sentence

    async def run(self) -> None:
        """Carry out all workloads; return when the last one has ended."""
        async with anyio.create_task_group() as tasks:
            for workload in self._workloads:
                tasks.start_soon(workload.run)

    @property
    def phases(self) -> frozenset[int]:
        """The indices of the phases that are running, of each workload one; empty once the last one has ended."""
        return frozenset(workload.phase for workload in self._workloads if workload.phase is not None)

    @property
    def spans(self) -> dict[int, PhaseSpan]:
        """When the phases took place that have begun, by their indices."""
        return {index: span for workload in self._workloads for index, span in workload.spans.items()}

    def stop(self) -> None:
        """Cut the load off now: an interrupt, or a threshold that aborts."""
        for workload in self._workloads:
            workload.stop()

    def _fail(self, why: str) -> None:
        self.failure = self.failure or why
        self.stop()

    def _hit_limit(self) -> None:
        self.limit_hit = f"a hard limit was hit: limits.requests allows {self._requests:,}"
        self.stop()
