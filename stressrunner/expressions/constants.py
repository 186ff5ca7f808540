"""Constants that would be too long: `'x' * 10**9` is told when a scenario is checked, not when it runs."""

from collections.abc import Iterator

from jinja2 import nodes

from stressrunner.expressions.bounds import Budget, TooLong
from stressrunner.expressions.environment import environment
from stressrunner.expressions.filters import BoundedContext
from stressrunner.expressions.problem import ExpressionError

__all__ = ["refuse_long_constants"]

_TRIAL = 20_000  #: work that a constant may take when it is tried; one that takes more is told when it runs


def refuse_long_constants(source: str, tree: nodes.Template) -> None:
    """Refuse what is too long whatever the names are; the tree is not to be used afterwards.

    Raises:
        ExpressionError: at the whole text, since the parts of a parsed tree do not know their places.
    """
    for constant in _constants(tree):
        try:
            _try(constant)
        except TooLong as error:
            raise ExpressionError(str(error), width=len(source)) from error
        except Exception:  # noqa: BLE001, S112  `1 / 0` may never be reached: it is told when it is
            continue


def _constants(node: nodes.Node) -> Iterator[nodes.Expr]:
    """Yield the greatest expressions below a node that compute something from constants."""
    for child in node.iter_child_nodes():
        if not isinstance(child, nodes.Expr) or not _is_constant(child):
            yield from _constants(child)
        elif any(
            isinstance(part, nodes.BinExpr | nodes.Concat | nodes.Filter) for part in _with_parts(child)
        ):
            yield child


def _is_constant(node: nodes.Expr) -> bool:
    """Return whether an expression has no names in it, and is no filter of a block."""
    for part in _with_parts(node):
        if isinstance(part, nodes.Name) and part.name not in environment().globals:
            return False
        if isinstance(part, nodes.Filter) and part.node is None:
            return False
    return True


def _with_parts(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Node)


def _try(constant: nodes.Expr) -> None:
    """Evaluate a constant, or begin to."""
    assignment = nodes.Assign(nodes.Name("result", "store"), constant, lineno=1)
    template = environment().from_string(nodes.Template([assignment], lineno=1))
    context = template.new_context()
    if isinstance(context, BoundedContext):
        context.budget = Budget(_TRIAL)
    for _ in template.root_render_func(context):
        pass
