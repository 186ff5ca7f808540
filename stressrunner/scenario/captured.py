"""What an iteration has captured at each of its places: for certain, or on some ways to it.

The steps of a scenario are walked as an iteration goes through them. What a step captures is certain after it, unless
it may not have been done, or have failed: under `if`, `each` and `continue_on_error`. An endpoint or flow that is
reached on several ways knows for certain what all of them know.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from stressrunner.scenario.requests import METHODS, name_in, steps_in
from stressrunner.scenario.source import Path
from stressrunner.scenario.workload_parts import WorkloadPart, workload_parts

__all__ = ["RESPONSE", "Captured", "Known", "captured_names"]

#: Stands among the names for those of the iteration's latest response.
RESPONSE = "latest response"
_EMPTY: frozenset[str] = frozenset()


class Known(NamedTuple):
    """The names that are known at a place beside those of the scenario."""

    certain: frozenset[str] = _EMPTY
    possible: frozenset[str] = _EMPTY  #: on some ways; the certain ones are among them

    def plus(self, names: Iterable[str], *, certain: bool = True) -> "Known":
        """Return what is known when these names are too."""
        added = frozenset(names)
        return Known(self.certain | added if certain else self.certain, self.possible | added)

    def minus(self, names: Iterable[str]) -> "Known":
        """Return what is known when these names no longer are."""
        gone = frozenset(names)
        return Known(self.certain - gone, self.possible - gone)

    def met_by(self, other: "Known") -> "Known":
        """Return what is known where two ways meet."""
        return Known(self.certain & other.certain, self.possible | other.possible)


class Captured:
    """Walks through a typed scenario, which may have mistakes, and remembers what is known where."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._value = value
        self._endpoints = _mapping(value, "endpoints")
        self._flows = {name: steps for name, steps in _mapping(value, "flows").items() if _is_list(steps)}
        self._at: dict[Path, Known] = {}
        self._running: list[str] = []  # flows that are being walked, to stop at one that runs itself
        self._walked: dict[tuple[str, Known], Known] = {}
        self._in_flows: dict[str, frozenset[str]] = {}
        self.everywhere = Known()  #: what every iteration begins with
        self._sent: Known | None = None
        self._walk()

    def at(self, path: Path) -> Known:
        """Return what is known in an endpoint, step or part of a step; at least what every iteration begins with."""
        while path:
            if path in self._at:
                return self._at[path]
            path = path[:-1]
        return self.everywhere

    def at_all(self, paths: Sequence[Path]) -> Known:
        """Return what is known in whichever of these places."""
        known = self.at(paths[0]) if paths else self.everywhere
        for path in paths[1:]:
            known = known.met_by(self.at(path))
        return known

    @property
    def whenever_sent(self) -> Known:
        """What is known whenever a request is sent, for what all of them have in common."""
        return self.everywhere if self._sent is None else self._sent

    def _walk(self) -> None:
        value = self._value
        of_setup = self._list(("setup",), value.get("setup"), Known()).minus({RESPONSE})
        self._list(("teardown",), value.get("teardown"), of_setup)
        start = self._list(("user_setup",), value.get("user_setup"), of_setup).minus({RESPONSE})
        self.everywhere = start
        for part in workload_parts(value):
            self._workload(part, start)
        # What nothing sends is checked as if it were sent alone.
        for name in self._endpoints:
            if ("endpoints", name) not in self._at:
                self._meet(("endpoints", name), start)
        for name in self._flows:
            if ("flows", name, 0) not in self._at:
                self._flow(name, start)

    def _workload(self, part: WorkloadPart, start: Known) -> None:
        if _is_list(part.value.get("flow")):
            self._list((*part.path, "flow"), part.value["flow"], start)
        session = _mapping(part.value, "session")
        if session:
            self._session((*part.path, "session"), session, start)
        for phase in [part.value, *part.phases]:
            for name in _mapping(phase, "mix"):
                self._named(name, start)

    def _session(self, path: Path, session: Mapping[str, Any], start: Known) -> None:
        known = self._list((*path, "open"), session.get("open"), start)
        send = session.get("send")
        if isinstance(send, str) and send in self._endpoints:
            own = captured_names(self._endpoints[send])
            # The second message knows what the first one's reply gave, which the first one cannot.
            self._meet(("endpoints", send), known.plus({*own, RESPONSE}, certain=False))
            self._send(known.plus({*own, RESPONSE}, certain=False))
            known = known.plus({*own, RESPONSE})
        self._list((*path, "close"), session.get("close"), known)

    def _meet(self, path: Path, known: Known) -> None:
        self._at[path] = self._at[path].met_by(known) if path in self._at else known

    def _send(self, known: Known) -> None:
        self._sent = known if self._sent is None else self._sent.met_by(known)

    def _list(self, path: Path, steps: Any, known: Known) -> Known:
        """Walk through steps in order; return what is known when all of them have passed."""
        before = known
        for number, step in enumerate(steps if _is_list(steps) else ()):
            if isinstance(step, dict) and _runs_after_failure(step):
                # Any of the steps before it may have failed.
                self._step((*path, number), step, Known(before.certain, known.possible))
            known = self._step((*path, number), step, known)
        return known

    def _step(self, path: Path, step: Any, known: Known) -> Known:
        if isinstance(step, str):
            self._meet(path, known)
            return self._named(step, known)
        if not isinstance(step, dict):
            return known
        self._meet((*path, "if"), known)
        self._meet((*path, "each"), known)
        bound = _bound_by(step)
        inner = known.plus(bound)
        if "each" in step or "repeat" in step:
            inner = inner.plus(self._captures_in(path, step), certain=False)
        self._meet(path, inner)
        after = self._action(path, step, inner)
        self._meet((*path, "repeat"), after)
        after = after.minus(bound - known.possible)
        if step.get("continue_on_error") is True or "if" in step or "each" in step:
            return Known(known.certain, after.possible)
        return after

    def _action(self, path: Path, step: Mapping[str, Any], known: Known) -> Known:
        name = name_in(step)
        if name is not None:
            after = self._named(name, known)
            return after.plus(captured_names(step)) if name in self._endpoints else after
        if "steps" in step:
            return self._list((*path, "steps"), step["steps"], known)
        if "parallel" in step:
            return self._parallel((*path, "parallel"), step["parallel"], known)
        if any(method in step for method in METHODS):
            self._send(known)
            return known.plus({*captured_names(step), RESPONSE})
        # What else a step with a capture may be is a mistake, such as `login:` for `send: login`, and told as that.
        return known.plus(captured_names(step))

    def _parallel(self, path: Path, steps: Any, known: Known) -> Known:
        """Walk through branches, which may know of each other's captures or not, as it happens."""
        branches = list(enumerate(steps if _is_list(steps) else ()))
        others = known.plus(self._captures_in(path, {"steps": steps}), certain=False)
        after = [self._step((*path, number), step, others) for number, step in branches]
        return known.plus(frozenset[str]().union(*(each.certain for each in after))).plus(
            frozenset[str]().union(*(each.possible for each in after)), certain=False
        )

    def _named(self, name: str, known: Known) -> Known:
        if name in self._endpoints:
            self._meet(("endpoints", name), known)
            self._send(known)
            return known.plus({*captured_names(self._endpoints[name]), RESPONSE})
        return self._flow(name, known) if name in self._flows else known

    def _flow(self, name: str, known: Known) -> Known:
        if name in self._running:
            return known
        way = (name, known)
        if way not in self._walked:
            self._running.append(name)
            self._walked[way] = self._list(("flows", name), self._flows[name], known)
            self._running.pop()
        return self._walked[way]

    def _captures_in(self, path: Path, step: Mapping[str, Any]) -> frozenset[str]:
        """Return all that a step and those in it may capture."""
        names: set[str] = set()
        for _, inner in steps_in(path, [step]):
            names |= captured_names(inner)
            name = name_in(inner)
            if name is not None and name in self._endpoints:
                names |= captured_names(self._endpoints[name])
            elif name is not None and name in self._flows:
                names |= self._captures_of_flow(name)
        return frozenset(names)

    def _captures_of_flow(self, name: str) -> frozenset[str]:
        if name not in self._in_flows:
            self._in_flows[name] = _EMPTY  # for a flow that runs itself
            self._in_flows[name] = self._captures_in(("flows", name), {"steps": self._flows[name]})
        return self._in_flows[name]


def captured_names(described: Any) -> frozenset[str]:
    """Return the names that an endpoint or a step captures."""
    return frozenset(_mapping(described, "capture"))


def _bound_by(step: Mapping[str, Any]) -> frozenset[str]:
    """Return the names that only the inside of a step knows."""
    bound = {"repeat"} if "repeat" in step else set()
    if "each" in step:
        item = step.get("as", "item")
        bound.add(item if isinstance(item, str) else "item")
    return frozenset(bound)


def _runs_after_failure(step: Mapping[str, Any]) -> bool:
    condition = step.get("if")
    return isinstance(condition, str) and ("always(" in condition or "failure(" in condition)


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
