"""Forms of several parts as materials have them: fields and files, whose contents are not read but stood in for."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from stressrunner.authoring.sensitive import Secrets
from stressrunner.authoring.template_text import marked, template_text

__all__ = ["STAND_IN", "DraftPart", "file_part", "multipart_value", "parts_in"]

#: What is sent instead of a file: 1,000 characters that differ from request to request.
STAND_IN = marked("{{ random_string(1000) }}")
_PARAMETER = re.compile(r';\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


class DraftPart(NamedTuple):
    """One part; placeholders in its texts are marked."""

    name: str
    content: str
    filename: str = ""  #: empty for a field
    type: str = ""  #: its media type; empty where that is not said


def file_part(name: str, path: str, kind: str = "") -> DraftPart:
    """Return a part for a file, with other content in the place of the file's."""
    return DraftPart(name, STAND_IN, re.split(r"[/\\]", path)[-1] or "file", kind)


def multipart_value(parts: Iterable[DraftPart], secrets: Secrets) -> dict[str, Any]:
    """Return parts as they stand under `multipart`, secrets taken out; a repeated name has a list."""
    found: dict[str, list[Any]] = {}
    for part in parts:
        found.setdefault(part.name, []).append(_value(part, secrets))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items() if name}


def _value(part: DraftPart, secrets: Secrets) -> Any:
    content = template_text(secrets.field(part.name, part.content, "the field"))
    if not part.filename and not part.type:
        return content
    value = {"content": content}
    value |= {"filename": template_text(part.filename)} if part.filename else {}
    # A type that is none is left to be found out.
    return value | ({"type": part.type} if re.fullmatch(r"[\w.+-]+/[\w.+-]+", part.type) else {})


def parts_in(body: str, content_type: str) -> list[DraftPart]:
    """Return the parts of a recorded body; those with a file's name have other content. Empty when it has none."""
    boundary = dict(_parameters(content_type)).get("boundary")
    if not boundary:
        return []
    pieces = re.split(rf"(?:\A|\r?\n)--{re.escape(boundary)}(?:--)?[ \t]*(?:\r?\n|\Z)", body)
    return [part for piece in pieces[1:] if (part := _part_of(piece)) is not None]


def _part_of(piece: str) -> DraftPart | None:
    head, _, content = piece.replace("\r\n", "\n").partition("\n\n")
    headers: Mapping[str, str] = {
        name.strip().lower(): value.strip() for name, _, value in (h.partition(":") for h in head.split("\n"))
    }
    disposition = dict(_parameters(headers.get("content-disposition", "")))
    name, kind = disposition.get("name", ""), headers.get("content-type", "").partition(";")[0].strip()
    if not name:
        return None
    filename = disposition.get("filename")
    return DraftPart(name, content, "", kind) if filename is None else file_part(name, filename, kind)


def _parameters(header: str) -> Iterator[tuple[str, str]]:
    for name, quoted, plain in _PARAMETER.findall(header):
        yield name.lower(), re.sub(r"\\(.)", r"\1", quoted) or plain
