"""What must fit together in what a scenario sends: the names that are picked, weights, sessions, names to measure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.scenario.requests import step_lists, steps_in, unnamed_endpoints
from stressrunner.scenario.source import Node, Path, key_at, node_at
from stressrunner.scenario.step_references import unknown
from stressrunner.scenario.threshold import OVERALL_STATS
from stressrunner.scenario.workload_parts import phases_in, workload_parts

__all__ = ["check_measured_names", "check_traffic", "group_names"]

_TAKEN = frozenset({"flow", "session", *OVERALL_STATS})
_KINDS: Mapping[str, str] = {
    "endpoints": "an endpoint",
    "flows": "a flow",
    "groups": "a named step",
    "traffic": "a workload of traffic",
    "monitors": "a monitor",
}


def check_traffic(root: Node, value: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield what does not fit together in the traffic of a typed scenario, which may have other mistakes."""
    check = _Traffic(root, value)
    for part in workload_parts(value):
        yield from check.mix((*part.path, "mix"), part.value.get("mix"))
        for path, phase in zip(part.phase_paths, part.phases, strict=True):
            if isinstance(phase, dict):
                yield from check.mix((*path, "mix"), phase.get("mix"))
                yield from check.phase(path, phase)
        yield from check.session((*part.path, "session"), _mapping(part.value, "session"))
    yield from check.nothing()


def check_measured_names(root: Node, value: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Yield names that two different things share, which thresholds look up in one place."""
    seen: dict[str, str] = {}
    for kind, name, path in _measured(value):
        key = key_at(root, path)
        # What is named in a step is a value there, and several steps may share a name.
        place = node_at(root, path) if kind == "groups" or key is None else key
        if name in _TAKEN:
            yield place.diagnostic(f"the name '{name}' is taken in thresholds", "rename it")
        elif seen.setdefault(name, kind) != kind:
            yield place.diagnostic(f"'{name}' is {_KINDS[seen[name]]} already", "rename one of them")


def group_names(value: Mapping[str, Any]) -> list[str]:
    """Return the names under which steps are measured as a whole, each once."""
    return list(dict.fromkeys(name for name, _ in _groups(value)))


def _measured(value: Mapping[str, Any]) -> Iterator[tuple[str, str, Path]]:
    """Yield the kind, name and place of everything that is measured under a name."""
    for kind in ("endpoints", "flows"):
        for name in _mapping(value, kind):
            yield kind, name, (kind, name)
    for name, path in _groups(value):
        yield "groups", name, path
    for kind in ("traffic", "monitors"):
        for name in _mapping(value, kind):
            yield kind, name, (kind, name)


def _groups(value: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    for path, steps in step_lists(value):
        for inner, step in steps_in(path, steps):
            name = step.get("name") if isinstance(step, dict) else None
            if isinstance(name, str):
                yield name, (*inner, "name")


class _Traffic:
    def __init__(self, root: Node, value: Mapping[str, Any]) -> None:
        self._root = root
        self._value = value
        self._endpoints = _mapping(value, "endpoints")
        self._flows = _mapping(value, "flows")
        phases = [phase for _, phase in phases_in(value)]
        self._phases = len(phases)
        self._phases_with = Counter(name for phase in phases for name in _mapping(phase, "variables"))

    def _key(self, path: Path, message: str, hint: str = "") -> Diagnostic:
        return (key_at(self._root, path) or node_at(self._root, path)).diagnostic(message, hint)

    def mix(self, path: Path, mix: Any) -> Iterator[Diagnostic]:
        if not isinstance(mix, dict) or not mix:
            return
        known = {**self._endpoints, **self._flows}
        what = "endpoint or flow" if self._flows else "endpoint"
        for name in mix:
            if name not in known:
                yield self._key((*path, name), *unknown(what, name, known))
        weights = [weight for weight in mix.values() if isinstance(weight, int | float)]
        if not any(weights) and len(weights) == len(mix):
            yield self._key(path, "the weights add up to nothing", f"give at least one {what} a weight")

    def phase(self, path: Path, phase: Mapping[str, Any]) -> Iterator[Diagnostic]:
        """Yield the variables of a phase that the others lack."""
        known = _mapping(self._value, "variables")
        for name in _mapping(phase, "variables"):
            if name not in known and self._phases_with[name] < self._phases:
                message = f"'{name}' is a variable of this phase alone"
                yield self._key((*path, "variables", name), message, "give it a value under 'variables'")

    def session(self, path: Path, session: Mapping[str, Any]) -> Iterator[Diagnostic]:
        send = session.get("send")
        if isinstance(send, str) and send not in self._endpoints:
            node = node_at(self._root, (*path, "send"))
            if send in self._flows:
                hint = "steps before and after the messages go under 'open' and 'close'"
                yield node.diagnostic(f"'{send}' is a flow, and a message is one request", hint)
            else:
                yield node.diagnostic(*unknown("endpoint", send, self._endpoints))
        burst, messages = session.get("burst"), session.get("messages")
        if isinstance(burst, int) and isinstance(messages, int) and burst > messages:
            node = node_at(self._root, (*path, "burst"))
            yield node.diagnostic(f"a burst of {burst} is more than the {messages} messages")
        think = _mapping(session, "think")
        if think and _seconds(think.get("min")) > _seconds(think.get("max")):
            node = node_at(self._root, (*path, "think", "min"))
            yield node.diagnostic("'min' is longer than 'max'")

    def nothing(self) -> Iterator[Diagnostic]:
        """Yield that nothing says what is sent, where every endpoint is named by a step."""
        if any(key in self._value for key in ("mix", "flow", "session", "traffic")) or not self._endpoints:
            return
        if not unnamed_endpoints(self._value):
            hint = (
                f"add 'mix: {{{next(iter(self._flows))}: 1}}'" if self._flows else "add a 'mix' or a 'flow'"
            )
            message = "every endpoint is named by a step, and nothing says which of them are sent"
            yield self._key(("endpoints",), message, hint)


def _mapping(value: Any, key: str) -> Mapping[str, Any]:
    inner = value.get(key) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, dict) else {}


def _seconds(text: Any) -> float:
    try:
        return float(units.parse_duration(text)) if isinstance(text, str) else 0.0
    except ValueError:
        return 0.0  # the schema has said so
