"""JSON: a list of rows, and JSON Lines, a row on each line."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO, NoReturn

from stressrunner.scenario.row_reading import BrokenRow, FoundRow, Lines, skip_bom, text_of

__all__ = ["JsonLines", "JsonRows"]

_BLANK = " \t\r\n"


class _JsonRows:
    """What rows in JSON have in common: no header, and values that are rows as they stand."""

    def columns(self, file: BinaryIO) -> tuple[str, ...]:
        """Go to the first row; there is no header."""
        skip_bom(file)
        return ()

    def row(self, value: Any, columns: tuple[str, ...]) -> Any:
        """Return the row as it is."""
        del columns
        return value

    def lengths(self, part: bytes, columns: tuple[str, ...]) -> list[int] | None:
        """Return None: every row is looked at by itself."""
        del part, columns
        return None


class JsonLines(_JsonRows):
    """A JSON value on each line."""

    def walk(self, file: BinaryIO, columns: tuple[str, ...], line: int) -> Iterator[FoundRow]:
        """Yield the rows."""
        del columns
        lines = Lines(file, line)
        offset = lines.offset
        for text in lines:
            if text.strip(_BLANK):
                yield FoundRow(offset, lines.offset, lines.number, _json_line(text, lines.number))
            offset = lines.offset

    def rows(self, block: bytes) -> list[Any]:
        """Return the rows in a part of a file."""
        lines = [line for line in block.split(b"\n") if line.strip()]
        parsed: list[Any] = json.loads(b"[" + b",".join(lines) + b"]")
        return parsed

    def part(self, file: BinaryIO, size: int) -> bytes:
        """Read so many bytes and the rest of their last line."""
        return file.read(size) + file.readline()


def _json_line(text: str, number: int) -> Any:
    try:
        return _DECODER.decode(text.strip(_BLANK))
    except (ValueError, RecursionError) as error:
        return _broken_json(text, error, line=number, before=len(text) - len(text.lstrip(_BLANK)))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _broken_json(text: str, error: Exception, *, line: int, before: int = 0) -> BrokenRow:
    """Return a mistake in JSON; `before` is how many characters the decoder was not given."""
    if not isinstance(error, json.JSONDecodeError):
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return BrokenRow(line, 1, f"this is no JSON: {reason}", text=text.rstrip("\r\n"))
    reason = error.msg[:1].lower() + error.msg[1:]
    return BrokenRow(line, before + error.colno, f"this is no JSON: {reason}", text=text.rstrip("\r\n"))


class JsonRows(_JsonRows):
    """One JSON list, whose elements are the rows."""

    def walk(self, file: BinaryIO, columns: tuple[str, ...], line: int) -> Iterator[FoundRow]:
        """Yield the rows."""
        del columns, line  # the list is one piece
        begin = file.tell()
        content = file.read()
        text = _whole_text(content)
        try:
            yield from _elements(text, begin)
        except (ValueError, RecursionError) as error:
            if isinstance(error, BrokenRow):
                raise
            number = error.lineno if isinstance(error, json.JSONDecodeError) else 1
            raise _broken_json(text.split("\n")[number - 1], error, line=number) from None

    def rows(self, block: bytes) -> list[Any]:
        """Return the rows in a part of a file."""
        parsed: list[Any] = json.loads(b"[" + block.rstrip().removesuffix(b",") + b"]")
        return parsed

    def part(self, file: BinaryIO, size: int) -> bytes:
        """Read everything: a list is one piece."""
        del size
        return file.read()


def _whole_text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start)
        text_of(content.split(b"\n")[number], number + 1)  # raises, with the place in the line
        raise


def _elements(text: str, begin: int) -> Iterator[FoundRow]:
    """Yield the elements of a JSON list; raises ValueError where it is none."""
    at = _after_blanks(text, 0)
    if not text.startswith("[", at):
        what = "a mapping" if text.startswith("{", at) else "no list"
        line = text.count("\n", 0, at) + 1
        shown = text.split("\n")[line - 1] if text else ""
        raise BrokenRow(line, 1, f"a JSON file holds a list of rows, this is {what}", text=shown.rstrip("\r"))
    places = _Places(text, begin)
    at = _after_blanks(text, at + 1)
    while not text.startswith("]", at):
        value, after = _DECODER.raw_decode(text, at)
        end = _after_blanks(text, after)
        follows = text[end : end + 1]
        if follows == ",":
            end = _after_blanks(text, end + 1)
            if text.startswith("]", end):
                raise json.JSONDecodeError("a comma stands before the end of the list", text, end)
        elif follows != "]":
            raise json.JSONDecodeError("expecting ',' or ']'", text, end)
        yield FoundRow(places.bytes_before(at), places.bytes_before(end), places.line(at), value)
        at = end
    if text[at + 1 :].strip(_BLANK):
        raise json.JSONDecodeError("more follows the list", text, _after_blanks(text, at + 1))


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _BLANK:
        at += 1
    return at


class _Places:
    """Bytes and lines before a place in a text; to be asked of places that only move forward."""

    def __init__(self, text: str, begin: int) -> None:
        self._text = text
        self._at = 0
        self._bytes = begin
        self._line_at = 0
        self._lines = 1

    def bytes_before(self, at: int) -> int:
        """Return how many bytes of the file stand before a character."""
        self._bytes += len(self._text[self._at : at].encode("utf-8"))
        self._at = at
        return self._bytes

    def line(self, at: int) -> int:
        """Return the line of a character, from 1."""
        self._lines += self._text.count("\n", self._line_at, at)
        self._line_at = at
        return self._lines
