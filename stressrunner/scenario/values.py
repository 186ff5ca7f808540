"""From nodes to plain values: placeholders are filled, and every scalar gets the type that the schema has for its place.

Where text is wanted a plain scalar is its spelling, so `1.10` stays `1.10` and `no` stays `no`; where a number is
wanted, a quoted placeholder is one too; in free places the core schema of YAML 1.2 decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

from stressrunner.errors import Diagnostic
from stressrunner.scenario import yaml_pitfalls
from stressrunner.scenario.parse import core_value
from stressrunner.scenario.placeholders import Filled, PlaceholderError, fill, is_one_placeholder
from stressrunner.scenario.schema import SchemaNode, root_place
from stressrunner.scenario.source import ListNode, MappingNode, Node, Path, ScalarNode

__all__ = ["BROKEN", "Text", "Typed", "typed"]


class _Broken:
    """Stands for a value that could not be read, and is already among the diagnostics."""


BROKEN: Final = _Broken()

_TEMPLATES = frozenset({"template", "body_template"})


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is more than text: a template, an expression or a threshold."""

    path: Path
    kind: str  #: the schema's format of the place
    node: ScalarNode
    filled: Filled

    def diagnostic(self, message: str, hint: str = "", *, offset: int = 0, width: int = 0) -> Diagnostic:
        """Return a mistake in a part of the filled text, shown where it stands in the file."""
        if width <= 0:
            return self.node.diagnostic(message, hint)
        raw_offset, raw_width = self.filled.origin(offset, width)
        return self.node.diagnostic(message, hint, offset=raw_offset, width=raw_width)


@dataclass(slots=True)
class Typed:
    """A tree of plain values, and what was met on the way."""

    value: Any = None
    texts: list[Text] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)  #: places whose value is BROKEN
    secrets: dict[str, str] = field(default_factory=dict)  #: values to the names of their variables
    diagnostics: list[Diagnostic] = field(default_factory=list)
    unset: dict[Diagnostic, str] = field(default_factory=dict)  #: variables that are not set, by what says so


def typed(root: Node, environ: Mapping[str, str] | None, place: SchemaNode | None = None) -> Typed:
    """Give every node its value; never raises, what is wrong is in the diagnostics of the answer.

    Args:
        root: the tree.
        environ: the variables that fill `${...}`; None where that means nothing.
        place: what the schema says of the tree as a whole; a scenario, if it is left out.
    """
    walk = _Walk(environ)
    walk.out.value = walk.value(root, place or root_place(), ())
    return walk.out


class _Walk:
    """One pass over a tree; as deep as the parser allows, so recursion is safe."""

    def __init__(self, environ: Mapping[str, str] | None) -> None:
        self.out = Typed()
        self._environ = environ

    def value(self, node: Node, place: SchemaNode | None, path: Path) -> Any:
        if isinstance(node, ScalarNode):
            return self._scalar(node, place, path)
        if isinstance(node, ListNode):
            item = place.item if place else None
            return [self.value(inner, item, (*path, i)) for i, inner in enumerate(node.items)]
        return self._mapping(node, place, path)

    def _mapping(self, node: MappingNode, place: SchemaNode | None, path: Path) -> dict[str, Any]:
        values = {}
        for name, inner in node:
            inner_place = place.key(name) if place else None
            value = self.value(inner, inner_place, (*path, name))
            # null means "as if the key were not there", except where it is a value.
            if value is not None or inner_place is None or inner_place.is_free or "null" in inner_place.types:
                values[name] = value
        return values

    def _scalar(self, node: ScalarNode, place: SchemaNode | None, path: Path) -> Any:
        if place is None:
            return node.text  # under a key that does not exist: there is nothing more to say about it
        if (place.wants_text or place.is_free) and yaml_pitfalls.empty_by_comment(node):
            return self._break(path, node.diagnostic(*yaml_pitfalls.COMMENT_FOR_VALUE))
        try:
            filled = self._filled(node, place)
        except PlaceholderError as error:
            where = {"offset": error.offset, "width": error.width}
            diagnostic = node.diagnostic(error.message, error.hint, **where)
            if error.unset:
                self.out.unset[diagnostic] = error.unset
            return self._break(path, diagnostic)
        self.out.secrets.update(filled.secrets)
        value = _scalar_value(node, filled, place)
        if isinstance(value, float) and not isfinite(value):
            return self._break(
                path, node.diagnostic("not a number that can be sent", "quote it to send text")
            )
        if isinstance(value, str) and place.format is not None:
            self.out.texts.append(Text(path, place.format, node, filled))
        return value

    def _filled(self, node: ScalarNode, place: SchemaNode) -> Filled:
        if self._environ is None:
            return Filled(node.text)
        return fill(node.text, self._environ, is_template=place.format in _TEMPLATES)

    def _break(self, path: Path, diagnostic: Diagnostic) -> Any:
        self.out.diagnostics.append(diagnostic)
        self.out.broken.add(path)
        return BROKEN


def _scalar_value(node: ScalarNode, filled: Filled, place: SchemaNode) -> Any:
    may_be_typed = node.plain and (not filled.spans or is_one_placeholder(node.text))
    if place.wants_text:
        is_null = node.plain and not filled.spans and core_value(node.text) is None
        return None if is_null else filled.text
    if place.is_free:
        return core_value(filled.text) if may_be_typed else filled.text
    # A number, or true or false, or no scalar at all: a placeholder may stand in quotes, a number may not.
    return core_value(filled.text) if node.plain or filled.spans else node.text
