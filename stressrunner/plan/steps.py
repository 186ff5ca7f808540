"""Steps, compiled: what a flow does, how many requests it is sure to send, and where each of them stands.

Requests have slots: numbers in the iteration that do not depend on what happens in it, so that what a request draws
from its seed and its feeders stays the same however often another one is repeated. A step has as many slots as it has
requests when nothing is left out and everything is done once, but for a `repeat` of a fixed number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from stressrunner.expressions import (
    CONDITIONS,
    Template,
    compile_condition,
    compile_expression,
    compile_template,
)
from stressrunner.expressions.expression import Expression
from stressrunner.plan.endpoints import EndpointPlan, Endpoints
from stressrunner.scenario.steps import Group, Parallel, Repeat, RunFlow, Send, Step, Think

__all__ = [
    "Condition",
    "GroupPlan",
    "ParallelPlan",
    "RepeatPlan",
    "SendPlan",
    "SentCounts",
    "StepCompiler",
    "StepPlan",
    "StepsPlan",
    "ThinkPlan",
    "endpoints_in",
]


@dataclass(frozen=True, slots=True)
class SendPlan:
    """Send a request."""

    endpoint: EndpointPlan


@dataclass(frozen=True, slots=True)
class ThinkPlan:
    """Pause."""

    min_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """Do steps in order."""

    steps: "StepsPlan"


@dataclass(frozen=True, slots=True)
class ParallelPlan:
    """Do steps all at once."""

    steps: "StepsPlan"


ActionPlan: TypeAlias = SendPlan | ThinkPlan | GroupPlan | ParallelPlan


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a step is done."""

    expression: Expression
    after_failure: bool  #: also asked when a step before it has failed


