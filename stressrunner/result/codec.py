"""The result file: a Result as JSON and back, byte for byte.

The text is ASCII, so that every program on every platform reads it the same. Its form is described in
`schemas/result.schema.json`. A file of an older version is brought up to the present one first, see `upgrade`. One that
is newer, or has a field too few or one too many, is refused: figures that are read wrongly are worse than none.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from stressrunner.errors import UnreadableResult
from stressrunner.metrics.spread import Spread
from stressrunner.metrics.summary import Latency
from stressrunner.metrics.timeline import TimelinePoint
from stressrunner.result.fields import FieldMismatch, decode, encode, walk
from stressrunner.result.model import SCHEMA, Result
from stressrunner.result.upgrade import OLDEST, upgrade
from stressrunner.scenario.files import bounded

__all__ = ["from_json", "read_result", "to_json"]

_LARGEST_FILE = 500_000_000  #: bytes
_LAYOUT = (
    "schema",
    "run",
    "verdict",
    "validity",
    "totals",
    "endpoints",
    "groups",
    "groups_failed",
    "iterations",
    "user_setup",
    "excluded",
    "workloads",
    "phases",
    "timeline",
    "thresholds",
    "invariants",
    "generator",
    "monitors",
    "errors",
    "exchanges",
    "checks",
)


def to_json(result: Result) -> str:
    """Return the content of a result file, with a newline at its end."""
    members = encode(result, Result)
    return json.dumps({key: members[key] for key in _LAYOUT}, indent=1, allow_nan=False) + "\n"


def from_json(text: str, path: str) -> Result:
    """Read the content of a result file; `path` is for errors.

    Raises:
        UnreadableResult: it is not JSON, not a result, of another version, or a field is missing or wrong.
    """
    members = _members(text, path)
    try:
        result: Result = decode(members, Result, "")
        _check_packed(result)
    except FieldMismatch as error:
        raise UnreadableResult(path, str(error)) from error
    return result


def read_result(path: str | Path) -> Result:
    """Read a result file.

    Raises:
        UnreadableResult: there is no such file, or it is not a result that this version reads.
    """
    try:
        text = bounded(Path(path), _LARGEST_FILE).decode("utf-8")
    except OSError as error:
        raise UnreadableResult(str(path), error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise UnreadableResult(str(path), "it is not a text file") from error
    return from_json(text, str(path))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _members(text: str, path: str) -> dict[str, Any]:
    """Return the file's top level, once its version is known to fit."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnreadableResult(path, f"it is not JSON: {error}") from error
    if not isinstance(document, dict) or "schema" not in document:
        raise UnreadableResult(path, "it is not a result file: it has no 'schema' at its top")
    version = document["schema"]
    if type(version) is not int:
        raise UnreadableResult(path, "it is not a result file: 'schema' is not a version number")
    if not OLDEST <= version <= SCHEMA:
        age, remedy = ("a newer", "a newer") if version > SCHEMA else ("an older", "that")
        raise UnreadableResult(
            path,
            f"it was written by {age} stressrunner (schema {version}; this one reads {OLDEST} to {SCHEMA}); "
            f"read it with {remedy} one",
        )
    upgrade(document, version)
    return document


def _check_packed(result: Result) -> None:
    """Find a damaged histogram now and not when a percentile is asked for, nor a spread when it is drawn."""
    try:
        datetime.fromisoformat(result.run.started_at).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise FieldMismatch("run.started_at", f"{result.run.started_at[:60]!r} is no time") from error
    for path, part in walk(result):
        if isinstance(part, Latency):
            try:
                _ = part.distribution
            except ValueError as error:
                raise FieldMismatch(f"{path}.histogram", str(error)) from error
        elif isinstance(part, TimelinePoint):
            try:
                Spread.read(part.spread)
            except ValueError as error:
                raise FieldMismatch(f"{path}.spread", str(error)) from error
