"""The road: a checked document goes in, a result comes out."""

import asyncio
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.timerfd import precise_clock
from stressrunner.errors import StressrunnerError, TargetUnreachable
from stressrunner.fleet.local import LocalFleet, ledger_of
from stressrunner.http.probe import probe
from stressrunner.masking import Masker
from stressrunner.metrics.ledger import Summary
from stressrunner.monitor.generator import check_room, limits
from stressrunner.plan.plan import Plan, compile_plan
from stressrunner.result.model import Result
from stressrunner.run.judgement import Ending, Measured, Origin, result_of
from stressrunner.run.listener import Listener
from stressrunner.run.monitors import Monitors, unwatched
from stressrunner.run.target import LiveTarget, shown, target_of, transports_to
from stressrunner.run.watching import Watcher
from stressrunner.scenario.build import build
from stressrunner.scenario.document import Document
from stressrunner.scenario.model import Scenario

__all__ = ["Options", "run"]


@dataclass(frozen=True, slots=True)
class Options:
    """What is said about a run beside its scenario."""

    seed: int | None = None  #: None draws one
    overrides: tuple[str, ...] = ()  #: the values of `--set`, for the record
    strict: bool = False  #: what is unproven has failed


async def run(document: Document, options: Options, listener: Listener, interrupted: anyio.Event) -> Result:
    """Run a scenario; setting `interrupted` ends it with everything measured so far.

    What goes wrong with the target is in the result and raises nothing.
    """
    scenario = build(document)
    plan = _plan(scenario, options)
    origin = Origin(document, scenario, plan, options.overrides, datetime.now(UTC), Masker(document.secrets))
    with precise_clock() as clock:
        return await _run(origin, options, listener, interrupted, clock)


async def _run(
    origin: Origin, options: Options, listener: Listener, interrupted: anyio.Event, clock: Clock
) -> Result:
    scenario, plan = origin.scenario, origin.plan
    try:
        async with target_of(plan) as target:
            check_room(plan.most_connections, limits())
            await _reach(target, scenario)
            listener.note(f"target {shown(target.base_url)}, seed {plan.seed}, run {plan.run_id}")
            monitors = Monitors(scenario.monitors, target, clock, origin.masker)
            watcher = Watcher(scenario, plan, monitors, listener)
            measured = await _measure(plan, target, clock, watcher, interrupted)
    except StressrunnerError as error:
        nothing = Measured(ledger_of(plan, clock.now_ns()).summary([]), unwatched("nothing was sent"))
        ending = Ending(interrupted=interrupted.is_set(), unreachable=str(error))
        return result_of(origin, nothing, ending)
    ending = Ending(
        interrupted=interrupted.is_set(), aborted=watcher.aborted_by is not None, strict=options.strict
    )
    return result_of(origin, measured, ending)


def _plan(scenario: Scenario, options: Options) -> Plan:
    run_id = secrets.token_hex(4)
    if options.seed is not None:
        return compile_plan(scenario, seed=options.seed, run_id=run_id)
    return compile_plan(scenario, seed=secrets.randbelow(2**31), run_id=run_id, uuid_salt=run_id)


async def _reach(target: LiveTarget, scenario: Scenario) -> None:
    """Open one connection before the load, so that a dead target is named at once and in one sentence."""
    failure = await probe(target.base_url, scenario.target.timeout.connect_s)
    if failure is not None:
        raise TargetUnreachable(shown(target.base_url), failure.message)


async def _measure(
    plan: Plan, target: LiveTarget, clock: Clock, watcher: Watcher, interrupted: anyio.Event
) -> Measured:
    """Carry out the load, with everything watched that is to be watched."""
    transports = transports_to(target, plan)
    fleet = LocalFleet(plan, transports, target.base_url, clock)

    async def stop_when_interrupted() -> None:
        await interrupted.wait()
        fleet.stop()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stop_when_interrupted)
        tasks.start_soon(watcher.watch_processes, clock)
        summary: Summary = await fleet.execute(watcher)
        tasks.cancel_scope.cancel()
    await watcher.finish()
    measured = watcher.measured(summary, transport=transports.name, loop=_loop_name())
    return replace(measured, failure=fleet.failure)


def _loop_name() -> str:
    """Return the package of the event loop that runs."""
    try:
        return type(asyncio.get_running_loop()).__module__.partition(".")[0]
    except RuntimeError:
        return "trio"
