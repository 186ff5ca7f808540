"""The JSONPath environment: RFC 9535 to the letter, with `match` and `search` bounded in time as patterns are.

A module of its own, because it takes 50 ms to import, which most scenarios need not wait for.
"""

from functools import cache, partial
from typing import Any

from jsonpath import JSONPathEnvironment
from jsonpath.function_extensions import Match, Search

from stressrunner.expressions.pattern import MAX_SEARCH_S

__all__ = ["environment"]


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


@cache
def environment() -> JSONPathEnvironment:
    """Return the environment; it is made once."""
    made = JSONPathEnvironment(strict=True)
    made.function_extensions["match"] = _Match()
    made.function_extensions["search"] = _Search()
    return made
