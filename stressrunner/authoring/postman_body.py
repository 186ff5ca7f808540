"""Bodies of Postman's requests, in the modes that they have there."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from stressrunner.authoring.multipart import DraftPart, file_part
from stressrunner.authoring.shapes import mapping, sequence, text_of

__all__ = ["PostmanBody", "body_of", "pairs_of"]

_LANGUAGES = {
    "json": "application/json",
    "xml": "application/xml",
    "html": "text/html",
    "javascript": "text/javascript",
}


class PostmanBody(NamedTuple):
    """A body of one kind, placeholders marked."""

    type: str = ""  #: what it is sent as, unless a header says another
    text: str = ""
    form: tuple[tuple[str, str], ...] = ()
    parts: tuple[DraftPart, ...] = ()


def body_of(body: Mapping[str, Any], text: Callable[[str], str]) -> PostmanBody | None:
    """Return a body; None when it cannot be sent. `text` marks the placeholders of a text."""
    mode = text_of(body.get("mode"))
    if mode == "raw":
        raw = text(text_of(body.get("raw")))
        language = text_of(mapping(mapping(body.get("options")).get("raw")).get("language"))
        return PostmanBody(_LANGUAGES.get(language, "text/plain"), raw) if raw else PostmanBody()
    if mode == "urlencoded":
        form = tuple((key, text(value)) for key, value in pairs_of(body.get("urlencoded")))
        return PostmanBody("application/x-www-form-urlencoded", form=form) if form else PostmanBody()
    if mode == "formdata":
        return PostmanBody(parts=tuple(_parts(body.get("formdata"), text)))
    if mode == "graphql":
        return PostmanBody("application/json", _graphql(mapping(body.get("graphql")), text))
    return None if mode else PostmanBody()


def _graphql(graphql: Mapping[str, Any], text: Callable[[str], str]) -> str:
    """Return a GraphQL query as the JSON that carries it."""
    variables = text_of(graphql.get("variables")).strip() or "{}"
    query = json.dumps(text(text_of(graphql.get("query"))), ensure_ascii=False)
    operation = text_of(graphql.get("operationName"))
    named = f'"operationName": {json.dumps(operation)}, ' if operation else ""
    return f'{{{named}"query": {query}, "variables": {text(variables)}}}'


def _parts(fields: Any, text: Callable[[str], str]) -> Iterator[DraftPart]:
    """Yield the parts of a form; files that it names are not read."""
    for field_ in map(mapping, sequence(fields)):
        name, kind = text_of(field_.get("key")), text_of(field_.get("contentType"))
        if not name or field_.get("disabled") is True:
            continue
        if field_.get("type") != "file":
            yield DraftPart(name, text(text_of(field_.get("value"))), "", kind)
            continue
        source = field_.get("src")
        for path in sequence(source) or [source]:
            yield file_part(name, text_of(path), kind)


def pairs_of(items: Any) -> list[tuple[str, str]]:
    """Return key and value of each item that is not disabled."""
    return [
        (text_of(item.get("key")), value if isinstance(value := item.get("value"), str) else "")
        for item in map(mapping, sequence(items))
        if text_of(item.get("key")) and item.get("disabled") is not True
    ]
