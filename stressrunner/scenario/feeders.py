"""The rows of feeders, from the scenario itself or from CSV files of its pack."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from stressrunner.errors import Diagnostic
from stressrunner.scenario.pack_files import NoSuchFile, Pack
from stressrunner.scenario.source import Node, ScalarNode, node_at

__all__ = ["FeederRows", "read_feeders"]

_LARGEST_FILE = 50_000_000
_COMMON_ENDINGS = (".json", ".jsonl", ".tsv", ".txt", ".xlsx")


@dataclass(frozen=True, slots=True)
class FeederRows:
    """The rows of every feeder that could be read."""

    rows: Mapping[str, tuple[Any, ...]]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class _Reading:
    pack: Pack | None
    root: Node
    rows: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)


class _UnreadableCsv(ValueError):
    """A CSV file is not one; the text says why."""


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
        elif isinstance(feeder.get("file"), str) and feeder["file"]:
            _read_file(reading, name, feeder["file"])
    return FeederRows(reading.rows, tuple(reading.found))


def _read_file(reading: _Reading, name: str, file: str) -> None:
    node = node_at(reading.root, ("feeders", name, "file"))
    if not isinstance(node, ScalarNode):
        return
    try:
        reading.rows[name] = _read_csv(_path_of(reading.pack, node.source.folder, file).read_bytes())
    except NoSuchFile as error:
        reading.found.append(node.diagnostic(error.message, error.hint))
    except OSError as error:
        reading.found.append(node.diagnostic(f"'{file}' cannot be read: {error.strerror or error}"))
    except _UnreadableCsv as error:
        reading.found.append(node.diagnostic(f"'{file}': {error}"))


def _path_of(pack: Pack | None, folder: FilePath | None, file: str) -> FilePath:
    """Return the path of a feeder's file; raises NoSuchFile where it may not or cannot be read."""
    if pack is None or folder is None:
        raise NoSuchFile(f"'{file}' cannot be found from here", "give the rows with 'values'")
    path = pack.file(folder, file, "a CSV file")
    if path.suffix.lower() in _COMMON_ENDINGS:
        raise NoSuchFile(f"'{file}' is no CSV file", "feeders read CSV files with a header line")
    if path.stat().st_size > _LARGEST_FILE:
        raise NoSuchFile(f"'{file}' is larger than {_LARGEST_FILE // 1_000_000} MB")
    return path


def _read_csv(content: bytes) -> tuple[dict[str, str], ...]:
    """Read a CSV file with a header line; cells are text.

    Raises:
        _UnreadableCsv: no UTF-8, no header, no rows, or a row with another number of cells than the header.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _UnreadableCsv(f"byte {error.start + 1} is not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(header)
        rows = []
        for cells in reader:
            if not cells:
                continue  # an empty line
            if len(cells) != len(header):
                raise _UnreadableCsv(
                    f"line {reader.line_num} has {len(cells)} cells, the header has {len(header)}"
                )
            rows.append(dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise _UnreadableCsv(f"line {reader.line_num}: {error}") from None
    if not rows:
        raise _UnreadableCsv("there are no rows below the header line")
    return tuple(rows)


def _check_header(header: list[str]) -> None:
    if not header:
        raise _UnreadableCsv("the file is empty, but a header line is wanted")
    bad = next((cell for cell in header if not cell.isidentifier()), None)
    if bad is not None:
        raise _UnreadableCsv(f"the first line must name the columns, and {bad!r} is no name")
    if len(set(header)) != len(header):
        twice = next(cell for cell in header if header.count(cell) > 1)
        raise _UnreadableCsv(f"the column '{twice}' stands in the header twice")
