"""Decoded JSON that may have any shape: what should be a mapping, a list or a text is one."""

from collections.abc import Mapping
from typing import Any

__all__ = ["mapping", "sequence", "text_of"]


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a value that should be a mapping; an empty one where it is not."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """Return a value that should be a list; an empty one where it is not."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Return a value that should be a text; an empty one where it is not."""
    return value if isinstance(value, str) else ""
