"""The one Jinja2 environment: sandboxed, strict about undefined names, and blind to everything but data.

`a.b` and `a['b']` look into mappings, lists and texts alone. Values have no methods, so `body.items` is the field
of that name or undefined, and a check such as `body.items` can fail (test_attributes_are_data).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache, wraps
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stressrunner.expressions.problem import CannotEvaluate

__all__ = ["DataEnvironment", "environment", "evaluation_errors", "lookup", "to_json", "to_text"]

#: Filters that reach for Python attributes, or whose output differs from run to run.
_WITHHELD_FILTERS = ("attr", "random", "pprint", "xmlattr", "urlize", "filesizeformat")
#: Tests that ask whether something is there, or ask for a name; all others want a value.
_TESTS_OF_NAMES = ("defined", "undefined", "filter", "test")

#: What Jinja2 calls values that have no fields, and how they are called here.
_KINDS: Mapping[str, str] = {
    "None": "null",
    "str object": "a text",
    "list object": "a list",
    "int object": "a number",
    "float object": "a number",
    "bool object": "a boolean",
}


def to_text(value: Any) -> str:
    """Write a value as text for the wire: text as it is, everything else as JSON writes it."""
    return value if isinstance(value, str) else to_json(value)


def to_json(value: Any) -> str:
    """Write a value as JSON, text in quotes."""
    if type(value) is int:  # not bool; the encoder takes ten times as long for it
        return str(value)
    return _ENCODER.encode(value)


def _as_data(value: Any) -> Any:
    if isinstance(value, Undefined):
        return str(value)  # raises, and the message names what is undefined
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence | Iterator):
        return list(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot be written as text")


# json.dumps makes an encoder for every call that has options.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_as_data)


def _strict(test: Any) -> Any:
    """Let a test fail on what is not there, where Jinja2 has `body.missing is not none` hold."""

    @wraps(test)
    def strict(value: Any, *args: Any) -> Any:
        if isinstance(value, Undefined):
            str(value)  # raises, and the message names what is undefined
        return test(value, *args)

    return strict


class DataEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 in which attributes and items are data."""

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined, keep_trailing_newline=True, finalize=to_text, cache_size=0
        )
        self.globals = {"range": self.globals["range"]}
        for name in _WITHHELD_FILTERS:
            self.filters.pop(name, None)
        for name in self.tests.keys() - set(_TESTS_OF_NAMES):
            self.tests[name] = _strict(self.tests[name])

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the field of a mapping; values have no other attributes."""
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item of a mapping, list or text, or an undefined value that raises when it is used."""
        if isinstance(obj, Undefined):
            return obj[argument]  # raises, naming what is undefined
        try:
            if isinstance(obj, Mapping) or (
                isinstance(obj, str | list | tuple) and isinstance(argument, int | slice)
            ):
                return obj[argument]
        except (LookupError, TypeError):
            pass
        return self.undefined(obj=obj, name=argument)


@cache
def environment() -> DataEnvironment:
    """Return the environment; it is made once and holds no state."""
    return DataEnvironment()


def lookup(names: Mapping[str, Any], name: str) -> Any:
    """Return the value of a name; where there is none, an undefined value that says why when it is used.

    So `status == 204 or body.ok` holds for a 204 whose body is no JSON (test_names_fail_when_they_are_used).
    """
    try:
        return names[name]
    except KeyError:
        return environment().undefined(name=name)
    except CannotEvaluate as error:
        return environment().undefined(hint=str(error))


class _EvaluationErrors:
    """A class, since a context manager made of a generator costs 1 µs, and this one is entered for every request."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, CannotEvaluate) or not isinstance(error, Exception):
            return
        if isinstance(error, UndefinedError):
            raise CannotEvaluate(_undefined_sentence(error)) from error
        # The expression is the user's: any operator may fail in any way.
        raise CannotEvaluate(" ".join(str(error).split()) or type(error).__name__) from error


def evaluation_errors() -> AbstractContextManager[None, None]:
    """Turn whatever an expression of a user runs into into CannotEvaluate with one sentence."""
    return _EvaluationErrors()


def _undefined_sentence(error: UndefinedError) -> str:
    """Return what Jinja2 says of an undefined value without the names of Python's types."""
    message = str(error.message)
    missing = re.fullmatch(r"'([\w. ]+)' has no attribute ('.*')", message, re.DOTALL)
    if missing is None:
        return message
    kind = _KINDS.get(missing[1])
    return f"there is no field {missing[2]}" if kind is None else f"{kind} has no field {missing[2]}"
