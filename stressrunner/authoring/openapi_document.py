"""OpenAPI and Swagger documents: JSON or YAML, with references inside the document followed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from stressrunner.authoring.shapes import mapping, sequence, text_of
from stressrunner.authoring.template_text import unmarked
from stressrunner.errors import UsageError
from stressrunner.scenario.parse import core_value, parse
from stressrunner.scenario.source import ListNode, MappingNode, Node, Source

__all__ = ["ApiDocument"]

#: References to references to references: more is a circle, or a joke.
_LONGEST_CHAIN = 20


class ApiDocument:
    """A description of an API, and the references inside it."""

    def __init__(self, text: str, name: str) -> None:
        """Read a document.

        Raises:
            UsageError: the text is neither JSON nor YAML, or describes no API.
        """
        self.root = mapping(_decoded(text, name))
        self.is_swagger = text_of(self.root.get("swagger")).startswith("2.")
        if not self.is_swagger and not text_of(self.root.get("openapi")).startswith("3."):
            raise UsageError(f"{name}: neither 'openapi: 3.x' nor 'swagger: \"2.0\"' is in it")

    def resolve(self, value: Any) -> Mapping[str, Any]:
        """Return a mapping, or the one that its `$ref` leads to; an empty one where it leads nowhere."""
        for _ in range(_LONGEST_CHAIN):
            node = mapping(value)
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            if not reference.startswith("#/"):
                return {}
            value = self.root
            for step in reference[2:].split("/"):
                value = mapping(value).get(unquote(step).replace("~1", "/").replace("~0", "~"))
        return {}

    def files(self) -> list[str]:
        """Return the other files that references lead to, which are not read."""
        found: dict[str, None] = {}
        rest: list[Any] = [self.root]
        while rest:
            value = rest.pop()
            if isinstance(value, Mapping):
                reference = value.get("$ref")
                if isinstance(reference, str) and not reference.startswith("#"):
                    found[reference.partition("#")[0]] = None
                rest += value.values()
            elif isinstance(value, list):
                rest += value
        return sorted(found)

    def operations(self) -> Iterator[tuple[str, str, Mapping[str, Any], list[Mapping[str, Any]]]]:
        """Yield path, method, operation, and the parameters of both path and operation."""
        for path, raw in mapping(self.root.get("paths")).items():
            item = self.resolve(raw)
            for method, operation in item.items():
                if method.lower() not in _METHODS:
                    continue
                found: dict[tuple[str, str], Mapping[str, Any]] = {}
                for source in (item, mapping(operation)):
                    for parameter in map(self.resolve, sequence(source.get("parameters"))):
                        found[text_of(parameter.get("in")), text_of(parameter.get("name"))] = parameter
                yield path, method, mapping(operation), list(found.values())


_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})


def _decoded(text: str, name: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except RecursionError:
            raise UsageError(f"{name}: nested too deep") from None
        except ValueError as error:
            raise UsageError(f"{name}: this is no JSON: {error}") from error
    parsed = parse(Source.of(name, text))
    if parsed.root is None or parsed.diagnostics:
        raise UsageError(
            "\n".join(d.render() for d in parsed.diagnostics) or f"{name}: there is nothing in it"
        )
    return _plain(parsed.root)


def _plain(node: Node) -> Any:
    if isinstance(node, MappingNode):
        return {key: _plain(value) for key, value in node}
    if isinstance(node, ListNode):
        return [_plain(item) for item in node.items]
    return core_value(node.text) if node.plain else unmarked(node.text)
