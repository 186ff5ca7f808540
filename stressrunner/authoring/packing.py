"""A folder becomes one zip file, the same to the byte wherever and whenever it is made.

So the files stand in the order of their names, all with one time and one mode, and are not compressed: what deflate
makes of a file differs from one version of zlib to another.
"""

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stressrunner.errors import Diagnostic, InvalidScenario, UsageError
from stressrunner.scenario.archive import SUMS, problem_of_name
from stressrunner.scenario.document import load_document
from stressrunner.scenario.files import decoded, read_file
from stressrunner.scenario.manifest import MANIFEST, Manifest, read_manifest
from stressrunner.scenario.pack_files import Unpacked
from stressrunner.scenario.parse import parse
from stressrunner.scenario.placeholders import Placeholder, placeholders_of
from stressrunner.scenario.source import ListNode, MappingNode, Node, ScalarNode, Source
from stressrunner.scenario.survey import belongs
from stressrunner.scratch import scratch_folder
from stressrunner.spelling import did_you_mean

__all__ = ["PackDraft", "check_scenarios", "draft_of", "write_pack"]

_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that zip files know
_MODE = 0o100644  # a file that its owner may write and everyone read
_STAND_IN = "1000000"  #: for what is not set: a text, a number, and long enough for a secret
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class PackDraft:
    """A folder that can be packed."""

    manifest: Manifest
    files: Mapping[str, Path]  #: by their names in the pack, in order


