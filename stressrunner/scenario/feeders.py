"""The rows of feeders, from the scenario itself or from files of its pack.

A file of more than 1 MB is not held: its rows are walked through once, to be checked and indexed, and read again when
they are drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from stressrunner.errors import Diagnostic
from stressrunner.scenario.pack_files import NoSuchFile, Pack
from stressrunner.scenario.row_formats import LARGEST_JSON
from stressrunner.scenario.row_reading import BrokenRow
from stressrunner.scenario.row_walk import Fields, RowWalk, format_name
from stressrunner.scenario.source import Node, ScalarNode, node_at

__all__ = ["FeederRows", "read_feeders"]

_WIDEST_LINE = 400  #: a caret under a line that is wider than any terminal helps nobody
#: Endings that are no format's, though people have such files.
_OTHER_ENDINGS = frozenset({"tsv", "txt", "xlsx", "xls", "xml", "yaml", "yml"})
_A_FILE = "a CSV, JSON or JSON Lines file"


@dataclass(frozen=True, slots=True)
class FeederRows:
    """The rows of every feeder that could be read, and what is wrong with the others."""

    rows: Mapping[str, Sequence[Any]]
    fields: Mapping[str, Fields]  #: of the rows
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class _Reading:
    pack: Pack | None
    root: Node
    rows: dict[str, Sequence[Any]] = field(default_factory=dict)
    fields: dict[str, Fields] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)


def read_feeders(root: Node, value: Any, pack: Pack | None) -> FeederRows:
    """Read the rows of all feeders of a typed scenario.

    Args:
        root: the nodes, for the places of mistakes.
        value: the typed scenario; what has the wrong shape in it is passed over.
        pack: where the files are; None when the scenario comes from no file, so that it has no files either.
    """
    reading = _Reading(pack, root)
    feeders = value.get("feeders") if isinstance(value, dict) else None
    for name, feeder in feeders.items() if isinstance(feeders, dict) else ():
        if not isinstance(feeder, dict):
            continue
        if isinstance(feeder.get("values"), list):
            reading.rows[name] = tuple(feeder["values"])
            if feeder["values"]:
                reading.fields[name] = Fields.of(feeder["values"][0])  # which the others must agree with
        elif isinstance(feeder.get("file"), str) and feeder["file"]:
            _read_file(reading, name, feeder["file"])
    return FeederRows(reading.rows, reading.fields, tuple(reading.found))


def _read_file(reading: _Reading, name: str, file: str) -> None:
    node = node_at(reading.root, ("feeders", name, "file"))
    if not isinstance(node, ScalarNode):
        return
    try:
        path = _path_of(reading.pack, node.source.folder, file)
        with path.open("rb") as opened:
            walk = RowWalk(path, opened)
            walk.go()
    except NoSuchFile as error:
        reading.found.append(node.diagnostic(error.message, error.hint))
    except OSError as error:
        reading.found.append(node.diagnostic(f"'{file}' cannot be read: {error.strerror or error}"))
    else:
        reading.found += (
            _diagnostic(_name(reading.pack, (node.source.folder or path.parent) / file), b)
            for b in walk.broken
        )
        if walk.fields is not None:
            reading.rows[name], reading.fields[name] = walk.rows, walk.fields


def _path_of(pack: Pack | None, folder: FilePath | None, file: str) -> FilePath:
    """Return the path of a feeder's file; raises NoSuchFile where it may not or cannot be read."""
    if pack is None or folder is None:
        raise NoSuchFile(f"'{file}' cannot be found from here", "give the rows with 'values'")
    path = pack.file(folder, file, _A_FILE)
    if path.suffix.lower().removeprefix(".") in _OTHER_ENDINGS:
        raise NoSuchFile(f"'{file}' is no file of rows", f"name {_A_FILE}")
    if format_name(path) == "json" and path.stat().st_size > LARGEST_JSON:
        raise NoSuchFile(
            f"'{file}' is larger than {LARGEST_JSON // 1_000_000} MB",
            "write it as JSON Lines, a row on each line",
        )
    return path


def _name(pack: Pack | None, path: FilePath) -> str:
    return str(path) if pack is None or pack.unpacked is None else pack.shown(path)


def _diagnostic(name: str, broken: BrokenRow) -> Diagnostic:
    shown = broken.text if len(broken.text) <= _WIDEST_LINE else ""
    return Diagnostic(name, broken.line, broken.column, broken.message, broken.hint, shown, broken.width)
