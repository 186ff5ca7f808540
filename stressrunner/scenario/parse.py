"""YAML text to nodes, from the event stream of libyaml.

The loaders of PyYAML drop duplicate keys, retype `no` and `1:30`, and fall over deep or recursive text; the event
stream is as fast, says where everything stands and lets this module decide. A stack instead of recursion, and
limits on depth and size, keep hostile text harmless.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import yaml

from stressrunner.errors import Diagnostic
from stressrunner.scenario import yaml_pitfalls
from stressrunner.scenario.source import Entry, ListNode, MappingNode, Node, ScalarNode, Source

__all__ = ["Parsed", "core_value", "parse"]

_DEEPEST = 100
#: Nodes of a document, aliases expanded: an alias bomb is small until someone walks it.
_MOST_NODES = 200_000
# What the YAML specification calls printable, but byte order marks, which it has at the beginning alone; the rest makes libyaml refuse the whole text without a place.
# Written as what is forbidden: the set of all that is allowed takes 15 ms to compile.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text holds: its tree, if it can be read at all, and what is wrong with it."""

    root: Node | None
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class _Frame:
    """A collection that is still open."""

    start: int
    is_mapping: bool
    anchor: str | None
    in_flow: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Node | None = None  #: waits for its value
    nodes: int = 1


def parse(source: Source, *, skip: int = 0) -> Parsed:
    """Read the text of a source, or what comes after its first `skip` characters, as one YAML document.

    Never raises: whatever is wrong is in the diagnostics, in source order. The tree is None where the text is
    no YAML, is empty, or goes beyond the limits on depth and size.
    """
    # Blanks instead of the skipped part keep every offset true.
    text = " " * skip + source.text[skip:]
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        problem = f"the character U+{ord(bad[0]):04X} cannot stand in YAML"
        return Parsed(None, (source.diagnostic(bad.start(), problem),))
    builder = _Builder(source)
    try:
        for event in _events(text):
            builder.take(event)
    except _Stop:
        return Parsed(None, tuple(builder.found))
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in (error.problem or "") and error.problem_mark is not None:
            # libyaml 0.2.6 has a limit of its own, and may scan as far as that before its first event.
            return Parsed(None, (*builder.found, _too_deep(source, error.problem_mark.index)))
        diagnostic = yaml_pitfalls.syntax_error(source, error)
        explained = any(
            d.line == diagnostic.line for d in builder.found
        )  # `post: {{ x }}/run` is one pitfall
        return Parsed(None, tuple(builder.found) if explained else (*builder.found, diagnostic))
    return Parsed(builder.root, tuple(builder.found))


def _events(text: str) -> Iterator[Any]:
    events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
    return events


def _too_deep(source: Source, start: int) -> Diagnostic:
    return source.diagnostic(start, f"nested more than {_DEEPEST} levels deep")


class _Stop(Exception):
    """The rest of the text is not worth reading."""


