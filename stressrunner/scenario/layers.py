"""From a scenario's own text to the tree that all its layers make together.

used files, first to last -> the file -> the pack's environment file -> environments in the files -> `--set`
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from types import MappingProxyType

from stressrunner.errors import Diagnostic, InvalidScenario
from stressrunner.scenario.compose import merge, overlay_of
from stressrunner.scenario.environments import read_environments
from stressrunner.scenario.manifest import Manifest, read_manifest
from stressrunner.scenario.pack_files import Pack, Unpacked
from stressrunner.scenario.schema import root_place
from stressrunner.scenario.source import Entry, Layer, ListNode, MappingNode, ScalarNode
from stressrunner.scenario.used_files import is_null, read_used

__all__ = ["Composition", "compose"]

_TRAFFIC = ("mix", "flow", "session", "traffic")
#: What belongs to the file that is run, and is not brought in by `uses`.
_OWN = frozenset({"stressrunner", "name", "description", "load", *_TRAFFIC})
#: What are lists of steps beside the traffic, which send the endpoints that they name.
_STEPS = ("setup", "user_setup", "teardown")
#: What says how a scenario is composed, and so is no part of what comes out.
_INSTRUCTIONS = frozenset({"uses", "environments"})


@dataclass(frozen=True, slots=True)
class Composition:
    """A scenario with everything laid over it."""

    root: MappingNode
    diagnostics: tuple[Diagnostic, ...]
    complete: bool  #: whether every file could be had; without, names may seem undefined that are not
    pack: Pack | None  #: that the scenario's files lie in; None when it comes from no file
    manifest: Manifest | None  #: of the pack, if it has one without mistakes


def compose(
    scenario: MappingNode,
    path: FilePath | None,
    overrides: Sequence[str],
    environment: str | None,
    unpacked: Unpacked | None = None,
) -> Composition:
    """Lay everything over a scenario that is to be.

    Args:
        scenario: its own tree.
        path: its file; None when it comes from none.
        overrides: the settings of `--set`.
        environment: the name given with `--env`.
        unpacked: the zip file that it comes from.
    """
    pack = Pack.of(path.parent, unpacked) if path is not None else None
    used = read_used(scenario, path, pack)
    environments = read_environments((*used.roots, scenario), environment, pack)
    settings = overlay_of(overrides, scenario.source.folder)
    found = [*used.diagnostics, *environments.diagnostics, *settings.diagnostics]
    shared = _laid(_empty_like(scenario), (_without(root, _OWN | _INSTRUCTIONS) for root in used.roots))
    own = _without(scenario, _INSTRUCTIONS)
    root = _in_order(own, _laid(shared, [own])) if used.roots else own
    overlays = list(environments.overlays)
    if settings.root is not None:
        misplaced = [entry.key for name, entry in settings.root.entries.items() if name in _INSTRUCTIONS]
        found += (
            key.diagnostic(f"'{key.text}' cannot be set", "it says what there is to be set")
            for key in misplaced
        )
        overlays.append(_without(settings.root, _INSTRUCTIONS))
    root = _laid(root, overlays)
    if used.roots:
        root = _with_traffic(root, shared, found)
    manifest = _manifest(pack, found)
    allowance = None if manifest is None else manifest.allowance()
    if allowance is not None:
        root = _laid(root, [allowance])
    complete = used.complete and environments.complete
    return Composition(root, tuple(found), complete, pack, manifest)


def _manifest(pack: Pack | None, found: list[Diagnostic]) -> Manifest | None:
    if pack is None or pack.manifest is None:
        return None
    try:
        return read_manifest(pack.manifest, pack.shown(pack.manifest))
    except InvalidScenario as error:
        found += error.diagnostics
        return None


def _empty_like(node: MappingNode) -> MappingNode:
    return replace(node, entries=MappingProxyType({}))


def _without(node: MappingNode, names: frozenset[str]) -> MappingNode:
    kept = {name: entry for name, entry in node.entries.items() if name not in names}
    return replace(node, entries=MappingProxyType(kept))


def _laid(base: MappingNode, overlays: Iterable[MappingNode]) -> MappingNode:
    for overlay in overlays:
        merged = merge(base, overlay, root_place())
        base = merged if isinstance(merged, MappingNode) else base
    return base


def _in_order(own: MappingNode, merged: MappingNode) -> MappingNode:
    """Return the merged keys in the order of the schema, in a tree that stands where the scenario's own does."""
    names = [*(key for key in root_place().keys if key in merged.entries), *merged.entries]
    return replace(own, entries=MappingProxyType({name: merged.entries[name] for name in names}))


def _with_traffic(root: MappingNode, shared: MappingNode, found: list[Diagnostic]) -> MappingNode:
    """Name the endpoints to be sent where nothing does: those of the scenario, and none that it uses."""
    entry = root.entries.get("endpoints")
    chosen = [name for name in _TRAFFIC if name in root.entries and not is_null(root.entries[name].value)]
    if chosen or entry is None or not isinstance(entry.value, MappingNode):
        return root
    foreign = shared.entries["endpoints"].value if "endpoints" in shared.entries else None
    names = foreign.entries.keys() if isinstance(foreign, MappingNode) else frozenset()
    listed = entry.value.entries.items()
    own = [e.key for name, e in listed if name not in names and not is_null(e.value)]
    if not own:
        message = "all endpoints come from 'uses', and nothing says which of them are sent"
        found.append(root.diagnostic(message, "add a 'mix', a 'flow' or a 'session'"))
        return root
    by_steps = _named_by_steps(root)
    own = [key for key in own if key.text not in by_steps]
    if not own:
        return root  # what follows finds that nothing is sent
    # Written down, so that the composed text means the same without the files that it came from.
    keys = [replace(key, source=replace(key.source, layer=Layer.DEFAULT)) for key in own]
    shares = {
        key.text: Entry(key, ScalarNode(key.source, key.start, key.end, "1", plain=True)) for key in keys
    }
    first = keys[0]
    mix = MappingNode(first.source, first.start, first.end, MappingProxyType(shares))
    named = ScalarNode(first.source, first.start, first.end, "mix", plain=True)
    return replace(root, entries=MappingProxyType({**root.entries, "mix": Entry(named, mix)}))


def _named_by_steps(root: MappingNode) -> set[str]:
    """Return the endpoints and flows that the steps of a scenario name, where no step is an iteration of its own."""
    waiting = [entry.value for name, entry in root.entries.items() if name in _STEPS]
    if "flows" in root.entries and isinstance(flows := root.entries["flows"].value, MappingNode):
        waiting += (steps for _, steps in flows)
    names: set[str] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ListNode):
            names.update(item.text for item in node.items if isinstance(item, ScalarNode))
            waiting += (item for item in node.items if not isinstance(item, ScalarNode))
        elif isinstance(node, MappingNode):
            names.update(value.text for key, value in node if key == "send" and isinstance(value, ScalarNode))
            waiting += (value for key, value in node if key in ("steps", "parallel"))
    return names
