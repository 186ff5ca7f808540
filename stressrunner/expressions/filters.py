"""Filters and tests within bounds: each says what it would give before it does, and none keeps work for later.

Filters such as `map` are generators in Jinja2, so that nothing they do is bounded where they are called. Here their
items are drawn at once, and a value can be looked at more often than once.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.tests import TESTS

from stressrunner.expressions.bounds import (
    CALL,
    EvaluationBudget,
    TooLong,
    check_format,
    check_length,
    check_number,
    depth,
    weight,
)

__all__ = ["BoundedContext", "bounded_filter", "bounded_test", "filters", "tests"]

#: Filters that reach for Python attributes, or whose output differs from run to run.
_WITHHELD = ("attr", "random", "pprint", "xmlattr", "urlize", "filesizeformat")
#: Filters that look at one item, or at none.
_INSTANT = frozenset({"count", "d", "default", "first", "last", "length"})
#: Filters that do something with each item; their arguments may be asked for each.
_OF_ITEMS = frozenset(
    {
        "groupby",
        "join",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "select",
        "selectattr",
        "sort",
        "unique",
    }
)
#: Filters whose time grows with the square of a text.
_SLOW = frozenset({"striptags", "wordwrap"})
_MAX_SLOW = 10_000  #: characters
#: Tests that ask whether something is there, or ask for a name; all others want a value.
_TESTS_OF_NAMES = frozenset({"defined", "undefined", "filter", "test"})
#: Tests that look at all of a value.
_THOROUGH = frozenset({"eq", "equalto", "==", "ne", "!=", "in", "lower", "upper"})
_NUMERIC = ("divisibleby", "even", "odd")
_DIGITS = 308  #: of the greatest float


class BoundedContext(Context):
    """What a template sees while it is evaluated, and the work that it may still do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.budget = EvaluationBudget()

    def derived(self, locals: dict[str, Any] | None = None) -> Context:  # noqa: A002  Jinja2 calls it so
        """Return a context for a part of the same evaluation: it spends from the same budget."""
        context = super().derived(locals)
        if isinstance(context, BoundedContext):
            context.budget = self.budget
        return context

    def checked(self, value: Any, what: str) -> Any:
        """Return a value that was made, its items drawn; raises TooLong when it holds too much."""
        if isinstance(value, Iterator):
            value = self._drawn(value, what)
        if isinstance(value, int):
            check_number(value.bit_length(), what)
        found = weight(value)
        self.budget.spend(found)
        check_length(found, what)
        return value

    def _drawn(self, items: Iterator[Any], what: str) -> list[Any]:
        drawn = []
        total = 0
        for item in items:
            total += weight(item) + 1
            check_length(total, what)
            self.budget.spend(1)
            drawn.append(item)
        return drawn


def _round(value: Any, precision: Any = 0, method: str = "common") -> Any:
    """Round a number; a power of ten that no float holds is not even computed."""
    if not isinstance(value, int | float):
        raise TypeError("only numbers can be rounded")
    if isinstance(precision, int) and abs(precision) > _DIGITS:
        raise TooLong(f"numbers are rounded to at most {_DIGITS} digits")
    return FILTERS["round"](value, precision, method)


def _of_numbers(test: Callable[..., Any]) -> Callable[..., Any]:
    """Keep a test from texts, which Python's `%` would format."""

    def of_numbers(value: Any, *args: Any) -> Any:
        if not isinstance(value, int | float):
            raise TypeError("only numbers are odd, even or divisible")
        return test(value, *args)

    return of_numbers


def _strict(test: Callable[..., Any]) -> Callable[..., Any]:
    """Let a test fail on what is not there, where Jinja2 has `body.missing is not none` hold."""

    def strict(value: Any, *args: Any) -> Any:
        if isinstance(value, Undefined):
            str(value)  # raises, and the message names what is undefined
        return test(value, *args)

    return strict


def filters() -> dict[str, Callable[..., Any]]:
    """Return the filters of the language, without their bounds."""
    return {**{name: f for name, f in FILTERS.items() if name not in _WITHHELD}, "round": _round}