class _Builder:
    """Puts nodes together from events."""

    def __init__(self, source: Source) -> None:
        self.root: Node | None = None
        self.found: list[Diagnostic] = []
        self._source = source
        self._open: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._documents = 0

    def take(self, event: Any) -> None:
        """Add what one event says; raises _Stop when the limits are exceeded."""
        if isinstance(event, yaml.ScalarEvent):
            self._check_tag(event)
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._check_tag(event)
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def _scalar(self, event: Any) -> None:
        start, end = self._after_anchor(event), event.end_mark.index
        node = ScalarNode(self._source, start, end, event.value, plain=not event.style)
        self._finish(node, 1, event.anchor)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            start = event.start_mark.index
            self._say(start, "a second document; a scenario is one document", "remove the '---'", 3)
            raise _Stop

    def _say(self, start: int, message: str, hint: str = "", width: int = 1) -> None:
        self.found.append(self._source.diagnostic(start, message, hint, width))

    def _after_anchor(self, event: Any) -> int:
        """Return where the value itself begins: the mark of an event is that of its anchor or tag."""
        start: int = event.start_mark.index
        if event.anchor or event.tag:
            prefix = re.compile(r"(?:[&!]\S*\s+)*").match(self._source.text, start, event.end_mark.index)
            return prefix.end() if prefix else start
        return start

    def _check_tag(self, event: Any) -> None:
        if event.tag is None:
            return
        start = event.start_mark.index
        word = self._source.text[start : event.end_mark.index].split(None, 1)[0]
        self._say(start, *yaml_pitfalls.tag(word), width=len(word))

    def _start(self, event: Any) -> None:
        if len(self._open) >= _DEEPEST:
            self.found.append(_too_deep(self._source, event.start_mark.index))
            raise _Stop
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Frame(event.start_mark.index, is_mapping, event.anchor, bool(event.flow_style)))
        if event.anchor:
            self._anchors.pop(event.anchor, None)

    def _end(self, event: Any) -> None:
        end = event.end_mark.index
        frame = self._open.pop()
        node: Node
        if frame.is_mapping:
            node = MappingNode(self._source, frame.start, end, MappingProxyType(frame.entries))
        else:
            node = ListNode(self._source, frame.start, end, tuple(frame.items))
        self._finish(node, frame.nodes, frame.anchor)

    def _alias(self, event: Any) -> None:
        start, name = event.start_mark.index, event.anchor
        if name in self._anchors:
            self._finish(*self._anchors[name], None)
            return
        if any(frame.anchor == name for frame in self._open):
            self._say(
                start, f"'*{name}' stands inside what it repeats, which would never end", "", 1 + len(name)
            )
        else:
            hint = "quote a value that begins with '*'"
            self._say(start, f"'*{name}' repeats an anchor '&{name}' that is not there", hint, 1 + len(name))
        stand_in = ScalarNode(self._source, start, event.end_mark.index, "", plain=True)
        self._finish(stand_in, 1, None)

    def _finish(self, node: Node, nodes: int, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = (node, nodes)
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.nodes += nodes
        if frame.nodes > _MOST_NODES:
            self._say(node.start, f"more than {_MOST_NODES:,} values, aliases expanded")
            raise _Stop
        if not frame.is_mapping:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            key, frame.key = frame.key, None
            self._enter(frame, key, node)

    def _enter(self, frame: _Frame, key: Node, value: Node) -> None:
        """Put a key with its value into a mapping, unless the key is none that a scenario can have."""
        if not isinstance(key, ScalarNode):
            self.found.append(yaml_pitfalls.collection_as_key(key, in_flow=frame.in_flow))
        elif key.plain and key.text == "<<":
            hint = "share payloads with $payload, and whole parts of scenarios with 'uses'"
            self._say(key.start, "'<<' merges are not part of the language", hint, 2)
        elif key.text in frame.entries:
            first, _ = self._source.position(frame.entries[key.text].key.start)
            hint = f"the first one is in line {first}"
            self.found.append(
                key.diagnostic(f"the key '{yaml_pitfalls.shortened(key.text)}' stands here twice", hint)
            )
        elif key.plain and not key.text:
            self.found.append(key.diagnostic("a key is missing before ':'"))
        else:
            frame.entries[key.text] = Entry(key, value)


def core_value(spelling: str) -> Any:
    """Return what a plain scalar means in the core schema of YAML 1.2: null, bool, int, float or text.

    Numbers too long to compute with stay text.
    """
    if spelling in _CONSTANTS:
        return _CONSTANTS[spelling]
    if len(spelling) > _LONGEST_NUMBER or not _NUMERIC_START.match(spelling):
        return spelling
    if _INTEGER.fullmatch(spelling):
        return int(spelling)
    if _FLOAT.fullmatch(spelling):
        return float(spelling)
    if _OTHER_BASE.fullmatch(spelling):
        return int(spelling, 0)
    return spelling


_CONSTANTS: Mapping[str, Any] = MappingProxyType(
    {
        **dict.fromkeys(("", "~", "null", "Null", "NULL")),
        **dict.fromkeys(("true", "True", "TRUE"), True),
        **dict.fromkeys(("false", "False", "FALSE"), False),
        **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
        **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
        **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    }
)
_LONGEST_NUMBER = 400
_NUMERIC_START = re.compile(r"[-+.0-9]")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
