"""Frozen dataclasses as JSON values and back, led by their type hints.

    dataclass               object with a key per field, in the order of the fields; read without those that have a
                            default, too, as files of before they were added are
    Mapping[str, X]         object
    tuple[X, ...]           array
    X | None                null, or X
    Literal["a", "b"]       one of these texts
    bool, int, float, str   themselves; a float is always written with its point, and is finite

A class that gets a field needs no change here, nor does a class that is new in the tree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

__all__ = ["FieldMismatch", "decode", "encode", "walk"]

_JSON_NAMES: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "an array",
    dict: "an object",
    NoneType: "null",
}


#: Nothing that is counted or measured is larger, and what is computed from numbers up to it stays finite.
_GREATEST = 10**18


class FieldMismatch(ValueError):
    """A JSON value does not have the form of the class that it is read as."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path  #: e.g. `timeline[3].sent`
        self.reason = reason
        super().__init__(f"{path}: {reason}")


@cache
def _fields_of(shape: type) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(shape)
    return tuple((field.name, hints[field.name]) for field in fields(shape))


@cache
def _additions(shape: type) -> frozenset[str]:
    """Return the fields that have a default, which files that were written before they were added lack."""
    return frozenset(f.name for f in fields(shape) if f.default is not MISSING)


def _optional(hint: Any) -> Any:
    """Return X of `X | None`, or None for any other hint."""
    if get_origin(hint) not in (Union, UnionType):
        return None
    return next(arg for arg in get_args(hint) if arg is not NoneType)


def encode(value: Any, hint: Any) -> Any:
    """Return a value of the type `hint` as dicts, lists, texts, numbers and None.

    Raises:
        ValueError: a float is not finite, which no figure ever is.
    """
    if is_dataclass(hint) and isinstance(hint, type):
        return {name: encode(getattr(value, name), of) for name, of in _fields_of(hint)}
    if (inner := _optional(hint)) is not None:
        return None if value is None else encode(value, inner)
    if get_origin(hint) is tuple:
        return [encode(item, get_args(hint)[0]) for item in value]
    if get_origin(hint) is Mapping:
        return {key: encode(item, get_args(hint)[1]) for key, item in value.items()}
    if hint is float:
        if not isfinite(value):
            raise ValueError(f"{value} is not a figure")
        return float(value)
    return value


def decode(value: Any, hint: Any, path: str) -> Any:
    """Read what `encode` made of a value of the type `hint`; `path` names it in errors.

    Raises:
        FieldMismatch: a field is missing, unknown or of another type.
    """
    if is_dataclass(hint) and isinstance(hint, type):
        return _decode_dataclass(value, hint, path)
    if (inner := _optional(hint)) is not None:
        return None if value is None else decode(value, inner, path)
    origin, args = get_origin(hint), get_args(hint)
    if origin is tuple:
        items = _expect(value, list, path)
        return tuple(decode(item, args[0], f"{path}[{i}]") for i, item in enumerate(items))
    if origin is Mapping:
        members = _expect(value, dict, path)
        return {key: decode(item, args[1], _member(path, key)) for key, item in members.items()}
    if origin is Literal:
        if value not in args:
            raise FieldMismatch(
                path, f"expected one of {', '.join(map(repr, args))}, found {repr(value)[:60]}"
            )
        return value
    if hint is float or hint is int:
        return _decode_number(value, hint, path)
    return _expect(value, hint, path)


def _member(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _expect(value: Any, kind: type, path: str) -> Any:
    # Not isinstance: true and false would pass for whole numbers.
    if type(value) is not kind:
        found = _JSON_NAMES.get(type(value), type(value).__name__)
        raise FieldMismatch(path or "the top", f"expected {_JSON_NAMES[kind]}, found {found}")
    return value


def _decode_dataclass(value: Any, shape: type, path: str) -> Any:
    members = _expect(value, dict, path)
    known = _fields_of(shape)
    for name, _ in known:
        if name not in members and name not in _additions(shape):
            raise FieldMismatch(_member(path, name), "missing")
    if unknown := members.keys() - {name for name, _ in known}:
        raise FieldMismatch(_member(path, min(unknown)), "unknown field")
    return shape(
        **{name: decode(members[name], of, _member(path, name)) for name, of in known if name in members}
    )


def _decode_number(value: Any, kind: type, path: str) -> Any:
    number = _decode_float(value, path) if kind is float else _expect(value, int, path)
    if abs(number) > _GREATEST:
        raise FieldMismatch(path, "the number is too large")
    return number


def _decode_float(value: Any, path: str) -> float:
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            raise FieldMismatch(path, "the number is too large") from None
    number: float = _expect(value, float, path)
    if not isfinite(number):
        raise FieldMismatch(path, "the number is too large")  # 1e999 is read as infinity
    return number


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Go through a value and yield every dataclass in it with its path, the outer before the inner."""
    if is_dataclass(value) and not isinstance(value, type):
        yield path, value
        for name, _ in _fields_of(type(value)):
            yield from walk(getattr(value, name), _member(path, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from walk(item, _member(path, key))
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from walk(item, f"{path}[{i}]")
