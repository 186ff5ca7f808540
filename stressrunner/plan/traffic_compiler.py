"""From what a scenario sends to what the iterations of its phases do."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from stressrunner.plan.endpoints import Endpoints
from stressrunner.plan.steps import StepCompiler, StepsPlan, endpoints_in
from stressrunner.plan.traffic import FlowsPlan, MixPlan, SessionPlan, TrafficPlan
from stressrunner.plan.weights import Blocks
from stressrunner.scenario.model import Mix, Phase, Scenario, Session, Workload
from stressrunner.scenario.steps import Flow, RunFlow, Step

__all__ = ["TrafficCompiler"]


class TrafficCompiler:
    """Compiles what the iterations of a scenario do."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._scenario = scenario
        self._mixes = [phase.mix for phase in scenario.load if phase.mix is not None]
        self._mixes += [
            workload.traffic for workload in scenario.workloads if isinstance(workload.traffic, Mix)
        ]
        beside = (*scenario.setup, *scenario.user_setup, *scenario.teardown)
        is_plain = all(isinstance(workload.traffic, Mix) for workload in scenario.workloads) and not any(
            map(self._has_flows, self._mixes)
        )
        self.endpoints = Endpoints(
            scenario,
            dict.fromkeys(name for workload in scenario.workloads for name in self.sent_by(workload)),
            seed,
            excluded=endpoints_in(beside, scenario.flows),
            in_steps=bool(beside) or not is_plain,
        )
        self._compiler = StepCompiler(self.endpoints, scenario.flows)

    def _has_flows(self, mix: Mix) -> bool:
        return any(weight and name in self._scenario.flows for name, weight in mix.weights.items())

    def sent_by(self, workload: Workload) -> Iterator[str]:
        """Yield the names of the endpoints that a workload sends, some of them several times."""
        scenario, mixes = self._scenario, [phase.mix for phase in workload.load]
        if isinstance(workload.traffic, Mix):
            mixes.append(workload.traffic)
        picked = [name for mix in mixes if mix is not None for name, weight in mix.weights.items() if weight]
        steps = [Step(RunFlow(name)) for name in picked if name in scenario.flows]
        match workload.traffic:
            case Flow(steps=own):
                steps += own
            case Session(send=send, open=before, close=after):
                yield send
                steps += (*before, *after)
        yield from (name for name in picked if name not in scenario.flows)
        yield from endpoints_in(steps, scenario.flows)

    def steps(self, steps: Sequence[Step]) -> StepsPlan | None:
        """Compile steps that are no part of the traffic; None where there are none."""
        return self._compiler.steps(steps) if steps else None

    def of(self, traffic: Mix | Flow | Session, phase: Phase, seed: int) -> TrafficPlan:
        """Compile what the iterations of a phase do, in a workload with such traffic and a seed of its own."""
        if phase.mix is not None:
            return self._mix(phase.mix, seed, f"mix of {phase.name}")
        match traffic:
            case Mix() as mix:
                return self._mix(mix, seed, "mix")
            case Flow(steps=steps):
                return FlowsPlan((self._compiler.group("flow", steps),), Blocks([Fraction(1)], seed, "flow"))
            case Session() as session:
                endpoint = self.endpoints.named(session.send)
                before, after = self._compiler.steps(session.open), self._compiler.steps(session.close)
                return SessionPlan(endpoint.index, session, before, after)

    def _mix(self, mix: Mix, seed: int, use: str) -> MixPlan | FlowsPlan:
        # In the order of the file, whatever that of the mix, so that what is picked does not depend on it.
        names = [name for name in (*self._scenario.endpoints, *self._scenario.flows) if mix.weights.get(name)]
        blocks = Blocks([mix.weights[name] for name in names], seed, use)
        if not self._has_flows(mix):
            return MixPlan(tuple(self.endpoints.named(name).index for name in names), blocks)
        compiler = self._compiler
        return FlowsPlan(
            tuple(
                compiler.flow(name) if name in self._scenario.flows else compiler.endpoint(name)
                for name in names
            ),
            blocks,
        )
