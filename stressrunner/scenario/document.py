"""A scenario file as it was read: every value with its place, all mistakes collected.

    text -> nodes -> all layers laid over one another -> typed values -> schema -> names and references

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
from stressrunner.scenario.body_files import read_body_files, with_body_files
from stressrunner.scenario.build import build
from stressrunner.scenario.compose import overlay_of
from stressrunner.scenario.draws import check_draws
from stressrunner.scenario.emit import composed_yaml
from stressrunner.scenario.feeders import read_feeders
from stressrunner.scenario.files import decoded, read_file
from stressrunner.scenario.layers import compose
from stressrunner.scenario.manifest import Shortage
from stressrunner.scenario.pack_files import Unpacked
from stressrunner.scenario.parse import parse
from stressrunner.scenario.phases import has_open_end
from stressrunner.scenario.references import check_references
from stressrunner.scenario.source import Layer, MappingNode, Node, Path, Source, node_at
from stressrunner.scenario.target import proxy_secrets
from stressrunner.scenario.tls_files import check_tls, tls_files, with_tls_files
from stressrunner.scenario.validate import validate
from stressrunner.scenario.values import Typed, typed

__all__ = ["Document", "load_document", "load_text"]


@dataclass(frozen=True, slots=True)
class Document:
    """A scenario file without mistakes: its values, and where each of them stands."""

    name: str  #: of the file, as the user named it
    path: FilePath | None  #: None for a text that comes from no file
    sha256: str  #: of the file as it lies on disk
    environment: str | None  #: the name given with `--env`
    #: typed, with all layers laid over one another, all `${...}` filled, and its files found: the paths of
    #: `target.tls` are absolute, and those that bodies are made of are as `with_body_files` leaves them
    value: Mapping[str, Any]
    rows: Mapping[str, Sequence[Any]] = field(repr=False)  #: of every feeder
    secrets: tuple[str, ...] = field(repr=False)  #: values to be masked in all output
    secret_names: Mapping[str, str] = field(repr=False)  #: values of secrets to the variables that gave them
    composed: str = field(repr=False)  #: all layers as one YAML; secrets stay `${secret:NAME}`
    root: Node = field(repr=False)

    def node(self, path: Path) -> Node:
        """Return the node at a path, or the closest one above it, for the place of a message."""
        return node_at(self.root, path)


def load_document(
    path: FilePath,
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    environment: str | None = None,
    unpacked: Unpacked | None = None,
) -> Document:
    """Read a scenario file with all that is laid over it.

    Args:
        path: the file, as the user named it.
        environ: the variables that fill `${...}`.
        overrides: `PATH=VALUE` and `PATH+=VALUE` settings, laid over the file in their order.
        environment: the name of an environment of the file or its pack, which is laid over the file before them.
        unpacked: the zip file that the file comes from, so that it is called by its name there.

    Raises:
        InvalidScenario: with every mistake of the file in source order, or why the file cannot be read.
    """
    name = str(path) if unpacked is None else unpacked.shown(path)
    origin = _Origin(name, path, read_file(path, name), environment, unpacked)
    return _load(origin, environ, overrides)


def load_text(
    text: str | bytes,
    name: str = "scenario.yaml",
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    environment: str | None = None,
) -> Document:
    """Read a scenario that is no file, and so has no other files either; raises as `load_document` does."""
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _load(_Origin(name, None, content, environment), environ, overrides)


@dataclass(frozen=True, slots=True)
class _Origin:
    name: str
    path: FilePath | None
    content: bytes
    environment: str | None
    unpacked: Unpacked | None = None


def _load(origin: _Origin, environ: Mapping[str, str], overrides: Sequence[str]) -> Document:
    folder = origin.path.parent if origin.path else None
    source = Source.of(origin.name, decoded(origin.content, origin.name), Layer.SCENARIO, folder)
    parsed = parse(source)
    found = list(parsed.diagnostics)
    if not isinstance(parsed.root, MappingNode):
        found += overlay_of(overrides).diagnostics
        if not parsed.diagnostics:
            hint = "begin with 'stressrunner: 1'"
            found.append(source.diagnostic(0, "a scenario is a mapping of keys and values", hint))
        raise InvalidScenario(_in_order(origin.name, found))
    composition = compose(parsed.root, origin.path, overrides, origin.environment, origin.unpacked)
    found += composition.diagnostics
    if not composition.complete:
        raise InvalidScenario(_in_order(origin.name, found))  # what is missing would be missed everywhere
    root, pack = composition.root, composition.pack
    values = typed(root, environ)
    shortage = (
        None if composition.manifest is None else composition.manifest.shortage(environ, origin.environment)
    )
    feeders = read_feeders(root, values.value, pack)
    bodies = read_body_files(values.texts, pack)
    tls = tls_files(root, values.value, pack)
    misread = {(d.file, d.line, d.column) for d in found}
    checks = [
        *_unfilled(values, shortage),
        *validate(root, values.value),
        *feeders.diagnostics,
        *bodies.diagnostics,
    ]
    references = check_references(root, values.value, [*values.texts, *bodies.texts], feeders)
    checks += references.diagnostics
    checks += check_tls(root, values.value, tls)
    # What YAML misread is of the wrong type too, and saying so would only confuse.
    found += (d for d in checks if (d.file, d.line, d.column) not in misread)
    secrets = tuple(dict.fromkeys((*values.secrets, *proxy_secrets(values.value))))
    if found:
        masker = Masker(secrets)
        raise InvalidScenario([_masked(d, masker) for d in _in_order(origin.name, found)])
    document = Document(
        name=origin.name,
        path=origin.path,
        sha256=hashlib.sha256(origin.content).hexdigest(),
        environment=origin.environment,
        value=MappingProxyType(with_body_files(with_tls_files(values.value, tls), bodies.found)),
        rows=MappingProxyType(dict(feeders.rows)),
        secrets=secrets,
        composed=composed_yaml(root, environ, references.spare),
        secret_names=MappingProxyType(values.secrets),
        root=root,
    )
    if has_open_end(document.value) and (endless := [*check_draws(root, document.value, build(document))]):
        raise InvalidScenario(_in_order(origin.name, endless))
    return document


def _unfilled(values: Typed, shortage: Shortage | None) -> list[Diagnostic]:
    """Return what could not be filled in, all that the pack says it needs in one."""
    if shortage is None:
        return values.diagnostics
    others = (d for d in values.diagnostics if values.unset.get(d) not in shortage.names)
    return [shortage.diagnostic, *others]


def _in_order(name: str, found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Order by place, the file before other files and those before the command line; say the same thing once."""
    last = ("--env", "--set")
    return sorted(
        dict.fromkeys(found),
        key=lambda d: (d.file != name, d.file in last, d.file, d.line, d.column),
    )


def _masked(diagnostic: Diagnostic, masker: Masker) -> Diagnostic:
    """Hide secrets in what is quoted; the source line shows placeholders as they are written."""
    return replace(diagnostic, message=masker.text(diagnostic.message), hint=masker.text(diagnostic.hint))
