"""Steps of an iteration, carried out one after the other until one fails.

Nothing here knows of phases or users, so that steps can be run by whoever has a sender, a transport and an iteration.
"""

from typing import Any

import anyio
import anyio.lowlevel

from stressrunner import units
from stressrunner.engine.clock import Clock
from stressrunner.engine.names import RequestNames
from stressrunner.engine.pauses import think_ns
from stressrunner.engine.recorder import Recorder
from stressrunner.engine.sending import Due, NotSent, Sender
from stressrunner.engine.step_context import Cursor, StepContext
from stressrunner.expressions import CannotEvaluate
from stressrunner.expressions.environment import to_text
from stressrunner.expressions.expression import Expression
from stressrunner.plan.endpoints import EndpointPlan
from stressrunner.plan.outcome import Problem
from stressrunner.plan.steps import (
    GroupPlan,
    ParallelPlan,
    RepeatPlan,
    SendPlan,
    StepPlan,
    StepsPlan,
    ThinkPlan,
)
from stressrunner.units import NS_PER_S

__all__ = ["Steps"]

_BEGIN = Cursor()


class Steps:
    """Runs steps; one for all iterations of a load."""

    def __init__(self, sender: Sender, clock: Clock, recorder: Recorder) -> None:
        self._sender = sender
        self._clock = clock
        self._recorder = recorder

    async def run(
        self, steps: StepsPlan, context: StepContext, cursor: Cursor = _BEGIN, *, after_failure: bool = False
    ) -> bool:
        """Run steps in order; return whether all of them passed.

        The first failure ends them, but for steps that ask how it went. With `after_failure`, the failure was before
        the first step.
        """
        passed = not after_failure
        for step in steps.steps:
            if passed:
                passed = await self.step(step, context, cursor)
            elif step.condition is not None and step.condition.after_failure:
                await self.step(step, context, cursor._replace(has_failed=True))
        return passed

    async def step(self, step: StepPlan, context: StepContext, cursor: Cursor = _BEGIN) -> bool:
        """Run one step with all its modifiers; return whether it passed, or its failure was forgiven."""
        here = cursor._replace(slot=cursor.slot + step.slot)
        if step.condition is not None:
            here = here._replace(is_planned=False)
            try:
                is_done = self._evaluated(
                    step.condition.expression,
                    "if",
                    context,
                    here,
                    always=lambda: True,
                    failure=lambda: cursor.has_failed,
                )
            except CannotEvaluate as error:
                return await self._give_up(step, context, str(error)) or step.continue_on_error
            if not is_done:
                return True
        return await self._measured(step, context, here) or step.continue_on_error

    async def _measured(self, step: StepPlan, context: StepContext, cursor: Cursor) -> bool:
        """Run a step without its condition, and record how long it took, pauses subtracted."""
        began_ns, paused_ns, own_ns = context.due.due_ns, context.paused_ns, context.own_ns
        try:
            passed = await self._each(step, context, cursor)
        except anyio.get_cancelled_exc_class():
            for name in step.groups if context.is_measured and self._sender.ranks_cut_off else ():
                self._recorder.group_cut_off(context.due.phase, name)
            raise
        if context.is_measured:
            length_ns = self._clock.now_ns() - began_ns - (context.paused_ns - paused_ns)
            for name in step.groups:
                late = context.late_since(own_ns)
                self._recorder.group(context.due.phase, name, length_ns if passed else None, late)
        return passed

    async def _each(self, step: StepPlan, context: StepContext, cursor: Cursor) -> bool:
        if step.each is None:
            return await self._repeated(step, context, cursor)
        try:
            elements = self._evaluated(step.each, "each", context, cursor)
            if not isinstance(elements, list | tuple):
                raise CannotEvaluate(f"each: {step.each.source}: this is no list")  # noqa: TRY301  handled alike
        except CannotEvaluate as error:
            return await self._give_up(step, context, str(error))
        for number, element in enumerate(elements):
            here = cursor.in_loop(number, step.body.slots, {step.item: element}, is_planned=False)
            await anyio.lowlevel.checkpoint()  # elements for which nothing is done take time too
            if not await self._repeated(step, context, here):
                return False
        return True

    async def _repeated(self, step: StepPlan, context: StepContext, cursor: Cursor) -> bool:
        repeat = step.repeat
        if repeat is None:
            return await self._act(step, context, cursor)
        if repeat.until is not None:
            return await self._until(repeat.until, repeat, step, context, cursor)
        times = repeat.times or 1
        for number in range(times):
            here = _pass(step, cursor, number)
            waited = number == 0 or await self._wait(repeat, step, context, here)
            if not waited or not await self._act(step, context, here):
                return False
        return True

    async def _until(
        self, until: Expression, repeat: RepeatPlan, step: StepPlan, context: StepContext, cursor: Cursor
    ) -> bool:
        """Run passes until an expression holds; a pass that fails is none the less followed by another."""
        timeout_s, number = repeat.timeout_s, 0
        last_ns = None if timeout_s is None else self._clock.now_ns() + round(timeout_s * NS_PER_S)
        while True:
            here = _pass(step, cursor, number, is_planned=number == 0)
            await anyio.lowlevel.checkpoint()  # a pass may send nothing
            passed = await self._act(step, context, here)
            if self._holds(until, context, here):
                return passed
            number += 1
            if number == repeat.times:
                return self._never(step, until, f"not so after {number:,} passes")
            next_ns = await self._next_ns(repeat, step, context, here)
            if next_ns is None:
                return False
            if last_ns is not None and next_ns > last_ns:
                return self._never(step, until, f"not so within {timeout_s:g} s")
            await self._sleep_until(next_ns, context)

    def _never(self, step: StepPlan, until: Expression, why: str) -> bool:
        """Record that a step has reached the bound of its `until`."""
        problem = Problem("until", f"{until.source}: {why}", rule=until.source)
        self._recorder.failed(step.body.first or 0, problem, self._clock.now_ns())
        return False

    async def _act(self, step: StepPlan, context: StepContext, cursor: Cursor) -> bool:
        """Do what a step does, once."""
        match step.action:
            case SendPlan(endpoint):
                names = context.next_request(cursor)
                passed = await self.send(endpoint, names, context, context.due, is_planned=cursor.is_planned)
                context.was_late(names.late)
                context.went_on(self._clock.now_ns())
                return passed
            case ThinkPlan(min_s, max_s):
                scope = context.scope
                use = (scope.plan.seed, "think", scope.iteration, step.number, cursor.use())
                await self._pause(context, think_ns(min_s, max_s, *use))
                return True
            case GroupPlan(steps):
                return await self.run(steps, context, cursor)
            case ParallelPlan(steps):
                return await self._parallel(steps, context, cursor)

    async def send(
        self,
        endpoint: EndpointPlan,
        names: RequestNames,
        context: StepContext,
        due: Due,
        *,
        is_planned: bool = True,
    ) -> bool:
        """Send a request as soon as one may begin, and take it off what is owed; return whether it passed."""
        await self._sender.admit(context.permit)
        try:
            if context.owed is not None:
                if is_planned:
                    context.owed[endpoint.index] -= 1
                else:
                    self._recorder.unplanned(due.phase, endpoint.index)
            try:
                passed = await self._sender.send(endpoint, names, due, context.transport)
            except NotSent:  # which is no failure of the endpoint, but of the iteration
                return False
            if not passed:
                context.failed.add(endpoint.index)
            return passed
        finally:
            context.permit.end()

    async def _parallel(self, steps: StepsPlan, context: StepContext, cursor: Cursor) -> bool:
        """Run steps all at once; none is cut off when another one fails."""
        passed: list[bool] = []

        async def run(step: StepPlan, branch: StepContext) -> None:
            passed.append(await self.step(step, branch, cursor))

        branches = context.branches(len(steps.steps))
        async with anyio.create_task_group() as tasks:
            for step, branch in zip(steps.steps, branches, strict=True):
                tasks.start_soon(run, step, branch)
        context.join(branches, self._clock.now_ns())
        return all(passed)

    async def _pause(self, context: StepContext, length_ns: int) -> None:
        """Think: the next request is due so much later, and so is the end of what it has waited for."""
        phase, due_ns, waiting_since_ns = context.due
        if waiting_since_ns is None:
            context.due = Due(phase, due_ns + length_ns)
            with context.permit.waiting():
                await self._clock.sleep_until(due_ns + length_ns)
        else:
            context.due = Due(phase, due_ns + length_ns, waiting_since_ns + length_ns)
            with context.permit.waiting():
                await self._clock.sleep_until(self._clock.now_ns() + length_ns)
        context.paused_ns += length_ns

    async def _wait(self, repeat: RepeatPlan, step: StepPlan, context: StepContext, cursor: Cursor) -> bool:
        """Wait between two passes; return False when the delay makes no sense."""
        next_ns = await self._next_ns(repeat, step, context, cursor)
        if next_ns is None:
            return False
        await self._sleep_until(next_ns, context)
        return True

    async def _next_ns(
        self, repeat: RepeatPlan, step: StepPlan, context: StepContext, cursor: Cursor
    ) -> int | None:
        """Return when the next pass is due; None when the delay makes no sense, which fails the step."""
        try:
            delay_s = units.parse_duration(to_text(repeat.delay.render(context.names(cursor, "delay"))))
        except (CannotEvaluate, ValueError) as error:
            await self._give_up(step, context, f"delay: {error}")
            return None
        return context.due.due_ns + round(delay_s * NS_PER_S)

    async def _sleep_until(self, at_ns: int, context: StepContext) -> None:
        if at_ns > context.due.due_ns:
            with context.permit.waiting():
                await self._clock.sleep_until(at_ns)
            context.went_on(at_ns)

    def _evaluated(
        self, expression: Expression, what: str, context: StepContext, cursor: Cursor, **more: Any
    ) -> Any:
        """Return the value of an expression of a step.

        Raises:
            CannotEvaluate: with the expression, and what it is for.
        """
        try:
            return expression.evaluate(context.names(cursor, what, **more))
        except CannotEvaluate as error:
            raise CannotEvaluate(f"{what}: {expression.source}: {error}") from error

    def _holds(self, until: Expression, context: StepContext, cursor: Cursor) -> bool:
        """Return whether an expression holds; one that cannot be evaluated does not."""
        try:
            return until.holds(context.names(cursor, "until"))
        except CannotEvaluate:
            return False

    async def _give_up(self, step: StepPlan, context: StepContext, why: str) -> bool:
        """Count a step that makes no sense as a failed request of its own, so that it is not passed over."""
        endpoint = step.body.first or 0
        if context.owed is not None:
            self._recorder.unplanned(context.due.phase, endpoint)
        await self._sender.give_up(endpoint, context.due, why)
        context.went_on(self._clock.now_ns())
        return False


def _pass(step: StepPlan, cursor: Cursor, number: int, *, is_planned: bool = True) -> Cursor:
    return cursor.in_loop(number, step.body.slots, {"repeat": {"index": number}}, is_planned=is_planned)