def draft_of(folder: Path) -> PackDraft:
    """Look a folder over that is to become a pack: its manifest, and whether it agrees with the files.

    Hidden files, zip files, and what makes a Python package of a folder are no part of the pack.

    Raises:
        UsageError: there is no `pack.yaml`, or a file that no pack can have.
        InvalidScenario: the manifest has mistakes, or does not agree with what is in the folder.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(
            f"there is no {MANIFEST} in {folder}; it makes a pack of a folder, see 'stressrunner help packs'"
        )
    manifest = read_manifest(path, os.path.normpath(path))
    files = dict(sorted(_files(folder)))
    found = list(_mistakes(manifest, files))
    if found:
        raise InvalidScenario(sorted(found, key=lambda d: (d.line, d.column)))
    return PackDraft(manifest, files)


def check_scenarios(folder: Path, manifest: Manifest, unpacked: Unpacked | None = None) -> None:
    """See to it that every scenario of a pack is one that `run` takes, by itself and in each environment.

    What the environment of a user will fill in is not known here, so that what stands in a line with it is let pass.

    Raises:
        InvalidScenario: with the mistakes of all of them.
    """
    found: dict[Diagnostic, None] = {}
    for environment in (None, *manifest.environments):
        needed = {need.name: _STAND_IN for need in manifest.needs(environment)}
        for name in manifest.scenarios:
            try:
                load_document(
                    folder / name,
                    environ={**needed, **os.environ},
                    environment=environment,
                    unpacked=unpacked,
                )
            except InvalidScenario as invalid:
                found.update(dict.fromkeys(d for d in invalid.diagnostics if "${" not in d.source_line))
    if found:
        raise InvalidScenario(tuple(found))


def write_pack(draft: PackDraft, path: Path) -> str:
    """Write a draft as a zip file, in place of one that is there; return its SHA-256.

    Raises:
        UsageError: a file cannot be read, or the zip file not be written.
    """
    try:
        with scratch_folder(path.parent) as folder:
            digest = _written(draft, folder / path.name)
            (folder / path.name).replace(path)
    except OSError as error:
        raise UsageError(f"{error.filename or path}: {error.strerror}") from error
    return digest


def _written(draft: PackDraft, path: Path) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        sums = []
        for name, file in draft.files.items():
            content = file.read_bytes()
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
            archive.writestr(_entry(name), content)
        archive.writestr(_entry(SUMS), "".join(sums))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.create_system = 3  # Unix, wherever it is made
    entry.external_attr = _MODE << 16
    return entry


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if belongs(name))
        for name in sorted(name for name in names if belongs(name) and not name.lower().endswith(".zip")):
            path = Path(place, name)
            inner = path.relative_to(folder).as_posix()
            if path.is_symlink() or not path.is_file():
                raise UsageError(
                    f"{path} is a link, or something else that is no file; a pack has files alone"
                )
            if inner == SUMS:
                continue  # of the pack that the folder was unzipped from; it is written anew
            if problem := problem_of_name(inner):
                raise UsageError(f"{path} {problem}; rename the file")
            yield inner, path
        linked = next((name for name in folders if Path(place, name).is_symlink()), None)
        if linked is not None:
            raise UsageError(f"{Path(place, linked)} is a link; a pack has files alone")


def _mistakes(manifest: Manifest, files: Mapping[str, Path]) -> Iterator[Diagnostic]:
    known = [name for name in files if name.endswith(_YAML) and name != MANIFEST]
    for number, name in enumerate(manifest.scenarios):
        if name not in files or name == MANIFEST:
            hint = did_you_mean(name, known)
            yield manifest.diagnostic(("scenarios", number), f"there is no file {name} in the pack", hint)
    asked = _Asked.of(files)
    for name in manifest.environments:
        if name not in asked.environments:
            near = did_you_mean(name, asked.environments) or f"it is to be in environments/{name}.yaml"
            yield manifest.diagnostic(("environments", name), f"there is no environment '{name}'", near)
    yield from _needs(manifest, asked)


def _needs(manifest: Manifest, asked: "_Asked") -> Iterator[Diagnostic]:
    """Yield what is said to be needed and asked for by nobody, and what is asked for without being said."""
    placeholders = [placeholder for _, placeholder in asked.placeholders]
    for environment in (None, *manifest.environments):
        for need in manifest.needs(environment):
            if need.name not in {placeholder.name for placeholder in placeholders}:
                near = did_you_mean(need.name, [placeholder.name for placeholder in placeholders])
                yield manifest.diagnostic(need.path, f"nothing in the pack reads {need.name}", near)
    undeclared: dict[str, str] = {}
    for environment, placeholder in asked.placeholders:
        if not placeholder.has_default and placeholder.name not in {
            n.name for n in manifest.needs(environment)
        }:
            under = "secrets" if placeholder.is_secret else "variables"
            place = under if environment is None else f"{under} of the environment '{environment}'"
            undeclared.setdefault(placeholder.name, place)
    for name, place in undeclared.items():
        yield manifest.root.diagnostic(f"the pack needs {name} and does not say so", f"name it under {place}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the texts of a folder ask the environment for, and the environments that they have."""

    placeholders: Sequence[tuple[str | None, Placeholder]]  #: with the environment that they stand in
    environments: frozenset[str]

    @classmethod
    def of(cls, files: Mapping[str, Path]) -> "_Asked":
        placeholders: list[tuple[str | None, Placeholder]] = []
        environments: set[str] = set()
        for name, path in files.items():
            if not name.endswith(_YAML) or name == MANIFEST:
                continue
            root = _root(path)
            folder, _, file = name.rpartition("/")
            if folder == "environments":
                environments.add(Path(file).stem)
                placeholders += ((Path(file).stem, placeholder) for placeholder in _placeholders(root))
            elif isinstance(root, MappingNode) and "stressrunner" in root.entries:
                placeholders += _of_scenario(root, environments)
        return cls(placeholders, frozenset(environments))


def _of_scenario(root: MappingNode, environments: set[str]) -> Iterator[tuple[str | None, Placeholder]]:
    for key, node in root:
        if key != "environments":
            yield from ((None, placeholder) for placeholder in _placeholders(node))
        elif isinstance(node, MappingNode):
            for name, inner in node:
                environments.add(name)
                yield from ((name, placeholder) for placeholder in _placeholders(inner))


def _root(path: Path) -> Node | None:
    name = os.path.normpath(path)
    try:
        return parse(Source.of(name, decoded(read_file(path, name), name))).root
    except InvalidScenario:
        return None  # `validate` says what is wrong with it


def _placeholders(node: Node | None) -> Iterator[Placeholder]:
    if isinstance(node, ScalarNode):
        yield from placeholders_of(node.text)
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _placeholders(item)
    elif isinstance(node, MappingNode):
        for _, inner in node:
            yield from _placeholders(inner)
