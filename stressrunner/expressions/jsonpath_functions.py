"""The JSONPath environment: RFC 9535 to the letter, and bounded in time.

`match` and `search` are given up as other patterns are. A query is given up when it has taken 0.1 s of the processor's time
and 10 µs more for each value of the body: passing through a body once is never refused, doing so for each of its values
is. The clock is looked at wherever a query comes to a list or mapping, a field, a condition or a comparison.

A module of its own, because it takes 50 ms to import, which most scenarios need not wait for.
"""

import threading
import time
from collections.abc import Iterable
from functools import cache, partial
from itertools import islice
from typing import Any

from jsonpath import JSONPath, JSONPathEnvironment, JSONPathMatch
from jsonpath.filter import FilterQuery, walk
from jsonpath.function_extensions import Match, Search
from jsonpath.selectors import Filter, WildcardSelector

from stressrunner.expressions.bounds import weight
from stressrunner.expressions.pattern import MAX_SEARCH_S
from stressrunner.expressions.problem import MAX_CPU_S, TooSlow

__all__ = ["compiled", "found_by"]

_PER_VALUE_S = 1e-5  #: that a query may take for each value of the body
_DEEPEST = 100
#: Looks at the clock that are free: a query of fewer steps is never given up, since what took long was not the query but a
#: collection of garbage, say, that came in between.
_FREE_LOOKS = 50


class _Bounded:
    """A pattern whose searches are given up; has the two methods that the functions call."""

    def __init__(self, compiled: Any) -> None:
        self.fullmatch = partial(compiled.fullmatch, timeout=MAX_SEARCH_S)
        self.search = partial(compiled.search, timeout=MAX_SEARCH_S)


class _Match(Match):
    def check_cache(self, pattern: str) -> Any:
        compiled = super().check_cache(pattern)
        return None if compiled is None else _Bounded(compiled)


class _Search(Search):
    def check_cache(self, pattern: str) -> Any:
        compiled = super().check_cache(pattern)
        return None if compiled is None else _Bounded(compiled)


class _Current(threading.local):
    """The query that is asked: until when it may take, and in what it searches."""

    until_s = float("inf")
    body: Any = None
    is_extended = False
    looks = 0


_current = _Current()


def _look() -> None:
    """Look at the clock; raises TooSlow when the time of the query is over."""
    _current.looks += 1
    if _current.looks <= _FREE_LOOKS or time.thread_time() <= _current.until_s:
        return
    if not _current.is_extended:
        _current.is_extended = True
        _current.until_s += _PER_VALUE_S * weight(_current.body)
        return
    raise TooSlow("the query was given up: it takes too long for a body of this size")


class _Environment(JSONPathEnvironment):
    @property
    def max_recursion_depth(self) -> int:  # type: ignore[override]
        _look()
        return _DEEPEST

    def getitem(self, obj: Any, key: Any) -> Any:
        _look()
        return super().getitem(obj, key)

    def is_truthy(self, obj: object) -> bool:
        _look()
        return super().is_truthy(obj)

    def compare(self, left: object, operator: str, right: object) -> bool:
        _look()
        return super().compare(left, operator, right)


class _Wildcard(WildcardSelector):
    __slots__ = ()

    def resolve(self, node: JSONPathMatch) -> Iterable[JSONPathMatch]:
        _look()
        yield from super().resolve(node)


def found_by(query: JSONPath, value: Any, most: int) -> list[Any]:
    """Return what a query finds in a value, up to so many.

    Raises:
        TooSlow: the query was given up.
        TimeoutError: the search for a pattern was given up.
    """
    _current.until_s = time.thread_time() + MAX_CPU_S
    _current.body, _current.is_extended, _current.looks = value, False, 0
    try:
        return [match.obj for match in islice(query.finditer(value), most)]
    finally:
        _current.body = None


def compiled(source: str) -> Any:
    """Compile a query; raises what the package raises."""
    query = _environment().compile(source)
    if isinstance(query, JSONPath):
        _bound(query)
    return query


def _bound(query: JSONPath) -> None:
    """Have the wildcards of a query, and of those in its filters, look at the clock too."""
    for segment in query.segments:
        segment.selectors = tuple(
            _Wildcard(env=one.env, token=one.token) if isinstance(one, WildcardSelector) else one
            for one in segment.selectors
        )
        for selector in segment.selectors:
            if isinstance(selector, Filter):
                for expression in walk(selector.expression):
                    if isinstance(expression, FilterQuery):
                        _bound(expression.path)


@cache
def _environment() -> JSONPathEnvironment:
    """Return the environment; it is made once."""
    made = _Environment(strict=True)
    made.function_extensions["match"] = _Match()
    made.function_extensions["search"] = _Search()
    return made
