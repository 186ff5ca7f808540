"""The one Jinja2 environment: sandboxed, strict about undefined names, blind to everything but data, and bounded.

`a.b` and `a['b']` look into mappings, lists and texts alone. Values have no methods, so `body.items` is the field
of that name or undefined, and a check such as `body.items` can fail (test_attributes_are_data).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import cache
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stressrunner.expressions.bounds import CALL, OPERATORS, check_length, weight
from stressrunner.expressions.filters import BoundedContext, bounded_filter, bounded_test, filters, tests
from stressrunner.expressions.metering import METERS, metered
from stressrunner.expressions.problem import CannotEvaluate
from stressrunner.expressions.wording import in_our_words, kind_of

__all__ = [
    "DataEnvironment",
    "environment",
    "evaluation_errors",
    "lookup",
    "lookup_all",
    "to_json",
    "to_text",
]

_SHUFFLING = 20  #: work of each value that is shuffled, which draws a number
_MAX_SENTENCE = 300  #: characters of why an expression cannot be evaluated; an error may quote a whole value
#: What never has fields: others may have some, and not this one.
_WITHOUT_FIELDS = frozenset({"null", "a text", "a list", "a number", "a boolean"})


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


@pass_context
def _written(context: BoundedContext, value: Any) -> str:
    """Return a value as a template writes it."""
    if not isinstance(value, str):
        context.checked(value, "this value")
    text = to_text(value)
    check_length(len(text), "this text")
    context.budget.spend(len(text) + 1)
    return text


class DataEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 in which attributes and items are data, and whatever is done is within bounds."""

    context_class = BoundedContext
    intercepted_binops = frozenset(OPERATORS)

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            finalize=_written,
            cache_size=0,
            optimized=False,  # Jinja2 looks for constants below every node again: cubic in the depth
        )
        self.globals = {"range": self.globals["range"]}
        #: Filters and tests without their bounds, for those who see to them.
        self.plain_filters, self.plain_tests = filters(), tests()
        self.filters = {name: bounded_filter(name, f) for name, f in self.plain_filters.items()}
        self.filters.update(METERS)
        self.tests = {name: bounded_test(name, test) for name, test in self.plain_tests.items()}

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(metered(source), *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator that could make much of little."""
        result = OPERATORS[operator](left, right)
        return (
            context.checked(result, f"the result of '{operator}'")
            if isinstance(context, BoundedContext)
            else result
        )

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function, a macro or a loop."""
        if not isinstance(context, BoundedContext):
            raise TypeError("templates of this environment have bounded contexts")
        per_item = _SHUFFLING if getattr(function, "__name__", "") == "shuffle" else 1
        context.budget.spend(CALL + per_item * sum(map(weight, args)))
        return context.checked(super().call(context, function, *args, **kwargs), "the result of the call")

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
        return _known(names, name)
    except KeyError:
        return environment().undefined(name=name)


def lookup_all(names: Mapping[str, Any], wanted: Iterable[str]) -> dict[str, Any]:
    """Return the values of names for a template, which finds out by itself what is missing.

    An undefined value of the template's own is another one wherever the name stands, so that two of them are never
    taken for the same value.
    """
    found = {}
    for name in wanted:
        with suppress(KeyError):
            found[name] = _known(names, name)
    return found


def _known(names: Mapping[str, Any], name: str) -> Any:
    """Return the value of a name, undefined where it cannot be made; raises KeyError where there is none."""
    try:
        return names[name]
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
            raise CannotEvaluate(_shortened(_undefined_sentence(error))) from error
        # The expression is the user's: any operator may fail in any way.
        said = in_our_words(" ".join(str(error).split()))
        raise CannotEvaluate(_shortened(said) or type(error).__name__) from error


def evaluation_errors() -> AbstractContextManager[None, None]:
    """Turn whatever an expression of a user runs into into CannotEvaluate with one sentence."""
    return _EvaluationErrors()


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= _MAX_SENTENCE else f"{sentence[: _MAX_SENTENCE - 3]}..."


def _undefined_sentence(error: UndefinedError) -> str:
    """Return what Jinja2 says of an undefined value without the names of Python's types."""
    message = str(error.message)
    missing = re.fullmatch(r"'([\w. ]+?)(?: object)?' has no attribute ('.*')", message, re.DOTALL)
    if missing is None:
        return in_our_words(message)
    kind = kind_of(missing[1])
    return (
        f"{kind} has no field {missing[2]}" if kind in _WITHOUT_FIELDS else f"there is no field {missing[2]}"
    )
