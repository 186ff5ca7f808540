"""JSON with holes: what has no hole is encoded once, so that a request costs its holes alone."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from stressrunner.expressions.bounds import Piece, filled
from stressrunner.expressions.environment import evaluation_errors, to_json
from stressrunner.expressions.lowering import Evaluate
from stressrunner.expressions.template import compile_template

__all__ = ["compile_json"]


def compile_json(value: Any) -> Callable[[Mapping[str, Any]], bytes]:
    """Return what encodes a decoded value, its holes filled: names to JSON in UTF-8 without needless blanks.

    Only texts have holes, keys are taken as they are. The result is what encoding the rendered tree would give
    (test_pieces_make_the_whole); it raises CannotEvaluate where a hole cannot be filled, or with nothing that JSON
    can write.

    Raises:
        ExpressionError: a text in it makes no sense.
    """
    pieces: list[Piece] = []
    for is_text, run in groupby(_pieces(value), lambda piece: isinstance(piece, str)):
        if is_text:
            pieces.append("".join(map(str, run)))
        else:
            pieces.extend(run)

    def encode(names: Mapping[str, Any]) -> bytes:
        try:
            return filled(pieces, names).encode()
        except Exception:
            with evaluation_errors():
                raise

    return encode


def _pieces(value: Any) -> Iterator[Piece]:
    if isinstance(value, str):
        template = compile_template(value)
        yield to_json(value) if template.is_constant else _encoded(template.render)
    elif isinstance(value, Mapping):
        yield "{"
        for i, (key, inner) in enumerate(value.items()):
            yield (
                "," * (i > 0) + to_json({key: 0})[1:-2]
            )  # `"key":`, whatever JSON makes of a key that is no text
            yield from _pieces(inner)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for i, inner in enumerate(value):
            yield "," * (i > 0)
            yield from _pieces(inner)
        yield "]"
    else:
        yield to_json(value)


def _encoded(render: Evaluate) -> Callable[[Mapping[str, Any]], str]:
    return lambda names: to_json(render(names))
