"""Metering: what a template does without calling a filter or an operator is counted too.

Jinja2 lets an environment answer for its operators, filters and calls. Comparisons, literals, slices, loops, macros
and literal text are none of those, and can take for ever as well: a list of the list before, twice, forty times over.
So the parsed tree is rewritten: their operands go through filters that no scenario can name.
"""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.visitor import NodeTransformer

from stressrunner.expressions.bounds import check_length, weight
from stressrunner.expressions.filters import BoundedContext

__all__ = ["METERS", "metered"]

_WEIGHED, _JOINED, _SPENT = "(weighed)", "(joined)", "(spent)"


@pass_context
def _weighed(context: BoundedContext, value: Any) -> Any:
    """Return a value, of which all is looked at or copied."""
    return context.checked(value, "this value")


@pass_context
def _joined(context: BoundedContext, *values: Any) -> str:
    """Return what `~` makes of its operands."""
    length = 0
    for value in values:
        length += weight(value)
        check_length(length, "the result of '~'")
    context.budget.spend(length)
    text = "".join(map(str, values))
    check_length(len(text), "the result of '~'")
    return text


@pass_context
def _spent(context: BoundedContext, steps: int) -> bool:
    """Return true once so many steps are paid for."""
    context.budget.spend(steps)
    return True


#: The filters that a rewritten tree calls.
METERS: Mapping[str, Callable[..., Any]] = {_WEIGHED: _weighed, _JOINED: _joined, _SPENT: _spent}


def metered(tree: nodes.Template) -> nodes.Template:
    """Return a parsed template, rewritten in place, that pays for what it does."""
    _Meter().visit(tree)
    return tree


def _filtered(name: str, node: nodes.Expr | None, *others: nodes.Expr, like: nodes.Node) -> nodes.Filter:
    where = {"lineno": like.lineno, "environment": like.environment}
    return nodes.Filter(node, name, list(others), [], None, None, **where)


def _weighing(node: nodes.Expr) -> nodes.Filter:
    return _filtered(_WEIGHED, node, like=node)


def _payment(node: nodes.Node) -> nodes.Filter:
    """Return what pays for one pass through all that is below a node."""
    steps = sum(1 for _ in node.find_all(nodes.Node))
    return _filtered(_SPENT, nodes.Const(steps, lineno=node.lineno), like=node)


class _Meter(NodeTransformer):
    """Rewrites from the leaves up."""

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Rewrite what is below a node, and then the node."""
        super().generic_visit(node, *args, **kwargs)
        return _expression(node) if isinstance(node, nodes.Expr) else _statement(node)


def _expression(node: nodes.Expr) -> nodes.Expr:
    match node:
        case nodes.List() | nodes.Dict() | nodes.Tuple(ctx="load") | nodes.Getitem(arg=nodes.Slice()):
            return _weighing(node)
        case nodes.Concat(nodes=[first, *others]):
            return _filtered(_JOINED, first, *others, like=node)
        case nodes.Compare():
            node.expr = _weighing(node.expr)
            for operand in node.ops:
                operand.expr = _weighing(operand.expr)
    return node


def _statement(node: nodes.Node) -> nodes.Node:
    where = {"lineno": node.lineno, "environment": node.environment}
    match node:
        case nodes.Output():
            node.nodes = [_as_value(part) for part in node.nodes]
        case nodes.For() | nodes.Macro() | nodes.CallBlock():
            payment = _payment(node)
            if isinstance(node, nodes.For) and node.test is not None:
                node.test = nodes.And(payment, node.test, **where)  # for the items that are left out, too
            node.body = [nodes.ExprStmt(payment, **where), *node.body]
        case nodes.AssignBlock(filter=None):
            node.filter = _filtered(_WEIGHED, None, like=node)
    return node


def _as_value(part: nodes.Expr) -> nodes.Expr:
    """Return literal text as a value, so that it is written - and counted - as all values are."""
    if not isinstance(part, nodes.TemplateData):
        return part
    where = {"lineno": part.lineno, "environment": part.environment}
    return nodes.MarkSafeIfAutoescape(nodes.Const(part.data, **where), **where)
