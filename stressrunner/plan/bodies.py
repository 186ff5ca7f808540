"""The bodies of requests, compiled: names to bytes. What does not change is bytes before the run and never copied."""

from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import quote_plus, urlencode

from stressrunner.errors import GeneratorFault
from stressrunner.expressions import compile_json, compile_template, compile_value
from stressrunner.expressions.environment import to_text
from stressrunner.http.media_types import media_type
from stressrunner.plan.multipart import compile_multipart
from stressrunner.plan.weights import Blocks
from stressrunner.scenario.model import Body, FileBody, Form, GraphQL, Json, Multipart, Raw, Variants

__all__ = ["REQUEST_NUMBER", "CompiledBody", "compile_body", "pairs", "read"]

Names = Mapping[str, Any]
Render = Callable[[Names], bytes]

_JSON = "application/json"
#: The name under which a request finds its own number, which no template can spell: variants are picked by it.
REQUEST_NUMBER = "#"


class CompiledBody:
    """A body that is made for each request, or the same for all of them."""

    __slots__ = ("content_type", "is_constant", "render")

    def __init__(self, render: Render, content_type: str | None, *, is_constant: bool = False) -> None:
        self.render = render  #: raises CannotEvaluate
        self.content_type = content_type  #: unless a header says otherwise
        self.is_constant = is_constant


def compile_body(body: Body | None, *, seed: int = 0, use: str = "") -> CompiledBody:
    """Compile a body.

    Args:
        body: of an endpoint.
        seed: the run's, for the order of variants.
        use: the endpoint's name, so that the variants of two endpoints have orders of their own.

    Raises:
        ExpressionError: a text in it makes no sense.
        ValueError: the weights of its variants are too fine.
        GeneratorFault: a file can no longer be read.
    """
    match body:
        case None:
            return _constant(b"", None)
        case Json(value):
            return _json(value)
        case Variants():
            return _variants(body, seed, use)
        case GraphQL():
            return _json(_graphql(body))
        case Form(fields):
            form = compile_value(dict(fields))
            return _made(
                lambda names: urlencode(pairs(form.render(names)), quote_via=quote_plus).encode(),
                "application/x-www-form-urlencoded",
                is_constant=form.is_constant,
            )
        case Raw(text, content_type):
            template = compile_template(text, statements=True)
            return _made(
                lambda names: template.render_text(names).encode(),
                content_type,
                is_constant=template.is_constant,
            )
        case FileBody(path):
            return _constant(read(path), media_type(path.name))
        case Multipart(parts):
            compiled = compile_multipart(parts, read)
            return CompiledBody(compiled.render, compiled.content_type, is_constant=compiled.is_constant)


def pairs(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of a query or form: None leaves one out, a list repeats it."""
    found: list[tuple[str, str]] = []
    for name, value in fields.items():
        items = value if isinstance(value, list | tuple) else [value]
        found += [(name, to_text(item)) for item in items if item is not None]
    return found


def read(path: FilePath) -> bytes:
    """Return the content of a file of the scenario; raises GeneratorFault when it is no longer there."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise GeneratorFault(
            f"'{path.name}' cannot be read any more: {reason}", "keep the scenario's files"
        ) from error


def _constant(content: bytes, content_type: str | None) -> CompiledBody:
    return CompiledBody(lambda _: content, content_type, is_constant=True)


def _made(render: Render, content_type: str, *, is_constant: bool) -> CompiledBody:
    return _constant(render({}), content_type) if is_constant else CompiledBody(render, content_type)


def _json(value: Any) -> CompiledBody:
    return _made(compile_json(value), _JSON, is_constant=compile_value(value).is_constant)


def _variants(variants: Variants, seed: int, use: str) -> CompiledBody:
    blocks = Blocks(variants.weights, seed, f"payload of {use}")
    encoders = [compile_json(value) for value in variants.values]
    return CompiledBody(lambda names: encoders[blocks.pick(names[REQUEST_NUMBER])](names), _JSON)


def _graphql(body: GraphQL) -> dict[str, Any]:
    value: dict[str, Any] = {"query": body.query}
    if body.variables is not None:
        value["variables"] = body.variables
    if body.operation is not None:
        value["operationName"] = body.operation
    return value
