"""What the iterations of a phase do, and how many requests they are sure to send."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from stressrunner.plan.steps import StepPlan, StepsPlan
from stressrunner.plan.weights import Blocks
from stressrunner.scenario.model import Session

__all__ = ["FlowsPlan", "MixPlan", "SessionPlan", "TrafficPlan"]


@dataclass(frozen=True, slots=True)
class MixPlan:
    """Each iteration sends one endpoint."""

    endpoints: tuple[int, ...]  #: indices of the endpoints that are picked from
    blocks: Blocks
    requests: int = 1  #: per iteration
    at_once: int = 1  #: requests of one iteration that may be on their way together
    is_fixed: bool = True  #: no more requests are sent than those that are sure to be

    def pick(self, iteration: int) -> int:
        """Return the endpoint's index of an iteration of a phase."""
        return self.endpoints[self.blocks.pick(iteration)]

    def turn(self, iteration: int, _request: int) -> int:
        """Return how many requests the phase has sent to the endpoint of an iteration before it."""
        return self.blocks.turn(iteration)

    def requests_of(self, iteration: int) -> Mapping[int, int]:
        """Return how many requests of each endpoint an iteration of a phase sends."""
        return {self.pick(iteration): 1}

    def planned(self, iterations: int) -> Mapping[int, int]:
        """Return how many requests of each endpoint the first so many iterations of a phase send."""
        return dict(zip(self.endpoints, self.blocks.counts(iterations), strict=True))


@dataclass(frozen=True, slots=True)
class FlowsPlan:
    """Each iteration does one of several steps: a flow, or an endpoint among flows."""

    choices: tuple[StepPlan, ...]
    blocks: Blocks

    @property
    def requests(self) -> int:
        """Requests of one iteration: the slots of the longest choice."""
        return max(1, *(choice.slots for choice in self.choices))

    @property
    def at_once(self) -> int:
        """Requests of one iteration that may be on their way together."""
        return max(choice.body.at_once for choice in self.choices)

    @property
    def is_fixed(self) -> bool:
        """Whether no more requests are sent than those that are sure to be."""
        return all(choice.is_fixed for choice in self.choices)

    def pick(self, iteration: int) -> StepPlan:
        """Return what an iteration of a phase does."""
        return self.choices[self.blocks.pick(iteration)]

    def turn(self, _iteration: int, _request: int) -> None:
        """Return nothing: what a flow sends depends on what happens."""

    def requests_of(self, iteration: int) -> Mapping[int, int]:
        """Return how many requests of each endpoint an iteration of a phase is sure to send."""
        return self.pick(iteration).certain

    def planned(self, iterations: int) -> Mapping[int, int]:
        """Return how many requests of each endpoint the first so many iterations of a phase are sure to send."""
        total: Counter[int] = Counter()
        for choice, times in zip(self.choices, self.blocks.counts(iterations), strict=True):
            total.update({endpoint: n * times for endpoint, n in choice.certain.items()})
        return total


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """Each iteration is one chat session."""

    endpoint: int
    spec: Session
    open: StepsPlan
    close: StepsPlan

    @property
    def requests(self) -> int:
        """Requests of one iteration: a slot for each message, then those of the steps around them."""
        return self.spec.messages + self.open.sent.slots + self.close.sent.slots

    @property
    def at_once(self) -> int:
        """Requests of one iteration that may be on their way together."""
        return max(self.spec.burst, self.open.sent.at_once, self.close.sent.at_once)

    @property
    def is_fixed(self) -> bool:
        """Whether no more requests are sent than those that are sure to be."""
        return self.open.sent.is_fixed and self.close.sent.is_fixed

    def turn(self, iteration: int, request: int) -> int | None:
        """Return how many messages the phase has before one of an iteration; None for a request of its steps."""
        messages = self.spec.messages
        return iteration * messages + request if request < messages else None

    def requests_of(self, _iteration: int) -> Mapping[int, int]:
        """Return how many requests of each endpoint an iteration is sure to send."""
        return self.planned(1)

    def planned(self, iterations: int) -> Mapping[int, int]:
        """Return how many requests of each endpoint so many iterations are sure to send."""
        one = Counter({self.endpoint: self.spec.messages})
        one.update(self.open.sent.certain)
        one.update(self.close.sent.certain)
        return {endpoint: n * iterations for endpoint, n in one.items()}


TrafficPlan: TypeAlias = MixPlan | FlowsPlan | SessionPlan
