"""Files that are parts of scenarios, and none by themselves: what can be said of them without a scenario."""

from dataclasses import replace
from pathlib import Path as FilePath
from types import MappingProxyType

from stressrunner.errors import Diagnostic
from stressrunner.scenario.environments import misplaced_keys, read_environments, unknown_keys
from stressrunner.scenario.files import decoded, read_file
from stressrunner.scenario.pack_files import Pack, Unpacked
from stressrunner.scenario.schema import root_place
from stressrunner.scenario.source import Layer, MappingNode, Source
from stressrunner.scenario.used_files import mapping_of, read_used, wrong_version

__all__ = ["check_environment", "check_used"]


def check_environment(path: FilePath, unpacked: Unpacked | None = None) -> list[Diagnostic]:
    """Return what is wrong with an environment file: its YAML and its keys; no placeholder in it is filled.

    Raises:
        InvalidScenario: it cannot be read.
    """
    found: list[Diagnostic] = []
    root = _root(path, Pack.of(path.parent, unpacked), found, "an environment")
    return found if root is None else [*found, *misplaced_keys(root)]


def check_used(path: FilePath, unpacked: Unpacked | None = None) -> list[Diagnostic]:
    """Return what is wrong with a file that others use: its YAML, its keys, and the files that it uses itself.

    Raises:
        InvalidScenario: it cannot be read.
    """
    found: list[Diagnostic] = []
    pack = Pack.of(path.parent, unpacked)
    root = _root(path, pack, found, "a file that is used")
    if root is None:
        return found
    kept = {name: entry for name, entry in root.entries.items() if name not in ("uses", "environments")}
    return [
        *found,
        *wrong_version(root),
        *unknown_keys(replace(root, entries=MappingProxyType(kept)), root_place()),
        *read_used(root, path, pack).diagnostics,
        *read_environments((root,), None, pack).diagnostics,
    ]


def _root(path: FilePath, pack: Pack, found: list[Diagnostic], what: str) -> MappingNode | None:
    name = pack.shown(path)
    return mapping_of(
        Source.of(name, decoded(read_file(path, name), name), Layer.USED, path.parent), found, what
    )
