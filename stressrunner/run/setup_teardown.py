"""Setup before the load and teardown after it: the coordinator runs them itself, and reports them apart."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.errors import SetupFailed
from stressrunner.fleet.transports import keeper_of, transports_to
from stressrunner.masking import Masker
from stressrunner.metrics.aggregator import Summary
from stressrunner.metrics.collector import Collector
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.summary import error_groups, ranked, stats_of
from stressrunner.plan.plan import Plan
from stressrunner.plan.steps import StepsPlan
from stressrunner.run.listener import Listener

__all__ = ["SetupTeardown"]

_TEARDOWN_WITHIN_S = 60.0  #: whoever has interrupted a run does not wait for longer


class SetupTeardown:
    """The setup and teardown of one run."""

    def __init__(self, plan: Plan, clock: Clock, listener: Listener, masker: Masker) -> None:
        """`masker` learns the access tokens that are fetched."""
        self._masker = masker
        self._plan = plan
        self._clock = clock
        self._listener = listener
        self._began_ns = clock.now_ns()
        self._delta = Delta()

    @asynccontextmanager
    async def around(self, base_url: str, interrupted: anyio.Event) -> AsyncIterator[Plan]:
        """Run `setup` and give the plan with what it has captured; in the end, however that comes, run `teardown`.

        Raises:
            SetupFailed: a step of `setup` has failed, or it was interrupted.
        """
        plan = self._plan
        try:
            if plan.setup is not None:
                plan = await self._set_up(plan.setup, base_url, interrupted)
            yield plan
        finally:
            if plan.teardown is not None:
                await self._tear_down(plan, plan.teardown, base_url)

    async def _set_up(self, steps: StepsPlan, base_url: str, interrupted: anyio.Event) -> Plan:
        plan, problem = self._plan, "it was interrupted"
        async with anyio.create_task_group() as tasks:

            async def give_up() -> None:
                await interrupted.wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(give_up)
            problem, plan = await self._done("setup", steps, plan, base_url)
            tasks.cancel_scope.cancel()
        if problem:
            raise SetupFailed(problem)
        return plan

    async def _tear_down(self, plan: Plan, steps: StepsPlan, base_url: str) -> None:
        problem = f"it took longer than {_TEARDOWN_WITHIN_S:.0f} s"
        with anyio.move_on_after(_TEARDOWN_WITHIN_S):
            problem, _ = await self._done("teardown", steps, plan, base_url)
        if problem:
            self._listener.note(f"teardown failed: {problem}")

    async def _done(self, kind: str, steps: StepsPlan, plan: Plan, base_url: str) -> tuple[str, Plan]:
        """Run steps; return what went wrong, or nothing and the plan with what was captured."""
        # Few runs need the engine in this process.
        from stressrunner.engine.sending import Cut, Sender  # noqa: PLC0415
        from stressrunner.engine.setup_teardown import ExecutionTarget, run_once  # noqa: PLC0415

        self._listener.note(f"{kind} begins")
        collector = Collector(credentials=plan.credentials)
        sender = Sender(base_url, self._clock, collector, Cut("interrupt"))
        where = ExecutionTarget(base_url, transports_to(base_url, plan), sender, self._clock, collector)
        keeper = keeper_of(base_url, plan, self._clock)
        if keeper is not None:
            await keeper.fetch()
            traffic = keeper.hand_over()
            self._masker.learn(traffic.granted)
            self._delta.add_tokens(*traffic)
        try:
            done = await run_once(kind, steps, plan, where)
        finally:
            delta = collector.drain()
            self._masker.learn(delta.exemplars.credentials)
            self._delta.merge(delta)
        return done.problem, replace(plan, captures=done.captures, cookies=done.cookies)

    def added_to(self, summary: Summary) -> Summary:
        """Return the figures of a load with those of setup and teardown, whose times are from their beginning."""
        plan, delta = self._plan, self._delta
        names = (*plan.endpoint_names, *(endpoint.name for endpoint in plan.excluded))
        own = {
            kind: stats_of([series], planned=series.sent, duration_s=0)
            for kind, series in delta.excluded.items()
        }
        kinds = [
            kind
            for kind in ("setup", *summary.excluded, "teardown")
            if kind in own or kind in summary.excluded
        ]
        errors = (*error_groups(delta, names, self._began_ns), *summary.errors)
        return replace(
            summary,
            excluded={kind: own[kind] if kind in own else summary.excluded[kind] for kind in kinds},
            errors=ranked(errors),
            token_requests=summary.token_requests + delta.token_requests,
            token_failures=summary.token_failures + delta.token_failures,
        )
