"""Where an iteration is on its way through steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from stressrunner.engine.loop_watch import LEAST_NS, Late
from stressrunner.engine.names import IterationScope, RequestNames, StepScope
from stressrunner.engine.permit import Permit
from stressrunner.engine.sending import Due
from stressrunner.http.exchange import Transport

__all__ = ["Cursor", "StepContext"]


class Cursor(NamedTuple):
    """The steps that a step is in: what they bind, and where their requests stand."""

    slot: int = 0  #: of the first request
    shift: int = 0  #: rows that earlier passes have taken
    loops: tuple[int, ...] = ()  #: numbers of the passes and elements, from the outermost
    is_planned: bool = True  #: the plan counts on the requests
    has_failed: bool = False  #: a step before has
    bound: Mapping[str, Any] = MappingProxyType({})  #: elements of `each` by their names, and `repeat`

    def use(self, what: str = "") -> object:
        """Return what random draws here depend on beside the iteration; `what` tells those of one step apart."""
        if not self.loops and not what:
            return self.slot
        return f"{self.slot} {self.loops} {what}"

    def in_loop(self, number: int, slots: int, bound: Mapping[str, Any], *, is_planned: bool) -> "Cursor":
        """Return a pass or an element of a loop whose body has so many slots."""
        return self._replace(
            shift=self.shift + number * slots,
            loops=(*self.loops, number),
            is_planned=self.is_planned and is_planned,
            bound={**self.bound, **bound},
        )


@dataclass(slots=True)
class StepContext:
    """An iteration on its way; each branch of `parallel` has a context of its own."""

    scope: IterationScope
    transport: Transport
    due: Due  #: of the next request: when the one before it ended, pauses added
    number: int = 0  #: of the next request, as a message
    stride: int = 1  #: from one such number to the next; branches take turns
    owed: dict[int, int] | None = None  #: planned requests to come, by endpoint; None where none are planned
    is_measured: bool = True  #: lengths are recorded
    paused_ns: int = 0  #: pauses so far
    own_ns: int = 0  #: the generator's own time of the requests so far
    in_wake: bool = False  #: one of them was in the wake of a freeze
    seen: StepScope = field(default_factory=StepScope)
    permit: Permit = field(default_factory=Permit)  #: to begin further requests
    failed: set[int] = field(default_factory=set)  #: endpoints of which a request failed or was refused

    def names(self, cursor: Cursor, what: str = "", **more: Any) -> RequestNames:
        """Return the names that an expression of a step sees, with `more` beside those that are bound there."""
        step = StepScope({**cursor.bound, **more}, self.seen.latest)
        return RequestNames(
            self.scope, self.number, step=step, use=cursor.use(what), row=cursor.slot + cursor.shift
        )

    def next_request(self, cursor: Cursor) -> RequestNames:
        """Return the names that the next request sees; its response becomes the latest one."""
        number = self.number
        self.number += self.stride
        self.seen.bound = cursor.bound
        return RequestNames(
            self.scope, number, step=self.seen, use=cursor.use(), row=cursor.slot + cursor.shift
        )

    def went_on(self, now_ns: int) -> None:
        """Have the next request be due now."""
        self.due = Due(self.due.phase, now_ns)

    def was_late(self, late: Late | None) -> None:
        """Take what the generator added to a request that has ended."""
        if late is not None:
            self.own_ns += late.own_ns
            self.in_wake = self.in_wake or late.in_wake

    def late_since(self, own_ns: int) -> Late | None:
        """Return what the generator added since it had added so much in all."""
        added_ns = self.own_ns - own_ns
        if added_ns < LEAST_NS and not self.in_wake:
            return None
        return Late(added_ns if added_ns >= LEAST_NS else 0, in_wake=self.in_wake)

    def branches(self, count: int) -> "list[StepContext]":
        """Return a context for each branch; their messages have different numbers, whatever order they are sent in."""
        return [
            StepContext(
                self.scope,
                self.transport,
                self.due,
                self.number + branch * self.stride,
                self.stride * count,
                self.owed,
                self.is_measured,
                seen=StepScope(self.seen.bound, self.seen.latest),
                permit=self.permit,
                failed=self.failed,
            )
            for branch in range(count)
        ]

    def join(self, branches: "Sequence[StepContext]", now_ns: int) -> None:
        """Go on where all branches have ended: as long as the longest of them, without its pauses."""
        began_ns = self.due.due_ns
        longest_ns = max(branch.due.due_ns - began_ns - branch.paused_ns for branch in branches)
        self.paused_ns += now_ns - began_ns - longest_ns
        self.own_ns += max(branch.own_ns for branch in branches)
        self.in_wake = self.in_wake or any(branch.in_wake for branch in branches)
        self.number = max(branch.number for branch in branches)
        responses = [branch.seen.latest for branch in branches if branch.seen.latest is not None]
        self.seen.latest = max(responses, key=lambda response: response.completed_ns, default=None)
        self.went_on(now_ns)
