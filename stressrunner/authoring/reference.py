"""The reference of the language as a page: prose from a template, tables of keys and examples from the JSON Schema."""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stressrunner.authoring.yaml_text import block, scalar
from stressrunner.scenario.schema import Choice, scenario_schema

__all__ = ["language_reference"]

#: What a key takes, by the format that the schema has for it.
_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "body_template": "template with statements",
        "check": "expression",
        "condition": "expression",
        "duration": "duration",
        "expression": "expression",
        "order": "expression",
        "pack_file": "file",
        "header_name": "header name",
        "media_type": "media type",
        "no_placeholders": "text",
        "token_url": "URL",
        "body_file": "file",
        "part_file": "file",
        "query_file": "file",
        "positive_duration": "duration",
        "max_lag": "duration",
        "positive_rate": "rate",
        "rate": "rate",
        "template": "template",
        "threshold": "threshold",
    }
)
_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "array": "list",
        "boolean": "`true` or `false`",
        "integer": "whole number",
        "null": "`null`",
        "number": "number",
        "object": "mapping",
        "string": "text",
    }
)
#: Parts that are explained once, in a section of their own.
_SECTIONS: Mapping[str, str] = MappingProxyType({"endpoint": "endpoints", "steps": "steps", "step": "steps"})
_LONGEST_EXAMPLE = 60
_DEEPEST = 3

_Schema = Mapping[str, Any]


