"""Operators and filters of lowered expressions: for small values alone.

Nearly all values are small, and those need no budget: an expression has no loops, so what it does with them is bounded
by its length. Whatever else comes is left to the compiled template, which counts.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["NotSmall", "add", "concat", "multiply", "remainder", "small_filter"]

_MAX_LENGTH = 10_000  #: characters
_MAX_BITS = 1_000  #: of a whole number
_NUMBERS = frozenset({int, float})
_PLAIN = frozenset({int, float, bool, type(None)})


class NotSmall(Exception):
    """A value is left to the template."""


def _check(value: Any) -> None:
    kind = type(value)
    if kind is str:
        if len(value) > _MAX_LENGTH:
            raise NotSmall
    elif kind is int:
        if value.bit_length() > _MAX_BITS:
            raise NotSmall
    elif kind not in _PLAIN:
        raise NotSmall


def add(left: Any, right: Any) -> Any:
    """Add small texts, or numbers: the sum is one bit longer at the most; raises NotSmall for others."""
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        _check(left)
        _check(right)
    return left + right


def multiply(left: Any, right: Any) -> Any:
    """Multiply numbers with a small product; raises NotSmall for others."""
    if type(left) not in _NUMBERS or type(right) not in _NUMBERS:
        raise NotSmall
    product = left * right
    if type(product) is int and product.bit_length() > _MAX_BITS:
        raise NotSmall
    return product


def remainder(left: Any, right: Any) -> Any:
    """Return the remainder of a number; raises NotSmall for a text, of which `%` is a format."""
    if type(left) not in _NUMBERS:
        raise NotSmall
    return left % right


def concat(*values: Any) -> str:
    """Join what `~` joins; raises NotSmall when one of the values is not small."""
    texts = [value if type(value) is str else _text(value) for value in values]
    if sum(map(len, texts)) > _MAX_LENGTH:
        raise NotSmall
    return "".join(texts)


def _text(value: Any) -> str:
    _check(value)
    return str(value)


def small_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that raises NotSmall for what is not small."""

    def small(value: Any, *args: Any, **kwargs: Any) -> Any:
        _check(value)
        result = function(value, *args, **kwargs)
        _check(result)
        return result

    return small
