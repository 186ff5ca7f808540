"""What the texts of a request name: above all, whether one has the token that tells its message from all others."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from typing import Any

from stressrunner.expressions import ExpressionError, compile_template

__all__ = ["names_in", "renders_token", "texts_in"]

_TOKEN = ("message", "token")


def renders_token(value: Any) -> bool:
    """Return whether a text somewhere in a value, such as a body, has a placeholder for `message.token`."""
    return _TOKEN in names_in(value)


def names_in(value: Any) -> frozenset[tuple[str, ...]]:
    """Return what the placeholders of all texts in a value name, to the depth of one field: (message, token), (page,).

    A text that makes no sense names nothing: what is wrong with it is said elsewhere.
    """
    found: set[tuple[str, ...]] = set()
    for text in texts_in(value):
        with suppress(ExpressionError):
            if "{" in text:
                found |= {r.path[:2] for r in compile_template(text, statements=True).references}
    return frozenset(found)


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in a value that may be nested."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner)
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts_in(getattr(value, field.name))
