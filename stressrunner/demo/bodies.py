"""Reading what clients send, and saying what is wrong with it in the words of FastAPI: status 422."""

import json
import re
from collections.abc import Mapping, Sequence
from math import isinf
from typing import Any, NamedTuple, TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request

__all__ = ["Body", "PageQuery", "Rejected", "read_body", "read_page", "read_sorted_page"]

_Entry = TypeVar("_Entry")

_LONGEST_PAGE = 1000
_YES = ("1", "true", "on", "yes", "y", "t")
_NO = ("0", "false", "off", "no", "n", "f")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


class Rejected(Exception):
    """A request that cannot be understood; `problems` is the `detail` of the answer, one entry for each."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        self.problems = problems
        super().__init__(f"{len(problems)} problems")


def _problem(kind: str, message: str, *location: str) -> dict[str, Any]:
    return {"type": kind, "loc": list(location), "msg": message}


class Body:
    """The fields of a JSON object. Problems are collected, so that one answer names all of them."""

    def __init__(self, fields: Mapping[str, Any], *place: str) -> None:
        self._fields = fields
        self._place = place  # of the object within the body
        self._problems: list[dict[str, Any]] = []

    def text(self, name: str, *aliases: str) -> str:
        """Return a text that must be there, under its name or an alias; "" where that is a problem."""
        given = next((key for key in (name, *aliases) if key in self._fields), None)
        if given is None:
            self._add("missing", "Field required", name)
            return ""
        return self._text(given) or ""

    def optional_text(self, name: str) -> str | None:
        """Return a text that may be missing or null."""
        return None if self._fields.get(name) is None else self._text(name)

    def number(self, name: str) -> float:
        """Return a number that must be there; 0 where that is a problem."""
        value = self._fields.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if value is None:
            self._add("missing", "Field required", name)
        else:
            self._add("float_type", "Input should be a valid number", name)
        return 0.0

    def email(self, name: str) -> str:
        """Return an e-mail address that must be there."""
        address = self.text(name)
        if isinstance(self._fields.get(name), str) and not _EMAIL.fullmatch(address):
            self._add("value_error", "value is not a valid email address", name)
        return address

    def optional_email(self, name: str) -> str | None:
        """Return an e-mail address that may be missing or null."""
        return None if self._fields.get(name) is None else self.email(name)

    def optional_object(self, name: str) -> Mapping[str, Any]:
        """Return an object that may be missing or null, which are an empty one."""
        value = self._fields.get(name)
        if value is None or isinstance(value, dict):
            return value or {}
        self._add("dict_type", "Input should be a valid dictionary", name)
        return {}

    def part(self, name: str) -> "Body":
        """Return the object under a name as a body of its own, whose problems are this one's; it may be missing."""
        part = Body(self.optional_object(name), *self._place, name)
        part._problems = self._problems
        return part

    def only(self, *known: str) -> None:
        """Have a problem with every field that has none of these names."""
        for name in self._fields:
            if name not in known:
                self._add("extra_forbidden", "Extra inputs are not permitted", name)

    def check(self) -> None:
        """Raise Rejected if any field that was read so far had a problem."""
        if self._problems:
            raise Rejected(self._problems)

    def _text(self, name: str) -> str | None:
        value = self._fields[name]
        if isinstance(value, str):
            return value
        self._add("string_type", "Input should be a valid string", name)
        return None

    def _add(self, kind: str, message: str, name: str) -> None:
        self._problems.append(_problem(kind, message, "body", *self._place, name))


async def read_body(request: Request) -> Body:
    """Read the object in a request's body; raises Rejected when it is not one."""
    raw = await request.body()
    if not raw:
        raise Rejected([_problem("missing", "Field required", "body")])
    try:
        # Strictly, as json.loads lets lone surrogates through, which no answer could carry.
        text = raw.decode()
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as wrong:
        problem = _problem("json_invalid", "JSON decode error", "body")
        raise Rejected([{**problem, "ctx": {"error": str(wrong)}}]) from None
    if not isinstance(value, dict):
        raise Rejected([_problem("dict_type", "Input should be a valid dictionary", "body")])
    return Body(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    """Read a number; raises ValueError for one that is beyond all floats, which no answer could carry either."""
    number = float(text)
    if isinf(number):
        raise ValueError(f"the number {text} is out of range")
    return number


class PageQuery(NamedTuple):
    """Which part of a list is asked for."""

    number: int  #: from 1
    size: int

    def pages(self, total: int) -> int:
        """Return how many pages of this size `total` entries have."""
        return -(-total // self.size)

    def figures(self, total: int) -> dict[str, int | None]:
        """Return what an answer says about this page of `total` entries; `next_page` is null on the last."""
        pages = self.pages(total)
        return {
            "total": total,
            "page": self.number,
            "page_size": self.size,
            "total_pages": pages,
            "next_page": self.number + 1 if self.number < pages else None,
        }

    def of(self, entries: Sequence[_Entry]) -> Sequence[_Entry]:
        """Return the entries of a sequence that are on this page, none beyond its end."""
        return entries[(self.number - 1) * self.size : self.number * self.size]


def read_page(query: QueryParams, longest: int = _LONGEST_PAGE) -> PageQuery:
    """Read `page` and `page_size`, by default the first 50 entries; raises Rejected."""
    problems: list[dict[str, Any]] = []
    page = _page(query, longest, problems)
    if problems:
        raise Rejected(problems)
    return page


def read_sorted_page(query: QueryParams, longest: int) -> tuple[PageQuery, bool]:
    """Read a page as `read_page` does, and whether the newest come first (`sort_desc`, by default they do)."""
    problems: list[dict[str, Any]] = []
    page, newest_first = _page(query, longest, problems), _truth(query, "sort_desc", problems, default=True)
    if problems:
        raise Rejected(problems)
    return page, newest_first


def _page(query: QueryParams, longest: int, problems: list[dict[str, Any]]) -> PageQuery:
    return PageQuery(
        _whole(query, "page", 1, 10**9, problems),
        _whole(query, "page_size", 50, longest, problems),
    )


def _truth(query: QueryParams, name: str, problems: list[dict[str, Any]], *, default: bool) -> bool:
    """Read a yes or no in the words that FastAPI takes."""
    text = query.get(name, "true" if default else "false").lower()
    if text not in _YES and text not in _NO:
        message = "Input should be a valid boolean, unable to interpret input"
        problems.append(_problem("bool_parsing", message, "query", name))
    return text in _YES


def _whole(query: QueryParams, name: str, default: int, most: int, problems: list[dict[str, Any]]) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.removeprefix("-").isdigit()) or len(text) > 20:
        message = "Input should be a valid integer, unable to parse string as an integer"
        problems.append(_problem("int_parsing", message, "query", name))
        return default
    number = int(text)
    if number < 1:
        message = "Input should be greater than or equal to 1"
        problems.append(_problem("greater_than_equal", message, "query", name))
    elif number > most:
        message = f"Input should be less than or equal to {most}"
        problems.append(_problem("less_than_equal", message, "query", name))
    return number
