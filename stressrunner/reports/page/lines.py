"""Line charts as inline SVG: no colour of their own (style sheets name the classes), readable aloud and without a script.

A line is broken where there is no value; a value that stands alone is drawn as a dot. Each line carries its values in
words, one for each of its points, for the script that shows them under the pointer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from stressrunner.reports.page.frame import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    Chart,
    ChartFrame,
    background,
    drawing,
    foreground,
)

__all__ = ["COLOURS", "Line", "line_chart", "thinned"]

_MAX_DOTS = 40  #: lines with more values than this are drawn without dots
COLOURS = 6  #: classes that the style sheet knows; further lines use them again
_BUCKETS = 120  #: of a line; each keeps its lowest and its highest value

_Points = tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart."""

    name: str
    points: _Points  #: from left to right


def thinned(points: _Points) -> _Points:
    """Return at most two values for each bucket of neighbours, the lowest and the highest, so that no peak is lost."""
    if len(points) <= 2 * _BUCKETS:
        return points
    edges = [i * len(points) // _BUCKETS for i in range(_BUCKETS + 1)]
    return tuple(point for left, right in pairwise(edges) for point in _extremes(points[left:right]))


def _extremes(points: _Points) -> Iterator[tuple[float, float | None]]:
    known = [(value, x) for x, value in points if value is not None]
    if not known:
        yield points[0]
        return
    low, high = min(known), max(known)
    for value, x in sorted({low, high}, key=lambda pair: pair[1]):
        yield x, value


def line_chart(
    name: str, frame: ChartFrame, series: Iterable[Line], *, note: str = "", end_s: float | None = None
) -> Chart:
    """Draw lines in a frame; `name` is the chart's own among the identifiers of the page.

    `end_s` is where the x axis ends when it is one of time.
    """
    lines = [Line(line.name, thinned(line.points)) for line in series]
    drawn = Markup("").join(_line(frame, i, line.points) for i, line in enumerate(lines))
    if not any(value is not None for line in lines for _, value in line.points):
        drawn += _nothing()
    svg = drawing(
        name, frame.title, _description(frame, lines), background(frame) + drawn + foreground(frame)
    )
    return Chart(name, frame.title, svg, tuple(line.name for line in lines), note, end_s)


def _description(frame: ChartFrame, lines: Iterable[Line]) -> str:
    """Say what the lines show, for those who do not see them."""
    return (
        "; ".join([*(_range_of(frame, line) for line in lines), *(limit.text for limit in frame.limits)])
        + "."
    )


def _range_of(frame: ChartFrame, line: Line) -> str:
    values = [value for _, value in line.points if value is not None]
    if not values:
        return f"{line.name}: nothing was measured"
    return f"{line.name}: between {frame.write(min(values))} and {frame.write(max(values))}"


def _nothing() -> Markup:
    return Markup('<text class="nothing" x="{:g}" y="{:g}">nothing was measured</text>').format(
        (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2
    )


def _line(frame: ChartFrame, index: int, points: _Points) -> Markup:
    places = [None if value is None else (frame.at_x(x), frame.at_y(value)) for x, value in points]
    path = "".join(_steps(places))
    if not path:
        return Markup("")
    words = "|".join(_words(frame, x, value) for x, value in points if value is not None)
    drawn = Markup('<path class="line line-{}" data-line="{}" d="{}" data-values="{}"/>').format(
        index % COLOURS, index, path, words
    )
    dots = [place for place in places if place is not None] if len(places) <= _MAX_DOTS else []
    return drawn + Markup("").join(
        Markup('<circle class="dot dot-{}" cx="{:g}" cy="{:g}" r="1.6"/>').format(index % COLOURS, x, y)
        for x, y in dots
    )


def _words(frame: ChartFrame, x: float, value: float) -> str:
    words = frame.write(value)
    return words if frame.write_x is None else f"{words} at {frame.write_x(x)}"


def _steps(places: Iterable[tuple[float, float] | None]) -> Iterator[str]:
    """Yield the commands of a path: a line while there are values, a new start after a gap."""
    pen_down = False
    for place in places:
        if place is not None:
            # `h0` makes a dot of a value without neighbours, as the ends of lines are round.
            yield f"{'L' if pen_down else 'M'}{place[0]:g} {place[1]:g}" + ("" if pen_down else "h0")
        pen_down = place is not None
