"""CSV with a header line, walked through row by row, or indexed many lines at a time."""

import csv
import io
from collections.abc import Iterator
from operator import methodcaller
from typing import Any, BinaryIO

from stressrunner.scenario.row_reading import BrokenRow, FoundRow, Lines, skip_bom

__all__ = ["Csv"]


class Csv:
    """Comma-separated values with a header line; cells are text and may be quoted."""

    def columns(self, file: BinaryIO) -> tuple[str, ...]:
        """Read the header line; raises BrokenRow where there is none."""
        skip_bom(file)
        lines = Lines(file)
        try:
            header = next(csv.reader(iter(lines), strict=True), [])
        except csv.Error as error:
            raise BrokenRow(1, 1, str(error), text=lines.latest.rstrip("\r\n")) from None
        file.seek(lines.offset)
        _check_header(header, lines.latest.rstrip("\r\n"))
        return tuple(header)

    def walk(self, file: BinaryIO, columns: tuple[str, ...], line: int) -> Iterator[FoundRow]:
        """Yield the rows below the header."""
        lines = Lines(file, line)
        reader = csv.reader(iter(lines), strict=True)
        wanted = len(columns)
        while True:
            offset, begins = lines.offset, lines.number + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise BrokenRow(lines.number, 1, str(error), text=lines.latest.rstrip("\r\n")) from None
            if cells is None:
                return
            if len(cells) == wanted:
                yield FoundRow(offset, lines.offset, begins, cells)
            elif cells:  # an empty line is none
                cell = "cell" if len(cells) == 1 else "cells"
                message = f"this row has {len(cells)} {cell}, the header has {wanted}"
                shown = lines.latest.rstrip("\r\n") if lines.number == begins else ""
                broken = BrokenRow(begins, 1, message, text=shown, width=len(shown))
                yield FoundRow(offset, lines.offset, begins, broken)

    def part(self, file: BinaryIO, size: int) -> bytes:
        """Read so many bytes and the rest of their last line."""
        return file.read(size) + file.readline()

    def lengths(self, part: bytes, columns: tuple[str, ...]) -> list[int] | None:
        """Return the lengths of rows where one look shows that every line is one."""
        lines = part.split(b"\n")
        ends_line = not lines[-1]
        if ends_line:
            lines.pop()
        if not (_are_rows if b'"' in part else _are_plain_rows)(part, lines, len(columns)):
            return None
        lengths = [len(line) + 1 for line in lines]
        lengths[-1] -= not ends_line
        return lengths

    def rows(self, block: bytes) -> list[Any]:
        """Return the cells of the rows in a part of a file."""
        return [cells for cells in csv.reader(io.StringIO(block.decode("utf-8"), newline="")) if cells]

    def row(self, value: Any, columns: tuple[str, ...]) -> Any:
        """Return cells under the names of their columns."""
        return dict(zip(columns, value, strict=True))


def _are_plain_rows(part: bytes, lines: list[bytes], wanted: int) -> bool:
    """Return whether every line is a row of so many cells, in a part without quotes."""
    commas = set(map(_count_commas, lines))
    has_blank = wanted == 1 and (b"" in lines or b"\r" in lines)
    if commas != {wanted - 1} or has_blank or part.count(b"\r") != part.count(b"\r\n"):
        return False
    return _is_text(part) and len(max(lines, key=len)) < csv.field_size_limit()


def _are_rows(part: bytes, lines: list[bytes], wanted: int) -> bool:
    """Return whether every line is a row of so many cells, in a part with quotes."""
    if not _is_text(part):
        return False
    try:
        rows = list(csv.reader(io.StringIO(part.decode("utf-8"), newline=""), strict=True))
    except csv.Error:
        return False
    # With a line break in quotes there are fewer rows than lines.
    return len(rows) == len(lines) and set(map(len, rows)) == {wanted}


_count_commas = methodcaller("count", b",")


def _is_text(part: bytes) -> bool:
    try:
        part.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _check_header(header: list[str], text: str) -> None:
    if not header:
        raise BrokenRow(1, 1, "the file is empty, but a header line is wanted")
    bad = next((cell for cell in header if not cell.isidentifier()), None)
    if bad is not None:
        at = max(0, text.find(bad))
        hint = "put a comma between two columns" if any(mark in bad for mark in ";\t|") else ""
        message = f"the first line must name the columns, and {bad!r} is no name"
        raise BrokenRow(1, at + 1, message, hint, text=text, width=len(bad))
    if len(set(header)) != len(header):
        twice = next(cell for cell in header if header.count(cell) > 1)
        at = text.rfind(twice)
        message = f"the column '{twice}' stands in the header twice"
        raise BrokenRow(1, at + 1, message, text=text, width=len(twice))
