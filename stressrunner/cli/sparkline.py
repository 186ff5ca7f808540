"""Small charts and bars of characters."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ASCII", "UNICODE", "Glyphs", "bar", "sparkline"]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that a terminal can show."""

    levels: str  #: from the lowest to the highest
    full: str
    empty: str
    holds: str
    broken: str
    open: str


UNICODE = Glyphs("▁▂▃▄▅▆▇█", "━", "─", "✓", "✗", "·")
ASCII = Glyphs("_.-~=+*#", "#", ".", "+", "x", ".")


def sparkline(values: Sequence[float | None], width: int, glyphs: Glyphs) -> str:
    """Return the latest `width` values as heights, from zero to the highest; a blank where there is none."""
    latest = values[-width:] if width > 0 else ()
    highest = max((value for value in latest if value is not None), default=0.0)
    top = len(glyphs.levels) - 1
    return "".join(
        " " if value is None else glyphs.levels[round(value / highest * top) if highest else 0]
        for value in latest
    )


def bar(share: float, width: int, glyphs: Glyphs) -> tuple[str, str]:
    """Return the full and the empty part of a bar that is `share` full, 0 to 1."""
    full = min(width, max(0, int(share * width)))
    return glyphs.full * full, glyphs.empty * (width - full)
