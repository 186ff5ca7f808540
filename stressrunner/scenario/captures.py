"""The captures of an endpoint or a step: from what stands in the file to what the plan compiles."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

from stressrunner.scenario.model import Capture

__all__ = ["captures_of"]

_Language = Literal["expression", "jsonpath", "regex"]


def captures_of(capture: Mapping[str, Any]) -> Mapping[str, Capture]:
    """Return the captures under a `capture` without mistakes, by the names that they give."""
    return MappingProxyType({name: _capture(value) for name, value in capture.items()})


def _capture(value: Any) -> Capture:
    if isinstance(value, str):
        return Capture(value)
    language: _Language = next(key for key in get_args(_Language) if key in value)
    defaults = (value["default"],) if "default" in value else ()
    return Capture(value[language], language, defaults)
