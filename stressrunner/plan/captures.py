"""The captures of an endpoint, compiled: what is taken from a response that passed."""

from collections.abc import Callable, Mapping
from typing import Any

from stressrunner.expressions import CannotEvaluate, compile_expression, compile_value
from stressrunner.expressions.expression import Expression
from stressrunner.expressions.jsonpath import compile_jsonpath
from stressrunner.expressions.pattern import TooSlow, compile_pattern
from stressrunner.scenario.model import Capture

__all__ = ["Captures", "NothingCaptured"]

Names = Mapping[str, Any]


class NothingCaptured(Exception):
    """A capture finds nothing; the text says which, and why."""

    def __init__(self, name: str, why: str) -> None:
        self.name = name  #: of the capture
        super().__init__(f"capture {name}: {why}")


class Captures:
    """All captures of an endpoint.

    Raises ExpressionError when one of them makes no sense.
    """

    def __init__(self, captures: Mapping[str, Capture]) -> None:
        self._finders = {name: _finder(capture) for name, capture in captures.items()}
        self._sources = {name: capture.source for name, capture in captures.items()}
        #: the expressions, where all of them are that and nothing is taken in their stead
        self.expressions = _expressions(captures)
        #: Names of the response that they ask for.
        self.asked = frozenset(name for capture in captures.values() for name in _asked(capture))

    @property
    def names(self) -> tuple[str, ...]:
        """What they are called."""
        return tuple(self._finders)

    def __bool__(self) -> bool:
        """Whether anything is captured at all."""
        return bool(self._finders)

    def take(self, names: Names) -> dict[str, Any]:
        """Return what every capture finds, by its name.

        Raises:
            NothingCaptured: one finds nothing and has no default.
        """
        found = {}
        for name, find in self._finders.items():
            try:
                found[name] = find(names)
            except CannotEvaluate as error:
                raise NothingCaptured(name, f"{self._sources[name]}: {error}") from error
        return found


def _expressions(captures: Mapping[str, Capture]) -> Mapping[str, Expression] | None:
    if all(capture.by == "expression" and not capture.defaults for capture in captures.values()):
        return {name: compile_expression(capture.source) for name, capture in captures.items()}
    return None


def _asked(capture: Capture) -> frozenset[str]:
    if capture.by == "expression":
        return frozenset(reference.path[0] for reference in compile_expression(capture.source).references)
    return frozenset({"body" if capture.by == "jsonpath" else "text"})


def _finder(capture: Capture) -> Callable[[Names], Any]:
    find = _search(capture)
    if not capture.defaults:
        return find
    default = compile_value(capture.defaults[0])

    def find_or_default(names: Names) -> Any:
        try:
            return find(names)
        except TooSlow:  # that nothing is there has not been found out
            raise
        except CannotEvaluate:
            return default.render(names)

    return find_or_default


def _search(capture: Capture) -> Callable[[Names], Any]:
    match capture.by:
        case "jsonpath":
            query = compile_jsonpath(capture.source)
            return lambda names: query.find(names["body"])
        case "regex":
            pattern = compile_pattern(capture.source)
            return lambda names: pattern.find(names["text"])
        case "expression":
            return compile_expression(capture.source).evaluate
