"""Bare expressions: `status == 200 and body.success`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Undefined, nodes
from jinja2.environment import TemplateExpression

from stressrunner.expressions.calls import (
    refuse_methods,
    refuse_misused_functions,
    refuse_unknown_filters,
    refuse_unknown_functions,
)
from stressrunner.expressions.constants import refuse_bad_constants
from stressrunner.expressions.environment import environment, evaluation_errors, lookup, lookup_all
from stressrunner.expressions.functions import CONDITIONS, FUNCTIONS
from stressrunner.expressions.lowering import Evaluate, lower
from stressrunner.expressions.problem import CannotEvaluate, ExpressionError, compilation_errors
from stressrunner.expressions.references import Reference, parse, references_of

__all__ = ["Expression", "compile_condition", "compile_expression", "values_met", "why_not"]

_OPEN, _CLOSE = "{{ ", " }}"
_SHORT = 200  #: characters of an expression that is remembered
_MAX_SOURCE = 100_000  #: characters; one that long takes a second to compile


class Expression:
    """A compiled expression."""

    __slots__ = ("evaluate", "references", "source", "tree")

    def __init__(
        self,
        source: str,
        references: tuple[Reference, ...],
        evaluate: Evaluate,
        tree: nodes.Expr | None = None,
    ) -> None:
        self.source = source
        self.references = references
        self.tree = tree  #: parsed, where it can be lowered
        #: Names to the value of the expression. Raises CannotEvaluate where a name or field is missing, or an
        #: operator does not fit its values.
        self.evaluate = evaluate

    def holds(self, names: Mapping[str, Any]) -> bool:
        """Return whether the expression is true as a condition; raises CannotEvaluate as `evaluate` does."""
        return bool(self.evaluate(names))

    def is_true(self, names: Mapping[str, Any]) -> bool:
        """Return whether the expression holds; one that cannot be evaluated does not."""
        try:
            return self.holds(names)
        except CannotEvaluate:
            return False


def _by_template(compiled: TemplateExpression, references: tuple[Reference, ...]) -> Evaluate:
    """Return what evaluates an expression as a compiled template."""
    roots = tuple({reference.path[0] for reference in references})

    def evaluate(names: Mapping[str, Any]) -> Any:
        with evaluation_errors():
            value = compiled(lookup_all(names, roots))
            if isinstance(value, Undefined):
                str(value)  # raises, naming what is undefined
                raise CannotEvaluate("the condition is false and there is no 'else'")
            return value

    return evaluate


def compile_condition(source: str) -> Expression:
    """Compile the condition of a step, which may call `always()` and `failure()`; raises as `compile_expression`."""
    return compile_expression(source, CONDITIONS)


def compile_expression(source: str, functions: frozenset[str] = frozenset()) -> Expression:
    """Compile a bare expression, which may call these functions beside those of the language.

    Raises:
        ExpressionError: it has braces around it, makes no sense, or names a filter or test that does not exist.
    """
    _refuse_braces(source)
    if len(source) > _MAX_SOURCE:
        raise ExpressionError(f"an expression has at most {_MAX_SOURCE:,} characters", width=len(source))
    try:
        with compilation_errors(source):
            return (_remembered if len(source) <= _SHORT else _compiled)(source, functions)
    except ExpressionError as error:
        moved = error.moved(-len(_OPEN))
        raise ExpressionError(
            moved.message,
            offset=max(0, min(moved.offset, len(source) - 1)),
            width=min(moved.width, len(source)),
            hint=moved.hint,
        ) from error


@lru_cache(maxsize=1024)
def _remembered(source: str, functions: frozenset[str]) -> Expression:
    """Compile what files repeat, and what is compiled for a check and then for the plan, once. It holds no state."""
    return _compiled(source, functions)


def _refuse_braces(source: str) -> None:
    stripped = source.strip()
    if not stripped:
        raise ExpressionError("the expression is empty", width=max(1, len(source)))
    for brace, end in (("{{", "}}"), ("{%", "%}")):
        if stripped.startswith(brace):
            inner = stripped.removeprefix(brace).removesuffix(end).strip()
            raise ExpressionError(
                "an expression is written without braces",
                offset=source.find(brace),
                width=len(stripped),
                hint=f"write: {inner}",
            )


def _compiled(source: str, functions: frozenset[str]) -> Expression:
    wrapped = f"{_OPEN}{source}{_CLOSE}"
    tree = parse(wrapped)
    _one_expression(tree, source)
    refuse_methods(wrapped, tree)
    refuse_unknown_functions(wrapped, tree, functions)
    refuse_unknown_filters(wrapped, tree)
    wrapped_references = references_of(wrapped, tree)
    refuse_misused_functions(wrapped, parse(wrapped), wrapped_references, functions)
    references = tuple(r.moved(-len(_OPEN)) for r in wrapped_references)
    refuse_bad_constants(wrapped, parse(wrapped))
    by_template = _by_template(environment().compile_expression(source, undefined_to_none=False), references)
    # Lowered from a tree of its own, since the analysis of names folds constants in the one it is given.
    to_lower = _one_expression(parse(wrapped), source)
    lowered = lower(to_lower, by_template)
    if lowered is None:
        return Expression(source, references, by_template)
    return Expression(source, references, lowered, to_lower)


def _one_expression(tree: nodes.Template, source: str) -> nodes.Expr:
    """Return the expression; refuse text such as `a }} b {{ c`, which closes the braces that were put around it."""
    match tree.body:
        case [nodes.Output(nodes=[expression])]:
            return expression
    raise ExpressionError("this is not one expression", offset=len(_OPEN), width=len(source))


def why_not(expression: Expression, names: Mapping[str, Any]) -> str | None:
    """Return why a check fails, in a few words with the values it met; None when it holds."""
    try:
        if expression.evaluate(names):
            return None
    except CannotEvaluate as error:
        return f"{expression.source}: {error}"
    met = values_met(expression, names)
    return f"{expression.source}: {met}" if met else expression.source


def values_met(expression: Expression, names: Mapping[str, Any]) -> str:
    """Return the values that an expression looks at, such as `status was 200`, as far as there are any."""
    met = []
    for path in dict.fromkeys(reference.path for reference in expression.references):
        if path[0] in FUNCTIONS:
            continue
        try:
            value = repr(value_at(path, names))
        except CannotEvaluate:
            continue
        met.append(f"{'.'.join(path)} was {value if len(value) <= 60 else value[:57] + '...'}")
    return ", ".join(met)


def value_at(path: tuple[str, ...], names: Mapping[str, Any]) -> Any:
    """Return the value at a path of lookups.

    Raises:
        CannotEvaluate: there is nothing at the path.
    """
    with evaluation_errors():
        value = lookup(names, path[0])
        for field in path[1:]:
            value = environment().getitem(value, field)
        if isinstance(value, Undefined):
            str(value)
        return value
