"""A scenario file as it was read: every value with its place, all mistakes collected.

    text -> nodes -> `--set` laid over them -> typed values -> schema -> names and references

Each step goes on as far as it can after a mistake, so that one broken place does not hide the others.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

from stressrunner.errors import Diagnostic, InvalidScenario
from stressrunner.masking import Masker
from stressrunner.scenario.compose import merge, overlay_of
from stressrunner.scenario.emit import composed_yaml
from stressrunner.scenario.feeders import read_feeders
from stressrunner.scenario.parse import parse
from stressrunner.scenario.references import check_references
from stressrunner.scenario.schema import root_place
from stressrunner.scenario.source import MappingNode, Node, Path, Source, node_at
from stressrunner.scenario.tls_files import check_tls, tls_files, with_tls_files
from stressrunner.scenario.validate import validate
from stressrunner.scenario.values import typed

__all__ = ["Document", "load_document", "load_text"]

_LARGEST_FILE = 5_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """A scenario file without mistakes: its values, and where each of them stands."""

    name: str  #: of the file, as the user named it
    path: FilePath | None  #: None for a text that comes from no file
    sha256: str  #: of the file as it lies on disk
    #: typed, with `--set` laid over it, all `${...}` filled, and the paths of `target.tls` absolute
    value: Mapping[str, Any]
    rows: Mapping[str, tuple[Any, ...]] = field(repr=False)  #: of every feeder
    secrets: tuple[str, ...] = field(repr=False)  #: values to be masked in all output
    composed: str = field(repr=False)  #: the scenario as YAML after `--set`; secrets stay `${secret:NAME}`
    root: Node = field(repr=False)

    def node(self, path: Path) -> Node:
        """Return the node at a path, or the closest one above it, for the place of a message."""
        return node_at(self.root, path)


def load_document(path: FilePath, *, environ: Mapping[str, str], overrides: Sequence[str] = ()) -> Document:
    """Read a scenario file.

    Args:
        path: the file, as the user named it.
        environ: the variables that fill `${...}`.
        overrides: `PATH=VALUE` and `PATH+=VALUE` settings, laid over the file in their order.

    Raises:
        InvalidScenario: with every mistake of the file in source order, or why the file cannot be read.
    """
    name = str(path)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _unreadable(name, f"larger than {_LARGEST_FILE // 1_000_000} MB")
        content = path.read_bytes()
    except IsADirectoryError:
        raise _unreadable(name, "this is a folder", "name a scenario file in it") from None
    except FileNotFoundError:
        raise _unreadable(name, "there is no such file") from None
    except (OSError, ValueError) as error:
        raise _unreadable(name, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return _load(_Origin(name, path, content), environ, overrides)


def load_text(
    text: str | bytes,
    name: str = "scenario.yaml",
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
) -> Document:
    """Read a scenario that is no file, and so has no feeder files either; raises as `load_document` does."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _load(_Origin(name, None, content), environ, overrides)


@dataclass(frozen=True, slots=True)
class _Origin:
    name: str
    path: FilePath | None
    content: bytes


def _unreadable(name: str, message: str, hint: str = "") -> InvalidScenario:
    return InvalidScenario([Diagnostic(name, 1, 1, message, hint)])


def _decoded(origin: _Origin) -> str:
    try:
        return origin.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = origin.content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"byte 0x{origin.content[error.start]:02X} is not UTF-8"
        diagnostic = Diagnostic(origin.name, line, column, message, "save the file as UTF-8")
        raise InvalidScenario([diagnostic]) from None


def _load(origin: _Origin, environ: Mapping[str, str], overrides: Sequence[str]) -> Document:
    source = Source.of(origin.name, _decoded(origin))
    parsed = parse(source)
    overlay = overlay_of(overrides)
    found = [*parsed.diagnostics, *overlay.diagnostics]
    if not isinstance(parsed.root, MappingNode):
        if not parsed.diagnostics:
            hint = "begin with 'stressrunner: 1'"
            found.append(source.diagnostic(0, "a scenario is a mapping of keys and values", hint))
        raise InvalidScenario(_in_order(origin.name, found))
    root = merge(parsed.root, overlay.root, root_place()) if overlay.root else parsed.root
    values = typed(root, environ)
    folder = origin.path.parent if origin.path else None
    feeders = read_feeders(root, values.value, folder)
    tls = tls_files(values.value, folder)
    misread = {(d.file, d.line, d.column) for d in found}
    checks = [*values.diagnostics, *validate(root, values.value), *feeders.diagnostics]
    checks += check_references(root, values.value, values.texts, feeders.rows)
    checks += check_tls(root, values.value, tls)
    # What YAML misread is of the wrong type too, and saying so would only confuse.
    found += (d for d in checks if (d.file, d.line, d.column) not in misread)
    secrets = tuple(dict.fromkeys(values.secrets))
    if found:
        masker = Masker(secrets)
        raise InvalidScenario([_masked(d, masker) for d in _in_order(origin.name, found)])
    return Document(
        name=origin.name,
        path=origin.path,
        sha256=hashlib.sha256(origin.content).hexdigest(),
        value=MappingProxyType(with_tls_files(values.value, tls)),
        rows=MappingProxyType(dict(feeders.rows)),
        secrets=secrets,
        composed=composed_yaml(root, environ),
        root=root,
    )


def _in_order(name: str, found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Order by place, the file before the command line, and say the same thing once."""
    return sorted(dict.fromkeys(found), key=lambda d: (d.file != name, d.line, d.column))


def _masked(diagnostic: Diagnostic, masker: Masker) -> Diagnostic:
    """Hide secrets in what is quoted; the source line shows holes as they are written."""
    message, hint = masker.text(diagnostic.message), masker.text(diagnostic.hint)
    return replace(diagnostic, message=message, hint=hint)
