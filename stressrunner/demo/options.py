"""The options of the embedded target, as they ride in its URL: `demo://agents?latency=50ms&errors=1%`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from stressrunner import units
from stressrunner.spelling import did_you_mean

__all__ = ["OPTION_NAMES", "DemoOptionError", "DemoOptions"]

_TARGET = "demo://agents"
_LONGEST_S = 3600
_ANONYMOUS = ("own", "shared")
#: Named here and not by the modules that have them, which a run need not wait for.
_HISTORIES = ("strict", "current_page", "kind")
_RACES = ("0", "1", "user")


class DemoOptionError(ValueError):
    """A `demo://` URL says something that the embedded target does not know.

    `option` and `value` are as they were written, `reason` says what is accepted instead.
    """

    def __init__(self, option: str, value: str, reason: str) -> None:
        self.option = option
        self.value = value
        self.reason = reason
        super().__init__(f"{option}={value}: {reason}")


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How the embedded target behaves."""

    latency_s: float = 0.050  #: of the simulated model, in the middle; whole microseconds, at most an hour
    jitter_s: float = 0.020  #: how far a run may be from `latency_s`, either way; as exact as that
    error_ratio: float = 0.0  #: 0 to 1, of the answers that may fail; whole millionths
    seed: int = 0  #: of latencies and errors; not negative
    queue: str = "merge"  #: a name in `queues.QUEUES`
    capacity: int | None = (
        None  #: runs in progress that the history has room for, at least 1; None has no limit
    )
    history: str = (
        "strict"  #: how sessions are shown: as the real API does, as other versions of it do, or kindly
    )
    race: str = (
        "0"  #: what first messages that come together begin more than once: "1" sessions, "user" a user
    )
    shares_anonymous: bool = False  #: whether callers without a session are put into one
    backend: str | None = None  #: base URL of a model backend, to which `/chat/completions` is added
    #: the key that is accepted, and the secret of clients; None accepts every one that is not empty
    api_key: str | None = None
    token_ttl_s: float = 3600.0  #: how long an access token lives; as exact as `latency_s`

    @classmethod
    def parse(cls, url: str) -> "DemoOptions":
        """Read the options of a `demo://` URL; what it does not name keeps its default.

        Raises:
            DemoOptionError: another target, an option that does not exist or stands there twice, or a
                value that the option does not take.
        """
        target, _, query = url.partition("?")
        if target.rstrip("/") != _TARGET:
            raise DemoOptionError("target", target, f"the embedded target is {_TARGET}")
        values: dict[str, Any] = {}
        for name, text in parse_qsl(query, keep_blank_values=True):
            field, read = _reader_of(name, text)
            if field in values:
                raise DemoOptionError(name, text, "the option is given twice")
            try:
                values[field] = read(text)
            except ValueError as wrong:
                raise DemoOptionError(name, text, str(wrong)) from None
        return cls(**values)

    def to_url(self) -> str:
        """Return a URL that `parse` reads as these options."""
        query = {
            "queue": self.queue,
            "history": self.history,
            "race": self.race,
            "anonymous": _ANONYMOUS[self.shares_anonymous],
            "latency": f"{_scaled(self.latency_s, 1000)}ms",
            "jitter": f"{_scaled(self.jitter_s, 1000)}ms",
            "errors": f"{_scaled(self.error_ratio, 100)}%",
            "seed": str(self.seed),
            "token_ttl": f"{_scaled(self.token_ttl_s, 1000)}ms",
        }
        optional = {"capacity": self.capacity, "backend": self.backend, "api_key": self.api_key}
        query |= {name: str(value) for name, value in optional.items() if value is not None}
        return f"{_TARGET}?{urlencode(query)}"


def _scaled(number: float, factor: int) -> str:
    """Write a number of millionths times `factor`, exactly and without an exponent."""
    return f"{Decimal(round(number * 1_000_000)) * factor / 1_000_000:f}"


def _millionths(quantity: Fraction) -> float:
    """Round to what the options keep; a quotient of integers is the closest float, so it reads back."""
    return round(quantity * 1_000_000) / 1_000_000


def _duration_s(text: str) -> float:
    duration_s = units.parse_duration(text)
    if duration_s > _LONGEST_S:
        raise ValueError(f"a duration of at most {units.format_duration(_LONGEST_S)} is accepted")
    return _millionths(duration_s)


def _ratio(text: str) -> float:
    ratio = units.parse_ratio(text)
    if ratio > 1:
        raise ValueError("a ratio from 0% to 100% is accepted")
    return _millionths(ratio)


def _whole(text: str, *, least: int = 0) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) >= least):
        raise ValueError(f"a whole number from {least} on is accepted, of at most 20 digits")
    return int(text)


def _queue(text: str) -> str:
    from stressrunner.demo.queues import QUEUES  # noqa: PLC0415  most scenarios name no queue, and do not wait for it

    if text not in QUEUES:
        raise ValueError(f"unknown queue{_suggestion(text, QUEUES)} Queues: {', '.join(QUEUES)}")
    return text


def _word(text: str, words: tuple[str, ...]) -> str:
    if text not in words:
        *others, last = (f"'{word}'" for word in words)
        raise ValueError(f"{', '.join(others)} or {last} is accepted")
    return text


def _yes(text: str, words: tuple[str, str]) -> bool:
    """Read one of two words, of which the second means yes."""
    return _word(text, words) == words[1]


def _backend(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("the base URL of a model backend is accepted, like http://127.0.0.1:9099/v1")
    return text


def _api_key(text: str) -> str:
    if not text:
        raise ValueError("a key that is not empty is accepted")
    return text


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "queue": ("queue", _queue),
    "capacity": ("capacity", partial(_whole, least=1)),
    "history": ("history", partial(_word, words=_HISTORIES)),
    "race": ("race", partial(_word, words=_RACES)),
    "anonymous": ("shares_anonymous", partial(_yes, words=_ANONYMOUS)),
    "latency": ("latency_s", _duration_s),
    "jitter": ("jitter_s", _duration_s),
    "errors": ("error_ratio", _ratio),
    "seed": ("seed", _whole),
    "backend": ("backend", _backend),
    "api_key": ("api_key", _api_key),
    "token_ttl": ("token_ttl_s", _duration_s),
}


OPTION_NAMES = tuple(_READERS)  #: as they stand in a URL, in the order in which they are listed


def _reader_of(name: str, text: str) -> tuple[str, Callable[[str], Any]]:
    """Return the field that an option fills and what reads its text; raises DemoOptionError."""
    if name not in _READERS:
        reason = f"unknown option{_suggestion(name, _READERS)} Options: {', '.join(_READERS)}"
        raise DemoOptionError(name, text, reason)
    return _READERS[name]


def _suggestion(word: str, known: Mapping[str, Any]) -> str:
    near = did_you_mean(word, known)
    return f", {near}" if near else "."
