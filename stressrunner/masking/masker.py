"""The Masker: secrets replaced wherever they stand as a whole, in every form in which they travel.

A value given by `${secret:NAME}` is replaced as it is, URL-encoded, escaped for JSON or HTML, in hexadecimal, in base64
at any of the three alignments that it can have inside longer encoded text, and in what comes of up to three of these one
within the other: a URL in a parameter of a URL, JSON in a string of JSON. Escapes are undone, since a text can mix them
as it likes; base64 and hexadecimal are looked for as they are written, since what surrounds them does not tell where they
begin. What is left of a secret where a text was cut short goes too.
"""

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stressrunner.masking.encodings import TELLING, encoded, escaped
from stressrunner.masking.escapes import UnescapedText, readings

__all__ = ["MASK", "Masker"]

MASK = "***"

#: Credentials that are learned while a run lasts; each makes every text slower to mask.
_MOST_LEARNED = 40
#: Where a text was cut short, at its end or where an ellipsis says so, with what is left of an escape there.
_CUT = re.compile(r"(?:%[0-9a-f]?|\\(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?|&[#a-z0-9]{0,8})?(?=\.\.\.|…|\Z)")


def _folded(text: str) -> str:
    """Return a text in lower case and with blanks for the `+` of forms, of the same length."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := each.lower()) == 1 else each for each in text)
    return lowered.replace("+", " ")


def _replaced(text: str, places: Sequence[tuple[int, int]]) -> str:
    """Return a text with a mask in the place of parts of it, one for those that overlap; they are in order."""
    parts: list[str] = []
    at = masked = 0
    for start, end in places:
        if start >= masked:
            parts += (text[at:start], MASK)
        at = masked = max(masked, end)
    return "".join([*parts, text[at:]])


class Masker:
    """Replaces secrets by `***` in text and in decoded JSON; without secrets it changes nothing."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)
        self._learned: deque[str] = deque(maxlen=_MOST_LEARNED)
        self._below: Masker | None = None  # that masks what this one leaves
        self._seek()

    def learn(self, credentials: Iterable[str]) -> None:
        """Mask these too from now on, as access tokens are that a run has fetched; the latest 40 are known."""
        new = [text for text in credentials if len(text) >= TELLING and text not in self._learned]
        if new:
            self._learned.extend(new)
            self._seek()

    def plus(self, credentials: Iterable[str]) -> "Masker":
        """Return a masker of these too, which leaves all others to this one."""
        more = tuple(text for text in credentials if len(text) >= TELLING)
        if not more:
            return self
        masker = Masker(more)
        masker._below = self
        return masker

    def _seek(self) -> None:
        secrets = (*self._secrets, *self._learned)
        plain = {_folded(form) for secret in secrets for form in escaped(secret)}
        forms = plain | {_folded(form) for secret in secrets for form in encoded(secret)}
        self._forms = sorted(forms, key=len)
        self._lengths = [len(form) for form in self._forms]
        self._cuttable = [form for form in plain if len(form) > TELLING]
        heads = sorted({form[:TELLING] for form in self._cuttable})
        self._heads = re.compile(f"(?={'|'.join(map(re.escape, heads))})") if heads else None

    def text(self, text: str) -> str:
        """Return the text with every secret replaced."""
        if self._forms:
            places = sorted(place for reading in readings(text) for place in self._places(reading))
            text = _replaced(text, places)
        return text if self._below is None else self._below.text(text)

    def _places(self, reading: UnescapedText) -> Iterator[tuple[int, int]]:
        """Yield where secrets, and beginnings of them, stand in the text that something was read from."""
        folded = _folded(reading.text)
        for form in self._forms[: bisect_right(self._lengths, len(folded))]:
            at = folded.find(form)
            while at >= 0:
                yield reading.origin(at, at + len(form))
                at = folded.find(form, at + len(form))
        for start, end in self._stumps(folded):
            yield reading.origin(start, end)

    def _stumps(self, folded: str) -> Iterator[tuple[int, int]]:
        """Yield the beginnings of secrets that were cut off, of six characters or more."""
        if self._heads is None:
            return
        longest = max(map(len, self._cuttable))
        at = 0
        for cut in _CUT.finditer(folded):
            for head in self._heads.finditer(folded, max(at, cut.start() - longest), cut.start()):
                stump = folded[head.start() : cut.start()]
                if any(form.startswith(stump) for form in self._cuttable):
                    yield head.start(), cut.end()
                    at = cut.end()
                    break

    def value(self, value: Any) -> Any:
        """Return decoded JSON with every secret replaced, in keys too."""
        if not self._forms and self._below is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(inner) for inner in value]
        return value
