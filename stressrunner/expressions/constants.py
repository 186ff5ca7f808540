"""Constants that cannot be: `'x' * 10**9` and `1 / 0` are told when a scenario is checked, not when it runs."""

from collections.abc import Iterator

from jinja2 import nodes

from stressrunner.expressions.bounds import EvaluationBudget, OutOfBudget, TooLong
from stressrunner.expressions.environment import environment, evaluation_errors
from stressrunner.expressions.filters import BoundedContext
from stressrunner.expressions.functions import FUNCTIONS, Draws
from stressrunner.expressions.problem import CannotEvaluate, ExpressionError, TooSlow

__all__ = ["refuse_bad_constants"]

#: What computes something, and so can fail.
_COMPUTING = (
    *(nodes.BinExpr, nodes.UnaryExpr, nodes.Concat, nodes.Filter, nodes.Compare, nodes.Call),
    *(nodes.Getitem, nodes.Getattr, nodes.Name),
)
_TRIAL = 20_000  #: work that a constant may take when it is tried; one that takes more is told when it runs


def refuse_bad_constants(source: str, tree: nodes.Template) -> None:
    """Refuse what is too long, or fails, whatever the names are; the tree is not to be used afterwards.

    Raises:
        ExpressionError: at the whole text, since the parts of a parsed tree do not know their places.
    """
    for constant, is_written in _constants(tree):
        try:
            with evaluation_errors():
                _try(constant, is_written=is_written)
        except (OutOfBudget, TooSlow):
            continue
        except TooLong as error:
            raise ExpressionError(str(error), width=len(source)) from error
        except CannotEvaluate as error:
            raise ExpressionError(f"this fails whatever comes: {error}", width=len(source)) from error


def _constants(node: nodes.Node) -> Iterator[tuple[nodes.Expr, bool]]:
    """Yield the greatest expressions below a node that compute something from constants, and whether each is written."""
    for child in node.iter_child_nodes():
        if not isinstance(child, nodes.Expr) or not _is_constant(child):
            yield from _constants(child)
        elif any(isinstance(part, _COMPUTING) for part in _with_parts(child)):
            yield child, isinstance(node, nodes.Output)


def _is_constant(node: nodes.Expr) -> bool:
    """Return whether an expression has no names in it, and is no filter of a block.

    A function may be called, but nothing may depend on what it gives, which is another value each time.
    """
    called = node.node if isinstance(node, nodes.Call) else None
    for part in _with_parts(node):
        if isinstance(part, nodes.Name) and part.name not in environment().globals:
            if part is called and part.name in FUNCTIONS:
                continue
            return False
        if isinstance(part, nodes.Filter) and part.node is None:
            return False
    return True


def _with_parts(node: nodes.Node) -> Iterator[nodes.Node]:
    pending = [node]  # not by `find_all`, which hands each node up through every level above it
    while pending:
        pending.extend((part := pending.pop()).iter_child_nodes())
        yield part


def _try(constant: nodes.Expr, *, is_written: bool) -> None:
    """Evaluate a constant, or begin to; what is written must be a value, and none that is undefined."""
    statement: nodes.Stmt = nodes.Assign(nodes.Name("result", "store"), constant, lineno=1)
    if is_written:
        statement = nodes.Output([constant], lineno=1)
    template = environment().from_string(nodes.Template([statement], lineno=1))
    draws = Draws(0, 0, "constants")
    context = template.new_context({name: draws.function(name) for name in FUNCTIONS})
    if isinstance(context, BoundedContext):
        context.budget = EvaluationBudget(_TRIAL)
    for _ in template.root_render_func(context):
        pass
