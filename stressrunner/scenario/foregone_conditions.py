"""Checks and conditions that have an answer before anything comes, so that they ask nothing.

What was filled in by `${...}` is left alone: there a constant is somebody's choice.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import inf
from typing import Any

from stressrunner import units
from stressrunner.errors import Diagnostic
from stressrunner.expressions import ExpressionError, compile_condition
from stressrunner.expressions.foregone import Number, Words, foregone
from stressrunner.scenario.requests import place_of
from stressrunner.scenario.source import Path
from stressrunner.scenario.values import Text

__all__ = ["check_conditions"]

_DEFAULT_TIMEOUT = "30s"
_WAITING = 10  #: timeouts that a response time may have; it includes the wait for a connection
_LEAST_S = 1e-9  #: of a time that was measured
_NONE = Number(_LEAST_S, inf)


def check_conditions(value: Mapping[str, Any], texts: Sequence[Text]) -> Iterator[Diagnostic]:
    """Yield the checks and conditions of a typed scenario, which may have other mistakes, that are foregone."""
    for text in texts:
        if text.filled.spans or not _asks(text):
            continue
        source = text.filled.text
        try:
            compiled = compile_condition(source)
        except ExpressionError:
            continue  # which was said where names are looked up
        if not compiled.references:
            if text.kind != "check":  # there it was said already
                yield text.diagnostic("this names nothing, so it is always the same", _instead(text))
            continue
        for found in foregone(source, _known(value, text.path)):
            yield text.diagnostic(found.message, found.hint, offset=found.offset, width=found.width)


def _asks(text: Text) -> bool:
    return text.kind in ("check", "condition") or text.path[-1] == "until"


def _instead(text: Text) -> str:
    if text.path[-1] == "until":
        return "write a condition, such as 'body.done', or 'times' alone"
    return "remove the condition, or the step"


def _known(value: Mapping[str, Any], path: Path) -> dict[str, Number | Words]:
    """Return what is known of the names of a response in a place."""
    known: dict[str, Number | Words] = {
        "status": Number(100, 999),
        "size": Number(0, inf),
        "url": Words(is_empty=False),
        "text": Words(),
    }
    timeout_s = _timeout_s(value, path)
    if timeout_s is None:
        return {**known, "response_time": _NONE, "service_time": _NONE}
    longest_s = float(timeout_s)
    why = f"the timeout is {units.format_duration(longest_s)}"
    return {
        **known,
        "response_time": Number(_LEAST_S, longest_s * _WAITING, why),
        "service_time": Number(_LEAST_S, longest_s, why),
    }


def _timeout_s(value: Mapping[str, Any], path: Path) -> Fraction | None:
    """Return the timeout of the request whose check stands in a place; None where that is not one request alone."""
    place = place_of(path)
    if place is None or place.key not in ("checks", "refused"):
        return None
    request = _at(value, place.path)
    if isinstance(request, dict) and "send" in request:
        request = _at(value, ("endpoints", request["send"]))
    for holder in (request, value.get("target"), {"timeout": _DEFAULT_TIMEOUT}):
        given = holder.get("timeout") if isinstance(holder, dict) else None
        total = given.get("total") if isinstance(given, dict) else given
        if isinstance(total, str):
            try:
                return units.parse_duration(total)
            except ValueError:
                return None  # the schema has said so
    return None


def _at(value: Any, path: Path) -> Any:
    for step in path:
        inside = isinstance(value, dict) and isinstance(step, str) and step in value
        inside = inside or (isinstance(value, list) and isinstance(step, int) and step < len(value))
        if not inside:
            return None
        value = value[step]
    return value
