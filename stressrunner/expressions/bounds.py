"""How much an expression may produce and how long it may take, told before it does either.

A value holds at most a million characters and elements, at every depth together; an operator that would give more is
refused by what it is given, since Python makes `'x' * 10**9` at once and `2 ** 10**8` for minutes. What many small
steps add up to, as loops and `map` do, is paid for from the budget of one evaluation.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from stressrunner.expressions.problem import CannotEvaluate

__all__ = [
    "CALL",
    "MAX_TEXT",
    "OPERATORS",
    "SHORT",
    "EvaluationBudget",
    "OutOfBudget",
    "Piece",
    "TooLong",
    "check_format",
    "check_length",
    "check_number",
    "depth",
    "filled",
    "joined",
    "weight",
]

MAX_TEXT = 1_000_000  #: characters and elements of one value
MAX_BITS = 14_000  #: of a whole number; Python writes no more than 4,300 digits of one
CALL = 50  #: work of calling a filter or a function: as long as copying so many characters, and more
#: Characters and elements that one evaluation may look at or make; a few seconds at the worst.
_MAX_WORK = 10_000_000
_ATOMS = frozenset({int, float, bool, type(None)})
SHORT = 10_000  #: characters of what fills a placeholder, up to which it is not counted
#: Characters that a placeholder of a format may write of itself: digits of the greatest float, `0x`.
_FLAGS = 330

#: A literal text, or what makes the text that fills a placeholder from the names.
Piece = str | Callable[[Mapping[str, Any]], str]


class TooLong(CannotEvaluate):
    """An operator or a filter would produce more than a value may hold."""


class OutOfBudget(CannotEvaluate):
    """An evaluation takes more steps than it may."""


class EvaluationBudget:
    """The work of one evaluation."""

    __slots__ = ("_left",)

    def __init__(self, work: int = _MAX_WORK) -> None:
        self._left = work  #: characters and elements

    def spend(self, work: int) -> None:
        """Count so many characters or elements; raises OutOfBudget when there have been too many."""
        self._left -= work
        if self._left < 0:
            raise OutOfBudget("this takes too many steps")


def weight(value: Any) -> int:
    """Return how many characters and elements a value has at every depth; beyond MAX_TEXT it only says more."""
    if isinstance(value, str):
        return len(value)
    total = 0
    pending = [value]
    while pending and total <= MAX_TEXT:
        item = pending.pop()
        if type(item) in _ATOMS:
            total += 1
        elif isinstance(item, str):
            total += len(item) + 1
        elif isinstance(item, Mapping):
            total += len(item)
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list | tuple):
            total += 1
            # An item counts one at least, so that no more of them are of interest.
            pending.extend(item if len(item) <= MAX_TEXT else item[: MAX_TEXT + 1])
        else:
            total += len(item) if isinstance(item, range) else 1
    return total


def depth(value: Any) -> int:
    """Return how many lists and mappings lie in one another."""
    levels = 0
    level = [value]
    while level:
        level = [inner for item in level for inner in _inside(item)]
        levels += 1
    return levels


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value


def check_length(length: int, what: str) -> None:
    """Raise TooLong when what is about to be made would have more than MAX_TEXT characters or elements."""
    if length > MAX_TEXT:
        raise TooLong(f"{what} would be longer than {MAX_TEXT:,} characters")


def check_number(bits: int, what: str) -> None:
    """Raise TooLong when a whole number of so many bits would be too long to be written."""
    if bits > MAX_BITS:
        raise TooLong(f"{what} would be longer than 4,200 digits")


_PLACEHOLDER = re.compile(
    r"%(?:\([^)]*\))?[#0\- +]*(?P<width>\*|\d{1,9})?(?:\.(?P<precision>\*|\d{1,9})?)?(?P<more>\d)?"
)


def check_format(text: str, filling: Any) -> None:
    """Raise TooLong when a `%` format would be too long once it is filled.

    A width or precision of `*` is a number in what it is filled with.
    """
    placeholders = list(_PLACEHOLDER.finditer(text))
    values = filling if isinstance(filling, tuple) else (filling,)
    numbers = [abs(value) for value in values if isinstance(value, int)]
    length = len(text) + len(placeholders) * (weight(filling) + _FLAGS)
    for placeholder in placeholders:
        for digits in placeholder.group("width", "precision"):
            if digits is not None:
                length += max(numbers, default=0) if digits == "*" else int(digits)
        if placeholder["more"] is not None:
            length += MAX_TEXT  # ten digits and more
    check_length(length, "the result of '%'")


def filled(pieces: Iterable[Piece], names: Mapping[str, Any]) -> str:
    """Join literal texts and what fills the placeholders between them; raises TooLong when that is too much.

    What is short is not counted: there are no more placeholders than somebody wrote.
    """
    long = 0
    texts = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        text = piece(names)
        if len(text) > SHORT:
            long += len(text)
            check_length(long, "the filled text")
        texts.append(text)
    return "".join(texts)


def joined(pieces: Iterable[str]) -> str:
    """Join what a template writes piece by piece; raises TooLong as soon as it is too much."""
    length = 0
    texts = []
    for text in pieces:
        length += len(text)
        check_length(length, "the filled template")
        texts.append(text)
    return "".join(texts)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, str | list | tuple)


def _add(left: Any, right: Any) -> Any:
    if _is_sequence(left) and _is_sequence(right):
        check_length(weight(left) + weight(right), "the result of '+'")
    elif isinstance(left, int) and isinstance(right, int):
        check_number(max(left.bit_length(), right.bit_length()) + 1, "the result of '+'")
    return left + right


def _multiply(left: Any, right: Any) -> Any:
    for several, times in ((left, right), (right, left)):
        if _is_sequence(several) and several and isinstance(times, int):
            check_length(max(weight(several), len(several)) * times, "the result of '*'")
    if isinstance(left, int) and isinstance(right, int):
        check_number(left.bit_length() + right.bit_length(), "the result of '*'")
    return left * right


def _power(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and abs(left) > 1:
        # 2 has two bits, and 2 ** n has n + 1; a negative power is a float, of a base that is one first.
        check_number((left.bit_length() - 1) * abs(right) + 1, "the result of '**'")
    result = left**right
    if isinstance(result, complex):
        raise CannotEvaluate("a negative number has no such power")
    return result


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        check_format(left, right)
    return left % right


#: Operators that can make much of little, as Jinja2 writes them.
OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "*": _multiply,
    "**": _power,
    "%": _remainder,
}
