"""Quantities with units: read from text exactly, and written for people.

    duration   us ms s m h              seconds
    size       B kB MB GB KiB MiB GiB   bytes
    ratio      %                        a part of one
    rate       /s /m /h                 events per second
    count      none                     a whole number

Values are read as fractions, because 0.1 s of 100/s is ten arrivals and floats make it eleven.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Literal

__all__ = [
    "NS_PER_S",
    "Dimension",
    "Quantity",
    "counted",
    "format_bytes",
    "format_duration",
    "format_quantity",
    "format_rate",
    "format_ratio",
    "parse_duration",
    "parse_quantity",
    "parse_rate",
    "parse_ratio",
    "parse_size",
]

NS_PER_S = 1_000_000_000

Dimension = Literal["duration", "size", "size_rate", "ratio", "rate", "count"]

_SIZES: Mapping[str, Fraction] = MappingProxyType(
    {
        "B": Fraction(1),
        "kB": Fraction(1000),
        "MB": Fraction(1000**2),
        "GB": Fraction(1000**3),
        "KiB": Fraction(1024),
        "MiB": Fraction(1024**2),
        "GiB": Fraction(1024**3),
    }
)
_PER: Mapping[str, int] = MappingProxyType({"/s": 3600, "/m": 60, "/h": 1})  #: how often in an hour

_UNITS: Mapping[str, tuple[Dimension, Fraction]] = MappingProxyType(
    {
        "us": ("duration", Fraction(1, 1_000_000)),
        "ms": ("duration", Fraction(1, 1000)),
        "s": ("duration", Fraction(1)),
        "m": ("duration", Fraction(60)),
        "h": ("duration", Fraction(3600)),
        **{unit: ("size", factor) for unit, factor in _SIZES.items()},
        **{
            f"{unit}{per}": ("size_rate", factor * n)
            for unit, factor in _SIZES.items()
            for per, n in _PER.items()
        },
        "%": ("ratio", Fraction(1, 100)),
        "/s": ("rate", Fraction(1)),
        "/m": ("rate", Fraction(1, 60)),
        "/h": ("rate", Fraction(1, 3600)),
        "": ("count", Fraction(1)),
    }
)
_EXAMPLES: Mapping[Dimension, str] = MappingProxyType(
    {
        "duration": "30s",
        "size": "50MB",
        "size_rate": "1MB/h",
        "ratio": "1%",
        "rate": "100/s",
        "count": "100",
    }
)
# All that Python prints for a number, and bounded, so that no text can make one that takes long to compute with.
_QUANTITY = re.compile(r"([+-]?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?)\s*([^\d\s.+-]*)")
_LARGEST = 10**15
_SMALLEST = Fraction(1, 10**15)  #: what is closer to nothing is nothing
# The two characters that look like a micro sign, for which `us` is written here.
_MICRO = str.maketrans({"\u00b5": "u", "\u03bc": "u"})


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what it measures, in the base unit of its dimension."""

    value: Fraction  #: seconds, bytes, bytes per hour, a part of one, events per second, or a count
    dimension: Dimension


def _units_of(dimension: Dimension) -> str:
    return " ".join(name for name, (of, _) in _UNITS.items() if of == dimension and name)


