"""What a page of a history says of the whole: how many rows a page has at the most, how many there are, whether more follow.

APIs spell these in many ways. A spelling that is not known here says nothing, so the absence of a claim proves nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

__all__ = ["Claims", "claims_of"]

#: Names without case, `_` and `-`. In a request they ask for a number of rows.
_ASKED = frozenset(
    {"pagesize", "perpage", "limit", "size", "count", "first", "top", "take", "maxresults", "maxitems", "itemsperpage"}
)  # fmt: skip
#: In a response these say how many rows a page can have; `size` and `count` may be how many this one has.
_PAGE_SIZE = frozenset({"pagesize", "perpage", "limit", "maxresults", "itemsperpage"})
_TOTAL = frozenset(
    {"total", "count", "totalcount", "totalitems", "totalresults", "totalelements", "totalmessages", "totalrows"}
)  # fmt: skip
_PAGES = frozenset({"totalpages", "pages", "pagecount", "numpages", "lastpage"})
_MORE = frozenset(
    {"hasmore", "hasnext", "hasnextpage", "next", "nextpage", "nextcursor", "nextpagetoken", "nextlink", "nexturl"}
)  # fmt: skip
#: Parts of a response in which the same may stand.
_PARTS = frozenset({"meta", "metadata", "pagination", "paging", "pageinfo", "page", "links"})


class Claims(NamedTuple):
    """What one page says, as far as it does."""

    size: int | None = None  #: rows that a page has at the most
    total: int | None = None  #: rows that there are
    more: str = ""  #: what says that another page follows, such as `next_page is 2`

    def exceed(self, rows: int) -> str:
        """Say how there is more than these rows, which are all of this page; empty when nothing says so."""
        if self.total is not None and self.total > rows:
            return f"it says that there are {self.total:,} rows, and has {rows:,}"
        if self.more:
            return f"its {self.more}"
        if self.size is not None and 0 < self.size <= rows:
            return f"it is full with {rows:,} rows"
        return ""


def claims_of(target: str, body: Any, headers: Mapping[str, str]) -> Claims:
    """Return what a page says; `target` is the path and query by which it was asked for."""
    asked = (_number(text) for name, text in parse_qsl(urlsplit(target).query) if _plain(name) in _ASKED)
    fields = list(_fields(body))
    said = [value for name, value in fields if _plain(name) in _PAGE_SIZE]
    totals = [value for name, value in fields if _plain(name) in _TOTAL] + [headers.get("x-total-count")]
    return Claims(
        size=_first(asked) or _first(map(_number, said)),
        total=_first(map(_number, totals)),
        more=next((f"{name} is {value}"[:100] for name, value in fields if _says_more(name, value)), ""),
    )


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _fields(body: Any) -> Iterator[tuple[str, Any]]:
    """Yield the plain values of a response and of the parts of it that speak about pages."""
    if not isinstance(body, dict):
        return
    for name, value in body.items():
        if not isinstance(value, dict | list):
            yield name, value
        elif isinstance(value, dict) and _plain(name) in _PARTS:
            yield from ((n, v) for n, v in value.items() if not isinstance(v, dict | list))


def _says_more(name: str, value: Any) -> bool:
    if _plain(name) in _PAGES:
        pages = _number(value)
        return pages is not None and pages > 1
    return _plain(name) in _MORE and value not in (None, False, "", 0)


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return value if isinstance(value, int) else None


def _first(values: Iterator[int | None]) -> int | None:
    return next((value for value in values if value is not None), None)
