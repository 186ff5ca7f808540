"""What expressions may call: the functions, filters and tests of the language, and nothing that a value brings along."""

from collections.abc import Mapping
from itertools import pairwise

from jinja2 import nodes

from stressrunner.expressions.environment import environment
from stressrunner.expressions.functions import CONDITIONS, FUNCTIONS
from stressrunner.expressions.problem import ExpressionError
from stressrunner.expressions.references import NOT_BEHIND, tokens_of
from stressrunner.spelling import did_you_mean

__all__ = ["refuse_methods", "refuse_unknown_filters", "refuse_unknown_functions"]

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
