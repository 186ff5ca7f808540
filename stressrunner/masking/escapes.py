"""What a text says when its escapes are undone: those of URLs, of JSON and of HTML, nested up to three deep.

A decoder is local: it replaces each escape by what it stands for and leaves everything else. So a text that was escaped
as a whole comes out as it was, one that mixes kinds of escapes comes out in one of the readings, and every place of a
reading has a place in the text that it was read from.
"""

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

__all__ = ["DEPTH", "UnescapedText", "readings"]

DEPTH = 3  #: encodings one within the other that are seen through

_Undo = Callable[[str], str]
_ONE_LETTER = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _percent(escape: str) -> str:
    return bytes.fromhex(escape.replace("%", "")).decode("utf-8", "surrogateescape")


def _backslash(escape: str) -> str:
    if escape[1] in "ux":
        return _code_points([int(part, 16) for part in re.split(r"\\[ux]", escape)[1:]])
    return _ONE_LETTER.get(escape[1], escape[1])


def _code_points(codes: list[int]) -> str:
    """Return characters, of which those above U+FFFF are written as two halves (RFC 8259, section 7)."""
    return "".join(map(chr, codes)).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


#: Kinds of escapes: what one looks like, its characters that tell it is there, and what it stands for. Bytes of one
#: character are next to each other in a URL, and halves of one in JSON; Python's repr writes `\x1b` and `\'`.
_KINDS: Mapping[str, tuple[str, re.Pattern[str], _Undo]] = MappingProxyType(
    {
        "url": ("%", re.compile(r"(?:%[0-9A-Fa-f]{2})+"), _percent),
        "json": (
            "\\",
            re.compile(
                r"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[\"'\\/bfnrt]"
            ),
            _backslash,
        ),
        "html": (
            "&",
            re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"),
            html.unescape,
        ),
    }
)


class UnescapedText:
    """A text with escapes undone, that knows where its parts stand in the text it was read from."""

    __slots__ = ("_above", "_ends", "_from", "_starts", "_to", "text")

    def __init__(self, text: str, above: "UnescapedText | None" = None) -> None:
        """Begin a reading of another one, or of the text itself; `undone` fills it."""
        self.text = text
        self._above = above
        # Every escape: where it begins and ends in this text, and in that above.
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._from: list[int] = []
        self._to: list[int] = []

    def undone(self, pattern: re.Pattern[str], undo: _Undo) -> "UnescapedText | None":
        """Return what it says without the escapes of one kind; None when it has none."""
        reading = UnescapedText("", self)
        parts: list[str] = []
        at = length = 0
        for escape in pattern.finditer(self.text):
            said = undo(escape[0])
            if said == escape[0]:
                continue  # `&nothing;`
            parts += (self.text[at : escape.start()], said)
            length += escape.start() - at
            reading._starts.append(length)
            length += len(said)
            reading._ends.append(length)
            reading._from.append(escape.start())
            reading._to.append(escape.end())
            at = escape.end()
        if not parts:
            return None
        reading.text = "".join([*parts, self.text[at:]])
        return reading

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return where a part of this text, not empty, stands in the original one; escapes are whole."""
        if self._above is None:
            return start, end
        return self._above.origin(self._place(start)[0], self._place(end - 1)[1])

    def _place(self, position: int) -> tuple[int, int]:
        """Return where the character at a position begins and ends in the text above."""
        i = bisect_right(self._starts, position) - 1
        if i < 0:
            return position, position + 1
        if position < self._ends[i]:
            return self._from[i], self._to[i]
        place = self._to[i] + position - self._ends[i]
        return place, place + 1


def readings(text: str) -> Iterator[UnescapedText]:
    """Yield the text, and what it says with its escapes undone in every order of kinds, up to three deep."""
    seen = {text}
    level = [UnescapedText(text)]
    for depth in range(DEPTH + 1):
        yield from level
        if depth < DEPTH:
            below = {reading.text: reading for each in level for reading in _undone(each)}
            level = [reading for said, reading in below.items() if said not in seen]
            seen.update(below)


def _undone(reading: UnescapedText) -> Iterator[UnescapedText]:
    for sign, pattern, undo in _KINDS.values():
        if sign in reading.text and (found := reading.undone(pattern, undo)) is not None:
            yield found
