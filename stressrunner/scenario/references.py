"""What the schema cannot say of a scenario: names that must exist, and parts that must fit together.

Works on a typed tree that may have other mistakes, so that one broken place does not hide the rest: what has the
wrong shape is passed over here, because the schema has said so already.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.scenario.feeders import FeederRows
from stressrunner.scenario.names import RESERVED, Names, check_texts
from stressrunner.scenario.phases import check_load
from stressrunner.scenario.source import Layer, Node, Path, node_at
from stressrunner.scenario.target import check_target
from stressrunner.scenario.threshold_references import Subjects, check_thresholds
from stressrunner.scenario.unused import sent_names, words_not_understood
from stressrunner.scenario.validate import key_at
from stressrunner.scenario.values import Text
from stressrunner.scenario.wire import check_wire
from stressrunner.spelling import did_you_mean

__all__ = ["References", "check_references"]

_TAKEN = frozenset({"flow", "session"})
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
    for endpoint in checked.mapping("endpoints"):
        captures = checked.mapping("endpoints", endpoint, "capture")
        places += [("capture", ("endpoints", endpoint, "capture", name)) for name in captures]
    feeders = checked.mapping("feeders")
    for what, path in places:
        name = path[-1]
        if name in RESERVED:
            yield checked.at_key(
                path, f"the {what} '{name}' has a name of the template language", "rename it"
            )
        elif what != "feeder" and name in feeders:
            yield checked.at_key(path, f"'{name}' is a feeder already", "rename one of them")


def _measured_names(checked: _Checked) -> Iterator[Diagnostic]:
    """Endpoints and monitors share one namespace, which thresholds look names up in."""
    endpoints = checked.mapping("endpoints")
    for kind in ("endpoints", "monitors"):
        for name in checked.mapping(kind):
            if name in _TAKEN:
                yield checked.at_key((kind, name), f"the name '{name}' is taken in thresholds", "rename it")
            elif kind == "monitors" and name in endpoints:
                yield checked.at_key((kind, name), f"'{name}' is an endpoint already", "rename one of them")


def _unknown(kind: str, name: str, known: Iterable[str]) -> tuple[str, str]:
    known = list(known)
    listed = f"known are {', '.join(known)}" if 0 < len(known) <= 8 else ""
    return f"there is no {kind} '{name}'", did_you_mean(name, known) or listed


def _traffic(checked: _Checked) -> Iterator[Diagnostic]:
    endpoints = checked.mapping("endpoints")
    mix = checked.mapping("mix")
    for name in mix:
        if name not in endpoints:
            yield checked.at_key(("mix", name), *_unknown("endpoint", name, endpoints))
    weights = [weight for weight in mix.values() if isinstance(weight, int | float)]
    if mix and not any(weights) and len(weights) == len(mix):
        yield checked.at_key(("mix",), "the weights add up to nothing", "give at least one endpoint a weight")
    send = checked.text("session", "send")
    if send is not None and send not in endpoints:
        yield checked.at_value(("session", "send"), *_unknown("endpoint", send, endpoints))
    burst, messages = checked.at("session", "burst"), checked.at("session", "messages")
    if isinstance(burst, int) and isinstance(messages, int) and burst > messages:
        yield checked.at_value(
            ("session", "burst"), f"a burst of {burst} is more than the {messages} messages"
        )
    yield from _think(checked, ("session", "think"))


def _think(checked: _Checked, path: Path) -> Iterator[Diagnostic]:
    try:
        shortest = units.parse_duration(checked.text(*path, "min") or "0")
        longest = units.parse_duration(checked.text(*path, "max") or "0")
    except ValueError:
        return  # the schema has said so
    if checked.text(*path, "max") is not None and shortest > longest:
        yield checked.at_value((*path, "min"), "'min' is longer than 'max'")


def _payloads(checked: _Checked) -> Iterator[Diagnostic]:
    payloads = checked.mapping("payloads")
    used = set()
    for endpoint in checked.mapping("endpoints"):
        name = checked.at("endpoints", endpoint, "json", "$payload")
        if name is None:
            continue
        used.add(str(name))
        path = ("endpoints", endpoint, "json", "$payload")
        if not isinstance(name, str) or name not in payloads:
            yield checked.at_value(path, *_unknown("payload", str(name), payloads))
        elif len(checked.mapping("endpoints", endpoint, "json")) > 1:
            yield checked.at_key(path, "'$payload' stands alone", "move the other keys into the payload")
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
    load = checked.at("load")
    phases = [phase for phase in (load if isinstance(load, list) else [load]) if isinstance(phase, dict)]
    given = [phase.get("concurrency") for phase in phases]
    ends = [end for users in given for end in (users.values() if isinstance(users, dict) else (users,))]
    counts = [end for end in ends if isinstance(end, int)]
    users = max(counts, default=0)
    for feeder, rows in checked.feeders.rows.items():
        if checked.at("feeders", feeder, "per") == "user" and 0 < len(rows) < users:
            message = f"'{feeder}' has {len(rows)} rows for {users} users, who do not share them"
            yield checked.at_value(("feeders", feeder, "per"), message, "add rows, or lower 'concurrency'")


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


def _names(checked: _Checked) -> Names:
    endpoints = checked.mapping("endpoints")
    senders: dict[str, tuple[str, ...]] = {}
    for endpoint in endpoints:
        payload = checked.text("endpoints", endpoint, "json", "$payload")
        if payload is not None:
            senders[payload] = (*senders.get(payload, ()), endpoint)
    feeders = checked.mapping("feeders")
    return Names(
        variables=frozenset(checked.mapping("variables")),
        feeders={feeder: checked.feeders.fields.get(feeder) for feeder in feeders},
        captures={
            endpoint: tuple(checked.mapping("endpoints", endpoint, "capture")) for endpoint in endpoints
        },
        payloads=senders,
        session_endpoint=checked.text("session", "send"),
    )


def _wire(checked: _Checked) -> Iterator[Diagnostic]:
    return check_wire(checked.texts)


def _load(checked: _Checked) -> Iterator[Diagnostic]:
    return check_load(checked.root, checked.at("load"), is_session="session" in checked.mapping())


def _thresholds(checked: _Checked) -> Iterator[Diagnostic]:
    subjects = [*checked.mapping("endpoints"), *(("session",) if checked.mapping("session") else ())]
    # The embedded target is watched as `target`; elsewhere a threshold on it is skipped with a warning, so that a
    # scenario stays valid whatever it is pointed at.
    monitors = [*checked.mapping("monitors"), "target"]
    sent = sent_names(checked.mapping())
    unsent = frozenset(subjects) - sent - _TAKEN if sent is not None else frozenset()
    names = Subjects(subjects, monitors, unsent)
    return check_thresholds(checked.root, checked.value, checked.texts, names)


_Check = Callable[[_Checked], Iterator[Diagnostic]]
_CHECKS: tuple[_Check, ...] = (
    _target,
    _template_names,
    _measured_names,
    _traffic,
    _payloads,
    _feeder_rows,
    _rows_per_user,
    _templates,
    _wire,
    _load,
    _thresholds,
)
