"""One pass over a file of rows, in which they are checked, and held or indexed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, BinaryIO, Literal

from stressrunner.scenario.row_file import RowFile, RowIndex
from stressrunner.scenario.row_formats import FORMATS
from stressrunner.scenario.row_reading import BrokenRow, FoundRow

__all__ = ["Fields", "RowWalk", "format_name"]

_LARGEST_HELD = 1_000_000
_PART_BYTES = 1_000_000
_MOST_MISTAKES = 5  #: that are told of one file


@dataclass(slots=True)
class Fields:
    """The fields that the rows of a feeder have."""

    kind: Literal["mapping", "list", "plain value"]  #: of every row
    every: frozenset[str] = frozenset()  #: fields of every row
    some: frozenset[str] = frozenset()  #: fields of any row

    @classmethod
    def of(cls, row: Any) -> "Fields":
        """Return the fields of one row."""
        if isinstance(row, dict):
            return cls("mapping", frozenset(row), frozenset(row))
        return cls("list" if isinstance(row, list) else "plain value")

    def take(self, row: Any) -> bool:
        """Take a further row; return False when it is of another kind than those before it."""
        if isinstance(row, dict) and row.keys() != self.every:
            self.every = self.every.intersection(row)
            self.some = self.some.union(row)
        return self.kind == ("mapping" if isinstance(row, dict) else Fields.of(row).kind)


def format_name(path: FilePath) -> str:
    """Return the format of a file as its ending says; CSV where that says nothing."""
    ending = path.suffix.lower().removeprefix(".")
    ending = "jsonl" if ending == "ndjson" else ending
    return ending if ending in FORMATS else "csv"


class RowWalk:
    """One pass over a file: its rows are checked, and held or indexed."""

    def __init__(
        self,
        path: FilePath,
        opened: BinaryIO,
        *,
        largest_held: int = _LARGEST_HELD,
        part_bytes: int = _PART_BYTES,
    ) -> None:
        """Take a file, which stays its owner's to close.

        Args:
            path: where it is.
            opened: the file, at its beginning.
            largest_held: bytes of a file up to which its rows are held.
            part_bytes: how much of a larger one is looked at together.
        """
        self._path = path
        self._largest_held = largest_held
        self._part_bytes = part_bytes
        self._opened = opened
        self._form = format_name(path)
        self._has_header = False
        self.rows: Sequence[Any] = ()  #: that were found to be sound
        self.fields: Fields | None = None  #: None when nothing could be read
        self.broken: list[BrokenRow] = []

    def go(self) -> None:
        """Walk through the file to its end, or to the mistake after which nothing can be read."""
        form = FORMATS[self._form]
        try:
            columns = form.columns(self._opened)
            self._has_header = bool(columns)
            if columns:
                self.fields = Fields("mapping", frozenset(columns), frozenset(columns))
            if self._path.stat().st_size <= self._largest_held:
                lines = self._lines_before(0, self._opened.tell())
                found = self._sound(form.walk(self._opened, columns, lines))
                self.rows = tuple(form.row(row.value, columns) for row in found)
            else:
                self.rows = self._indexed(columns)
        except BrokenRow as error:
            self.broken.append(error)
        if not self.rows and not self.broken:
            below = (
                "there are no rows below the header line" if self.fields else "there are no rows in the file"
            )
            self.broken.append(BrokenRow(1, 1, below))

    def _indexed(self, columns: tuple[str, ...]) -> RowFile:
        """Index the rows: many at a time where one look tells that they are sound, and else one by one."""
        form, file = FORMATS[self._form], self._opened
        index = RowIndex()
        lines = self._lines_before(0, file.tell())
        while part := form.part(file, self._part_bytes):
            start, end = file.tell() - len(part), file.tell()
            lengths = form.lengths(part, columns)
            if lengths is not None:
                index.add(start, *lengths)
                lines += len(lengths)
                continue
            file.seek(start)
            for row in self._sound(form.walk(file, columns, lines)):
                index.add(row.offset, row.end - row.offset)
                if row.end >= end:
                    break
            else:
                break  # to the end of the file, or of patience
            lines += self._lines_before(start, index.end)
            file.seek(index.end)
        return RowFile(self._path, self._form, columns, index, self._path.stat().st_mtime_ns)

    def _lines_before(self, start: int, end: int) -> int:
        self._opened.seek(start)
        return self._opened.read(end - start).count(b"\n")

    def _sound(self, found: Iterator[FoundRow]) -> Iterator[FoundRow]:
        """Yield the rows that are none of the mistakes, and keep those."""
        for row in found:
            broken = row.value if isinstance(row.value, BrokenRow) else None
            if broken is None and not self._has_header:
                broken = self._mismatch(row)
            if broken is None:
                yield row
                continue
            self.broken.append(broken)
            if len(self.broken) == _MOST_MISTAKES:
                return

    def _mismatch(self, row: FoundRow) -> BrokenRow | None:
        """Take the fields of a row; return what is wrong when it is of another kind than the first one."""
        if self.fields is None:
            self.fields = Fields.of(row.value)
            return None
        if self.fields.take(row.value):
            return None
        return BrokenRow(row.line, 1, f"this row is no {self.fields.kind}, as the first one is")
