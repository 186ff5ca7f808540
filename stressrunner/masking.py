"""Secrets never leave: one Masker that every output goes through.

A value given by `${secret:NAME}` is replaced wherever it stands as a whole: as it is, URL-encoded, JSON-escaped,
HTML-escaped, or base64-encoded at any of the three alignments that it can have inside longer encoded text.
"""

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["MASK", "Masker"]

MASK = "***"


def _base64_forms(secret: bytes) -> set[str]:
    """Return what `secret` looks like inside base64, for each of the three places it can begin in a group.

    The characters at either end also encode bits of the neighbours, which are unknown, so they are cut.
    """
    forms = set()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + secret).decode("ascii").rstrip("=")
        first = (offset * 8 + 5) // 6
        last = (offset + len(secret)) * 8 // 6
        core = text[first:last]
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return forms


def _forms(secret: str) -> set[str]:
    encoded = json.dumps(secret)[1:-1]
    forms = {
        secret,
        encoded,
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        html.escape(encoded),
        urllib.parse.quote(secret, safe=""),
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
    }
    # Only what is left long enough is searched for: a few base64 characters occur by chance.
    return forms | {form for form in _base64_forms(secret.encode()) if len(form) >= 6}


class Masker:
    """Replaces secrets by `***` in text and in decoded JSON; without secrets it changes nothing."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        # The longest first, so that a secret that contains another one disappears as a whole.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None

    def text(self, text: str) -> str:
        """Return the text with every secret replaced."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        """Return decoded JSON with every secret replaced, in keys too."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value