def parse_quantity(text: str) -> Quantity:
    """Read a number with any unit of the table above.

    Raises:
        ValueError: the text is no number or too large a one, or its unit is unknown; the message says what is
            accepted.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{text!r} is not a quantity: write a number with its unit, such as 500ms, 1% or 100/s"
        )
    number, unit = match.groups()
    if unit not in _UNITS:
        known = ", ".join(name for name, (of, _) in _UNITS.items() if name and of != "size_rate")
        spelled = unit.translate(_MICRO).lower()
        close = next((name for name in _UNITS if name and name.lower() == spelled), None)
        hint = f"did you mean {close!r}?" if close else f"units are {known}"
        raise ValueError(f"unknown unit {unit!r} in {text!r}: {hint}")
    dimension, factor = _UNITS[unit]
    value = Fraction(number)
    if abs(value) >= _LARGEST:
        raise ValueError(f"{text!r} is too large: numbers are less than 1e15")
    return Quantity(value * factor if abs(value) >= _SMALLEST else Fraction(0), dimension)


def _parse(text: str, dimension: Dimension, what: str) -> Fraction:
    quantity = parse_quantity(text)
    if quantity.dimension != dimension and not (
        dimension in ("duration", "ratio", "size") and text.strip() == "0"
    ):
        units = _units_of(dimension)
        if quantity.dimension == "count":
            raise ValueError(f"{text!r} needs a unit ({units}), such as {_EXAMPLES[dimension]}")
        raise ValueError(
            f"{text!r} is not {what}: its unit is one of {units}, such as {_EXAMPLES[dimension]}"
        )
    if quantity.value < 0:
        raise ValueError(f"{text!r} is negative")
    return quantity.value


def parse_duration(text: str) -> Fraction:
    """Read a duration such as `500ms` as exact seconds; a bare `0` is allowed.

    Raises:
        ValueError: not a duration, or negative.
    """
    return _parse(text, "duration", "a duration")


def parse_size(text: str) -> int:
    """Read a size such as `50MB` as whole bytes, rounded down; a bare `0` is allowed.

    Raises:
        ValueError: not a size, or negative.
    """
    return int(_parse(text, "size", "a size"))


def parse_ratio(text: str) -> Fraction:
    """Read a ratio such as `1%` as a part of one; a bare `0` is allowed.

    Raises:
        ValueError: not a ratio, or negative.
    """
    return _parse(text, "ratio", "a ratio")


def parse_rate(text: str) -> Fraction:
    """Read a rate such as `100/s` or `30/m` as exact events per second.

    Raises:
        ValueError: not a rate, or negative.
    """
    return _parse(text, "rate", "a rate")


def _significant(number: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, without an exponent, whole digits all kept."""
    if number == 0:
        return "0"
    whole = len(str(int(abs(number)))) if abs(number) >= 1 else 1
    text = f"{number:,.{max(0, digits - whole)}f}" if abs(number) >= 1 else f"{number:.{digits}g}"
    if "e" in text:
        text = f"{number:.9f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_duration(seconds: float) -> str:
    """Write seconds for people in the unit that suits: `85 µs`, `12.3 ms`, `1.25 s`, `3 min 20 s`, `2 h 5 min`."""
    size = abs(seconds)
    if size == 0:
        return "0 s"
    # The limits lie half a last digit below the unit, so that 999.9 ms is written as 1 s.
    if size < 0.0009995:
        return f"{_significant(seconds * 1e6)} µs"
    if size < 0.9995:
        return f"{_significant(seconds * 1e3)} ms"
    if size < 99.95:
        return f"{_significant(seconds)} s"
    sign = "-" if seconds < 0 else ""
    minutes, rest = divmod(round(size), 60)
    if minutes < 60:
        return f"{sign}{minutes} min {rest} s" if rest else f"{sign}{minutes} min"
    hours, minutes = divmod(round(size / 60), 60)
    return f"{sign}{hours} h {minutes} min" if minutes else f"{sign}{hours} h"


def counted(number: int, noun: str) -> str:
    """Write a number of things: `1 file`, `1,200 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_bytes(size: float) -> str:
    """Write a number of bytes for people, in decimal units: `85 B`, `12.3 kB`, `245 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(size) >= factor * 0.9995:
            return f"{_significant(size / factor)} {unit}"
    return f"{_significant(size)} B"


def format_ratio(ratio: float) -> str:
    """Write a part of one as a percentage: `2.5 %`; what is not quite 0 or 1 never reads as it."""
    if 0 < ratio < 0.0001:
        return "< 0.01 %"
    if 0.9999 < ratio < 1:
        return "> 99.99 %"
    return f"{ratio * 100:.2f}".rstrip("0").rstrip(".") + " %"


def format_rate(per_second: float) -> str:
    """Write events per second for people: `16.2/s`."""
    return f"{_significant(per_second)}/s"


def format_quantity(value: float, dimension: Dimension) -> str:
    """Write a value in the base unit of its dimension for people."""
    if dimension == "duration":
        return format_duration(value)
    if dimension == "size_rate":
        return f"{format_bytes(value)}/h"
    if dimension == "size":
        return format_bytes(value)
    if dimension == "ratio":
        return format_ratio(value)
    if dimension == "rate":
        return format_rate(value)
    return _significant(value, 6)