def tests() -> dict[str, Callable[..., Any]]:
    """Return the tests of the language, without their bounds."""
    given: dict[str, Any] = {}
    given.update(TESTS)
    given.update({name: _of_numbers(given[name]) for name in _NUMERIC})
    return {name: test if name in _TESTS_OF_NAMES else _strict(test) for name, test in given.items()}


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else weight(value)


def _check_center(value: str, width: int = 80) -> None:
    check_length(max(len(value), width), "the result of '|center'")


def _check_indent(value: str, width: int | str = 4, *_: Any, **__: Any) -> None:
    step = len(width) if isinstance(width, str) else width
    check_length(len(value) + (len(value.splitlines()) + 1) * step, "the result of '|indent'")


def _check_join(value: Any, d: Any = "", *_: Any, **__: Any) -> None:
    check_length(weight(value) + len(value) * _length(d), "the result of '|join'")


def _check_replace(value: Any, old: Any, new: Any, count: int | None = None) -> None:
    text, found, put = str(value), str(old), str(new)
    times = text.count(found) if count is None or count < 0 else min(text.count(found), count)
    check_length(len(text) + times * (len(put) - len(found)), "the result of '|replace'")


def _check_format(value: Any, *args: Any, **kwargs: Any) -> None:
    check_format(str(value), kwargs or args)


def _check_batch(value: Any, linecount: int, fill_with: Any = None) -> None:
    filled = 0 if fill_with is None else linecount * max(1, weight(fill_with))
    check_length(weight(value) + filled, "the result of '|batch'")


def _check_slice(value: Any, slices: int, fill_with: Any = None) -> None:
    check_length(weight(value) + slices * (1 + weight(fill_with)), "the result of '|slice'")


def _check_tojson(value: Any, indent: int | str | None = None) -> None:
    step = 0 if indent is None else len(indent) if isinstance(indent, str) else indent
    check_length(weight(value) * (1 + step * depth(value)) if step else 0, "the result of '|tojson'")


def _check_wordwrap(value: str, width: int = 79, wrapstring: str | None = None, **_: Any) -> None:
    lines = len(value) // max(1, width) + len(value.split()) + 1
    check_length(len(value) + lines * len(wrapstring or "\n"), "the result of '|wordwrap'")


#: Raise TooLong by what a filter is given; each takes what its filter does.
_CHECKS: Mapping[str, Callable[..., None]] = {
    "batch": _check_batch,
    "center": _check_center,
    "format": _check_format,
    "indent": _check_indent,
    "join": _check_join,
    "replace": _check_replace,
    "slice": _check_slice,
    "tojson": _check_tojson,
    "wordwrap": _check_wordwrap,
}


def _cost(name: str, value: Any, given: list[Any]) -> int:
    """Return what a filter looks at: its value, and its arguments once or for every item."""
    own, others = weight(value), sum(map(weight, given))
    if name == "sum":  # lists are added one by one, each time into a new one
        return own + others + (len(value) * own // 8 if given and hasattr(value, "__len__") else 0)
    if name in _OF_ITEMS and hasattr(value, "__len__"):
        own += len(value) * others
    if name in ("sort", "dictsort", "groupby"):
        own *= max(1, math.ceil(math.log2(own + 1)) // 2)
    return own + others


def bounded_filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter within its bounds, for templates."""
    what = f"the result of '|{name}'"
    check = _CHECKS.get(name)

    @pass_context
    def bounded(context: BoundedContext, value: Any, *args: Any, **kwargs: Any) -> Any:
        context.budget.spend(CALL)
        if name in _INSTANT:
            return context.call(function, value, *args, **kwargs)
        context.budget.spend(_cost(name, value, [*args, *kwargs.values()]))
        if name in _SLOW and weight(value) > _MAX_SLOW:
            raise TooLong(f"'|{name}' takes at most {_MAX_SLOW:,} characters")
        if check is not None and not isinstance(value, Undefined):
            check(value, *args, **kwargs)
        return context.checked(context.call(function, value, *args, **kwargs), what)

    return bounded


def bounded_test(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a test within its bounds, for templates."""

    @pass_context
    def bounded(context: BoundedContext, value: Any, *args: Any) -> Any:
        context.budget.spend(CALL)
        if name in _THOROUGH:
            context.budget.spend(weight(value) + sum(map(weight, args)))
        return context.call(function, value, *args)

    return bounded
