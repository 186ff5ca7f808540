"""JSON with placeholders: what has no placeholder is encoded once, so that a request costs its placeholders alone."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from stressrunner.expressions.bounds import Piece
from stressrunner.expressions.environment import evaluation_errors, to_json
from stressrunner.expressions.fusing import Encoded, fuse_text
from stressrunner.expressions.template import Template, compile_template, join_pieces

__all__ = ["compile_json"]


def compile_json(value: Any) -> Callable[[Mapping[str, Any]], bytes]:
    """Return what encodes a decoded value, its placeholders filled: names to JSON in UTF-8 without needless blanks.

    Only texts have placeholders, keys are taken as they are. The result is what encoding the rendered tree would give
    (test_pieces_make_the_whole); it raises CannotEvaluate where a placeholder cannot be filled, or with nothing that JSON
    can write.

    Raises:
        ExpressionError: a text in it makes no sense.
    """
    pieces: list[str | Template] = []
    for is_text, run in groupby(_pieces(value), lambda piece: isinstance(piece, str)):
        if is_text:
            pieces.append("".join(map(str, run)))
        else:
            pieces.extend(run)
    parts = [piece if isinstance(piece, str) else Encoded(piece.parts) for piece in pieces]
    one_by_one = [piece if isinstance(piece, str) else _encoded(piece) for piece in pieces]
    text = join_pieces(one_by_one, lambda: fuse_text(parts))

    def encode(names: Mapping[str, Any]) -> bytes:
        try:
            return text(names).encode()
        except UnicodeEncodeError:
            with evaluation_errors():
                raise

    return encode


def _pieces(value: Any) -> Iterator[str | Template]:
    if isinstance(value, str):
        template = compile_template(value)
        yield to_json(value) if template.is_constant else template
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


def _encoded(template: Template) -> Piece:
    return lambda names: to_json(template.render(names))
