"""What someone may have meant by a word that is not among those known, and how text from elsewhere is shown."""

import re
from collections.abc import Iterable
from itertools import islice

__all__ = ["closest", "did_you_mean", "printable", "spreadsheet_cell", "visible"]

#: Control characters but line breaks and tabs, those that turn the direction of a text, and halves of characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Comparing costs the product of the lengths, and a hostile file has words and names as many and as long as it likes.
_LONGEST_WORD = 80
_MOST_KNOWN = 1_000


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of the known words that a word is closest to, or None when none is close.

    Words longer than anyone types are close to none, and no more than the first thousand known are looked at.
    """
    from difflib import get_close_matches  # noqa: PLC0415  only who made a mistake waits for it

    if len(word) > _LONGEST_WORD:
        return None
    return next(iter(get_close_matches(word, list(islice(known, _MOST_KNOWN)), n=1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean 'x'?` with the closest of the known words, or nothing when none is close."""
    meant = closest(word, known)
    return "" if meant is None else f"did you mean '{meant}'?"


def printable(text: str) -> str:
    """Return text on one line that a terminal shows as it is: control characters become escapes.

    Names and response bodies come from elsewhere, and must not move the cursor or colour the screen.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def visible(text: str) -> str:
    """Return text of several lines with its control characters, and those that turn it about, as escapes."""
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def spreadsheet_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: one that would be is begun with `'`.

    See https://owasp.org/www-community/attacks/CSV_Injection.
    """
    return ("'" if text.startswith(_FORMULA) else "") + visible(text)
