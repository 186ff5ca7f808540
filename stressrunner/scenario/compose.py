"""Laying one mapping over another: how `uses`, environments and `--set` make one scenario of several texts.

Mappings merge by key and lists replace as a whole, except under `name+`, which appends. Where the schema wants one of
several keys, the overlay's choice displaces the other. What is replaced is remembered, for those who ask why a value
is what it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from types import MappingProxyType

from stressrunner.errors import Diagnostic
from stressrunner.scenario.parse import core_value, parse
from stressrunner.scenario.schema import SchemaNode, root_place
from stressrunner.scenario.source import Entry, Layer, ListNode, MappingNode, Node, ScalarNode, Source

__all__ = ["Overlay", "appended_name", "merge", "overlay_of"]

# Users and arrivals have so little in common that a phase which goes from one to the other begins anew.
_BEGINS_ANEW = frozenset({"concurrency", "rate"})


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is laid over a scenario, and what is wrong with it."""

    root: MappingNode | None
    diagnostics: tuple[Diagnostic, ...]


def merge(base: Node, overlay: Node, place: SchemaNode | None) -> Node:
    """Return `base` with `overlay` laid over it, in a place of the schema."""
    if not isinstance(base, MappingNode) or not isinstance(overlay, MappingNode):
        return overlay
    if "$payload" in base.entries or "$payload" in overlay.entries:
        return overlay
    chosen = _BEGINS_ANEW & overlay.entries.keys()
    if place is not None and set(place.keys) >= _BEGINS_ANEW and chosen and not chosen & base.entries.keys():
        return overlay
    displaced = _displaced(base, overlay, place)
    gone = {entry.key.text for entries in displaced.values() for entry in entries}
    entries = {name: entry for name, entry in base.entries.items() if name not in gone}
    for name, entry in overlay.entries.items():
        target = appended_name(name, base, place)
        inner = place.key(target or name) if place else None
        if target is not None:
            entries[target] = _appended(entries.get(target), target, entry)
        elif name in entries:
            entries[name] = _laid_over(entries[name], entry, inner)
        else:
            entries[name] = replace(entry, replaced=(*entry.replaced, *displaced.get(name, ())))
    return replace(base, entries=MappingProxyType(entries))


def appended_name(name: str, base: MappingNode, place: SchemaNode | None) -> str | None:
    """Return the list that a key of an overlay in a place appends to; None when the key is nothing but a key.

    In free places, where every key is possible, `name+` appends only to a list that is there.
    """
    target = name.removesuffix("+")
    inner = place.key(target) if place and target != name else None
    if inner is None:
        return None
    present = base.entries.get(target)
    appends = isinstance(present and present.value, ListNode) if inner.is_free else "array" in inner.types
    return target if appends else None


def _displaced(
    base: MappingNode, overlay: MappingNode, place: SchemaNode | None
) -> dict[str, tuple[Entry, ...]]:
    """Return the entries of `base` that give way to a choice of the overlay, by the key that was chosen."""
    displaced: dict[str, tuple[Entry, ...]] = {}
    for choice in place.choices if place else ():
        chosen = [key for key in choice.keys if key in overlay.entries]
        others = [base.entries[key] for key in choice.keys if key not in chosen and key in base.entries]
        if chosen and others:
            past = tuple(entry for other in others for entry in (other, *other.replaced))
            displaced[chosen[0]] = (*displaced.get(chosen[0], ()), *past)
    return displaced


def _laid_over(base: Entry, overlay: Entry, place: SchemaNode | None) -> Entry:
    merged = merge(base.value, overlay.value, place)
    if merged is overlay.value:
        return Entry(overlay.key, merged, (*overlay.replaced, base, *base.replaced))
    return Entry(base.key, merged, (*overlay.replaced, *base.replaced))  # two mappings that are one now


def _appended(base: Entry | None, target: str, addition: Entry) -> Entry:
    """Return a list with additions at its end; a single value counts as a list of one."""
    more = addition.value
    added = more.items if isinstance(more, ListNode) else (more,)
    if base is None:
        key = replace(addition.key, text=target)
        return Entry(key, ListNode(more.source, more.start, more.end, added), addition.replaced)
    value = base.value
    items = value.items if isinstance(value, ListNode) else (value,)
    return replace(base, value=ListNode(value.source, value.start, value.end, (*items, *added)))


def overlay_of(settings: Sequence[str], folder: FilePath | None = None) -> Overlay:
    """Read `PATH=VALUE` and `PATH+=VALUE` settings, later over earlier, into one mapping.

    The files that they name are relative to `folder`.
    """
    found: list[Diagnostic] = []
    root: Node | None = None
    for text in settings:
        layer = _setting(Source.of("--set", text, Layer.SETTING, folder), found)
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
            entries[name] = _appended(entries[name], name, entry)
        elif name in entries:
            stacked = _stacked(entries[name].value, entry.value)
            past = (entries[name],) if stacked is entry.value else ()
            entries[name] = Entry(entry.key, stacked, (*past, *entries[name].replaced))
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
    place: SchemaNode | None = root_place()
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


def _value(source: Source, start: int, place: SchemaNode | None, found: list[Diagnostic]) -> Node | None:
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
