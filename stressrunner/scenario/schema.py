"""The JSON Schema of a scenario: the reference of the language, and what decides the type of every place.

Few of the constructs of JSON Schema are used, so that a walk over the tree can carry the schema along: `$ref`,
`allOf`, `properties`, `additionalProperties`, `items`, `type`, `format`, and `oneOf` over `required` where one
of several keys is to be chosen.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

__all__ = ["Choice", "SchemaNode", "pack_place", "pack_schema", "root_place", "scenario_schema"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@cache
def scenario_schema() -> Mapping[str, Any]:
    """Return the JSON Schema of a scenario file, as it is shipped; do not change it."""
    return _shipped("scenario.schema.json")


@cache
def pack_schema() -> Mapping[str, Any]:
    """Return the JSON Schema of a `pack.yaml`, as it is shipped; do not change it. It has no `$ref`."""
    return _shipped("pack.schema.json")


def _shipped(name: str) -> Mapping[str, Any]:
    text = resources.files("stressrunner.schemas").joinpath(name).read_text("utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


@dataclass(frozen=True, slots=True)
class Choice:
    """Keys of one mapping that exclude one another."""

    keys: tuple[str, ...]
    may_be_none: bool

    @classmethod
    def of(cls, branches: Sequence[Mapping[str, Any]]) -> "Choice":
        """Read the branches of a `oneOf`: each requires one key, and a last one with `not` allows none."""
        keys = tuple(branch["required"][0] for branch in branches if "required" in branch)
        return cls(keys, any("not" in branch for branch in branches))


@dataclass(frozen=True, slots=True)
class SchemaNode:
    """What the schema says of one place in a scenario."""

    schemas: tuple[Mapping[str, Any], ...]  #: all that apply, the closest first

    def _first(self, keyword: str) -> Any:
        return next((schema[keyword] for schema in self.schemas if keyword in schema), None)

    @property
    def types(self) -> frozenset[str]:
        """The JSON types that are accepted; empty when every type is."""
        named = self._first("type")
        return frozenset((named,) if isinstance(named, str) else named or ())

    @property
    def format(self) -> str | None:
        """What a text here must be, such as a duration."""
        name: str | None = self._first("format")
        return name

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that the schema names here."""
        return tuple(key for schema in self.schemas for key in schema.get("properties", ()))

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The groups of keys of which one excludes the others."""
        return tuple(Choice.of(schema["oneOf"]) for schema in self.schemas if "oneOf" in schema)

    @property
    def is_free(self) -> bool:
        """Whether values of every type stand here, as in a JSON body."""
        return not self.types

    @property
    def wants_text(self) -> bool:
        """Whether a plain scalar here is text as it is spelled."""
        return "string" in self.types

    def key(self, name: str) -> "SchemaNode | None":
        """Return the place of a key, or None when the mapping here does not take it."""
        for schema in self.schemas:
            if name in schema.get("properties", _EMPTY):
                return _place(schema["properties"][name])
        additional = self._first("additionalProperties")
        if isinstance(additional, Mapping):
            return _place(additional)
        return _ANYTHING if self.is_free and additional is None else None

    @property
    def item(self) -> "SchemaNode":
        """The place of every item, when a list stands here."""
        items = self._first("items")
        return _ANYTHING if items is None else _place(items)


_ANYTHING = SchemaNode(())


def _flatten(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield schema
    if "$ref" in schema:
        yield from _flatten(_referred(schema["$ref"]))
    for part in schema.get("allOf", ()):
        yield from _flatten(part)
    if "then" in schema:  # every condition of the schema is about which keys are wanted, never about types
        yield from _flatten(schema["then"])


def _referred(reference: str) -> Mapping[str, Any]:
    """Return the part of the schema that a reference such as `#/$defs/endpoint/properties/json` points to."""
    part: Mapping[str, Any] = scenario_schema()
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


def _place(schema: Mapping[str, Any]) -> SchemaNode:
    return SchemaNode(tuple(_flatten(schema)))


def root_place() -> SchemaNode:
    """Return the place of the document as a whole."""
    return _place(scenario_schema())


def pack_place() -> SchemaNode:
    """Return the place of a `pack.yaml` as a whole."""
    return _place(pack_schema())
