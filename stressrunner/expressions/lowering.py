"""Lowering: a parsed expression becomes a Python function of the names, some fifty times as fast as its template.

A template looks all its names up, builds a context and a generator, and asks the environment for each field. The
lowered form of `status == 200 and body.success` is what one would write by hand:

    lambda names: names["status"] == 200 and names["body"]["success"]

It is written for values that are there and, where they are computed with, small. Where anything goes wrong in it - a
name or field is missing, an operator does not fit, a text is long - the compiled template decides: it knows undefined values, and words what is wrong. So failures are the
same by construction, and what succeeds is held equal by a property (test_lowered_forms_agree). Values that are drawn
before a failure are drawn again by the template; both are functions of the seed.

An expression is lowered as a whole or not at all; the code is built from the parsed tree, node by node.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from keyword import iskeyword
from math import isfinite
from typing import Any

from jinja2 import nodes

from stressrunner.expressions.bounds import MAX_TEXT, weight
from stressrunner.expressions.environment import environment, lookup
from stressrunner.expressions.functions import FUNCTIONS
from stressrunner.expressions.small import add, concat, multiply, remainder, small_filter

__all__ = ["Evaluate", "Lowering", "NotLowered", "lower"]

Evaluate = Callable[[Mapping[str, Any]], Any]

_ARITHMETIC: Mapping[type[nodes.Node], type[ast.operator]] = {
    nodes.Sub: ast.Sub,
    nodes.Div: ast.Div,
    nodes.FloorDiv: ast.FloorDiv,
}
#: Operators that can make much of little.
_GROWING: Mapping[type[nodes.Node], Callable[[Any, Any], Any]] = {
    nodes.Add: add,
    nodes.Mul: multiply,
    nodes.Mod: remainder,
}
_SIGNS: Mapping[type[nodes.Node], type[ast.unaryop]] = {
    nodes.Not: ast.Not,
    nodes.Neg: ast.USub,
    nodes.Pos: ast.UAdd,
}
_COMPARISONS: Mapping[str, type[ast.cmpop]] = {
    "eq": ast.Eq,
    "ne": ast.NotEq,
    "lt": ast.Lt,
    "lteq": ast.LtE,
    "gt": ast.Gt,
    "gteq": ast.GtE,
    "in": ast.In,
    "notin": ast.NotIn,
}
#: Filters that need the value alone and make a value, not an iterator.
_FILTERS = frozenset(
    {
        "abs",
        "capitalize",
        "float",
        "int",
        "lower",
        "round",
        "string",
        "title",
        "trim",
        "upper",
        "wordcount",
    }
)
#: Filters that take no longer for a long value.
_INSTANT = frozenset({"count", "length"})
#: Filters and tests that ask whether something is there.
_ASKING = frozenset({"default", "d", "defined", "undefined"})
#: Tests that ask the environment.
_TESTS_OF_NAMES = frozenset({"filter", "test"})
#: What can be looked into: a literal cannot, since Python warns of `'text'['field']` when it compiles that.
_LOOKED_INTO = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call, nodes.Filter)
_MAX_CALLS = 8  #: of functions in one lowered expression; each may draw a long text


class NotLowered(Exception):
    """An expression holds something that is left to its template."""


class Lowering:
    """Writes the code of one function, of one expression or of several."""

    def __init__(self) -> None:
        self._functions: dict[str, Any] = {}  # what the code calls, by the name that it has there
        self._calls = 0
        self.gathers = False  #: a list or mapping is made of values, which together may be too many

    def function(self, value: ast.expr) -> Evaluate:
        """Return the function of the names that gives a value, of which the code has been written here.

        Raises:
            NotLowered: it would draw too much.
        """
        if self._calls > _MAX_CALLS:
            raise NotLowered
        parameters = ast.arguments([], [ast.arg("names")], None, [], [], None, [])
        tree = ast.fix_missing_locations(ast.Expression(ast.Lambda(parameters, value)))
        code = compile(tree, "<expression>", "eval")
        made: Evaluate = eval(code, {"__builtins__": {}, **self._functions})  # noqa: S307  made here, of known nodes
        return made

    def called(self, function: Callable[..., Any], *arguments: ast.expr) -> ast.expr:
        """Return the code of a call with values of which the code has been written here."""
        return ast.Call(self._bound(function), [*arguments], [])

    def value(self, node: nodes.Node) -> ast.expr:
        """Return the code of a value that is there; raises NotLowered."""
        match node:
            case nodes.Const():
                return _constant(node.value)
            case nodes.Name():
                return ast.Subscript(_names(), _outer_name(node), ast.Load())
            case nodes.Getattr():
                return ast.Subscript(self._looked_into(node), ast.Constant(node.attr), ast.Load())
            case nodes.Getitem():
                return ast.Subscript(self._looked_into(node), self._key(node.arg), ast.Load())
            case nodes.Compare():
                operators = [_COMPARISONS[operand.op]() for operand in node.ops]
                return ast.Compare(self.value(node.expr), operators, self._values(o.expr for o in node.ops))
        return self._operation(node)

    def _operation(self, node: nodes.Node) -> ast.expr:
        match node:
            case nodes.And():
                return ast.BoolOp(ast.And(), [self.value(node.left), self.value(node.right)])
            case nodes.Or():
                return ast.BoolOp(ast.Or(), [self.value(node.left), self.value(node.right)])
            case nodes.BinExpr():
                return self._arithmetic(node)
            case nodes.UnaryExpr() if type(node) in _SIGNS:
                return ast.UnaryOp(_SIGNS[type(node)](), self.value(node.node))
            case nodes.CondExpr() if node.expr2 is not None:
                return ast.IfExp(self.value(node.test), self.value(node.expr1), self.value(node.expr2))
            case nodes.Concat():
                return self.called(concat, *self._values(node.nodes))
            case nodes.List():
                return ast.List(self._gathered(node.items), ast.Load())
            case nodes.Tuple():
                return ast.Tuple(self._gathered(node.items), ast.Load())
            case nodes.Dict():
                keys = self._values(pair.key for pair in node.items)
                return ast.Dict([*keys], self._gathered([pair.value for pair in node.items]))
        return self._call(node)

    def _arithmetic(self, node: nodes.BinExpr) -> ast.expr:
        if type(node) in _GROWING:
            return self.called(_GROWING[type(node)], self.value(node.left), self.value(node.right))
        if type(node) in _ARITHMETIC:
            return ast.BinOp(self.value(node.left), _ARITHMETIC[type(node)](), self.value(node.right))
        raise NotLowered

    def _call(self, node: nodes.Node) -> ast.expr:
        match node:
            case nodes.Call(node=nodes.Name(name=name) as function) if name in FUNCTIONS:
                self._calls += 1
                return self._called(self.value(function), [], node)
            case nodes.Filter(node=nodes.Expr() as subject, name=name) if name in _INSTANT:
                return self._called(
                    self._bound(environment().plain_filters[name]), [self.value(subject)], node
                )
            case nodes.Filter(node=nodes.Expr() as subject, name=name) if name in _FILTERS:
                bounded = small_filter(environment().plain_filters[name])
                return self._called(self._bound(bounded), [self.value(subject)], node)
            case nodes.Filter(node=nodes.Expr() as subject, name=name) if name in _ASKING:
                return self._called(
                    self._bound(environment().plain_filters[name]), [self._asked(subject)], node
                )
            case nodes.Test(node=subject, name=name) if name not in _TESTS_OF_NAMES:
                operand = self._asked(subject) if name in _ASKING else self.value(subject)
                return self._called(self._bound(environment().plain_tests[name]), [operand], node)
        raise NotLowered

    def _called(
        self, function: ast.expr, first: list[ast.expr], node: nodes.Call | nodes.Filter | nodes.Test
    ) -> ast.expr:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise NotLowered
        named = [ast.keyword(str(given.key), self.value(given.value)) for given in node.kwargs]
        if any(iskeyword(str(given.arg)) for given in named):
            raise NotLowered  # Python has no call such as `now(None=1)`
        return ast.Call(function, first + self._values(node.args), named)

    def _asked(self, node: nodes.Node) -> ast.expr:
        """Return the code of what is asked for: a value, or an undefined value where it is missing."""
        match node:
            case nodes.Name():
                return self.called(lookup, _names(), _outer_name(node))
            case nodes.Getattr():
                return self.called(environment().getitem, self.value(node.node), ast.Constant(node.attr))
            case nodes.Getitem() if not isinstance(node.arg, nodes.Slice):
                return self.called(environment().getitem, self.value(node.node), self.value(node.arg))
        return self.value(node)

    def _looked_into(self, node: nodes.Getattr | nodes.Getitem) -> ast.expr:
        if not isinstance(node.node, _LOOKED_INTO):
            raise NotLowered
        return self.value(node.node)

    def _key(self, node: nodes.Expr) -> ast.expr:
        if not isinstance(node, nodes.Slice):
            return self.value(node)
        bounds = [None if n is None else self.value(n) for n in (node.start, node.stop, node.step)]
        return ast.Slice(*bounds)

    def _values(self, several: Iterable[nodes.Node]) -> list[ast.expr]:
        return [self.value(node) for node in several]

    def _gathered(self, several: list[nodes.Expr]) -> list[ast.expr]:
        self.gathers = self.gathers or not all(isinstance(node, nodes.Const) for node in several)
        return self._values(several)

    def _bound(self, function: Any) -> ast.expr:
        name = f"f{len(self._functions)}"
        self._functions[name] = function
        return ast.Name(name, ast.Load())


def _names() -> ast.expr:
    return ast.Name("names", ast.Load())


def _constant(value: Any) -> ast.expr:
    if isinstance(value, float) and not isfinite(value):
        raise NotLowered  # `1e999`, which a template does not know either
    return ast.Constant(value)


def _outer_name(node: nodes.Name) -> ast.expr:
    if node.name == "self" or node.name in environment().globals:
        raise NotLowered  # these are Jinja2's own
    return ast.Constant(node.name)


def lower(expression: nodes.Node, otherwise: Evaluate) -> Evaluate | None:
    """Return a function of the names that evaluates an expression; None when the expression cannot be lowered.

    `otherwise` is the compiled template, which is asked where the lowered form fails.
    """
    lowering = Lowering()
    try:
        lowered = lowering.function(lowering.value(expression))
    except NotLowered:
        return None
    gathers = lowering.gathers

    def evaluate(names: Mapping[str, Any]) -> Any:
        try:
            value = lowered(names)
        except Exception:  # noqa: BLE001  whatever failed, the template tells what and why
            return otherwise(names)
        return otherwise(names) if gathers and weight(value) > MAX_TEXT else value

    return evaluate
