"""`invariants.delivery`: what is promised of every message, typed, with its defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from stressrunner import units
from stressrunner.sink import SinkOptions

__all__ = [
    "DEFAULT_LIMITS",
    "ORDERS",
    "PAGING",
    "CountLimit",
    "Delivery",
    "Listing",
    "ReadBack",
    "build_delivery",
    "parse_limit",
    "path_to_rows",
]

_ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class CountLimit:
    """How many there may be of something."""

    text: str  #: as it was written
    most: Fraction  #: a number, or a part of all that there are
    is_ratio: bool = False


def parse_limit(text: str) -> CountLimit | None:
    """Read a limit such as `0`, `1%` or `allowed`, which is None.

    Raises:
        ValueError: it is neither a whole number, nor a percentage, nor `allowed`.
    """
    if text == _ALLOWED:
        return None
    try:
        quantity = units.parse_quantity(text)
    except ValueError:
        quantity = None
    if quantity is None or quantity.dimension not in ("count", "ratio") or quantity.value < 0:
        raise ValueError(f"{text!r} is no limit: write a number, a percentage or 'allowed'")
    is_ratio = quantity.dimension == "ratio"
    if not is_ratio and quantity.value.denominator != 1:
        raise ValueError(f"{text!r} is no whole number of messages")
    return CountLimit(text, quantity.value, is_ratio)


_NONE = CountLimit("0", Fraction(0))
#: What is required unless the scenario says otherwise; None allows any number.
DEFAULT_LIMITS: Mapping[str, CountLimit | None] = MappingProxyType(
    {
        "fabricated": _NONE,
        "misrouted": _NONE,
        "duplicated": _NONE,
        "phantom": _NONE,
        "elsewhere": _NONE,
        "merged": None,
        "delivered": None,
        "recovered": None,
        "lost": _NONE,
        "superseded": _NONE,
        "refused": None,
        "dropped": _NONE,
        "reply.unanswered": _NONE,
        "reply.unsent": None,
        "reply.acknowledged": None,
        "reply.superseded": None,
        "reply.refused": None,
        "reply.unknown": None,
        "processed.twice": _NONE,
        "processed.refused": _NONE,
        "processed.not_stored": None,
        "splits": _NONE,
        "order": CountLimit("kept", Fraction(0)),
        "bursts_without_answer": _NONE,
        "session_ids": CountLimit("one", Fraction(1)),
    }
)
_WORDS = {"kept": DEFAULT_LIMITS["order"], "one": DEFAULT_LIMITS["session_ids"]}


#: The keys that say how pages follow upon each other, with the query parameter that each of them sends.
PAGING: Mapping[str, str] = MappingProxyType(
    {"next": "page", "pages": "page", "cursor": "cursor", "offset": "offset"}
)
#: What `order_by` can be beside what it sorts by.
ORDERS = ("oldest_first", "newest_first")


class Listing(NamedTuple):
    """What finds a list in a response."""

    source: str
    by: Literal["expression", "jsonpath"] = "expression"  #: its language


def path_to_rows(query: str) -> str | None:
    """Return a JSONPath up to its first filter, which finds what is filtered; None when there is no filter.

    It need not be a JSONPath by itself: what `$..[?@.id]` filters is not.
    """
    quote = ""
    for i, sign in enumerate(query):
        if quote:
            # An escaped quote does not end a text, nor does the sign behind an escaped backslash begin one.
            is_escaped = (len(query[:i]) - len(query[:i].rstrip("\\"))) % 2 == 1
            quote = "" if sign == quote and not is_escaped else quote
        elif sign in "'\"":
            quote = sign
        elif sign == "?":
            return query[: max(0, query.rfind("[", 0, i))]
    return None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How the history of a session is read; at most one of the keys of `PAGING` is given."""

    endpoint: str
    messages: Listing  #: of a response: the messages of a user
    next: str | None = None  #: expression over a response: the next page, or null
    pages: str | None = None  #: expression over a response: how many pages there are
    cursor: str | None = None  #: expression over a response: where the next page begins, or null
    offset: bool = False  #: the rows that were read so far say where the next page begins
    rows: str | None = None  #: expression over a response: its rows, whoever sent them, or their number
    #: one of `ORDERS`, or what messages are sorted by; None finds out whether they are listed newest first
    order_by: Literal["oldest_first", "newest_first"] | Listing | None = None
    quiet_s: float = 2.0
    timeout_s: float = 30.0
    during_s: float | None = None  #: also read so often while the load runs


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is promised of every message; the expressions are over its reply."""

    read_back: ReadBack
    acknowledged: str = "status < 300"
    superseded: str | None = None
    refused: str | None = None  #: None: any 4xx, and a 2xx that is not acknowledged
    session_id: str | None = None
    separator: str | None = None  #: between messages that the server joined
    sink: SinkOptions | None = None  #: the stand-in for the model backend that is hosted; None: none is
    require: Mapping[str, CountLimit | None] = field(
        default_factory=lambda: DEFAULT_LIMITS
    )  #: None allows any number


def build_delivery(value: Mapping[str, Any]) -> Delivery:
    """Return what `invariants.delivery` says; it has no mistakes, so this always succeeds."""
    given = {key: _limit(text) for key, text in value.get("require", {}).items()}
    expressions = ("acknowledged", "superseded", "refused", "session_id", "separator")
    return Delivery(
        read_back=_read_back(value["read_back"]),
        require=MappingProxyType({**DEFAULT_LIMITS, **given}),
        sink=_sink(value["sink"]) if "sink" in value else None,
        **{key: value[key] for key in expressions if key in value},
    )


def _sink(value: Mapping[str, Any]) -> SinkOptions:
    return SinkOptions(
        port=value.get("port", 0),
        latency_s=float(units.parse_duration(value.get("latency", "0s"))),
        jitter_s=float(units.parse_duration(value.get("jitter", "0s"))),
        error_ratio=float(units.parse_ratio(value.get("error_rate", "0%"))),
    )


def _limit(text: str) -> CountLimit | None:
    return _WORDS[text] if text in _WORDS else parse_limit(text)


def _read_back(value: Mapping[str, Any]) -> ReadBack:
    durations: dict[str, Any] = {
        f"{key}_s": float(units.parse_duration(value[key]))
        for key in ("quiet", "timeout", "during")
        if key in value
    }
    others = {key: value[key] for key in ("next", "pages", "cursor", "offset", "rows") if key in value}
    order_by = value.get("order_by")
    if order_by is not None:
        others["order_by"] = order_by if order_by in ORDERS else _listing(order_by)
    return ReadBack(endpoint=value["endpoint"], messages=_listing(value["messages"]), **others, **durations)


def _listing(value: str | Mapping[str, str]) -> Listing:
    return Listing(value) if isinstance(value, str) else Listing(value["jsonpath"], "jsonpath")
