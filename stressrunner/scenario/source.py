"""Where everything in a scenario stands: texts, and the tree of nodes read from them.

A node knows the text that it came from and its place there, so that every mistake found later, in whichever
floor, can be shown with file, line, column and a caret.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path as FilePath
from types import MappingProxyType

from stressrunner.errors import Diagnostic
from stressrunner.scenario.placeholders import without_defaults

__all__ = [
    "Entry",
    "Layer",
    "ListNode",
    "MappingNode",
    "Node",
    "Path",
    "ScalarNode",
    "Source",
    "from_source",
    "key_at",
    "label_of",
    "node_at",
]

#: Keys and list indices from the root of a document to a node.
Path = tuple[str | int, ...]

# The line breaks of YAML 1.1, which is what libyaml counts.
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# A caret under a line that is wider than any terminal helps nobody.
_WIDEST_LINE = 400


class Layer(StrEnum):
    """What a text is laid over a scenario as; each one goes over those before it."""

    USED = "uses"  #: a file that `uses` brings in
    SCENARIO = "scenario"  #: the file itself
    ENVIRONMENT = "--env"
    SETTING = "--set"
    PACK = "pack"  #: the manifest of the pack
    DEFAULT = "default"  #: nobody wrote it


@dataclass(frozen=True, slots=True)
class Source:
    """A text that nodes come from: a file, or a value given on the command line."""

    name: str  #: as the user would name it
    text: str
    layer: Layer = Layer.SCENARIO
    #: that the files named in the text are relative to; None for a scenario that comes from no file
    folder: FilePath | None = field(default=None, compare=False)
    lines: tuple[str, ...] = field(default=(), compare=False)
    starts: tuple[int, ...] = field(default=(), compare=False)  #: offset at which each line begins

    @classmethod
    def of(
        cls, name: str, text: str, layer: Layer = Layer.SCENARIO, folder: FilePath | None = None
    ) -> "Source":
        """Split the text into lines once, for all diagnostics to come."""
        starts = (0, *(match.end() for match in _LINE_BREAK.finditer(text)))
        return cls(name, text, layer, folder, tuple(_LINE_BREAK.split(text)), starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Return line and column, both from 1, of an offset into the text."""
        low, high = 0, len(self.starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.starts[middle] <= offset else (low, middle)
        return low + 1, offset - self.starts[low] + 1

    def diagnostic(self, start: int, message: str, hint: str = "", width: int = 1) -> Diagnostic:
        """Return a mistake at an offset into the text; the line that it shows is without defaults of secrets."""
        line, column = self.position(start)
        shown = without_defaults(self.lines[line - 1])
        if len(shown) > _WIDEST_LINE:
            shown = ""
        return Diagnostic(self.name, line, column, message, hint, shown, max(1, width))


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value as it is spelled."""

    source: Source = field(repr=False)
    start: int  #: offset of its first character, a quote included
    end: int  #: offset after its last character
    text: str
    plain: bool  #: neither quoted nor a block, so that the YAML core schema may give it a type

    def diagnostic(self, message: str, hint: str = "", *, offset: int = 0, width: int = 0) -> Diagnostic:
        """Return a mistake in this value; `offset` and `width` are those of a part of its text.

        The part is found again in the source by what it says and how often that stood before it, because
        quotes, escapes and folding move it about.
        """
        if width <= 0:
            first_line = self.source.text[self.start : self.end].split("\n", 1)[0]
            return self.source.diagnostic(self.start, message, hint, len(first_line))
        part = self.text[offset : offset + min(width, _WIDEST_LINE)].split("\n", 1)[0]
        for quotes in (
            0,
            1,
        ):  # what is spelled as it reads has its parts where they are, and is most often met
            if part and self.source.text.startswith(self.text, self.start + quotes):
                return self.source.diagnostic(self.start + quotes + offset, message, hint, len(part))
        found = self.start - 1
        for _ in range(1 + _occurrences(self.text, part, offset)):
            found = self.source.text.find(part, found + 1, self.end)
            if found < 0 or not part:
                return self.diagnostic(message, hint)
        return self.source.diagnostic(found, message, hint, len(part))


def _occurrences(text: str, part: str, before: int) -> int:
    """Return how often `part` begins in the text ahead of an offset, overlaps included."""
    return len(re.findall(f"(?={re.escape(part)})", text[: before + len(part) - 1])) if part else 0


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence of values."""

    source: Source = field(repr=False)
    start: int
    end: int
    items: "tuple[Node, ...]"

    def diagnostic(self, message: str, hint: str = "") -> Diagnostic:
        """Return a mistake that is about the list as a whole."""
        return self.source.diagnostic(self.start, message, hint)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with its value."""

    key: ScalarNode
    value: "Node"
    #: what this was laid over and took the place of, the latest first; mappings that merged are not replaced
    replaced: "tuple[Entry, ...]" = ()


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys with values, in the order of the file."""

    source: Source = field(repr=False)
    start: int
    end: int
    entries: Mapping[str, Entry]

    def __iter__(self) -> Iterator[tuple[str, "Node"]]:
        return ((name, entry.value) for name, entry in self.entries.items())

    def diagnostic(self, message: str, hint: str = "") -> Diagnostic:
        """Return a mistake that is about the mapping as a whole."""
        return self.source.diagnostic(self.start, message, hint)


Node = ScalarNode | ListNode | MappingNode


def node_at(root: Node, path: Path) -> Node:
    """Return the node at a path, or the closest one above it that exists."""
    node = root
    for step in path:
        if isinstance(node, MappingNode) and step in node.entries:
            node = node.entries[str(step)].value
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            break
    return node


def from_source(node: Node, source: Source) -> Node:
    """Return the same tree as one read from another source of the same text, such as one of another layer."""
    if isinstance(node, ScalarNode):
        return replace(node, source=source)
    if isinstance(node, ListNode):
        return replace(node, source=source, items=tuple(from_source(item, source) for item in node.items))
    entries = {
        name: Entry(replace(entry.key, source=source), from_source(entry.value, source))
        for name, entry in node.entries.items()
    }
    return replace(node, source=source, entries=MappingProxyType(entries))


def key_at(root: Node, path: Path) -> ScalarNode | None:
    """Return the key at the end of a path, or None where a list item or the document itself stands."""
    parent = node_at(root, path[:-1]) if path else None
    if isinstance(parent, MappingNode) and path[-1] in parent.entries:
        return parent.entries[str(path[-1])].key
    return None


def label_of(path: Path) -> str:
    """Return what a place is called in a message: its key, or which item of which list."""
    if not path:
        return "a scenario"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of {label_of(path[:-1])}"
    return f"'{path[-1]}'"
