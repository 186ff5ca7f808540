"""Steps as typed, frozen values: what an iteration does, one after the other.

A step has one action and any modifiers. From the outside in, they work like this: `continue_on_error` forgives the
step's failure, `if` decides whether there is anything to do, `name` measures all of it, `each` does it for every
element, `repeat` does that several times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["Action", "Flow", "Group", "Parallel", "Repeat", "RunFlow", "Send", "Step", "Think"]


@dataclass(frozen=True, slots=True)
class Send:
    """Send an endpoint of the scenario."""

    endpoint: str
    checks: tuple[str, ...]  #: beside the endpoint's own
    capture: Mapping[str, Any]  #: beside the endpoint's own


@dataclass(frozen=True, slots=True)
class RunFlow:
    """Run a flow of the scenario."""

    flow: str


@dataclass(frozen=True, slots=True)
class Think:
    """Pause, which is part of no measured time."""

    min_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class Group:
    """Do several steps in order."""

    steps: "tuple[Step, ...]"


@dataclass(frozen=True, slots=True)
class Parallel:
    """Do several steps at once, and go on when the last one has ended."""

    steps: "tuple[Step, ...]"


Action: TypeAlias = Send | RunFlow | Think | Group | Parallel


@dataclass(frozen=True, slots=True)
class Repeat:
    """Do a step several times: so often, or until something holds."""

    times: int | None  #: passes, with `until` at most; None when only time is the limit
    until: str | None = None  #: expression, asked after each pass
    delay: str = "0"  #: between two passes: a duration, which may have placeholders
    timeout_s: float | None = None  #: no pass begins later than so long after the first one


@dataclass(frozen=True, slots=True)
class Step:
    """One action of an iteration with its modifiers."""

    action: Action
    name: str | None = None  #: that it is measured under as a whole
    condition: str | None = None  #: expression, `if` in the file
    each: str | None = None  #: expression: a list, for whose elements the action is done
    item: str = "item"  #: what the element is called, `as` in the file
    repeat: Repeat | None = None
    continue_on_error: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """Each iteration runs these steps in order."""

    steps: tuple[Step, ...]
