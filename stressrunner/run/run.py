"""The road: a checked document goes in, a result comes out."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.timerfd import precise_clock
from stressrunner.errors import StressrunnerError
from stressrunner.fleet.launch import LocalProcess, WorkerPool
from stressrunner.fleet.processes import ProcessFleet, Work
from stressrunner.fleet.size import fleet_size
from stressrunner.fleet.snapshot import Fleet, aggregator_of
from stressrunner.fleet.transports import keeper_of, transports_to
from stressrunner.masking import Masker
from stressrunner.metrics.aggregator import Summary
from stressrunner.metrics.sample_log import SampleParts
from stressrunner.monitor.generator import check_room, limits
from stressrunner.plan.plan import Plan, compile_plan
from stressrunner.result.model import Result
from stressrunner.run.judgement import Ending, Measured, RunOrigin, result_of
from stressrunner.run.listener import Listener
from stressrunner.run.monitors import Monitors, unwatched
from stressrunner.run.setup_teardown import SetupTeardown
from stressrunner.run.sink import sink_of
from stressrunner.run.target import LiveTarget, reach, shown, target_of
from stressrunner.run.watching import Watcher
from stressrunner.scenario.build import build
from stressrunner.scenario.document import Document
from stressrunner.scenario.model import Scenario

if TYPE_CHECKING:
    from stressrunner.run.deliveries import Deliveries

__all__ = ["Options", "run"]


@dataclass(frozen=True, slots=True)
class Options:
    """What is said about a run beside its scenario."""

    seed: int | None = None  #: None draws one
    overrides: tuple[str, ...] = ()  #: the values of `--set`, for the record
    strict: bool = False  #: what is unproven has failed
    #: Generator processes. 0 sends from this process, whose other work then disturbs the load: for profilers and
    #: debuggers, and for where no process can be started. `auto` is one for every core but one.
    workers: int | Literal["auto"] = 1
    samples: SampleParts | None = None  #: where every sample is written, if anywhere


async def run(
    document: Document, options: Options, listener: Listener, interrupted: anyio.Event, pool: WorkerPool
) -> Result:
    """Run a scenario; setting `interrupted` ends it with everything measured so far.

    The generators are those of `pool`, which is made as large as it has to be and stays its owner's to leave.
    What goes wrong with the target is in the result and raises nothing.
    """
    scenario = build(document)
    plan = _plan(scenario, options)
    workers = fleet_size(options.workers, plan.most_shards)
    if options.workers != "auto" and workers < options.workers:
        listener.note(
            f"{options.workers:,} workers were asked for, and the load can be shared by {workers:,}"
        )
    origin = RunOrigin(
        document, scenario, plan, options.overrides, datetime.now(UTC), Masker(document.secrets), workers
    )
    generators = await pool.of_size(workers)
    with precise_clock() as clock:
        return await _run(origin, options, listener, interrupted, clock, generators)


async def _run(
    origin: RunOrigin,
    options: Options,
    listener: Listener,
    interrupted: anyio.Event,
    clock: Clock,
    generators: Sequence[LocalProcess],
) -> Result:
    scenario, plan = origin.scenario, origin.plan
    setup_teardown = SetupTeardown(plan, clock, listener, origin.masker)
    try:
        async with sink_of(scenario, plan, listener) as sink, target_of(plan, sink) as target:
            await reach(target, plan, interrupted)
            listener.note(
                f"target {shown(target.base_url, plan.target.proxy)}, seed {plan.seed}, run {plan.run_id}"
            )
            monitors = Monitors(scenario.monitors, target, generators, clock, origin.masker)
            monitors.check(scenario.thresholds, listener.warn)
            async with setup_teardown.around(target.base_url, interrupted) as prepared:
                watcher = Watcher(origin, monitors, listener)
                ready = replace(origin, plan=prepared)
                fleet = _fleet(ready, target, generators, clock, options.samples)
                deliveries = _deliveries(ready, target, clock, watcher)
                measured = await _measure(fleet, clock, watcher, deliveries, interrupted)
                target_ended = target.ended()
                if deliveries is not None:
                    outcome = await deliveries.conclude(interrupted, measured.losses, listener, sink)
                    summary = deliveries.added_to(measured.summary)
                    measured = replace(measured, deliveries=(outcome,), summary=summary)
    except StressrunnerError as error:
        summary = setup_teardown.added_to(aggregator_of(plan, clock.now_ns()).summary({}))
        nothing = Measured(summary, unwatched("nothing was sent"))
        ending = Ending(interrupted=interrupted.is_set(), unreachable=str(error))
        return result_of(origin, nothing, ending)
    measured = replace(measured, summary=setup_teardown.added_to(measured.summary))
    ending = Ending(
        interrupted=interrupted.is_set(),
        aborted_by=watcher.aborted_by,
        strict=options.strict,
        target_ended=target_ended,
    )
    return result_of(origin, measured, ending)


def _plan(scenario: Scenario, options: Options) -> Plan:
    run_id = secrets.token_hex(4)
    if options.seed is not None:
        return compile_plan(scenario, seed=options.seed, run_id=run_id)
    return compile_plan(scenario, seed=secrets.randbelow(2**31), run_id=run_id, uuid_salt=run_id)


def _fleet(
    origin: RunOrigin,
    target: LiveTarget,
    generators: Sequence[LocalProcess],
    clock: Clock,
    samples: SampleParts | None,
) -> Fleet:
    """Return who carries out the load: generator processes, or this process when there are none."""
    plan = origin.plan
    if generators:
        work = Work(origin.document.value, origin.document.rows, target.base_url, samples)
        return ProcessFleet(plan, work, generators, clock)
    from stressrunner.fleet.local import LocalFleet  # noqa: PLC0415  the engine is the generators' to import

    check_room(plan.most_connections, limits())
    url = target.base_url
    keeper = keeper_of(url, plan, clock)
    return LocalFleet(plan, transports_to(url, plan), url, clock, samples=samples, keeper=keeper)


def _deliveries(origin: RunOrigin, target: LiveTarget, clock: Clock, watcher: Watcher) -> "Deliveries | None":
    """Return what follows every message, if the scenario wants that."""
    delivery = origin.scenario.delivery
    if delivery is None:
        return None
    from stressrunner.run.deliveries import Deliveries  # noqa: PLC0415  most runs need none of what it imports

    return Deliveries(origin, delivery, target.base_url, clock, watcher.sent)


async def _measure(
    fleet: Fleet,
    clock: Clock,
    watcher: Watcher,
    deliveries: "Deliveries | None",
    interrupted: anyio.Event,
) -> Measured:
    """Carry out the load, with everything watched that is to be watched."""

    async def stop_when_interrupted() -> None:
        await interrupted.wait()
        fleet.stop()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stop_when_interrupted)
        tasks.start_soon(watcher.watch_processes, clock)
        if deliveries is not None:
            tasks.start_soon(deliveries.watch)
        summary: Summary = await fleet.execute(watcher)
        tasks.cancel_scope.cancel()
    await watcher.finish()
    return watcher.measured(summary, fleet)
