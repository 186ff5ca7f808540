"""`invariants.delivery`: what is promised of every message, typed, with its defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal

from stressrunner import units
from stressrunner.sink import SinkOptions

__all__ = ["DEFAULT_LIMITS", "Delivery", "Limit", "ReadBack", "build_delivery", "parse_limit"]

_ALLOWED = "allowed"


@dataclass(frozen=True, slots=True)
class Limit:
    """How many there may be of something."""

    text: str  #: as it was written
    most: Fraction  #: a number, or a part of all that there are
    is_ratio: bool = False


def parse_limit(text: str) -> Limit | None:
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
    return Limit(text, quantity.value, is_ratio)


_NONE = Limit("0", Fraction(0))
#: What is required unless the scenario says otherwise; None allows any number.
DEFAULT_LIMITS: Mapping[str, Limit | None] = MappingProxyType(
    {
        "fabricated": _NONE,
        "misrouted": _NONE,
        "duplicated": _NONE,
        "phantom": _NONE,
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
        "order": Limit("kept", Fraction(0)),
        "bursts_without_answer": _NONE,
        "session_ids": Limit("one", Fraction(1)),
    }
)
_WORDS = {"kept": DEFAULT_LIMITS["order"], "one": DEFAULT_LIMITS["session_ids"]}


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How the history of a session is read."""

    endpoint: str
    messages: str  #: over a response: the messages of a user
    messages_by: Literal["expression", "jsonpath"] = "expression"  #: the language of `messages`
    next: str | None = None  #: expression over a response: the next page, or null
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
    require: Mapping[str, Limit | None] = field(
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


def _limit(text: str) -> Limit | None:
    return _WORDS[text] if text in _WORDS else parse_limit(text)


def _read_back(value: Mapping[str, Any]) -> ReadBack:
    durations = {
        f"{key}_s": float(units.parse_duration(value[key]))
        for key in ("quiet", "timeout", "during")
        if key in value
    }
    messages, by_path = value["messages"], isinstance(value["messages"], dict)
    return ReadBack(
        endpoint=value["endpoint"],
        messages=messages["jsonpath"] if by_path else messages,
        messages_by="jsonpath" if by_path else "expression",
        next=value.get("next"),
        **durations,
    )
