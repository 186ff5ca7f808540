"""Bare expressions: `status == 200 and body.success`."""

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import TemplateError, Undefined, nodes
from jinja2.environment import TemplateExpression

from stressrunner.expressions.calls import refuse_methods, refuse_unknown_filters, refuse_unknown_functions
from stressrunner.expressions.environment import environment, evaluation_errors
from stressrunner.expressions.functions import FUNCTIONS
from stressrunner.expressions.problem import CannotEvaluate, ExpressionError
from stressrunner.expressions.references import Reference, parse, references_of

__all__ = ["Expression", "compile_expression"]

_OPEN, _CLOSE = "{{ ", " }}"


class Expression:
    """A compiled expression."""

    __slots__ = ("_compiled", "_roots", "references", "source")

    def __init__(self, source: str, references: tuple[Reference, ...], compiled: TemplateExpression) -> None:
        self.source = source
        self.references = references
        self._compiled = compiled
        self._roots = tuple({reference.path[0] for reference in references})

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """Return the value of the expression.

        Raises:
            CannotEvaluate: a name or field is missing, or an operator does not fit its values.
        """
        with evaluation_errors():
            value = self._compiled({root: names[root] for root in self._roots if root in names})
            if isinstance(value, Undefined):
                str(value)  # raises, naming what is undefined
                raise CannotEvaluate("the condition is false and there is no 'else'")
            # Filters such as map and select yield their items once; a value can be looked at more often.
            return list(value) if isinstance(value, Iterator) else value

    def holds(self, names: Mapping[str, Any]) -> bool:
        """Return whether the expression is true as a condition; raises CannotEvaluate as `evaluate` does."""
        value = self.evaluate(names)
        with evaluation_errors():
            return bool(value)


def compile_expression(source: str) -> Expression:
    """Compile a bare expression.

    Raises:
        ExpressionError: it has braces around it, makes no sense, or names a filter or test that does not exist.
    """
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
    wrapped = f"{_OPEN}{source}{_CLOSE}"
    try:
        tree = parse(wrapped)
        _one_expression(tree, source)
        refuse_methods(wrapped, tree)
        refuse_unknown_functions(wrapped, tree)
        refuse_unknown_filters(wrapped, tree)
        references = tuple(r.moved(-len(_OPEN)) for r in references_of(wrapped, tree))
        compiled = environment().compile_expression(source, undefined_to_none=False)
    except ExpressionError as error:
        moved = error.moved(-len(_OPEN))
        raise ExpressionError(
            moved.message,
            offset=max(0, min(moved.offset, len(source) - 1)),
            width=min(moved.width, len(source)),
            hint=moved.hint,
        ) from error
    except TemplateError as error:
        raise ExpressionError(str(error.message), width=len(source)) from error
    return Expression(source, references, compiled)


def _one_expression(tree: nodes.Template, source: str) -> None:
    """Refuse text such as `a }} b {{ c`, which closes the braces that were put around it."""
    body = tree.body
    if len(body) != 1 or not isinstance(body[0], nodes.Output) or len(body[0].nodes) != 1:
        raise ExpressionError("this is not one expression", offset=len(_OPEN), width=len(source))


def why_not(expression: Expression, names: Mapping[str, Any]) -> str | None:
    """Return why a check fails, in a few words with the values it met; None when it holds."""
    try:
        if expression.holds(names):
            return None
    except CannotEvaluate as error:
        return f"{expression.source}: {error}"
    met = []
    for path in dict.fromkeys(reference.path for reference in expression.references):
        if path[0] in FUNCTIONS:
            continue
        try:
            value = repr(value_at(path, names))
        except CannotEvaluate:
            continue
        met.append(f"{'.'.join(path)} was {value if len(value) <= 60 else value[:57] + '...'}")
    return f"{expression.source}: {', '.join(met)}" if met else expression.source


def value_at(path: tuple[str, ...], names: Mapping[str, Any]) -> Any:
    """Return the value at a path of lookups.

    Raises:
        CannotEvaluate: there is nothing at the path.
    """
    with evaluation_errors():
        if path[0] not in names:
            raise CannotEvaluate(f"{path[0]!r} is undefined")
        value = names[path[0]]
        for field in path[1:]:
            value = environment().getitem(value, field)
        if isinstance(value, Undefined):
            str(value)
        return value
