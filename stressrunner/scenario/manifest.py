"""`pack.yaml`: what a pack is called, which scenarios it has, and what it needs from outside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from stressrunner.errors import Diagnostic, InvalidScenario
from stressrunner.scenario.files import decoded, read_file
from stressrunner.scenario.parse import parse
from stressrunner.scenario.schema import pack_place
from stressrunner.scenario.source import Entry, Layer, MappingNode, Node, Path, Source, key_at, node_at
from stressrunner.scenario.validate import validate
from stressrunner.scenario.values import typed

__all__ = ["MANIFEST", "Manifest", "Need", "Shortage", "read_manifest"]

MANIFEST = "pack.yaml"


class Need(NamedTuple):
    """A variable of the environment that has to be set."""

    name: str
    kind: Literal["variable", "secret"]
    purpose: str  #: in a few words; may be empty
    path: Path  #: in the manifest

    def __str__(self) -> str:
        what = "" if self.kind == "variable" else "a secret"
        about = ": ".join(part for part in (what, self.purpose) if part)
        return f"{self.name} ({about})" if about else self.name


class Shortage(NamedTuple):
    """What a pack needs and has not got."""

    names: frozenset[str]
    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True)
class Manifest:
    """A `pack.yaml` without mistakes."""

    value: Mapping[str, Any]  #: typed
    root: MappingNode

    @property
    def title(self) -> str:
        """Name and version, as the pack's zip file has them: `agents-1.2`."""
        return f"{self.value['name']}-{self.value['version']}"

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenario files, relative to the manifest."""
        return tuple(self.value["scenarios"])

    @property
    def environments(self) -> Mapping[str, Mapping[str, Any]]:
        """What is said of each environment."""
        return {name: about or {} for name, about in self.value.get("environments", {}).items()}

    def needs(self, environment: str | None) -> Iterator[Need]:
        """Yield what every scenario needs, and what an environment needs beside it."""
        yield from _needs(self.value, ())
        if environment is not None:
            yield from _needs(self.environments.get(environment, {}), ("environments", environment))

    def shortage(self, environ: Mapping[str, str], environment: str | None) -> "Shortage | None":
        """Return all that is needed and not set; None when nothing is missing."""
        missing = [need for need in self.needs(environment) if not environ.get(need.name)]
        if not missing:
            return None
        listed = ", ".join(map(str, missing))
        message = f"the pack '{self.value['name']}' needs what is not set: {listed}"
        verb = "set it" if len(missing) == 1 else "set them"
        hint = f"{verb} in the environment, as in {missing[0].name}=... stressrunner ..."
        return Shortage(
            frozenset(need.name for need in missing), self.diagnostic(missing[0].path, message, hint)
        )

    def diagnostic(self, path: Path, message: str, hint: str = "") -> Diagnostic:
        """Return a mistake at the key that a path ends with, or at the list item."""
        return (key_at(self.root, path) or node_at(self.root, path)).diagnostic(message, hint)

    def allowance(self) -> MappingNode | None:
        """Return what is to be laid over every scenario: the pack's hosts, added to those of its target."""
        entry = self.root.entries.get("allow_hosts")
        if entry is None or "allow_hosts" not in self.value:
            return None
        target = self._mapping(entry, "allow_hosts+", entry.value)
        return self._mapping(entry, "target", target)

    def _mapping(self, entry: Entry, name: str, value: Node) -> MappingNode:
        key = entry.key
        renamed = type(key)(key.source, key.start, key.end, name, key.plain)
        entries = MappingProxyType({name: Entry(renamed, value)})
        return MappingNode(key.source, key.start, key.end, entries)


def _needs(about: Mapping[str, Any], path: Path) -> Iterator[Need]:
    kinds: tuple[tuple[str, Literal["variable", "secret"]], ...] = (
        ("variables", "variable"),
        ("secrets", "secret"),
    )
    for key, kind in kinds:
        for name, purpose in about.get(key, {}).items():
            yield Need(name, kind, purpose or "", (*path, key, name))


def read_manifest(path: FilePath, name: str) -> Manifest:
    """Read a `pack.yaml`; `name` is what messages call it.

    Raises:
        InvalidScenario: with every mistake in it, or why it cannot be read.
    """
    source = Source.of(name, decoded(read_file(path, name), name), Layer.PACK, path.parent)
    parsed = parse(source)
    if not isinstance(parsed.root, MappingNode):
        empty = source.diagnostic(0, "a pack is a mapping of keys and values", "begin with 'stressrunner: 1'")
        raise InvalidScenario(parsed.diagnostics or [empty])
    values = typed(parsed.root, None, pack_place())
    misread = {(d.line, d.column) for d in parsed.diagnostics}
    found = [*values.diagnostics, *validate(parsed.root, values.value, "pack")]
    found = [*parsed.diagnostics, *(d for d in found if (d.line, d.column) not in misread)]
    if found:
        raise InvalidScenario(sorted(dict.fromkeys(found), key=lambda d: (d.line, d.column)))
    return Manifest(MappingProxyType(values.value), parsed.root)
