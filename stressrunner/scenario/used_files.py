"""The files that a scenario brings in with `uses`, each once, in the order in which they are laid over one another."""

from collections.abc import Iterator
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path as FilePath

from stressrunner.errors import Diagnostic, InvalidScenario
from stressrunner.scenario.files import decoded, read_file
from stressrunner.scenario.pack_files import NoSuchFile, Pack
from stressrunner.scenario.parse import core_value, parse
from stressrunner.scenario.source import Layer, ListNode, MappingNode, Node, ScalarNode, Source

__all__ = ["UsedFiles", "is_null", "mapping_of", "read_used", "wrong_version"]

_MOST_FILES = 100


@dataclass(frozen=True, slots=True)
class UsedFiles:
    """The trees of the files, what each uses itself before it, and what is wrong with them."""

    roots: tuple[MappingNode, ...]
    diagnostics: tuple[Diagnostic, ...]
    complete: bool  #: whether every file could be had, so that the names in them are known


def read_used(root: MappingNode, path: FilePath | None, pack: Pack | None) -> UsedFiles:
    """Read all files that a scenario uses, and those that they use in turn.

    Args:
        root: the scenario's own tree.
        path: its file; None when it comes from none, so that it can use none either.
        pack: where the files are.
    """
    walk = _Walk(pack)
    if path is not None:
        walk.open.append((path.resolve(), root.source.name))
    walk.uses_of(root)
    return UsedFiles(tuple(walk.roots), tuple(walk.found), walk.complete)


def is_null(node: Node) -> bool:
    """Whether a node means that its key is as if it were not there."""
    return isinstance(node, ScalarNode) and node.plain and core_value(node.text) is None


def mapping_of(source: Source, found: list[Diagnostic], what: str) -> MappingNode | None:
    """Parse a text that must be a mapping; adds what is wrong with it to `found`, and calls the text `what`."""
    parsed = parse(source)
    found += parsed.diagnostics
    if isinstance(parsed.root, MappingNode):
        return parsed.root
    if not parsed.diagnostics:
        found.append(source.diagnostic(0, f"{what} is a mapping of keys and values"))
    return None


def wrong_version(root: MappingNode) -> Iterator[Diagnostic]:
    """Yield that a file is not one of this language, if so: its version is all that a used one must have."""
    version = root.entries.get("stressrunner")
    hint = "write 'stressrunner: 1'"
    if version is None:
        yield root.diagnostic("the key 'stressrunner' is missing", hint)
    elif not isinstance(version.value, ScalarNode) or version.value.text != "1":
        yield version.value.diagnostic("this version of the language is not known", hint)


class _Walk:
    """One pass over the files, the used before those that use them."""

    def __init__(self, pack: Pack | None) -> None:
        self.roots: list[MappingNode] = []
        self.found: list[Diagnostic] = []
        self.complete = True
        self.open: list[tuple[FilePath, str]] = []  #: that are being read, with their names in messages
        self._pack = pack
        self._done: set[FilePath] = set()

    def uses_of(self, root: MappingNode) -> None:
        """Read the files that one file uses."""
        entry = root.entries.get("uses")
        if entry is None or is_null(entry.value):
            return
        if not isinstance(entry.value, ListNode):
            self._miss(entry.value, "'uses' wants a list of files", "write it like [../common/agents.yaml]")
            return
        for item in entry.value.items:
            if isinstance(item, ScalarNode):
                self._use(item)
            else:
                self._miss(item, "'uses' wants the names of files", "write it like [../common/agents.yaml]")

    def _use(self, item: ScalarNode) -> None:
        try:
            named, path = self._found(item)
        except NoSuchFile as error:
            self._miss(item, error.message, error.hint)
            return
        if any(path == other for other, _ in self.open):
            self._miss(item, *self._circle(path, self._shown(named)))
        elif len(self._done) >= _MOST_FILES:
            self._miss(item, f"more than {_MOST_FILES} files are used")
        elif path not in self._done:
            self._done.add(path)
            self.open.append((path, self._shown(named)))
            self._read(named)
            self.open.pop()

    def _found(self, item: ScalarNode) -> tuple[FilePath, FilePath]:
        """Return the path of a used file by way of the user's name for the scenario, and the resolved one."""
        folder = item.source.folder
        if self._pack is None or folder is None:
            raise NoSuchFile(f"'{item.text}' cannot be found from here", "the scenario comes from no file")
        return folder / item.text, self._pack.file(folder, item.text, "a scenario file")

    def _shown(self, named: FilePath) -> str:
        return normpath(named) if self._pack is None else self._pack.shown(named)

    def _circle(self, path: FilePath, name: str) -> tuple[str, str]:
        start = next(i for i, (other, _) in enumerate(self.open) if other == path)
        names = [called for _, called in self.open[start:]]
        if len(names) == 1:
            return "a file cannot use itself", ""
        return "files use one another in a circle", " -> ".join((*names, name))

    def _read(self, named: FilePath) -> None:
        name = self._shown(named)
        try:
            text = decoded(read_file(named, name), name)
        except InvalidScenario as error:
            self.found += error.diagnostics
            self.complete = False
            return
        source = Source.of(name, text, Layer.USED, named.parent)
        root = mapping_of(source, self.found, "a file that is used")
        if root is None:
            self.complete = False
            return
        self.found += wrong_version(root)
        self.uses_of(root)
        self.roots.append(root)

    def _miss(self, node: Node, message: str, hint: str = "") -> None:
        self.found.append(node.diagnostic(message, hint))
        self.complete = False
