"""JSONPath as RFC 9535 has it, compiled once and asked of many values."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from stressrunner.expressions.pattern import MAX_SEARCH_S, TooSlow
from stressrunner.expressions.problem import CannotEvaluate, ExpressionError

if TYPE_CHECKING:
    from jsonpath import JSONPath
    from jsonpath.exceptions import JSONPathError

    from stressrunner.expressions.references import Reference

__all__ = ["MAX_FOUND", "JsonPath", "compile_jsonpath"]

MAX_FOUND = 100_000  #: values that one query may find
_MAX_SOURCE = 10_000  #: characters


class JsonPath:
    """A compiled query."""

    __slots__ = ("_compiled", "is_singular", "source")

    references: "tuple[Reference, ...]" = ()  #: it names nothing

    def __init__(self, source: str, compiled: "JSONPath") -> None:
        self.source = source
        self.is_singular = compiled.singular_query()  #: whether it can find one value at the most
        self._compiled = compiled

    def all(self, value: Any) -> list[Any]:
        """Return the values that are found in a decoded JSON value, in its order; there may be none.

        Raises:
            CannotEvaluate: more than MAX_FOUND are found, or the value is nested too deeply for the query.
            TooSlow: the query, or the search for a pattern in it, was given up.
        """
        from jsonpath.exceptions import JSONPathError  # noqa: PLC0415  only where it is used

        from stressrunner.expressions.jsonpath_functions import found_by  # noqa: PLC0415

        if not isinstance(value, dict | list):
            return [value] if self.source.strip() == "$" else []  # text would be taken for JSON once more
        try:
            found = found_by(self._compiled, value, MAX_FOUND + 1)
        except TimeoutError as error:
            raise TooSlow(f"the search for a pattern was given up after {MAX_SEARCH_S:g} s") from error
        except (JSONPathError, RecursionError) as error:
            raise CannotEvaluate("this is nested too deeply for the query") from error
        if len(found) > MAX_FOUND:
            raise CannotEvaluate(f"the query finds more than {MAX_FOUND:,} values")
        return found

    def find(self, value: Any) -> Any:
        """Return the value that a singular query finds, or the list of what another one finds.

        Raises:
            CannotEvaluate: nothing is found, and as `all` does.
        """
        found = self.all(value)
        if not found:
            raise CannotEvaluate("nothing is found")
        return found[0] if self.is_singular else found


@lru_cache(maxsize=256)
def compile_jsonpath(source: str) -> JsonPath:
    """Compile a query.

    Raises:
        ExpressionError: it is none of RFC 9535, with the place where it stops making sense.
    """
    from jsonpath import JSONPath  # noqa: PLC0415  50 ms that most scenarios need not wait for
    from jsonpath.exceptions import JSONPathError  # noqa: PLC0415

    from stressrunner.expressions.jsonpath_functions import compiled as compiled_by_package  # noqa: PLC0415

    if not source.startswith("$"):
        raise ExpressionError(
            "a JSONPath begins with '$'", width=max(1, len(source)), hint=_beginning(source)
        )
    if len(source) > _MAX_SOURCE:
        raise ExpressionError(f"a JSONPath has at most {_MAX_SOURCE:,} characters", width=len(source))
    try:
        compiled = compiled_by_package(source)
    except JSONPathError as error:
        raise _mistake(source, error) from error
    except (ValueError, RecursionError) as error:
        raise ExpressionError("invalid JSONPath", width=len(source)) from error
    if not isinstance(compiled, JSONPath):
        raise ExpressionError("invalid JSONPath (RFC 9535)", width=len(source))
    return JsonPath(source, compiled)


def _beginning(source: str) -> str:
    """Return what to write instead of a query that does not begin as one."""
    if source.startswith("body"):
        return "write an expression over 'body' without 'jsonpath'"
    return f"write '$.{source}'" if source[:1].isalpha() else "write it like '$.items[0].id'"


def _mistake(source: str, error: "JSONPathError") -> ExpressionError:
    reason = " ".join(str(error.message or "it makes no sense").split())
    token = error.token
    at = len(source) if token is None or token.index < 0 else token.index
    at = min(at, len(source) - 1)
    width = 1 if token is None else max(1, min(len(token.value), len(source) - at))
    return ExpressionError(f"invalid JSONPath: {reason}", offset=at, width=width)
