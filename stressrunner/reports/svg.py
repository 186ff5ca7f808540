"""Line charts as inline SVG: no script, no colour of their own (style sheets name the classes), readable aloud.

A line is broken where there is no value; a value that stands alone is drawn as a dot.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from stressrunner.reports.scale import Axis

__all__ = ["Chart", "Frame", "Series", "line_chart", "thinned"]

_WIDTH, _HEIGHT = 360, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 8, 24
_MAX_DOTS = 40  #: lines with more values than this are drawn without dots
_COLOURS = 6  #: classes that the style sheet knows; further lines use them again
_BUCKETS = 150  #: of a line; each keeps its lowest and its highest value

_Points = tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    points: _Points  #: from left to right


@dataclass(frozen=True, slots=True)
class Frame:
    """What a chart is drawn on."""

    title: str
    x: Axis
    y: Axis
    write: Callable[[float], str]  #: a value of the y axis in words
    marks: tuple[float, ...] = ()  #: values of x at which a vertical line is drawn


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart."""

    title: str
    svg: Markup
    legend: tuple[str, ...]  #: names of the lines, in the order of their classes `line-0`, `line-1`, ...
    note: str = ""


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


def line_chart(name: str, frame: Frame, series: Iterable[Series], note: str = "") -> Chart:
    """Draw lines in a frame; `name` is the chart's own among the identifiers of the page."""
    lines = [Series(line.name, thinned(line.points)) for line in series]
    drawn = Markup("").join(_line(frame, i % _COLOURS, line.points) for i, line in enumerate(lines))
    empty = not any(value is not None for line in lines for _, value in line.points)
    svg = Markup(
        '<svg viewBox="0 0 {w} {h}" role="img" aria-labelledby="{name}-title {name}-desc">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{desc}</desc>'
        "{grid}{marks}{lines}{empty}</svg>"
    ).format(
        w=_WIDTH,
        h=_HEIGHT,
        name=name,
        title=frame.title,
        desc=_description(frame, lines),
        grid=_grid(frame),
        marks=Markup("").join(_mark(frame, x) for x in frame.marks),
        lines=drawn,
        empty=_nothing() if empty else "",
    )
    return Chart(frame.title, svg, tuple(line.name for line in lines), note)


def _description(frame: Frame, lines: Iterable[Series]) -> str:
    """Say what the lines show, for those who do not see them."""
    return "; ".join(_range_of(frame, line) for line in lines) + "."


def _range_of(frame: Frame, line: Series) -> str:
    values = [value for _, value in line.points if value is not None]
    if not values:
        return f"{line.name}: nothing was measured"
    return f"{line.name}: between {frame.write(min(values))} and {frame.write(max(values))}"


def _x(frame: Frame, value: float) -> float:
    return round(_LEFT + frame.x.place(value) * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(frame: Frame, value: float) -> float:
    return round(_HEIGHT - _BOTTOM - frame.y.place(value) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _grid(frame: Frame) -> Markup:
    floor_y = _HEIGHT - _BOTTOM
    parts = [
        Markup('<path class="grid" d="M{} {}H{}"/><text class="y" x="{}" y="{}">{}</text>').format(
            _LEFT, _y(frame, value), _WIDTH - _RIGHT, _LEFT - 6, _y(frame, value) + 4, label
        )
        for value, label in frame.y.ticks
    ]
    parts += [
        Markup(
            '<path class="tick" d="M{x} {y}v4"/><text class="x" x="{x}" y="{below}">{label}</text>'
        ).format(x=_x(frame, value), y=floor_y, below=floor_y + 17, label=label)
        for value, label in frame.x.ticks
    ]
    return Markup("").join(parts)


def _mark(frame: Frame, value: float) -> Markup:
    return Markup('<path class="mark" d="M{} {}V{}"/>').format(_x(frame, value), _TOP, _HEIGHT - _BOTTOM)


def _nothing() -> Markup:
    return Markup('<text class="nothing" x="{}" y="{}">nothing was measured</text>').format(
        (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT / 2
    )


def _line(frame: Frame, index: int, points: _Points) -> Markup:
    places = [None if value is None else (_x(frame, x), _y(frame, value)) for x, value in points]
    path = "".join(_steps(places))
    dots = [place for place in places if place is not None] if len(places) <= _MAX_DOTS else []
    drawn = Markup('<path class="line line-{}" d="{}"/>').format(index, path) if path else Markup("")
    return drawn + Markup("").join(
        Markup('<circle class="dot dot-{}" cx="{:g}" cy="{:g}" r="2"/>').format(index, x, y) for x, y in dots
    )


def _steps(places: Iterable[tuple[float, float] | None]) -> Iterator[str]:
    """Yield the commands of a path: a line while there are values, a new start after a gap."""
    pen_down = False
    for place in places:
        if place is not None:
            # `h0` makes a dot of a value without neighbours, as the ends of lines are round.
            yield f"{'L' if pen_down else 'M'}{place[0]:g} {place[1]:g}" + ("" if pen_down else "h0")
        pen_down = place is not None
