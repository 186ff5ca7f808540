"""What `--env NAME` lays over a scenario: a file of the pack, then the entries of the scenario's own texts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os.path import normpath
from pathlib import Path as FilePath
from types import MappingProxyType

from stressrunner.errors import Diagnostic, InvalidScenario
from stressrunner.scenario.compose import appended_name
from stressrunner.scenario.files import decoded, read_file
from stressrunner.scenario.pack_files import Pack
from stressrunner.scenario.schema import SchemaNode, root_place
from stressrunner.scenario.source import Layer, ListNode, MappingNode, Node, Source, from_source
from stressrunner.scenario.used_files import is_null, mapping_of
from stressrunner.spelling import did_you_mean

__all__ = ["Environments", "misplaced_keys", "read_environments", "unknown_keys"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
#: They decide what there is to be laid over, so an environment comes too late for them.
_TOO_LATE = ("uses", "environments")


@dataclass(frozen=True, slots=True)
class Environments:
    """The layers of the environment that was chosen, and what is wrong with any environment."""

    overlays: tuple[MappingNode, ...]
    diagnostics: tuple[Diagnostic, ...]
    complete: bool  #: whether the environment that was chosen could be had


def read_environments(roots: Sequence[MappingNode], chosen: str | None, pack: Pack | None) -> Environments:
    """Find an environment; the keys of all others are checked too, but nothing in them is filled.

    Args:
        roots: the texts that may have `environments`, the used files first and the scenario last.
        chosen: the name given with `--env`; None for none.
        pack: whose folder `environments` is looked into; None when the scenario comes from no file.
    """
    found: list[Diagnostic] = []
    files = pack.environments() if pack is not None and chosen is not None else {}
    overlays: list[MappingNode] = []
    if chosen in files:
        root = _read(files[chosen], pack, found)
        if root is None:
            return Environments((), tuple(found), complete=False)
        overlays.append(root)
        found += misplaced_keys(root)
    known = dict.fromkeys(files)
    for root in roots:
        for name, node in _entries(root, found):
            known[name] = None
            if isinstance(node, MappingNode):
                found += misplaced_keys(node)
                if name == chosen:
                    overlays.append(_as_layer(node))
    if chosen is not None and chosen not in known:
        found.append(_unknown(chosen, known))
    return Environments(
        tuple(map(_without_misplaced, overlays)), tuple(found), chosen is None or chosen in known
    )


def _read(path: FilePath, pack: Pack | None, found: list[Diagnostic]) -> MappingNode | None:
    name = normpath(path) if pack is None else pack.shown(path)
    try:
        text = decoded(read_file(path, name), name)
    except InvalidScenario as error:
        found += error.diagnostics
        return None
    return mapping_of(Source.of(name, text, Layer.ENVIRONMENT, path.parent), found, "an environment")


def _entries(root: MappingNode, found: list[Diagnostic]) -> Iterator[tuple[str, Node]]:
    """Yield the environments of one text."""
    entry = root.entries.get("environments")
    if entry is None or is_null(entry.value):
        return
    if not isinstance(entry.value, MappingNode):
        hint = "write it like 'staging: {load: {concurrency: 5}}'"
        found.append(entry.value.diagnostic("'environments' wants a mapping from names", hint))
        return
    for name, inner in entry.value.entries.items():
        if not _NAME.fullmatch(name):
            found.append(inner.key.diagnostic(f"'{name}' is no name of an environment"))
        elif not isinstance(inner.value, MappingNode) and not is_null(inner.value):
            message = f"the environment '{name}' wants a mapping of keys and values"
            found.append(inner.value.diagnostic(message))
        else:
            yield name, inner.value


def _as_layer(node: MappingNode) -> MappingNode:
    layered = from_source(node, replace(node.source, layer=Layer.ENVIRONMENT))
    return layered if isinstance(layered, MappingNode) else node


def misplaced_keys(overlay: MappingNode) -> Iterator[Diagnostic]:
    """Yield the keys that have no place in an environment."""
    for name in _TOO_LATE:
        if name in overlay.entries:
            message = f"'{name}' cannot stand in an environment"
            yield overlay.entries[name].key.diagnostic(message, "write it at the top of the scenario")
    yield from unknown_keys(_without_misplaced(overlay), root_place())


def _without_misplaced(overlay: MappingNode) -> MappingNode:
    kept = {name: entry for name, entry in overlay.entries.items() if name not in _TOO_LATE}
    return replace(overlay, entries=MappingProxyType(kept))


def unknown_keys(node: Node, place: SchemaNode | None) -> Iterator[Diagnostic]:
    """Yield the keys of an overlay that the schema does not have; values may have placeholders that nobody has filled."""
    if place is None or place.is_free:
        return
    if isinstance(node, ListNode):
        for item in node.items:
            yield from unknown_keys(item, place.item)
    if not isinstance(node, MappingNode):
        return
    for name, entry in node.entries.items():
        inner = place.key(appended_name(name, node, place) or name)
        if inner is not None:
            yield from unknown_keys(entry.value, inner)
        elif name.endswith("+") and place.key(name[:-1]) is not None:
            yield entry.key.diagnostic(f"'{name}' appends to a list, and '{name[:-1]}' is none")
        else:
            hint = did_you_mean(name, place.keys) or f"keys here are {', '.join(place.keys)}"
            yield entry.key.diagnostic(f"unknown key '{name}'", hint)


def _unknown(chosen: str, known: Mapping[str, None]) -> Diagnostic:
    listed = f"there are {', '.join(sorted(known))}" if known else "this scenario and its pack have none"
    near = did_you_mean(chosen, known)
    source = Source.of("--env", chosen, Layer.ENVIRONMENT)
    hint = f"{near} {listed}" if near else listed
    return source.diagnostic(0, f"there is no environment '{chosen}'", hint, len(chosen))
