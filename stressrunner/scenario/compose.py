"""Laying one mapping over another: how `--set` changes a scenario.

Mappings merge by key and lists replace as a whole, except under `name+`, which appends. Where the schema wants one of
several keys, the overlay's choice displaces the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from stressrunner.errors import Diagnostic
from stressrunner.scenario.parse import core_value, parse
from stressrunner.scenario.schema import Place, root_place
from stressrunner.scenario.source import Entry, ListNode, MappingNode, Node, ScalarNode, Source

__all__ = ["Overlay", "merge", "overlay_of"]

# Users and arrivals have so little in common that a phase which goes from one to the other begins anew.
_BEGINS_ANEW = frozenset({"concurrency", "rate"})


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is laid over a scenario, and what is wrong with it."""

    root: MappingNode | None
    diagnostics: tuple[Diagnostic, ...]


def merge(base: Node, overlay: Node, place: Place | None) -> Node:
    """Return `base` with `overlay` laid over it, in a place of the schema."""
    if not isinstance(base, MappingNode) or not isinstance(overlay, MappingNode):
        return overlay
    if "$payload" in base.entries or "$payload" in overlay.entries:
        return overlay
    chosen = _BEGINS_ANEW & overlay.entries.keys()
    if place is not None and set(place.keys) >= _BEGINS_ANEW and chosen and not chosen & base.entries.keys():
        return overlay
    entries = dict(base.entries)
    for displaced in _displaced(overlay, place):
        entries.pop(displaced, None)
    for name, entry in overlay.entries.items():
        target = name.removesuffix("+")
        inner = place.key(target) if place else None
        if target != name:
            entries[target] = _appended(entries.get(target), entry)
        elif name in entries:
            entries[name] = Entry(entry.key, merge(entries[name].value, entry.value, inner))
        else:
            entries[name] = entry
    return replace(base, entries=MappingProxyType(entries))


def _displaced(overlay: MappingNode, place: Place | None) -> set[str]:
    """Return the keys that give way to a choice of the overlay."""
    displaced: set[str] = set()
    for choice in place.choices if place else ():
        chosen = overlay.entries.keys() & set(choice.keys)
        if chosen:
            displaced |= set(choice.keys) - chosen
    return displaced


def _appended(base: Entry | None, addition: Entry) -> Entry:
    if base is None:
        return addition
    value, more = base.value, addition.value
    items = (value,) if not isinstance(value, ListNode) else value.items
    added = more.items if isinstance(more, ListNode) else (more,)
    return Entry(base.key, ListNode(value.source, value.start, value.end, (*items, *added)))


def overlay_of(settings: Sequence[str]) -> Overlay:
    """Read `PATH=VALUE` and `PATH+=VALUE` settings, later over earlier, into one mapping."""
    found: list[Diagnostic] = []
    root: Node | None = None
    for text in settings:
        layer = _setting(Source.of("--set", text), found)
        if layer is not None:
            root = layer if root is None else _stacked(root, layer)
    return Overlay(root if isinstance(root, MappingNode) else None, tuple(found))


def _stacked(base: Node, layer: Node) -> Node:
    """Lay one setting over the settings before it; what appends stays an addition to whatever is below."""
    if not isinstance(base, MappingNode) or not isinstance(layer, MappingNode):
        return layer
    entries: dict[str, Entry] = dict(base.entries)
    for name, entry in layer.entries.items():
        if name in entries and name.endswith("+"):
            entries[name] = _appended(entries[name], entry)
        elif name in entries:
            entries[name] = Entry(entry.key, _stacked(entries[name].value, entry.value))
        else:
            entries[name] = entry
    return replace(base, entries=MappingProxyType(entries))


def _setting(source: Source, found: list[Diagnostic]) -> Node | None:
    """Read one setting as nested mappings; what is wrong with it is added to `found`."""
    path, equals, _ = source.text.partition("=")
    if not equals:
        found.append(source.diagnostic(0, "'=' is missing", "write --set PATH=VALUE", len(source.text)))
        return None
    appends = path.endswith("+")
    keys = _keys(source, path.removesuffix("+"), found)
    if keys is None:
        return None
    place: Place | None = root_place()
    for key in keys:
        place = place.key(key.text) if place else None
    value = _value(source, len(path) + 1, place.item if appends and place else place, found)
    if value is None:
        return None
    if appends:
        last = keys[-1]
        keys[-1] = replace(last, text=f"{last.text}+")
        value = value if isinstance(value, ListNode) else ListNode(source, value.start, value.end, (value,))
    for key in reversed(keys):
        entries: Mapping[str, Entry] = MappingProxyType({key.text: Entry(key, value)})
        value = MappingNode(source, key.start, len(source.text), entries)
    return value


def _keys(source: Source, path: str, found: list[Diagnostic]) -> list[ScalarNode] | None:
    keys = []
    start = 0
    for step in path.split("."):
        if not step or step != step.strip():
            hint = "write --set PATH=VALUE, such as load.concurrency=50"
            found.append(source.diagnostic(start, "a key is missing in the path", hint, len(step)))
            return None
        if step.isdigit():
            hint = "append with PATH+=VALUE, or replace the list as a whole"
            found.append(source.diagnostic(start, "lists have no paths into them", hint, len(step)))
            return None
        keys.append(ScalarNode(source, start, start + len(step), step, plain=True))
        start += len(step) + 1
    return keys


def _value(source: Source, start: int, place: Place | None, found: list[Diagnostic]) -> Node | None:
    """Read the value of a setting as YAML, or as it is spelled where nothing but text is wanted."""
    raw = source.text[start:].strip()
    parsed = parse(source, skip=start)
    node = parsed.root
    understood = node is not None and not parsed.diagnostics
    text = ScalarNode(source, start, len(source.text), raw, plain=True)
    if place is not None and place.wants_text:
        only_text = place.types <= {"string", "null"}
        same = isinstance(node, ScalarNode) and (not node.plain or node.text == raw)
        if not understood or (only_text and not same):
            # A lone plain null would read as "no value"; every other text is kept to the letter.
            return text if core_value(raw) is None else replace(text, plain=False)
    if node is None and not parsed.diagnostics:
        return text  # nothing after the '=': null
    found += parsed.diagnostics
    return node if understood else None
