"""What reports are made of: tables and lists of facts, as text that is ready to be shown."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Column", "Fact", "Row", "Table", "Tone"]

Tone = Literal["", "good", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading; figures stand to the right."""

    title: str
    align: Literal["left", "right"] = "right"
    optional: bool = False  #: may be left out where there is no room for it
    titled: bool = True  #: the title is shown; otherwise it is only read aloud


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table, with what there is to say about it."""

    cells: tuple[str, ...]
    note: str = ""  #: shown below the row
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; one column names its row."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()  #: shown below the table
    name_column: int = 0  #: which column names the row


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled value, with a remark that explains it."""

    label: str
    value: str
    remark: str = ""
