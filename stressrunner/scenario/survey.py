"""What the YAML files of a folder are: scenarios, what scenarios use, environments and packs."""

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path as FilePath

from stressrunner.scenario.files import decoded, read_file
from stressrunner.scenario.manifest import MANIFEST
from stressrunner.scenario.pack_files import ENVIRONMENTS
from stressrunner.scenario.parse import parse
from stressrunner.scenario.source import MappingNode, Source

__all__ = ["FileKind", "belongs", "kind_of", "yaml_files"]

_ENDINGS = (".yaml", ".yml")
_KEY = re.compile(r"^[\"']?(stressrunner|name|load|traffic)[\"']?[ \t]*:", re.MULTILINE)


class FileKind(StrEnum):
    """What a YAML file is for."""

    SCENARIO = "scenario"
    USED = "used file"  #: has neither a name nor a load, so that other files can do nothing but use it
    ENVIRONMENT = "environment"
    PACK = "pack"
    OTHER = "other file"  #: says nothing of the language


def belongs(name: str) -> bool:
    """Whether a file or folder of this name is part of what people wrote: not hidden, nor a tool's."""
    return not name.startswith((".", "__"))


def yaml_files(folder: FilePath) -> Iterator[FilePath]:
    """Yield the YAML files of a folder and the folders in it, in the order of their names; links are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(filter(belongs, folders))
        yield from (
            FilePath(place, name) for name in sorted(names) if belongs(name) and name.endswith(_ENDINGS)
        )


def kind_of(path: FilePath) -> FileKind:
    """Return what a YAML file is for.

    Raises:
        InvalidScenario: it cannot be read.
    """
    if path.name == MANIFEST:
        return FileKind.PACK
    keys = _keys(path)
    if "stressrunner" in keys:
        return FileKind.SCENARIO if keys & {"name", "load", "traffic"} else FileKind.USED
    return FileKind.ENVIRONMENT if path.parent.name == ENVIRONMENTS else FileKind.OTHER


def _keys(path: FilePath) -> frozenset[str]:
    """Return which of the telling keys a file has at its top."""
    name = os.path.normpath(path)
    text = decoded(read_file(path, name), name)
    if text.lstrip().startswith("{"):
        root = parse(Source.of(name, text)).root
        return frozenset(root.entries) if isinstance(root, MappingNode) else frozenset()
    # A key at the top of a block stands at the begin of a line, also where the rest cannot be parsed.
    return frozenset(_KEY.findall(text))
