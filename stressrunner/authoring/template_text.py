"""Foreign text as template text: what the language would read as a placeholder is written so that it stays text.

Importers mark the placeholders that they mean with `marked`, in characters of the private use area that `unmarked` takes out
of everything read. So a text with placeholders travels as a plain string through URL and JSON parsers, and everything
between the marks is escaped once, at the end, by `template_text`.
"""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["has_marks", "is_constant", "marked", "split_marks", "template_text", "template_value", "unmarked"]

_OPEN, _CLOSE = "\ue000", "\ue001"
_MARKED = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_BRACES = re.compile(r"\{\{+|\{(?=[%#])")
_BRACES_BEFORE_HOLE = re.compile(r"\{\{+|\{(?=[%#])|\{\Z")


def unmarked(text: str) -> str:
    """Return a text that was read, without the characters that marks are made of."""
    return text.replace(_OPEN, "").replace(_CLOSE, "")


def marked(placeholder: str) -> str:
    """Return a placeholder such as `{{ uuid() }}` or `${secret:KEY}` so that `template_text` leaves it alone.

    The placeholder may have none of `& = + % #` in it, because it passes through URL parsers.
    """
    return f"{_OPEN}{placeholder}{_CLOSE}"


def has_marks(text: str) -> bool:
    """Whether there is a marked placeholder in a text."""
    return _OPEN in text


def split_marks(text: str) -> list[tuple[str, str]]:
    """Return a text as pairs of a literal part and the placeholder behind it; the last placeholder is empty."""
    pieces = _MARKED.split(text)
    return list(zip(pieces[::2], [*pieces[1::2], ""], strict=True))


def template_text(text: str) -> str:
    """Return a text, marked placeholders and all, as the language writes it: `{{`, `{%`, `{#` and `${` stay text."""
    return "".join(_literal(literal, placeholder) + placeholder for literal, placeholder in split_marks(text))


def _literal(text: str, placeholder: str) -> str:
    pattern = _BRACES_BEFORE_HOLE if placeholder else _BRACES
    escaped = pattern.sub(lambda braces: f"{{{{ '{braces[0]}' }}}}", text)
    if placeholder and escaped.endswith("$"):
        escaped = escaped[:-1] + "{{ '$' }}"  # `$` and a placeholder behind it would be another placeholder
    return escaped.replace("${", "$${")


def is_constant(text: str) -> bool:
    """Whether a text, as the language writes it, has nothing that is filled for every request."""
    return "{{" not in template_text(text)


def template_value(value: Any) -> Any:
    """Return decoded JSON with every text in it as the language writes it; keys are no templates."""
    if isinstance(value, str):
        return template_text(value)
    if isinstance(value, Mapping):
        return {key: template_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [template_value(inner) for inner in value]
    return value
