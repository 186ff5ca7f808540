"""What the schema cannot say of a scenario: names that must exist, and parts that must fit together.

Works on a typed tree that may have other mistakes, so that one broken place does not hide the rest: what has the
wrong shape is passed over here, because the schema has said so already.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from stressrunner.errors import Diagnostic
from stressrunner.scenario.auth_references import check_auth
from stressrunner.scenario.body_references import check_bodies
from stressrunner.scenario.captured import Captured
from stressrunner.scenario.delivery_references import check_delivery, paging_names
from stressrunner.scenario.feeders import FeederRows
from stressrunner.scenario.foregone_conditions import check_conditions
from stressrunner.scenario.names import RESERVED, Names, check_texts
from stressrunner.scenario.phases import check_load
from stressrunner.scenario.requests import requests_in, step_lists, steps_in, unnamed_endpoints
from stressrunner.scenario.source import Layer, Node, Path, key_at, node_at
from stressrunner.scenario.step_references import check_steps, unknown
from stressrunner.scenario.target import check_target
from stressrunner.scenario.threshold_references import Subjects, check_thresholds
from stressrunner.scenario.traffic_references import check_measured_names, check_traffic, group_names
from stressrunner.scenario.unused import sent_names, words_not_understood
from stressrunner.scenario.values import Text
from stressrunner.scenario.wire import check_wire
from stressrunner.scenario.workload_parts import WorkloadPart, phases_in, session_endpoints, workload_parts

__all__ = ["References", "check_references"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Checked:
    """A typed tree with its nodes, read without trusting its shape."""

    root: Node
    value: Any
    texts: list[Text]
    feeders: FeederRows
    spare: set[tuple[str, str]] = field(default_factory=set)  #: as `References` has it

    def at(self, *path: str | int) -> Any:
        value = self.value
        for step in path:
            if not isinstance(value, dict) or step not in value:
                return None
            value = value[step]
        return value

    def mapping(self, *path: str | int) -> Mapping[str, Any]:
        value = self.at(*path)
        return value if isinstance(value, dict) else _EMPTY

    def text(self, *path: str | int) -> str | None:
        value = self.at(*path)
        return value if isinstance(value, str) else None

    def is_own(self, *path: str) -> bool:
        """Whether a key is the scenario's alone; used files and environments offer more than one scenario takes."""
        key = key_at(self.root, path)
        return key is not None and key.source.layer in (Layer.SCENARIO, Layer.SETTING)

    def at_value(self, path: Path, message: str, hint: str = "") -> Diagnostic:
        return node_at(self.root, path).diagnostic(message, hint)

    def at_key(self, path: Path, message: str, hint: str = "") -> Diagnostic:
        return (key_at(self.root, path) or node_at(self.root, path)).diagnostic(message, hint)


class References(NamedTuple):
    """What looking at a whole scenario has shown."""

    diagnostics: list[Diagnostic]
    spare: frozenset[tuple[str, str]]  #: sections and names that other files offer and nothing takes


def check_references(root: Node, value: Any, texts: list[Text], feeders: FeederRows) -> References:
    """Return all that does not fit together in a typed scenario.

    Args:
        root: its nodes.
        value: its typed values; may have mistakes.
        texts: its templates, expressions and thresholds.
        feeders: the rows of those that could be read.
    """
    checked = _Checked(root, value, texts, feeders)
    found: list[Diagnostic] = []
    for check in _CHECKS:
        found += check(checked)
    return References(found, frozenset(checked.spare))


def _target(checked: _Checked) -> Iterator[Diagnostic]:
    return check_target(checked.root, checked.mapping("target"))


def _template_names(checked: _Checked) -> Iterator[Diagnostic]:
    """Variables, feeders and captures share the names of the template language, and must not hide one another."""
    places: list[tuple[str, Path]] = [("feeder", ("feeders", name)) for name in checked.mapping("feeders")]
    places += [("variable", ("variables", name)) for name in checked.mapping("variables")]
    places += [("capture", path) for path in _captures(checked.mapping())]
    for _, path in _own_variables(checked.mapping()):
        places.append(("variable", path))
    feeders = checked.mapping("feeders")
    named = [(what, path[-1], path) for what, path in places]
    named += [("element", name, path) for name, path in _elements(checked.mapping())]
    for what, name, path in named:
        show = checked.at_value if what == "element" else checked.at_key
        if name in RESERVED:
            yield show(path, f"the {what} '{name}' has a name of the template language", "rename it")
        elif what != "feeder" and name in feeders:
            yield show(path, f"'{name}' is a feeder already", "rename one of them")


