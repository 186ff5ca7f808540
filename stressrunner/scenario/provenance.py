"""Where the values of a composed scenario come from: the text, line and layer of each, and what it took the place of."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stressrunner.errors import UsageError
from stressrunner.scenario.document import Document
from stressrunner.scenario.placeholders import fill_public
from stressrunner.scenario.source import Entry, Layer, ListNode, MappingNode, Node, ScalarNode
from stressrunner.scenario.yaml_pitfalls import shortened
from stressrunner.spelling import did_you_mean, printable

__all__ = ["Setting", "ValueOrigin", "settings_at"]


@dataclass(frozen=True, slots=True)
class ValueOrigin:
    """A value that a text gave."""

    value: str  #: as YAML in one line
    place: str  #: `file:line`, or the setting as it was given
    layer: Layer


@dataclass(frozen=True, slots=True)
class Setting:
    """One value of a composed scenario."""

    path: str  #: its keys, joined by dots; items of lists by their numbers from 0
    origin: ValueOrigin
    overrode: tuple[ValueOrigin, ...]  #: what it took the place of, the latest first


@dataclass(frozen=True, slots=True)
class _Step:
    """A place on the way from the root to a value."""

    name: str
    entry: Entry | None  #: None for an item of a list


def settings_at(document: Document, path: str, environ: Mapping[str, str]) -> tuple[Setting, ...]:
    """Return the value at a path, or all values below it, in the order of the composed scenario.

    Placeholders are filled, but those that hold secrets; values that were replaced are shown as they were written, because
    nobody may ever have set what their placeholders name.

    Raises:
        UsageError: there is nothing at the path.
    """
    node, steps = _found(document.root, path)
    return tuple(_settings(node, steps, environ))


def _found(root: Node, path: str) -> tuple[Node, tuple[_Step, ...]]:
    node, rest = root, path
    steps: tuple[_Step, ...] = ()
    while rest:
        name = _next_name(node, rest)
        if name is None:
            raise UsageError(_nothing_at(node, steps, rest))
        if isinstance(node, MappingNode):
            entry = node.entries[name]
            node, steps = entry.value, (*steps, _Step(name, entry))
        elif isinstance(node, ListNode):
            node, steps = node.items[int(name)], (*steps, _Step(name, None))
        rest = rest[len(name) + 1 :]
    return node, steps


def _next_name(node: Node, rest: str) -> str | None:
    """Return the key or number that a path goes on with; keys may have dots in them."""
    known = _names(node)
    return next((name for name in known if rest == name or rest.startswith(f"{name}.")), None)


def _names(node: Node) -> list[str]:
    if isinstance(node, MappingNode):
        return sorted(node.entries, key=len, reverse=True)
    return [str(i) for i in range(len(node.items))] if isinstance(node, ListNode) else []


def _nothing_at(node: Node, steps: tuple[_Step, ...], rest: str) -> str:
    names = list(node.entries) if isinstance(node, MappingNode) else _names(node)
    where = f"'{_path(steps)}' has" if steps else "the scenario has"
    missing = rest.split(".", 1)[0]
    if not names:
        return f"{where} no '{missing}', because it is a value"
    near = did_you_mean(missing, names) or f"there are {', '.join(names)}"
    return f"{where} no '{missing}'; {near}"


def _path(steps: tuple[_Step, ...]) -> str:
    return ".".join(step.name for step in steps)


def _settings(node: Node, steps: tuple[_Step, ...], environ: Mapping[str, str]) -> Iterator[Setting]:
    if isinstance(node, MappingNode) and node.entries:
        for name, entry in node.entries.items():
            yield from _settings(entry.value, (*steps, _Step(name, entry)), environ)
    elif isinstance(node, ListNode) and node.items:
        for number, item in enumerate(node.items):
            yield from _settings(item, (*steps, _Step(str(number), None)), environ)
    else:
        value = _shown(node, environ)
        yield Setting(_path(steps), _origin(node, value), tuple(_overrode(steps)))


def _overrode(steps: tuple[_Step, ...]) -> Iterator[ValueOrigin]:
    """Yield what gave way at a place, and above it, where something was replaced as a whole."""
    for depth in range(len(steps), 0, -1):
        entry = steps[depth - 1].entry
        for old in entry.replaced if entry else ():
            below = _below(old.value, steps[depth:])
            if below is not None and old.key.text == steps[depth - 1].name:
                yield _origin(below, _shown(below))
            else:
                yield _origin(old.key, f"{old.key.text}: {_shown(old.value)}")


def _below(node: Node, steps: tuple[_Step, ...]) -> Node | None:
    """Return what stands at the end of a path of keys; None where there is nothing, and inside lists."""
    for step in steps:
        if step.entry is None or not isinstance(node, MappingNode) or step.name not in node.entries:
            return None
        node = node.entries[step.name].value
    return node


def _origin(node: Node, value: str) -> ValueOrigin:
    source = node.source
    line, _ = source.position(node.start)
    place = f"--set {source.text}" if source.layer is Layer.SETTING else f"{source.name}:{line}"
    return ValueOrigin(value, place, source.layer)


def _shown(node: Node, environ: Mapping[str, str] | None = None) -> str:
    """Return a value in one line; with the environment its placeholders are filled."""
    if isinstance(node, ListNode):
        return shortened(f"[{', '.join(_shown(item, environ) for item in node.items)}]")
    if isinstance(node, MappingNode):
        return shortened(f"{{{', '.join(f'{name}: {_shown(inner, environ)}' for name, inner in node)}}}")
    return _scalar(node, node.text if environ is None else fill_public(node.text, environ))


def _scalar(node: ScalarNode, text: str) -> str:
    if not text:
        return "null" if node.plain else '""'
    return text if text.isprintable() else printable(json.dumps(text, ensure_ascii=False))
