"""What expressions may call: the functions, filters and tests of the language, and nothing that a value brings along."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from jinja2 import nodes

from stressrunner.expressions.environment import environment
from stressrunner.expressions.functions import CONDITIONS, FUNCTIONS, Draws
from stressrunner.expressions.problem import ExpressionError
from stressrunner.expressions.references import NOT_BEHIND, Reference, tokens_of
from stressrunner.spelling import did_you_mean

__all__ = ["refuse_methods", "refuse_misused_functions", "refuse_unknown_filters", "refuse_unknown_functions"]

#: What replaces the Python methods that people reach for.
_INSTEAD: Mapping[str, str] = {
    "lower": "|lower",
    "upper": "|upper",
    "strip": "|trim",
    "replace": "|replace('old', 'new')",
    "startswith": "[:n] == 'text'",
    "endswith": "[-n:] == 'text'",
    "get": ".field | default(value)",
    "keys": "|list",
    "values": "|dictsort",
    "items": "|dictsort",
    "split": "[a:b]",
    "join": "|join(',')",
    "count": "|length",
}

#: How functions are called that take something.
_CALLED: Mapping[str, str] = {
    "random_int": "random_int(1, 6)",
    "random_string": "random_string(8)",
    "choice": "choice(['a', 'b'])",
    "shuffle": "shuffle([1, 2, 3])",
    "sha256": "sha256('text')",
    "base64": "base64('text')",
    "json": "json(value), or 'body' for the response",
}
_OPENS = re.compile(r"\s*\(")
#: Functions that draw between two bounds.
_OF_BOUNDS = frozenset({"random_int", "random_float"})


def _call(source: str, name: str, *, of_value: bool) -> tuple[int, int]:
    """Return offset and width of the name in the first call of it, with the dot before a method."""
    tokens = tokens_of(source)
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (token.text, after.text) == (name, "(") and (before.text == ".") == of_value:
            start = before.offset if of_value else token.offset
            return start, token.offset + len(name) - start
    return 0, len(name)


def refuse_methods(source: str, tree: nodes.Template) -> None:
    """Refuse calls of methods; those of a loop, such as `loop.cycle('a', 'b')`, are part of the language.

    Raises:
        ExpressionError: with what to write instead.
    """
    for call in tree.find_all(nodes.Call):
        if not isinstance(call.node, nodes.Getattr):
            continue
        if isinstance(call.node.node, nodes.Name) and call.node.node.name == "loop":
            continue
        name = call.node.attr
        offset, width = _call(source, name, of_value=True)
        raise ExpressionError(
            f"values have no methods, so '.{name}()' cannot be called",
            offset=offset,
            width=width,
            hint=f"write {_INSTEAD[name]}" if name in _INSTEAD else "use a filter, such as |length",
        )


def refuse_unknown_functions(source: str, tree: nodes.Template, more: frozenset[str] = frozenset()) -> None:
    """Refuse calls of what is no function; `more` are functions of the place beside those of every place.

    Raises:
        ExpressionError: with the functions that there are.
    """
    known = {*FUNCTIONS, *environment().globals, *more}
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name not in known:
            offset, width = _call(source, call.node.name, of_value=False)
            if call.node.name == "not":
                raise ExpressionError(NOT_BEHIND[0], offset=offset, width=width, hint=NOT_BEHIND[1])
            raise ExpressionError(
                f"there is no function {call.node.name!r}",
                offset=offset,
                width=width,
                hint="write it under 'if'"
                if call.node.name in CONDITIONS
                else f"functions are {', '.join(sorted(FUNCTIONS | more))}",
            )


def refuse_misused_functions(
    source: str, tree: nodes.Template, references: Iterable[Reference], more: frozenset[str] = frozenset()
) -> None:
    """Refuse functions that are named and not called, called with other arguments, or given their bounds upside down.

    Args:
        source: the text.
        tree: what it was parsed as.
        references: the names in it.
        more: functions of the place beside those of every place.

    Raises:
        ExpressionError: with how to call it.
    """
    for reference in references:
        name = reference.path[0]
        end = reference.offset + reference.width
        if name in FUNCTIONS | more and not _OPENS.match(source, end):
            hint = f"write {_CALLED.get(name, f'{name}()')}"
            raise ExpressionError(
                f"'{name}' is a function, and is not called here",
                offset=reference.offset,
                width=reference.width,
                hint=hint,
            )
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and (problem := _problem_of_call(call.node.name, call)):
            offset, width = _call(source, call.node.name, of_value=False)
            raise ExpressionError(problem[0], offset=offset, width=width, hint=problem[1])


def _problem_of_call(name: str, call: nodes.Call) -> tuple[str, str] | None:
    """Return what is wrong with the arguments of a call, and what to write."""
    if call.dyn_args is not None or call.dyn_kwargs is not None:
        return None
    if name in CONDITIONS and (call.args or call.kwargs):
        return f"{name}() takes no arguments", f"write {name}()"
    named = {pair.key: pair.value for pair in call.kwargs}
    if name not in FUNCTIONS or len(named) < len(call.kwargs):
        return None  # one that is given twice is told when it is compiled
    signature = inspect.signature(_functions()[name])
    try:
        given = signature.bind(*call.args, **named)
    except TypeError:
        takes = ", ".join(_parameters(signature))
        return (
            f"{name}() takes {f'({takes})' if takes else 'no arguments'}",
            f"write {_CALLED.get(name, f'{name}()')}",
        )
    low, high = (_number(given.arguments.get(bound)) for bound in ("low", "high"))
    if name in _OF_BOUNDS and low is not None and high is not None and low > high:
        return f"the bounds of {name}() are upside down", f"write {name}({high}, {low})"
    return None


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    for name, parameter in signature.parameters.items():
        is_needed = parameter.default is inspect.Parameter.empty
        yield name if is_needed else f"{name}=..."


@cache
def _functions() -> Mapping[str, Callable[..., Any]]:
    draws = Draws(0, 0, "signatures")
    return {name: draws.function(name) for name in FUNCTIONS}


def _number(node: nodes.Node | None) -> int | float | None:
    """Return a number that stands in the text."""
    sign = 1
    if isinstance(node, nodes.Neg):
        sign, node = -1, node.node
    if isinstance(node, nodes.Const) and type(node.value) in (int, float):
        return sign * node.value  # type: ignore[no-any-return]
    return None


def refuse_unknown_filters(source: str, tree: nodes.Template) -> None:
    """Refuse filters and tests that do not exist, also where Jinja2 would wait until they are reached.

    Raises:
        ExpressionError: with the name that was meant, when one is close.
    """
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        is_filter = isinstance(node, nodes.Filter)
        known = environment().filters if is_filter else environment().tests
        if node.name in known:
            continue
        signs = ("|",) if is_filter else ("is", "not")
        tokens = tokens_of(source)
        pairs = pairwise(tokens)
        places = [after.offset for before, after in pairs if after.text == node.name and before.text in signs]
        raise ExpressionError(
            f"there is no {'filter' if is_filter else 'test'} {node.name!r}",
            offset=places[0] if places else 0,
            width=len(node.name),
            hint=did_you_mean(node.name, known),
        )
