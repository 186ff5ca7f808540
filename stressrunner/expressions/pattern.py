"""Regular expressions over texts of a target, bounded in time.

A pattern that tries everything, such as `(a+)+b`, takes time that doubles with every character. Which patterns do cannot
be told from how they are written, so each search is given up after 0.1 s of the processor's time; until then nothing else
is sent by this generator. `re` cannot be interrupted, which is why the package regex searches; it reads the same language.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from stressrunner.expressions.problem import MAX_CPU_S, CannotEvaluate, ExpressionError, TooSlow

if TYPE_CHECKING:
    import regex

    from stressrunner.expressions.references import Reference

__all__ = ["MAX_SEARCH_S", "Pattern", "TooSlow", "compile_pattern"]

MAX_SEARCH_S = MAX_CPU_S  #: of the processor's time, for one search
_MAX_SOURCE = 10_000  #: characters


class Pattern:
    """A compiled regular expression."""

    __slots__ = ("_compiled", "source")

    references: "tuple[Reference, ...]" = ()  #: it names nothing

    def __init__(self, source: str, compiled: "regex.Pattern[str]") -> None:
        self.source = source
        self._compiled = compiled

    def find(self, text: str) -> str:
        """Return the first group of the first match, or the whole match of a pattern without groups.

        Raises:
            CannotEvaluate: nothing matches, or the group is not part of the match.
            TooSlow: the search was given up.
        """
        try:
            match = self._compiled.search(text, timeout=MAX_SEARCH_S)
        except TimeoutError as error:
            raise TooSlow(f"the search was given up after {MAX_SEARCH_S:g} s") from error
        found = None if match is None else match[min(1, self._compiled.groups)]
        if found is None:
            raise CannotEvaluate("nothing matches" if match is None else "the group is no part of the match")
        return found


@lru_cache(maxsize=256)
def compile_pattern(source: str) -> Pattern:
    """Compile a regular expression.

    Raises:
        ExpressionError: it makes no sense, or is too long.
    """
    import regex  # noqa: PLC0415  most scenarios have none

    if not source:
        raise ExpressionError("the pattern is empty")
    if len(source) > _MAX_SOURCE:
        raise ExpressionError(f"a pattern has at most {_MAX_SOURCE:,} characters", width=len(source))
    try:
        return Pattern(source, regex.compile(source))
    except regex.error as error:
        # Both are there, and the package's types do not know them.
        reason, at = getattr(error, "msg", str(error)), getattr(error, "pos", 0)
        message = f"this is no regular expression: {reason}"
        raise ExpressionError(message, offset=min(at or 0, len(source) - 1)) from error
    except (OverflowError, RecursionError) as error:
        raise ExpressionError("this pattern is too large", width=len(source)) from error