def language_reference() -> str:
    """Return the page in Markdown."""
    source = files("stressrunner.authoring").joinpath("templates", "language.md.j2").read_text("utf-8")
    # Braces of its own, because the page is about `{{ }}` and `{% %}`.
    environment = ImmutableSandboxedEnvironment(
        block_start_string="{@",
        block_end_string="@}",
        variable_start_string="{=",
        variable_end_string="=}",
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    root = scenario_schema()
    text = environment.from_string(source).render(
        top=_top(root), keys=list(root["properties"]), parts=root["$defs"], section=_Sections(root).write
    )
    return f"{text.rstrip()}\n"


def _top(root: _Schema) -> str:
    """Return the table of the keys at the top, each with the first sentence of its description."""
    rows = [
        (f"[`{key}`](#{key})", _first_sentence(_described(_resolved(root, schema))))
        for key, schema in root["properties"].items()
    ]
    return _table(("key", ""), rows)


def _first_sentence(text: str) -> str:
    return text.split(". ", 1)[0].removesuffix(".") + "."


class _Sections:
    """Writes the section of one key or definition: what it is, an example, and the keys in it."""

    def __init__(self, root: _Schema) -> None:
        self._root = root

    def write(self, name: str) -> str:
        """Return description, example and table of a key at the top, or of a definition of the schema."""
        is_key = name in self._root["properties"]
        schema = _resolved(self._root, self._root["properties" if is_key else "$defs"][name])
        inner = _item_of(self._root, schema)
        examples = (
            [block({name: example}).rstrip() for example in schema.get("examples", ())] if is_key else []
        )
        parts = [_described(schema), *(f"```yaml\n{example}\n```" for example in examples)]
        if is_key and "steps" in (_section_of(self._root["properties"][name]), _section_of(_values(schema))):
            return "\n\n".join([*parts, "What a step can be: [steps](#steps)."])
        rows = list(self._rows(inner, "", 0))
        if rows:
            parts += [_choices(self._root, inner), _table(("key", "value", "", "for example"), rows)]
        elif inner is not schema:
            parts.append(f"Each value ({_value(self._root, inner)}): {_lower(_described(inner))}")
            listed = list(self._rows(_resolved(self._root, inner.get("items", {})), "", 0))
            if listed:
                parts.append(_table(("key of an item", "value", "", "for example"), listed))
        return "\n\n".join(part for part in parts if part)

    def _rows(self, schema: _Schema, prefix: str, depth: int) -> Iterator[tuple[str, ...]]:
        required = schema.get("required", ())
        for key, raw in schema.get("properties", {}).items():
            if str(raw.get("$ref", "")).startswith("#/$defs/endpoint/properties/"):
                continue  # the same as that of an endpoint, which has a section
            inner = _resolved(self._root, raw)
            name = f"`{prefix}{key}`"
            label = f"{name}, required" if key in required and not prefix else name
            yield label, _value(self._root, raw), _described(inner), _example(inner)
            if depth < _DEEPEST and _section_of(raw) is None:
                named = _resolved(self._root, inner["additionalProperties"]) if _is_map(inner) else None
                if named is not None and "properties" in named:
                    yield from self._rows(named, f"{prefix}{key}.NAME.", depth + 1)
                else:
                    yield from self._rows(inner, f"{prefix}{key}.", depth + 1)


def _resolved(root: _Schema, schema: _Schema) -> _Schema:
    """Return a schema with what it refers to below it, its own words first."""
    merged: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        part = waiting.pop(0)
        merged = {**part, **merged}
        if "$ref" in part:
            waiting.append(_at(root, part["$ref"]))
    return merged


def _choices(root: _Schema, schema: _Schema) -> str:
    """Return which keys of a mapping exclude one another, a sentence for each group."""
    sentences = []
    for part in (schema, *schema.get("allOf", ())):
        found = _resolved(root, part.get("then", part))
        if "oneOf" in found:
            choice = Choice.of(found["oneOf"])
            words = _alternatives([f"`{key}`" for key in choice.keys])
            sentences.append(f"{'At most' if choice.may_be_none else 'Exactly'} one of {words}.")
    return " ".join(dict.fromkeys(sentences))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _at(root: _Schema, pointer: str) -> _Schema:
    part: Any = root
    for step in pointer.removeprefix("#/").split("/"):
        part = part[step]
    found: _Schema = part
    return found


def _values(schema: _Schema) -> _Schema:
    """Return the schema of what a mapping from names holds; an empty one for anything else."""
    inner: _Schema = schema["additionalProperties"] if _is_map(schema) else {}
    return inner


def _is_map(schema: _Schema) -> bool:
    return isinstance(schema.get("additionalProperties"), Mapping)


def _item_of(root: _Schema, schema: _Schema) -> _Schema:
    """Return the schema of what a mapping from names or a list holds, or the schema itself for anything else."""
    if "properties" in schema:
        return schema
    inner = schema["additionalProperties"] if _is_map(schema) else schema.get("items")
    return _resolved(root, inner) if isinstance(inner, Mapping) else schema


def _described(schema: _Schema) -> str:
    return str(schema.get("description", ""))


def _section_of(raw: _Schema) -> str | None:
    return _SECTIONS.get(str(raw.get("$ref", "")).removeprefix("#/$defs/"))


def _value(root: _Schema, raw: _Schema) -> str:
    """Return what a place takes, in a few words."""
    section = _section_of(raw)
    if section is not None:
        return f"[{section}](#{section})"
    schema = _resolved(root, raw)
    if "enum" in schema:
        text = _alternatives(
            [f"`{scalar(str(value)) if isinstance(value, str) else value}`" for value in schema["enum"]]
        )
    else:
        types = schema.get("type", ())
        texts = [_typed(root, schema, name) for name in ((types,) if isinstance(types, str) else types)]
        text = _alternatives(list(dict.fromkeys(texts))) or "any value"
    default = schema.get("default")
    return text if default is None else f"{text}; `{json.dumps(default).strip(chr(34))}` by default"


def _typed(root: _Schema, schema: _Schema, name: str) -> str:
    if name == "string" and "format" in schema:
        return _FORMATS.get(schema["format"], "text")
    if name == "array" and isinstance(schema.get("items"), Mapping):
        return f"list of {_plural(_value(root, schema['items']))}"
    if name == "object" and _is_map(schema) and "properties" not in schema:
        return f"mapping from names to {_plural(_value(root, schema['additionalProperties']))}"
    return _TYPES[name]


def _plural(words: str) -> str:
    """Return what a place takes for several of them, where it is one word."""
    return f"{words}s" if words.isalpha() and words != "text" else words


def _alternatives(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else "".join(words)


def _example(schema: _Schema) -> str:
    """Return the shortest example as a line of YAML, or nothing where it would be too long for a table."""
    lines = [_flow(example) for example in schema.get("examples", ())]
    short = [line for line in lines if len(line) <= _LONGEST_EXAMPLE]
    return f"`{short[0]}`" if short else ""


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
