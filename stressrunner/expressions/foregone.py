"""Conditions that are decided before anything comes: `status == 200 or 404` holds for every response.

What is known of a name is its range, such as a status between 100 and 999, or its kind. From these follow the ranges of
what is computed, and from those what a comparison gives, if that is always the same. Whatever else there is, is open.
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from jinja2 import nodes

from stressrunner.expressions.references import parse, tokens_of

__all__ = ["Foregone", "Number", "Words", "foregone"]


class Number(NamedTuple):
    """What is known of a name that is a number: both bounds are possible."""

    low: float
    high: float
    why: str = ""  #: why it is no higher, for one that is in seconds


class Words(NamedTuple):
    """What is known of a name that is a text."""

    is_empty: bool | None = None


class Foregone(NamedTuple):
    """A condition, or a part of one, that has an answer whatever comes; with its place in the text."""

    message: str
    hint: str
    offset: int
    width: int


@dataclass(frozen=True, slots=True)
class _Constant:
    value: Any


class _Fails:
    """A comparison that cannot be made."""


_FAILS = _Fails()
_Known = Number | Words | _Constant | None
_Truth = bool | _Fails | None
_OPEN = len("{{ ")
_EXAMPLE = "write 'status == 200'"
_BEFORE = re.compile(r"(?:\s+|not(?=[\s(]))*")
_TURNED = {"lt": "gt", "lteq": "gteq", "gt": "lt", "gteq": "lteq", "eq": "eq", "ne": "ne"}
_PYTHON: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
_ORDER = frozenset({"lt", "lteq", "gt", "gteq"})
_SAME_NUMBER = frozenset({"abs", "float", "default", "d"})


def foregone(source: str, known: Mapping[str, Number | Words]) -> Iterator[Foregone]:
    """Yield what in a condition, which can be compiled, is decided beforehand.

    Looked at are the condition as a whole and the parts that `and`, `or` and `not` ask.
    """
    tree = parse(f"{{{{ {source} }}}}")
    match tree.body:
        case [nodes.Output(nodes=[expression])]:
            reader = _Reader(known)
            parts = _parts(expression)
            for part, (start, end) in zip(parts, _places(source, len(parts)), strict=True):
                truth = reader.truth(part)
                if truth is not None:
                    message, hint = reader.words(part, truth, source[start:end])
                    yield Foregone(message, hint, start, end - start)


def _parts(node: nodes.Node) -> list[nodes.Node]:
    """Return what is asked in a condition, in the order of the text."""
    parts = []
    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.And | nodes.Or):
            stack += [node.right, node.left]
        elif isinstance(node, nodes.Not):
            stack.append(node.node)
        else:
            parts.append(node)
    return parts


def _places(source: str, count: int) -> list[tuple[int, int]]:
    """Return where the parts of a condition begin and end; each is the whole where they cannot be told apart."""
    wrapped = f"{{{{ {source} }}}}"
    joints = [
        (token.offset - _OPEN, token.offset - _OPEN + len(token.text))
        for token in tokens_of(wrapped)
        if token.kind == "name" and token.text in ("and", "or")
    ]
    if len(joints) != count - 1:
        return [(0, len(source))] * count
    starts, ends = [0, *(end for _, end in joints)], [*(start for start, _ in joints), len(source)]
    return [_bared(source, start, end) for start, end in zip(starts, ends, strict=True)]


def _bared(source: str, start: int, end: int) -> tuple[int, int]:
    """Return the place of a part without `not` and the brackets that are not its own."""
    while True:
        part = source[start:end]
        leading = _BEFORE.match(part)
        surplus = part.count("(") - part.count(")")
        if leading is not None and leading.end():
            start += leading.end()
        elif part != part.rstrip():
            end -= len(part) - len(part.rstrip())
        elif part.startswith("(") and (surplus > 0 or part.endswith(")")):
            start, end = start + 1, end - (surplus <= 0)
        elif part.endswith(")") and surplus < 0:
            end -= 1
        else:
            return (start, end) if part else (0, len(source))


class _Reader:
    def __init__(self, known: Mapping[str, Number | Words]) -> None:
        self._known = known

    def words(self, node: nodes.Node, truth: bool | _Fails, spelled: str) -> tuple[str, str]:
        """Return what is said of a part that is foregone, and what to write."""
        if isinstance(node, nodes.Compare):
            return self._of_comparison(node, truth)
        always = "true" if truth is True else "false"
        if isinstance(node, nodes.Const):
            quoted = spelled if spelled.startswith(("'", '"')) else f"'{spelled}'"
            is_status = type(node.value) is int and 100 <= node.value <= 599
            return (
                f"{quoted} is always {always}",
                f"write 'status == {node.value}'" if is_status else _EXAMPLE,
            )
        if not isinstance(self.value(node), Number):
            return f"this is always {always}", _EXAMPLE
        if not isinstance(node, nodes.Name):
            return "this is a number, which is always true", _EXAMPLE
        hint = _EXAMPLE if node.name == "status" else f"write '{node.name} < 0.5'"
        return f"'{node.name}' is a number here, which is always true", hint

    def _of_comparison(self, node: nodes.Compare, truth: bool | _Fails) -> tuple[str, str]:
        left, right = self.value(node.expr), self.value(node.ops[0].expr)
        number, other = (left, right) if isinstance(left, Number) else (right, left)
        limit = other.value if isinstance(other, _Constant) else None
        if isinstance(number, Number) and isinstance(limit, str):
            hint = f"write {limit}" if re.fullmatch(r"\d+(\.\d+)?", limit) else ""
            verb = "cannot be compared with" if isinstance(truth, _Fails) else "never equals"
            return f"a number {verb} a text", hint
        always = "always fails" if isinstance(truth, _Fails) else f"is always {str(truth).lower()}"
        if (
            isinstance(number, Number)
            and number.why
            and isinstance(limit, int | float)
            and limit > number.high
        ):
            hint = f"times are in seconds: for {limit:g} ms write {limit / 1000:g}"
            return f"this {always}, since {number.why}", hint
        return f"this {always}", ""

    def truth(self, node: nodes.Node) -> _Truth:
        """Return what a condition gives, if that is always the same."""
        match node:
            case nodes.Compare():
                return self._comparison(node)
            case nodes.Not():
                inner = self.truth(node.node)
                return not inner if isinstance(inner, bool) else inner
            case nodes.And() | nodes.Or():
                both = (self.truth(node.left), self.truth(node.right))
                decides = isinstance(node, nodes.Or)
                if decides in both:
                    return decides
                return both[0] if both[0] is both[1] else None
            case nodes.CondExpr(expr2=nodes.Expr() as otherwise):
                both = (self.truth(node.expr1), self.truth(otherwise))
                return both[0] if both[0] is both[1] else None
            case nodes.List() | nodes.Tuple() | nodes.Dict():
                return bool(node.items)
        known = self.value(node)
        if isinstance(known, _Constant):
            return bool(known.value)
        if isinstance(known, Number):
            return True if known.low > 0 or known.high < 0 else None
        if isinstance(known, Words):
            return None if known.is_empty is None else not known.is_empty
        return None

    def _comparison(self, node: nodes.Compare) -> _Truth:
        answers: list[_Truth] = []
        left = self.value(node.expr)
        for operand in node.ops:
            right = self.value(operand.expr)
            answers.append(_compared(operand.op, left, right))
            left = right
        if any(answer is False for answer in answers):
            return False
        if any(isinstance(answer, _Fails) for answer in answers):
            return _FAILS
        return True if all(answer is True for answer in answers) else None

    def value(self, node: nodes.Node) -> _Known:
        """Return what is known of a value."""
        match node:
            case nodes.Const():
                return _Constant(node.value)
            case nodes.TemplateData():
                return _Constant(node.data)
            case nodes.Name():
                return self._known.get(node.name)
            case nodes.List() | nodes.Tuple():
                items = [self.value(item) for item in node.items]
                values = [item.value for item in items if isinstance(item, _Constant)]
                return _Constant(values) if len(values) == len(items) else None
            case nodes.Neg():
                return _scaled(self.value(node.node), -1)
            case nodes.Mul() | nodes.Div():
                return _product(node, self.value(node.left), self.value(node.right))
            case nodes.Add() | nodes.Sub():
                sign = 1 if isinstance(node, nodes.Add) else -1
                return _sum(_range(self.value(node.left)), _range(_scaled(self.value(node.right), sign)))
            case nodes.Filter(node=nodes.Expr() as subject, name=name) if name in _SAME_NUMBER:
                known = self.value(subject)
                return known if isinstance(known, Number) and (name != "abs" or known.low >= 0) else None
        return None


def _range(known: _Known) -> Number | None:
    if isinstance(known, _Constant) and type(known.value) in (int, float):
        return Number(known.value, known.value)
    return known if isinstance(known, Number) else None


def _scaled(known: _Known, by: float) -> Number | None:
    number = _range(known)
    if number is None:
        return None
    ends = sorted((number.low * by, number.high * by))
    return Number(ends[0], ends[1], number.why)


def _product(node: nodes.Node, left: _Known, right: _Known) -> Number | None:
    if isinstance(right, _Constant) and type(right.value) in (int, float) and right.value:
        return _scaled(left, right.value if isinstance(node, nodes.Mul) else 1 / right.value)
    if isinstance(node, nodes.Mul) and isinstance(left, _Constant) and type(left.value) in (int, float):
        return _scaled(right, left.value) if left.value else None
    return None


def _sum(left: Number | None, right: Number | None) -> Number | None:
    if left is None or right is None:
        return None
    return Number(left.low + right.low, left.high + right.high, left.why or right.why)


def _compared(op: str, left: _Known, right: _Known) -> _Truth:
    """Return what a comparison gives, if that is always the same."""
    if isinstance(left, _Constant) and isinstance(right, _Constant):
        return None if op not in _PYTHON else _of_constants(op, left.value, right.value)
    if op in ("in", "notin"):
        return _contained(left, right, wanted=op == "in")
    if op not in _TURNED:
        return None
    if isinstance(left, _Constant):
        return _compared(_TURNED[op], right, left)
    if not isinstance(right, _Constant):
        return None
    if isinstance(left, Words):
        return None if isinstance(right.value, str) else _of_other_kinds(op)
    if not isinstance(left, Number):
        return None
    if isinstance(right.value, bool) or not isinstance(right.value, int | float):
        return _of_other_kinds(op)
    return _of_numbers(op, left, right.value)


def _of_constants(op: str, left: Any, right: Any) -> _Truth:
    try:
        return bool(_PYTHON[op](left, right))
    except TypeError:
        return _FAILS


def _of_other_kinds(op: str) -> bool | _Fails:
    return _FAILS if op in _ORDER else op == "ne"


def _of_numbers(op: str, number: Number, limit: float) -> bool | None:
    """Compare a range with a limit; a limit that is its highest value is let pass, as it says what the range is."""
    low, high = number.low, number.high
    if limit > high:
        return {"lt": True, "lteq": True, "gt": False, "gteq": False, "eq": False, "ne": True}[op]
    if limit < low:
        return {"lt": False, "lteq": False, "gt": True, "gteq": True, "eq": False, "ne": True}[op]
    return {"lt": False, "gteq": True}.get(op) if limit == low else None


def _contained(left: _Known, right: _Known, *, wanted: bool) -> _Truth:
    if not isinstance(left, Number) or not isinstance(right, _Constant):
        return None
    if isinstance(right.value, str):
        return _FAILS
    if not isinstance(right.value, list):
        return None
    numbers = [v for v in right.value if type(v) in (int, float) and left.low <= v <= min(left.high, inf)]
    return None if numbers else not wanted
