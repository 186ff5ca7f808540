r"""`multipart/form-data` (RFC 7578), compiled: constant parts are one piece of bytes each.

    --BOUNDARY\r\n
    Content-Disposition: form-data; name="report"; filename="sample.pdf"\r\n
    Content-Type: application/pdf\r\n
    \r\n
    content\r\n
    --BOUNDARY--\r\n

The boundary is a hash of all that is constant in the parts, so that it stands in none of it and repeats from run to run.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path as FilePath
from typing import Any

from stressrunner.expressions import compile_template, compile_value
from stressrunner.expressions.environment import to_text
from stressrunner.http.media_types import media_type
from stressrunner.scenario.model import Part

__all__ = ["CompiledParts", "compile_multipart"]

Names = Mapping[str, Any]
#: Bytes that never change, or what makes the bytes of a part from the names.
_Piece = bytes | Callable[[Names], bytes]
# As browsers escape names, which HTML's standard says.
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class CompiledParts:
    """A body of several parts."""

    def __init__(self, pieces: Sequence[_Piece], boundary: str) -> None:
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._pieces = tuple(_merged(pieces))
        self.is_constant = all(isinstance(piece, bytes) for piece in self._pieces)
        self._only = self._pieces[0] if self.is_constant and self._pieces else None

    def render(self, names: Names) -> bytes:
        """Return the body; raises CannotEvaluate. A constant one is the same object each time."""
        if isinstance(self._only, bytes):
            return self._only
        return b"".join(piece if isinstance(piece, bytes) else piece(names) for piece in self._pieces)


def compile_multipart(parts: Sequence[Part], read: Callable[[FilePath], bytes]) -> CompiledParts:
    """Compile the parts of a body; `read` gives the content of files.

    Raises:
        ExpressionError: a text in it makes no sense.
        What `read` raises.
    """
    contents = [read(part.file) if part.file is not None else b"" for part in parts]
    boundary = _boundary(parts, contents)
    pieces = [
        piece for part, held in zip(parts, contents, strict=True) for piece in _part(part, held, boundary)
    ]
    return CompiledParts([*pieces, f"--{boundary}--\r\n".encode()], boundary)


def _boundary(parts: Sequence[Part], contents: Sequence[bytes]) -> str:
    digest = hashlib.blake2b(repr([replace(part, file=None) for part in parts]).encode(), digest_size=16)
    for content in contents:
        digest.update(content)
    return f"stressrunner-{digest.hexdigest()}"


def _merged(pieces: Sequence[_Piece]) -> Iterator[_Piece]:
    """Join the constant pieces that touch."""
    for is_constant, run in groupby(pieces, lambda piece: isinstance(piece, bytes)):
        if is_constant:
            held = [piece for piece in run if isinstance(piece, bytes)]
            yield held[0] if len(held) == 1 else b"".join(held)
        else:
            yield from run


def _part(part: Part, held: bytes, boundary: str) -> Iterator[_Piece]:
    """Yield the pieces of one part."""
    head, is_constant = _head(part, boundary)
    if part.file is not None:
        yield head({}) if is_constant else head
        yield held
        yield b"\r\n"
        return
    value = compile_value(part.value)

    def whole(names: Names) -> bytes:
        content = value.render(names)
        return b"" if content is None else head(names) + to_text(content).encode() + b"\r\n"

    yield whole({}) if is_constant and value.is_constant else whole


def _head(part: Part, boundary: str) -> tuple[Callable[[Names], bytes], bool]:
    """Return what makes all that stands before the content of a part, and whether it is always the same."""
    opening = f'--{boundary}\r\nContent-Disposition: form-data; name="{part.name.translate(_ESCAPES)}"'
    given = part.filename or ("" if part.file is None else part.file.name)
    kind = part.content_type or (media_type(given) if given else "")
    ending = (f"\r\nContent-Type: {kind}" if kind else "") + "\r\n\r\n"
    if not given:
        head = (opening + ending).encode()
        return lambda _: head, True
    filename = compile_template(given)

    def named(names: Names) -> bytes:
        text = filename.render_text(names).translate(_ESCAPES)
        return f'{opening}; filename="{text}"{ending}'.encode()

    return named, filename.is_constant