@dataclass(frozen=True, slots=True)
class RepeatPlan:
    """How often a step is done."""

    times: int | None  #: None when only time is the limit
    until: Expression | None
    delay: Template
    timeout_s: float | None


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step, compiled."""

    action: ActionPlan
    number: int  #: among the steps of the plan
    slot: int  #: of its first request, counted from the first one of the steps that it is among
    slots: int  #: of all its requests
    certain: Mapping[int, int]  #: requests that are sure to be sent when no step fails, by endpoint
    body: "SentCounts"  #: what doing it once takes
    is_fixed: bool  #: it sends no more than it is sure to
    groups: tuple[str, ...] = ()  #: the names that it is measured under as a whole
    condition: Condition | None = None
    each: Expression | None = None
    item: str = "item"
    repeat: RepeatPlan | None = None
    continue_on_error: bool = False


@dataclass(frozen=True, slots=True)
class SentCounts:
    """The requests of something that is done once."""

    certain: Mapping[
        int, int
    ]  #: those that are sure to be sent when no step fails, by the indices of endpoints
    slots: int
    first: int | None  #: index of the endpoint of the first one; None without any
    at_once: int = 1  #: those that may be on their way together
    is_fixed: bool = True  #: no more are sent than those that are sure to be


@dataclass(frozen=True, slots=True)
class StepsPlan:
    """Steps that belong together, such as those of a flow."""

    steps: tuple[StepPlan, ...]
    sent: SentCounts  #: in order

    @classmethod
    def of(cls, steps: Sequence[StepPlan]) -> "StepsPlan":
        """Return the plan of steps that follow one another."""
        certain: Counter[int] = Counter()
        for step in steps:
            certain.update(step.certain)
        first = next((step.body.first for step in steps if step.body.first is not None), None)
        at_once = max((step.body.at_once for step in steps), default=0)
        is_fixed = all(step.is_fixed for step in steps)
        return cls(
            tuple(steps), SentCounts(certain, sum(step.slots for step in steps), first, at_once, is_fixed)
        )


class StepCompiler:
    """Compiles the steps of one scenario; a flow is compiled once, wherever it is run."""

    def __init__(self, endpoints: Endpoints, flows: Mapping[str, Sequence[Step]]) -> None:
        self._endpoints = endpoints
        self._flows = flows
        self._compiled: dict[str, StepsPlan] = {}
        self._number = 0

    def steps(self, steps: Iterable[Step]) -> StepsPlan:
        """Compile steps that follow one another; raises ExpressionError where a text makes no sense."""
        compiled = []
        slot = 0
        for step in steps:
            compiled.append(self._step(step, slot))
            slot += compiled[-1].slots
        return StepsPlan.of(compiled)

    def flow(self, name: str) -> StepPlan:
        """Compile a flow as a step of its own, which is measured under the flow's name."""
        return self._step(Step(RunFlow(name)), 0)

    def group(self, name: str, steps: Iterable[Step]) -> StepPlan:
        """Compile steps as one, which is measured under a name of the language."""
        return self._made(Step(Group(tuple(steps))), 0, (name,))

    def endpoint(self, name: str) -> StepPlan:
        """Compile an endpoint as a step of its own."""
        return self._step(Step(Send(name, (), {})), 0)

    def _step(self, step: Step, slot: int) -> StepPlan:
        flow = (step.action.flow,) if isinstance(step.action, RunFlow) else ()
        return self._made(step, slot, flow if step.name is None else (step.name, *flow))

    def _made(self, step: Step, slot: int, groups: tuple[str, ...]) -> StepPlan:
        self._number += 1
        number = self._number
        action = self._action(step)
        body = _body(action)
        is_open = step.repeat is not None and step.repeat.until is not None
        passes = 1 if is_open or step.repeat is None else step.repeat.times or 1
        is_certain = step.condition is None and step.each is None
        return StepPlan(
            action,
            number,
            slot,
            slots=body.slots * passes,
            certain={endpoint: n * passes for endpoint, n in body.certain.items()} if is_certain else {},
            body=body,
            is_fixed=body.is_fixed and is_certain and not is_open,
            groups=tuple(dict.fromkeys(groups)),
            condition=None if step.condition is None else _condition(step.condition),
            each=None if step.each is None else compile_expression(step.each),
            item=step.item,
            repeat=None if step.repeat is None else _repeat(step.repeat),
            continue_on_error=step.continue_on_error,
        )

    def _action(self, step: Step) -> ActionPlan:
        match step.action:
            case Send(endpoint, checks, capture):
                return SendPlan(self._endpoints.extended(endpoint, checks, capture))
            case Think(min_s, max_s):
                return ThinkPlan(min_s, max_s)
            case Group(steps):
                return GroupPlan(self.steps(steps))
            case Parallel(steps):
                return ParallelPlan(self.steps(steps))
            case RunFlow(name):
                if name not in self._compiled:
                    self._compiled[name] = self.steps(self._flows[name])
                return GroupPlan(self._compiled[name])


def _body(action: ActionPlan) -> SentCounts:
    match action:
        case SendPlan(endpoint):
            return SentCounts({endpoint.index: 1}, 1, endpoint.index)
        case GroupPlan(steps):
            return steps.sent
        case ParallelPlan(steps):
            return replace(steps.sent, at_once=sum(branch.body.at_once for branch in steps.steps))
        case ThinkPlan():
            return SentCounts({}, 0, None, at_once=0)


def _condition(source: str) -> Condition:
    expression = compile_condition(source)
    return Condition(expression, any(r.path[0] in CONDITIONS for r in expression.references))


def _repeat(repeat: Repeat) -> RepeatPlan:
    until = None if repeat.until is None else compile_expression(repeat.until)
    return RepeatPlan(repeat.times, until, compile_template(repeat.delay), repeat.timeout_s)


def endpoints_in(steps: Iterable[Step], flows: Mapping[str, Sequence[Step]]) -> Iterator[str]:
    """Yield the names of the endpoints that steps may send, also by way of flows; some more than once."""
    waiting, seen = list(steps), set[str]()
    while waiting:
        match waiting.pop().action:
            case Send(endpoint=name):
                yield name
            case Group(steps=inner) | Parallel(steps=inner):
                waiting += inner
            case RunFlow(flow=name) if name not in seen:
                seen.add(name)
                waiting += flows[name]
