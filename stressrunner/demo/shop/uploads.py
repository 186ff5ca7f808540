"""Multipart forms, taken apart by the standard library's reader of mail, which has the same format."""

from email.message import Message
from email.parser import BytesParser
from hashlib import sha256
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

__all__ = ["read_upload"]

_LARGEST = 20_000_000


async def read_upload(request: Request) -> dict[str, Any]:
    """Return the fields of a form, and of each file its name, type, size in bytes and SHA-256.

    Raises:
        HTTPException: the body is no multipart form (422), or is larger than 20 MB (413).
    """
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise HTTPException(422, "A multipart form is wanted")
    raw = await request.body()
    if len(raw) > _LARGEST:
        raise HTTPException(413, f"At most {_LARGEST:,} bytes are taken")
    mail = BytesParser().parsebytes(b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + raw)
    parts = mail.get_payload()
    if not isinstance(parts, list):
        raise HTTPException(422, "The multipart form cannot be read")
    fields: dict[str, str] = {}
    stored: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Message):
            _add(part, fields, stored)
    return {"fields": fields, "files": stored}


def _add(part: Message, fields: dict[str, str], stored: list[dict[str, Any]]) -> None:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    name = str(part.get_param("name", "", header="content-disposition"))
    filename = part.get_filename()
    if filename is None:
        fields[name] = content.decode("utf-8", "replace")
        return
    digest = sha256(content).hexdigest()
    kind = part.get_content_type()
    stored.append({"field": name, "name": filename, "type": kind, "size": len(content), "sha256": digest})
