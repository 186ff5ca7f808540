"""The body of an endpoint: from what stands in the file to what the plan compiles."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

from stressrunner.scenario.model import Body, FileBody, Form, GraphQL, Json, Multipart, Part, Raw, Variants

__all__ = ["body_of"]


def body_of(endpoint: Mapping[str, Any], payloads: Mapping[str, Any]) -> Body | None:
    """Return the body of an endpoint without mistakes, whose files have been found; None when it has none."""
    if "json" in endpoint:
        return _json(endpoint["json"], payloads)
    if "form" in endpoint:
        return Form(MappingProxyType(endpoint["form"]))
    if "body" in endpoint:
        return Raw(endpoint["body"])
    if "body_file" in endpoint:
        found = endpoint["body_file"]  # as `with_body_files` leaves it
        return Raw(found["text"], found["type"]) if "text" in found else FileBody(FilePath(found["path"]))
    if "multipart" in endpoint:
        fields = endpoint["multipart"].items()
        return Multipart(tuple(part for name, value in fields for part in _parts(name, value)))
    if "graphql" in endpoint:
        graphql = endpoint["graphql"]
        query = graphql["query"] if "query" in graphql else graphql["file"]["text"]
        return GraphQL(query, graphql.get("variables"), graphql.get("operation"))
    return None


def _json(value: Any, payloads: Mapping[str, Any]) -> Json | Variants:
    if not (isinstance(value, dict) and "$payload" in value):
        return Json(value)
    payload = payloads[value["$payload"]]
    if not isinstance(payload, list):
        return Json(payload)
    weights = tuple(Fraction(variant.get("weight", 1)) for variant in payload)
    return Variants(weights, tuple(variant["json"] for variant in payload))


def _parts(name: str, value: Any) -> Iterator[Part]:
    """Yield the parts of one field: none for null, several for a list."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            file = FilePath(item["file"]["path"]) if "file" in item else None
            yield Part(name, item.get("content"), file, item.get("filename"), item.get("type"))
        elif item is not None:
            yield Part(name, item)
