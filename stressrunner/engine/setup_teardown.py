"""What is done once around the load: the steps of `setup` and `teardown`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stressrunner.engine.clock import Clock
from stressrunner.engine.names import IterationScope
from stressrunner.engine.recorder import Excluding, Recorder
from stressrunner.engine.sending import Due, Sender
from stressrunner.engine.step_context import StepContext
from stressrunner.engine.steps import Steps
from stressrunner.http.conversation import Conversation
from stressrunner.http.cookies import CookieJar
from stressrunner.http.exchange import TransportFactory
from stressrunner.http.origin import origin_of
from stressrunner.plan.plan import Plan
from stressrunner.plan.steps import StepsPlan

__all__ = ["Done", "ExecutionTarget", "run_once"]


@dataclass(frozen=True, slots=True)
class Done:
    """How steps that run once have ended."""

    problem: str  #: what went wrong, in one sentence; empty when they passed
    captures: Mapping[str, Any]  #: JSON values
    cookies: tuple[Any, ...]  #: as `CookieJar.to_wire` has them


@dataclass(frozen=True, slots=True)
class ExecutionTarget:
    """Where steps are run, and who is told."""

    base_url: str  #: where the target really is
    transports: TransportFactory
    sender: Sender
    clock: Clock
    recorder: Recorder


async def run_once(kind: str, steps: StepsPlan, plan: Plan, target: ExecutionTarget) -> Done:
    """Run the steps of a kind, `setup` or `teardown`, as far as they go.

    Args:
        kind: that their requests are reported under.
        steps: of the plan.
        plan: whose captures and cookies they begin with.
        target: where they are run.
    """
    clock, excluding = target.clock, Excluding(target.recorder, kind)
    runner = Steps(target.sender.beside(excluding), clock, excluding)
    scope = IterationScope(plan, iteration=0, user=0, user_iteration=0, stage=kind)
    jar = CookieJar.from_wire(plan.cookies) if plan.target.cookies else None
    async with target.transports.open() as transport:
        conversation = Conversation(transport, origin_of(target.base_url), jar)
        context = StepContext(scope, conversation, Due(0, clock.now_ns()), is_measured=False)
        passed = await runner.run(steps, context)
    cookies = () if jar is None else tuple(jar.to_wire())
    if not passed:
        return Done("it failed" if excluding.latest is None else excluding.latest.message, {}, ())
    try:
        # Generators in other processes are told of them, and all generators are to see the same.
        captures = json.loads(json.dumps(scope.captures, allow_nan=False))
    except (TypeError, ValueError) as error:
        return Done(f"a capture cannot be handed on: {error}", {}, ())
    return Done("", captures, cookies)
