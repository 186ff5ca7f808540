"""Values that a schema of JSON Schema or OpenAPI allows: its examples first, else made for its type and format."""

from collections.abc import Iterator, Mapping
from typing import Any

from stressrunner.authoring.openapi_document import ApiDocument
from stressrunner.authoring.shapes import mapping, sequence, text_of
from stressrunner.authoring.template_text import marked

__all__ = ["files_of", "has_own_value", "value_of"]

#: What is deeper is left out.
_DEEPEST = 12
#: Down to here an object without required properties has all of them, and none below, which keeps bodies small.
_GENEROUS = 3
_LONGEST_TEXT = 100
_FORMATS: Mapping[str, str] = {
    "uuid": marked("{{ uuid() }}"),
    "email": f"{marked('{{ uuid() }}')}@example.com",
    "date-time": marked("{{ now() }}"),
    "date": "2025-01-01",
    "time": "12:00:00Z",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "c3RyZXNzcnVubmVy",
}


def _own_values(schema: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a parameter, media type or schema gives as values of its own, the best first."""
    if "example" in schema:
        yield schema["example"]
    examples = schema.get("examples")
    if isinstance(examples, Mapping):
        yield from (example["value"] for example in examples.values() if "value" in mapping(example))
    yield from sequence(examples)
    for key in ("const", "default"):
        if key in schema:
            yield schema[key]
    yield from sequence(schema.get("enum"))


def has_own_value(document: ApiDocument, schema: Any) -> bool:
    """Whether a schema says itself what a value looks like."""
    return next(_own_values(document.resolve(schema)), None) is not None


def value_of(document: ApiDocument, schema: Any, inside: tuple[str, ...] = ()) -> Any:
    """Return a value for a schema, placeholders marked; None where it allows nothing that can be made.

    `inside` has the references of the schemas around it, so that one that holds itself comes to an end.
    """
    reference = str(mapping(schema).get("$ref", ""))
    if len(inside) > _DEEPEST or (reference and reference in inside):
        return None
    merged = _merged(document, document.resolve(schema), 0)
    own = next((value for value in _own_values(merged) if value is not None), None)
    if own is not None:
        return own
    inside = (*inside, reference)
    kind = _type_of(merged)
    if kind == "object":
        return _object(document, merged, inside)
    if kind == "array":
        item = value_of(document, merged.get("items"), inside)
        return [] if item is None else [item] * max(1, min(_integer(merged.get("minItems"), 1), 10))
    if kind in ("integer", "number"):
        return _number(merged, is_whole=kind == "integer")
    return {"boolean": True, "string": _text(merged)}.get(kind)


def files_of(document: ApiDocument, media: Mapping[str, Any]) -> dict[str, str]:
    """Return the properties of a multipart body that are files, each with its media type where it has one."""
    schema = _merged(document, document.resolve(media.get("schema")), 0)
    encodings = mapping(media.get("encoding"))
    files = {}
    for name, described in mapping(schema.get("properties")).items():
        own = document.resolve(described)
        if own.get("type") == "array":
            own = document.resolve(own.get("items"))
        # OpenAPI 3.0 says so by the format, 3.1 in the words of JSON Schema.
        media_type = str(mapping(encodings.get(name)).get("contentType") or own.get("contentMediaType") or "")
        if own.get("format") == "binary" or "contentMediaType" in own:
            files[name] = media_type.partition(",")[0].strip()
    return files


def _merged(document: ApiDocument, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
    """Lay the parts of `allOf`, and the first of `oneOf` or `anyOf`, under a schema."""
    choices = sequence(schema.get("oneOf")) or sequence(schema.get("anyOf"))
    real = [choice for choice in choices if mapping(choice).get("type") != "null"]
    parts = [*sequence(schema.get("allOf")), *real[:1]]
    if not parts or depth > _DEEPEST // 2:
        return schema
    merged: dict[str, Any] = {}
    for part in (*(_merged(document, document.resolve(part), depth + 1) for part in parts), schema):
        properties = {**mapping(merged.get("properties")), **mapping(part.get("properties"))}
        required = [*sequence(merged.get("required")), *sequence(part.get("required"))]
        merged |= {**part, "properties": properties, "required": required}
    return merged


def _type_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), None)
    if isinstance(kind, str):
        return kind
    if schema.get("properties"):
        return "object"
    return "array" if "items" in schema else "string"


def _object(document: ApiDocument, schema: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
    """Return what is required; without any such property, and not too deep, all of them."""
    properties = mapping(schema.get("properties"))
    required = [name for name in map(text_of, sequence(schema.get("required"))) if name in properties]
    made = {}
    optional = properties if len(inside) <= _GENEROUS else ()
    for name in dict.fromkeys(required or optional):
        is_read_only = document.resolve(properties[name]).get("readOnly") is True
        value = None if is_read_only else value_of(document, properties[name], inside)
        if value is not None:
            made[name] = value
    return made


def _text(schema: Mapping[str, Any]) -> str:
    known = _FORMATS.get(str(schema.get("format")))
    if known is not None:
        return known
    shortest = _integer(schema.get("minLength"), 0)
    longest = _integer(schema.get("maxLength"), _LONGEST_TEXT)
    length = max(shortest, min(8, longest))
    return marked(f"{{{{ random_string({min(length, _LONGEST_TEXT)}) }}}}")


def _number(schema: Mapping[str, Any], *, is_whole: bool) -> Any:
    low = _bound(schema, "minimum", "exclusiveMinimum", 1)
    high = _bound(schema, "maximum", "exclusiveMaximum", -1)
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and not isinstance(step, bool) and step > 0:
        multiple = step * max(1, -(-(low or 0) // step))
        return int(multiple) if is_whole else multiple
    if low is None:
        low = 1 if high is None or high >= 1 else high - 100
    if high is None:
        high = low + 99
    if is_whole:
        return marked(f"{{{{ random_int({-int(-low // 1)}, {max(-int(-low // 1), int(high // 1))}) }}}}")
    return marked(f"{{{{ random_float({low}, {max(low, high)}) }}}}")


def _bound(schema: Mapping[str, Any], name: str, exclusive_name: str, inwards: int) -> float | None:
    """Return a bound that may itself be taken; `exclusive...` is a number in 3.1 and a flag before."""
    bound, exclusive = _finite(schema.get(name)), schema.get(exclusive_name)
    if exclusive is True and bound is not None:
        return bound + inwards
    stricter = _finite(exclusive)
    return bound if stricter is None else stricter + inwards


def _finite(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e15 else None


def _integer(value: Any, fallback: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else fallback
