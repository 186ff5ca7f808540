"""What someone may have meant by a word that is not among those known."""

from collections.abc import Iterable
from itertools import islice

__all__ = ["closest", "did_you_mean"]

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
