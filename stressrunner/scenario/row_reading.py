"""What the formats of feeder files have in common: rows at their places, mistakes, and lines of text."""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

__all__ = ["BrokenRow", "FoundRow", "Lines", "skip_bom", "text_of"]

_BOM = b"\xef\xbb\xbf"


class BrokenRow(ValueError):
    """A place in a file that is not as its format wants it."""

    def __init__(
        self, line: int, column: int, message: str, hint: str = "", *, text: str = "", width: int = 1
    ) -> None:
        self.line = line  #: from 1
        self.column = column  #: from 1, in characters
        self.message = message
        self.hint = hint
        self.text = text  #: the line, for the caret
        self.width = width
        super().__init__(message)


class FoundRow(NamedTuple):
    """A row of a file."""

    offset: int  #: bytes before it
    end: int  #: bytes before what follows it
    line: int  #: in which it begins, from 1
    value: Any  #: as `RowFormat.row` takes it; a BrokenRow where it is none, and what follows can be read


class Lines:
    """The lines of a file as text, and how far they have been read."""

    def __init__(self, file: BinaryIO, number: int = 0) -> None:
        self._file = file
        self.offset = file.tell()
        self.number = number  #: of the latest line
        self.latest = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.number += 1
            self.offset += len(line)
            self.latest = text_of(line, self.number)
            yield self.latest


def text_of(line: bytes, number: int) -> str:
    """Return a line as text; raises BrokenRow where it is not UTF-8."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        column = len(line[: error.start].decode("utf-8", "replace")) + 1
        message = f"byte 0x{line[error.start]:02X} is not UTF-8"
        shown = line.decode("utf-8", "replace").rstrip("\r\n")
        raise BrokenRow(number, column, message, "save the file as UTF-8", text=shown) from None


def skip_bom(file: BinaryIO) -> None:
    """Go to behind a byte order mark, if a file begins with one."""
    if file.read(len(_BOM)) != _BOM:
        file.seek(0)