def _measured_names(checked: _Checked) -> Iterator[Diagnostic]:
    return check_measured_names(checked.root, checked.mapping())


def _traffic(checked: _Checked) -> Iterator[Diagnostic]:
    return check_traffic(checked.root, checked.mapping())


def _steps(checked: _Checked) -> Iterator[Diagnostic]:
    return check_steps(checked.root, checked.mapping())


def _payloads(checked: _Checked) -> Iterator[Diagnostic]:
    payloads = checked.mapping("payloads")
    used = set()
    for path, request in requests_in(checked.mapping()):
        body = request.get("json")
        if not isinstance(body, dict) or "$payload" not in body:
            continue
        name, place = body["$payload"], (*path, "json", "$payload")
        used.add(str(name))
        if not isinstance(name, str) or name not in payloads:
            yield checked.at_value(place, *unknown("payload", str(name), payloads))
        elif len(body) > 1:
            yield checked.at_key(place, "'$payload' stands alone", "move the other keys into the payload")
    # A payload that is taken under a wrong name is not unused.
    for name in payloads if used <= payloads.keys() else ():
        if name not in used:
            hint = f"take it with 'json: {{$payload: {name}}}', or remove it"
            yield from _unused(checked, ("payloads", name), f"no endpoint takes the payload '{name}'", hint)


def _unused(checked: _Checked, path: tuple[str, str], message: str, hint: str) -> Iterator[Diagnostic]:
    """Yield the mistake of what nothing uses, unless other files offer it."""
    if checked.is_own(*path):
        yield checked.at_key(path, message, hint)
    else:
        checked.spare.add(path)


def _feeder_rows(checked: _Checked) -> Iterator[Diagnostic]:
    """Rows given in place must agree on their columns, as the lines of a CSV file do."""
    for feeder in checked.mapping("feeders"):
        values = checked.at("feeders", feeder, "values")
        if not isinstance(values, list) or not values:
            continue
        columns = values[0].keys() if isinstance(values[0], dict) else None
        for number, row in enumerate(values):
            own = row.keys() if isinstance(row, dict) else None
            if own != columns:
                path = ("feeders", feeder, "values", number)
                yield checked.at_value(path, "this row has other columns than the first one")
                break


def _rows_per_user(checked: _Checked) -> Iterator[Diagnostic]:
    """With `per: user` no two users share a row, so there must be one for each."""
    users = sum(_most_users(part) for part in workload_parts(checked.mapping()))
    for feeder, rows in checked.feeders.rows.items():
        if checked.at("feeders", feeder, "per") == "user" and 0 < len(rows) < users:
            message = f"'{feeder}' has {len(rows)} rows for {users} users, who do not share them"
            yield checked.at_value(("feeders", feeder, "per"), message, "add rows, or lower 'concurrency'")


def _most_users(part: WorkloadPart) -> int:
    """Return how many users the closed phases of a workload need; one with a rate needs one at least."""
    given = [phase.get("concurrency") for phase in part.phases if isinstance(phase, dict)]
    ends = [end for users in given for end in (users.values() if isinstance(users, dict) else (users,))]
    return max((end for end in ends if isinstance(end, int)), default=1 if part.name else 0)


def _templates(checked: _Checked) -> Iterator[Diagnostic]:
    names = _names(checked)
    found, used = check_texts(checked.texts, names)
    yield from found
    used |= words_not_understood(checked.root, checked.texts)
    for what in ("feeder", "variable"):
        for name in checked.mapping(f"{what}s"):
            if name not in used | RESERVED:
                hint = f"use it as '{{{{ {name} }}}}', or remove it"
                path, message = (f"{what}s", name), f"nothing uses the {what} '{name}'"
                yield from _unused(checked, path, message, hint)


