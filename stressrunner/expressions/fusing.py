"""Fusing: texts, checks and captures of several expressions become one Python function.

    {"text": "Hello {{ message.token }}", "n": "{{ n }}"}
    lambda names: f'{{"text":{encode(f"Hello {text(names["message"]["token"])}")},"n":{json(names["n"])}}}'

Calls from one function to the next cost more than what most expressions do. As in lowering, what is fused is for the
ordinary: whoever fuses has a slower way beside it, which decides wherever the fused function raises anything, and
which says what is wrong. Where an expression cannot be lowered, nothing is fused (test_fused_forms_agree).
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring

from stressrunner.expressions.environment import to_json, to_text
from stressrunner.expressions.expression import Expression
from stressrunner.expressions.lowering import Evaluate, Lowering, NotLowered

__all__ = ["Encoded", "fuse_judgement", "fuse_text"]


class Encoded(tuple[str | Expression, ...]):
    """The parts of a text that is to be written as JSON."""

    __slots__ = ()


def fuse_text(pieces: Sequence[str | Expression | Encoded]) -> Evaluate | None:
    """Return what joins literal texts and filled placeholders: names to a text, of which the length is not bounded.

    Args:
        pieces: literal texts; expressions, whose value is written as it would be in a text; and `Encoded` ones, which
            are written as JSON.
    """
    lowering = Lowering()
    try:
        joined = ast.JoinedStr([_piece(lowering, piece) for piece in pieces])
        text = lowering.function(joined)
    except NotLowered:
        return None
    return None if lowering.gathers else text


def fuse_judgement(checks: Iterable[Expression], captures: Mapping[str, Expression]) -> Evaluate | None:
    """Return what evaluates captures where checks hold: names to a dictionary, or to None where one does not hold."""
    lowering = Lowering()
    try:
        hold = [_value(lowering, check) for check in checks]
        lowering.gathers = False  # what checks make is looked at and dropped
        values = [_value(lowering, capture) for capture in captures.values()]
        taken: ast.expr = ast.Dict([ast.Constant(name) for name in captures], values)
        if hold:
            true: list[ast.expr] = [ast.Constant(value=True)]  # there must be two
            taken = ast.IfExp(ast.BoolOp(ast.And(), true + hold), taken, ast.Constant(None))
        judgement = lowering.function(taken)
    except NotLowered:
        return None
    return None if lowering.gathers else judgement


def _value(lowering: Lowering, expression: Expression) -> ast.expr:
    if expression.tree is None:
        raise NotLowered
    return lowering.value(expression.tree)


def _piece(lowering: Lowering, piece: str | Expression | Encoded) -> ast.expr:
    if isinstance(piece, str):
        return ast.Constant(piece)
    if isinstance(piece, Expression):
        return _formatted(lowering.called(to_text, _value(lowering, piece)))
    if len(piece) == 1 and isinstance(
        piece[0], Expression
    ):  # a text that is one placeholder keeps its value's type
        return _formatted(lowering.called(to_json, _value(lowering, piece[0])))
    text = ast.JoinedStr([_piece(lowering, part) for part in piece])
    return _formatted(lowering.called(encode_basestring, text))


def _formatted(value: ast.expr) -> ast.expr:
    return ast.FormattedValue(value, -1)
