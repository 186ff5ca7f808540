"""The rows of a file that is too large to be held: found by an index of where they begin, and read when they are asked for.

The index holds the place of every n-th row, n a power of two that doubles as the file grows, so that it stays below 8 MB
however many rows there are. It is made in the one pass in which a file is checked, and goes to the generators in place of
the rows.
"""

import os
import sys
import weakref
from array import array
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path as FilePath
from typing import Any, overload

from stressrunner.scenario.row_formats import FORMATS

__all__ = ["RowFile", "RowIndex", "rows_from_wire", "rows_to_wire"]

_MOST_PLACES = 1 << 20
_BLOCKS_KEPT = 2  #: rows in sequence come from one block, or from the next when another generator is ahead


@dataclass(slots=True)
class RowIndex:
    """Where the rows of a file begin: each `stride`-th of them."""

    stride: int = 16  #: so many rows are read together
    count: int = 0  #: rows
    places: "array[int]" = field(default_factory=lambda: array("Q"))  #: offsets in bytes
    end: int = 0  #: where the last row is over
    most: int = _MOST_PLACES  #: even

    def add(self, offset: int, *lengths: int) -> None:
        """Take the next rows: where the first of them begins, and how many bytes each has."""
        begins = list(accumulate(lengths, initial=offset))
        self.end = begins.pop()
        i = -self.count % self.stride
        while i < len(begins):
            if len(self.places) == self.most:
                self.places = self.places[::2]
                self.stride *= 2  # of which this row's number is a multiple too, since `most` is even
            self.places.append(begins[i])
            i += self.stride
        self.count += len(begins)

    def extent(self, block: int) -> tuple[int, int]:
        """Return where the rows of a block begin and end in the file, in bytes."""
        following = block + 1
        return self.places[block], self.places[following] if following < len(self.places) else self.end


class RowFile(Sequence[Any]):
    """The rows of a file, by number."""

    def __init__(
        self, path: FilePath, form: str, columns: tuple[str, ...], index: RowIndex, modified_ns: int
    ) -> None:
        """Take the file's format by its name in FORMATS, and when it was changed last."""
        self._path = path
        self._form = form
        self._columns = columns
        self._index = index
        self._modified_ns = modified_ns
        self._file: int | None = None  #: descriptor; the file is opened when a row is asked for
        self._blocks: dict[int, list[Any]] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._index.count

    @overload
    def __getitem__(self, number: int) -> Any: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Any]: ...
    def __getitem__(self, number: int | slice) -> Any:
        """Return the row of a number.

        Raises:
            IndexError: there is none.
            OSError: the file cannot be read.
            ValueError: the file has changed since it was checked.
        """
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if not 0 <= number < len(self):
            raise IndexError(number)
        block, place = divmod(number, self._index.stride)
        rows = self._blocks.get(block)
        if rows is None:
            while len(self._blocks) >= _BLOCKS_KEPT:
                del self._blocks[next(iter(self._blocks))]
            rows = self._blocks[block] = self._read(block)
        return FORMATS[self._form].row(rows[place], self._columns)

    def _read(self, block: int) -> list[Any]:
        start, end = self._index.extent(block)
        file = self._opened() if self._file is None else self._file
        os.lseek(file, start, os.SEEK_SET)
        content = bytearray()
        while len(content) < end - start and (part := os.read(file, end - start - len(content))):
            content += part
        return FORMATS[self._form].rows(bytes(content))

    def _opened(self) -> int:
        file = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, file)
        self._file = file
        if os.fstat(file).st_mtime_ns != self._modified_ns:
            raise ValueError(f"'{self._path.name}' has changed since the scenario was checked")
        return file

    def to_wire(self) -> dict[str, Any]:
        """Return what makes the same rows in another process of this machine, in the types of JSON."""
        places = array("Q", self._index.places)
        if sys.byteorder == "big":
            places.byteswap()
        return {
            "path": str(self._path),
            "form": self._form,
            "columns": list(self._columns),
            "modified_ns": self._modified_ns,
            "stride": self._index.stride,
            "count": self._index.count,
            "end": self._index.end,
            "places": b64encode(places.tobytes()).decode("ascii"),
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "RowFile":
        """Return the rows that `to_wire` has described."""
        places = array("Q")
        places.frombytes(b64decode(wire["places"]))
        if sys.byteorder == "big":
            places.byteswap()
        index = RowIndex(wire["stride"], wire["count"], places, wire["end"])
        columns = tuple(wire["columns"])
        return cls(FilePath(wire["path"]), wire["form"], columns, index, wire["modified_ns"])


def rows_to_wire(rows: Sequence[Any]) -> Any:
    """Return the rows of a feeder in the types of JSON; of a large file only where they are."""
    return rows.to_wire() if isinstance(rows, RowFile) else list(rows)


def rows_from_wire(wire: Any) -> Sequence[Any]:
    """Return the rows that `rows_to_wire` has described."""
    return RowFile.from_wire(wire) if isinstance(wire, dict) else tuple(wire)