def _captures(value: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the places of all captures."""
    for path, request in requests_in(value):
        captures = request.get("capture")
        yield from ((*path, "capture", name) for name in (captures if isinstance(captures, dict) else ()))
    for path, steps in step_lists(value):
        for inner, step in steps_in(path, steps):
            captures = step.get("capture") if isinstance(step, dict) and "send" in step else None
            yield from (
                (*inner, "capture", name) for name in (captures if isinstance(captures, dict) else ())
            )


def _elements(value: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the names that the elements of `each` have, with the places that give them."""
    for path, steps in step_lists(value):
        for inner, step in steps_in(path, steps):
            if isinstance(step, dict) and "each" in step and isinstance(step.get("as", "item"), str):
                yield step.get("as", "item"), (*inner, "as" if "as" in step else "each")


def _own_variables(value: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the variables that phases have of their own, with their places."""
    for path, phase in phases_in(value):
        variables = phase.get("variables")
        for name in variables if isinstance(variables, dict) else ():
            yield name, (*path, "variables", name)


def _names(checked: _Checked) -> Names:
    senders: dict[str, tuple[Path, ...]] = {}
    for path, request in requests_in(checked.mapping()):
        body = request.get("json")
        payload = body.get("$payload") if isinstance(body, dict) else None
        if isinstance(payload, str):
            senders[payload] = (*senders.get(payload, ()), path)
    feeders = checked.mapping("feeders")
    return Names(
        variables=frozenset(
            [*checked.mapping("variables"), *(name for name, _ in _own_variables(checked.mapping()))]
        ),
        feeders={feeder: checked.feeders.fields.get(feeder) for feeder in feeders},
        captures={str(path[-1]): _owner(path) for path in _captures(checked.mapping())},
        payloads=senders,
        session_endpoints=frozenset(session_endpoints(checked.mapping())),
        elements=frozenset(name for name, _ in _elements(checked.mapping())),
        captured=Captured(checked.mapping()),
        read_back_endpoint=checked.text("invariants", "delivery", "read_back", "endpoint"),
        paging=paging_names(checked.mapping("invariants", "delivery", "read_back")),
    )


def _owner(path: Path) -> str:
    """Return the endpoint or step that a capture belongs to, in words."""
    if path[0] == "endpoints":
        return f"'{path[1]}'"
    return f"a step of '{path[1 if path[0] in ('flows', 'traffic') else 0]}'"


def _bodies(checked: _Checked) -> Iterator[Diagnostic]:
    return check_bodies(checked.root, checked.mapping(), checked.mapping("payloads"))


def _auth(checked: _Checked) -> Iterator[Diagnostic]:
    return check_auth(checked.root, checked.mapping(), checked.mapping("target"))


def _conditions(checked: _Checked) -> Iterator[Diagnostic]:
    return check_conditions(checked.mapping(), checked.texts)


def _wire(checked: _Checked) -> Iterator[Diagnostic]:
    return check_wire(checked.texts)


def _load(checked: _Checked) -> Iterator[Diagnostic]:
    value = checked.mapping()
    return check_load(checked.root, value, lambda part, phase: _unit(value, part.value, phase))


def _unit(value: Mapping[str, Any], part: Mapping[str, Any], phase: Mapping[str, Any]) -> str:
    """Return what an iteration of a phase is: `requests` where it sends one, else `sessions` or `iterations`."""
    mix, flows = phase.get("mix"), value.get("flows")
    if mix is None and "session" in part:
        return "sessions"
    if mix is None and "flow" in part:
        return "iterations"
    picked = part.get("mix") if mix is None else mix
    runs_flows = isinstance(picked, dict) and isinstance(flows, dict) and not flows.keys().isdisjoint(picked)
    return "iterations" if runs_flows else "requests"


def _thresholds(checked: _Checked) -> Iterator[Diagnostic]:
    value = checked.mapping()
    subjects = [*checked.mapping("endpoints"), *checked.mapping("flows"), *group_names(value)]
    parts = workload_parts(value)
    subjects += [kind for kind in ("flow", "session") if any(kind in part.value for part in parts)]
    # The embedded target is watched as `target`; elsewhere a threshold on it is skipped with a warning, so that a
    # scenario stays valid whatever it is pointed at.
    monitors = [*checked.mapping("monitors"), "target"]
    sent = sent_names(checked.mapping())
    if sent is None:
        sent = frozenset(unnamed_endpoints(value))
    unsent = frozenset(subjects) - sent - {"flow", "session"}
    names = Subjects([*subjects, *(part.name for part in parts if part.name)], monitors, unsent)
    return check_thresholds(checked.root, checked.value, checked.texts, names)


def _delivery(checked: _Checked) -> Iterator[Diagnostic]:
    return check_delivery(checked.root, checked.value, checked.texts)


_Check = Callable[[_Checked], Iterator[Diagnostic]]
_CHECKS: tuple[_Check, ...] = (
    _target,
    _template_names,
    _measured_names,
    _traffic,
    _steps,
    _payloads,
    _bodies,
    _auth,
    _feeder_rows,
    _rows_per_user,
    _templates,
    _conditions,
    _wire,
    _load,
    _thresholds,
    _delivery,
)
