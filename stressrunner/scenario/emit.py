"""Nodes back to YAML: the scenario as it was composed, for reports and for other processes."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from os.path import relpath
from pathlib import Path as FilePath
from typing import NamedTuple

import yaml

from stressrunner.scenario.placeholders import fill_public, is_one_placeholder
from stressrunner.scenario.schema import SchemaNode, root_place
from stressrunner.scenario.source import ListNode, MappingNode, Node, ScalarNode

__all__ = ["composed_yaml"]

#: What a terminal may not show as it is: it is written as an escape, so that the text can be looked at.
_UNSHOWN = re.compile(r"[^\n -~]")
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Destination(NamedTuple):
    """What the text is written for."""

    environ: Mapping[str, str]
    folder: FilePath | None  #: that files are to be relative to


def composed_yaml(root: Node, environ: Mapping[str, str], spare: Collection[tuple[str, str]] = ()) -> str:
    """Return a tree as YAML that reads back as the same scenario, with every `${...}` filled but secrets.

    Files that other texts name relative to themselves are named relative to the scenario. The names of `spare`, each
    with its section, are left out: what used files offer and nothing takes would be a mistake in one text.

    Raises:
        PlaceholderError: a placeholder cannot be filled; not for a tree whose values were typed without mistakes.
    """
    events = [
        yaml.StreamStartEvent(),
        yaml.DocumentStartEvent(explicit=False),
        *_events(_without(root, spare), root_place(), _Destination(environ, root.source.folder)),
        yaml.DocumentEndEvent(explicit=False),
        yaml.StreamEndEvent(),
    ]
    text: str = yaml.emit(events, Dumper=_DUMPER, width=110, allow_unicode=True)
    return _UNSHOWN.sub(lambda match: match[0] if match[0].isprintable() else _escape(match[0]), text)


def _escape(character: str) -> str:
    """Return a character as it is written between double quotes."""
    code = ord(character)
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _without(root: Node, spare: Collection[tuple[str, str]]) -> Node:
    if not isinstance(root, MappingNode) or not spare:
        return root
    entries = dict(root.entries)
    for section in {section for section, _ in spare}:
        entry = entries[section]
        if isinstance(entry.value, MappingNode):
            kept = {key: e for key, e in entry.value.entries.items() if (section, key) not in spare}
            entries[section] = replace(entry, value=replace(entry.value, entries=kept))
    return replace(root, entries=entries)


def _events(node: Node, place: SchemaNode | None, to: _Destination) -> Iterator[yaml.Event]:
    if isinstance(node, ScalarNode):
        text = fill_public(node.text, to.environ)
        if place is not None and place.format == "pack_file":
            text = _file_seen_from(to.folder, node.source.folder, text)
        yield _scalar(text, is_plain=_stays_plain(node, place))
    elif isinstance(node, ListNode):
        yield yaml.SequenceStartEvent(None, None, implicit=True, flow_style=False)
        for item in node.items:
            yield from _events(item, place.item if place else None, to)
        yield yaml.SequenceEndEvent()
    else:
        yield yaml.MappingStartEvent(None, None, implicit=True, flow_style=False)
        for entry in node.entries.values():
            yield _scalar(entry.key.text, is_plain=entry.key.plain)
            yield from _events(entry.value, place.key(entry.key.text) if place else None, to)
        yield yaml.MappingEndEvent()


def _file_seen_from(folder: FilePath | None, named_from: FilePath | None, name: str) -> str:
    """Return the name that a file has in one folder, of that which it has in another."""
    if folder is None or named_from is None or folder == named_from or FilePath(name).is_absolute():
        return name
    return f"{FilePath(relpath(named_from, folder)).as_posix()}/{name}"


def _stays_plain(node: ScalarNode, place: SchemaNode | None) -> bool:
    """Whether a value is written without quotes, so that it has the same type when its placeholder is gone."""
    if "${" not in node.text or place is None:
        return node.plain
    if place.wants_text:
        return False
    return (node.plain and is_one_placeholder(node.text)) if place.is_free else True


def _scalar(text: str, *, is_plain: bool) -> yaml.Event:
    style = None if is_plain else "|" if "\n" in text else '"'
    if any(not match[0].isprintable() for match in _UNSHOWN.finditer(text)):
        style = '"'  # the only one that has escapes
    return yaml.ScalarEvent(None, None, implicit=(True, True), value=text, style=style)
