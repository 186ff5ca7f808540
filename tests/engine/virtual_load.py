"""Scenarios for the engine, run in virtual time against the fake transport."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import dedent

import anyio
import trio
import trio.testing
from plan import plan_scenarios

from stressrunner.engine.clock import EventLoopClock
from stressrunner.engine.token_keeper import TokenKeeper
from stressrunner.fleet.local import LocalFleet
from stressrunner.http.fake import DirectFakeTransports, FakeAnswer, FakeTransports
from stressrunner.http.pool import SharedPool
from stressrunner.metrics.aggregator import Summary
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text
from stressrunner.scenario.model import Endpoint, Feeder, Json, Phase, Scenario


def endpoint(name: str = "one", **changes) -> Endpoint:
    """Return an endpoint with a token in its body."""
    body = Json({"token": "{{ message.token }}", "session": "{{ session.name }}"})
    return plan_scenarios.endpoint(name, **{"method": "POST", "path": f"/{name}", "body": body, **changes})


def scenario(*phases: Phase, endpoints: Sequence[Endpoint] = (), **changes) -> Scenario:
    """Return a scenario of these phases; without traffic, of these endpoints in equal shares, or else of one."""
    return plan_scenarios.scenario(*(endpoints or (endpoint(),)), phases=phases, **changes)


def feeder(*rows, **changes) -> Feeder:
    """Return a feeder called `rows`."""
    return Feeder("rows", rows, **changes)


@dataclass
class Ran:
    """What is left of a virtual run."""

    summary: Summary
    transports: FakeTransports
    samples: list
    exchanges: list
    limit_hit: str
    attempts: list
    failure: str = ""

    @property
    def totals(self):
        """The totals of the run."""
        return self.summary.totals

    @property
    def sent(self):
        """Method and target of every request, in the order of completion."""
        return [f"{e.request.method} {e.request.target}" for e in self.exchanges if e]


@dataclass
class _StopAt:
    at_s: float
    attempts: list = field(default_factory=list)

    def observe(self, snapshot, total):
        self.attempts = total.attempts
        return snapshot.at_s >= self.at_s


def virtual_run(
    of: Scenario,
    answer=None,
    *,
    stop_at_s=None,
    seed=1,
    shard=(0, 1),
    direct=True,
    prepared=None,
    freezes=(),
    observer=None,
) -> Ran:
    """Run a scenario in virtual time; `answer` is called with a request's number and the request.

    At each of `freezes`, which are (at_s, length_s), time goes on and nothing is done.

    `prepared` is the plan, if there is more to it than the scenario; `observer` listens instead of what stops the load. Transports call back when they are `direct`, as the fast one does, unless connections are shared.
    """
    samples, exchanges = [], []

    def observe(sample, exchange):
        samples.append(sample)
        exchanges.append(exchange)

    async def main() -> Ran:
        clock = EventLoopClock()
        begun_s = trio.current_time()
        async with anyio.create_task_group() as answering:
            for at_s, length_s in freezes:
                answering.start_soon(freeze, begun_s + at_s, length_s)
            return await run_over(transports_of(clock, answering), clock)

    async def freeze(at_s, length_s):
        await trio.sleep_until(at_s)
        time.jump(length_s)

    def transports_of(clock, tasks) -> FakeTransports:
        answering = answer or (lambda number, request: FakeAnswer(0.01))
        if direct and not of.target.connections:
            return DirectFakeTransports(clock, answering, tasks)
        return FakeTransports(clock, answering)

    async def run_over(transports, clock) -> Ran:
        plan = (prepared or compile_plan(of, seed=seed, run_id="r")).shard(*shard)
        pooled = SharedPool(transports, of.target.connections) if of.target.connections else transports
        keeper = TokenKeeper(plan.tokens, transports, "", 5.0, clock)
        fleet = LocalFleet(plan, pooled, "http://target", clock, keeper=keeper)
        stopping = _StopAt(float("inf") if stop_at_s is None else stop_at_s)
        with anyio.fail_after(100_000):
            summary = await fleet.execute(observer or stopping, (observe,))
        return Ran(summary, transports, samples, exchanges, fleet.limit_hit, stopping.attempts, fleet.failure)

    time = trio.testing.MockClock(autojump_threshold=0)
    return trio.run(main, clock=time)


def scenario_of(text: str) -> Scenario:
    """Return the scenario of a text that leaves out what every scenario has, and one iteration of one user."""
    lines = ["stressrunner: 1", "name: test", "target: {base_url: 'http://target'}"]
    load = [] if "load:" in text or "traffic:" in text else ["load: {concurrency: 1, iterations: 1}"]
    return build(load_text("\n".join([*lines, *load, dedent(text)]), environ={}))
