"""The formats of feeder files, each walked through row by row and read in blocks."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Protocol

from stressrunner.scenario.row_csv import Csv
from stressrunner.scenario.row_json import JsonLines, JsonRows
from stressrunner.scenario.row_reading import FoundRow

__all__ = ["FORMATS", "LARGEST_JSON", "RowFormat"]

LARGEST_JSON = 100_000_000  #: bytes of a JSON file, all of which is read at once while it is checked


class RowFormat(Protocol):
    """A format."""

    def columns(self, file: BinaryIO) -> tuple[str, ...]:
        """Read the names of the columns at the beginning of a file that has them there; raises BrokenRow."""

    def walk(self, file: BinaryIO, columns: tuple[str, ...], line: int) -> Iterator[FoundRow]:
        """Yield the rows that follow after so many lines; raises BrokenRow where nothing can be read any more."""

    def part(self, file: BinaryIO, size: int) -> bytes:
        """Read so many bytes up to the end of a line, or everything in a format that cannot be taken apart."""

    def lengths(self, part: bytes, columns: tuple[str, ...]) -> list[int] | None:
        """Return how many bytes each row has in a part of whole lines, where one look shows that every line is a row.

        None where the part must be walked through row by row, to find mistakes or rows of several lines.
        """

    def rows(self, block: bytes) -> list[Any]:
        """Return the rows that stand one after the other in a part of a file."""

    def row(self, value: Any, columns: tuple[str, ...]) -> Any:
        """Return a row as templates see it."""


#: By name, which is also the usual ending of such a file.
FORMATS: Mapping[str, RowFormat] = {"csv": Csv(), "json": JsonRows(), "jsonl": JsonLines()}
