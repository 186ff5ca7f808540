"""What must fit together in steps: the names in them, their modifiers, and flows that run one another."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.scenario.requests import METHODS, name_in, step_lists, steps_in
from stressrunner.scenario.schema import scenario_schema
from stressrunner.scenario.source import Node, Path, key_at, node_at
from stressrunner.scenario.workload_parts import workload_parts
from stressrunner.spelling import did_you_mean

__all__ = ["check_steps", "unknown"]

_ACTIONS = ("send", *METHODS, "think", "steps", "parallel")
_SENDS_NOTHING = ("think", "steps", "parallel")  # by themselves
_OF_RESPONSE = frozenset({"checks", "capture"})


def unknown(kind: str, name: str, known: Mapping[str, Any]) -> tuple[str, str]:
    """Return message and hint for a name that does not exist."""
    listed = f"known are {', '.join(known)}" if 0 < len(known) <= 8 else ""
    return f"there is no {kind} '{name}'", did_you_mean(name, known) or listed


def check_steps(root: Node, value: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield what does not fit together in the steps of a typed scenario, which may have other mistakes."""
    check = _Steps(root, value)
    for path, steps in step_lists(value):
        for inner, step in steps_in(path, steps):
            yield from check.step(inner, step)
    circles = list(check.circles())
    yield from circles or check.idle(value)


class _Steps:
    def __init__(self, root: Node, value: Mapping[str, Any]) -> None:
        self._root = root
        self._endpoints = _mapping(value.get("endpoints"))
        self._flows = _mapping(value.get("flows"))

    def _key(self, path: Path, message: str, hint: str = "") -> Diagnostic:
        return (key_at(self._root, path) or node_at(self._root, path)).diagnostic(message, hint)

    def _value(self, path: Path, message: str, hint: str = "") -> Diagnostic:
        return node_at(self._root, path).diagnostic(message, hint)

    def step(self, path: Path, step: Any) -> Iterator[Diagnostic]:
        name = name_in(step)
        if name is not None and name not in self._endpoints and name not in self._flows:
            place = (*path, "send") if isinstance(step, dict) else path
            known = {**self._endpoints, **self._flows}
            yield self._value(place, *unknown("endpoint or flow", name, known))
        if isinstance(step, dict):
            yield from self._misplaced(path, step, name)
            yield from self._loops(path, step)
            if isinstance(step.get("think"), dict) and _is_reversed(step["think"]):
                yield self._value((*path, "think", "min"), "'min' is longer than 'max'")

    def _misplaced(self, path: Path, step: Mapping[str, Any], name: str | None) -> Iterator[Diagnostic]:
        """Yield the keys that belong to another action."""
        actions = [key for key in step if key in _ACTIONS]
        if len(actions) != 1 or actions[0] in METHODS:
            return
        action = actions[0]
        of_response = action == "send" and name not in self._flows
        for key in step:
            if key in _of_request():
                hint = "write it under the endpoint" if action == "send" else "it belongs to a request"
                yield self._key((*path, key), f"a step with '{action}' has no '{key}'", hint)
            elif key in _OF_RESPONSE and not of_response:
                what = "a flow" if action == "send" else f"a step with '{action}'"
                yield self._key(
                    (*path, key), f"{what} has no '{key}'", "it belongs to a step that sends a request"
                )

    def _loops(self, path: Path, step: Mapping[str, Any]) -> Iterator[Diagnostic]:
        if "as" in step and "each" not in step:
            yield self._key((*path, "as"), "'as' names the elements of 'each'", "add 'each', or remove it")
        repeat = step.get("repeat")
        if not isinstance(repeat, dict) or not repeat:
            return
        place = (*path, "repeat")
        if "until" not in repeat and "times" not in repeat:
            yield self._key(place, "'repeat' does not say how often", "add 'times', or 'until' with a limit")
        elif "until" in repeat and "times" not in repeat and "timeout" not in repeat:
            yield self._key((*place, "until"), "'until' may never hold", "add 'times' or 'timeout'")
        elif "until" not in repeat and "timeout" in repeat:
            yield self._key((*place, "timeout"), "'timeout' belongs to 'until'", "'times' is the limit here")
        delay = repeat.get("delay")
        if isinstance(delay, str) and "{{" not in delay:
            try:
                units.parse_duration(delay)
            except ValueError as error:
                yield self._value((*place, "delay"), f"'delay': {error}")

    def circles(self) -> Iterator[Diagnostic]:
        """Yield the flows that run themselves, by way of others or not, each circle once."""
        runs = {name: list(self._runs(name)) for name in self._flows}
        done: set[str] = set()
        for start in runs:
            way: list[str] = []
            waiting: list[tuple[str, Path, int]] = [(start, ("flows", start), 0)]
            while waiting:
                name, path, depth = waiting.pop()
                del way[depth:]
                if name in way:
                    circle = [*way[way.index(name) :], name]
                    hint = " -> ".join(circle) if len(circle) > 2 else ""
                    what = "flows run one another in a circle" if hint else "a flow cannot run itself"
                    yield self._value(path, what, hint)
                elif name not in done:
                    done.add(name)
                    way.append(name)
                    waiting += [(inner, place, depth + 1) for inner, place in reversed(runs[name])]

    def idle(self, value: Mapping[str, Any]) -> Iterator[Diagnostic]:
        """Yield the flows that send no request, also not by way of others."""
        lists: dict[Path, Any] = {("flows", name): steps for name, steps in self._flows.items()}
        lists.update({(*part.path, "flow"): part.value.get("flow") for part in workload_parts(value)})
        sending = {path for path, steps in lists.items() if not isinstance(steps, list) or self._sends(steps)}
        run_by: dict[Path, list[Path]] = {}
        for path, steps in lists.items():
            for _, step in steps_in(path, steps if isinstance(steps, list) else ()):
                run_by.setdefault(("flows", name_in(step) or ""), []).append(path)
        waiting = list(sending)
        while waiting:
            others = [path for path in run_by.get(waiting.pop(), ()) if path not in sending]
            sending.update(others)
            waiting += others
        for path in lists:
            if path not in sending:
                yield self._key(path, f"'{path[-1]}' sends no request", "add a step that names an endpoint")

    def _sends(self, steps: list[Any]) -> bool:
        """Return whether a list of steps sends a request by itself; what makes no sense counts as one."""
        for _, step in steps_in((), steps):
            name = name_in(step)
            if name is not None and name not in self._flows:
                return True
            if name is None and not (isinstance(step, dict) and any(key in step for key in _SENDS_NOTHING)):
                return True
        return not steps

    def _runs(self, flow: str) -> Iterator[tuple[str, Path]]:
        """Yield the flows that a flow runs, with the place that says so."""
        steps = self._flows[flow]
        for path, step in steps_in(("flows", flow), steps if isinstance(steps, list) else ()):
            name = name_in(step)
            if name is not None and name in self._flows and name not in self._endpoints:
                yield name, (*path, "send") if isinstance(step, dict) else path


@cache
def _of_request() -> frozenset[str]:
    """Return what a request is made of, beside its method."""
    keys = scenario_schema()["$defs"]["endpoint"]["properties"].keys()
    return frozenset(keys - {*METHODS, *_OF_RESPONSE})


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_reversed(think: Mapping[str, Any]) -> bool:
    try:
        return units.parse_duration(think["min"]) > units.parse_duration(think["max"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return False  # the schema has said so
