"""What charts are drawn on: axes, phases as bands, limits as lines; and where in a drawing a value comes to lie.

The drawing is small, 360 by 190 units, so that its words can be read on a telephone; style sheets make them smaller
where it is shown larger.
"""

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from stressrunner.reports.page.scale import Axis

__all__ = [
    "BOTTOM",
    "LEFT",
    "RIGHT",
    "TOP",
    "Band",
    "Chart",
    "ChartFrame",
    "LimitLine",
    "background",
    "drawing",
    "foreground",
]

_WIDTH, _HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 54, 350, 14, 166  #: edges of what is drawn on
_LETTER = 4.6  #: width of a letter of a band's name where the drawing is shown large, where alone it is shown


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the x axis that has a name: a phase."""

    start: float
    end: float
    name: str
    warmup: bool


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A line that values must not cross."""

    value: float
    text: str
    start: float  #: of the stretch of the x axis where it holds
    end: float
    broken: bool


@dataclass(frozen=True, slots=True)
class ChartFrame:
    """What a chart is drawn on."""

    title: str
    x: Axis
    y: Axis
    write: Callable[[float], str]  #: a value of the y axis in words
    write_x: Callable[[float], str] | None = None  #: a value of the x axis in words; None where it is time
    bands: tuple[Band, ...] = ()
    limits: tuple[LimitLine, ...] = ()

    def at_x(self, value: float) -> float:
        """Return where a value of the x axis lies, in units of the drawing."""
        return round(LEFT + self.x.place(value) * (RIGHT - LEFT), 1)

    def at_y(self, value: float) -> float:
        """Return where a value of the y axis lies, in units of the drawing."""
        return round(BOTTOM - self.y.place(value) * (BOTTOM - TOP), 1)


@dataclass(frozen=True, slots=True)
class Chart:
    """A finished chart."""

    name: str  #: its own among the identifiers of the page
    title: str
    svg: Markup
    legend: tuple[str, ...]  #: names of the lines, in the order of their classes `line-0`, `line-1`, ...
    note: str = ""
    end_s: float | None = None  #: where its time axis ends; None without one
    shades: bool = False  #: the legend is that of a heat map


def drawing(name: str, title: str, description: str, content: Markup, *, height: float = _HEIGHT) -> Markup:
    """Return a drawing of a chart's width with a title and a description to be read aloud."""
    return Markup(
        '<svg viewBox="0 0 {w} {h}" role="img" aria-labelledby="{name}-title {name}-desc">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{description}</desc>{content}</svg>'
    ).format(w=_WIDTH, h=f"{height:g}", name=name, title=title, description=description, content=content)


def background(frame: ChartFrame) -> Markup:
    """Draw what lies behind the values: bands, grid and ticks."""
    parts = [_band(frame, number, band) for number, band in enumerate(frame.bands)]
    parts += [_y_tick(frame, value, label) for value, label in frame.y.ticks]
    parts += [_x_tick(frame, value, label) for value, label in frame.x.ticks]
    return Markup("").join(parts)


def foreground(frame: ChartFrame) -> Markup:
    """Draw what lies over the values: limits, whose words would be lost among lines."""
    return Markup("").join(_limit(frame, limit) for limit in frame.limits)


def _band(frame: ChartFrame, number: int, band: Band) -> Markup:
    left, right = frame.at_x(band.start), frame.at_x(band.end)
    kind = "warmup" if band.warmup else "odd" if number % 2 else "even"
    area = Markup('<path class="band {}" d="M{:g} {}H{:g}V{}H{:g}z"/>').format(
        kind, left, TOP, right, BOTTOM, left
    )
    room = int((right - left) / _LETTER)
    name = f"{band.name} (warm-up)" if band.warmup else band.name
    if len(name) > room:
        name = band.name if len(band.name) <= room else band.name[: room - 1] + "…"
    if room < 3:
        return area
    return area + Markup('<text class="phase" x="{:g}" y="{}">{}</text>').format(left, TOP - 4, name)


def _y_tick(frame: ChartFrame, value: float, label: str) -> Markup:
    y = frame.at_y(value)
    return Markup('<path class="grid" d="M{} {:g}H{}"/><text class="y" x="{}" y="{:g}">{}</text>').format(
        LEFT, y, RIGHT, LEFT - 6, y + 3, label
    )


def _x_tick(frame: ChartFrame, value: float, label: str) -> Markup:
    x = frame.at_x(value)
    return Markup(
        '<path class="tick" d="M{x:g} {y}v4"/><text class="x" x="{x:g}" y="{below}">{label}</text>'
    ).format(x=x, y=BOTTOM, below=BOTTOM + 16, label=label)


def _limit(frame: ChartFrame, limit: LimitLine) -> Markup:
    y, left, right = frame.at_y(limit.value), frame.at_x(limit.start), frame.at_x(limit.end)
    kind = "limit broken" if limit.broken else "limit"
    # Above the line, but below it where the line is at the very top.
    below = y + 9 if y < TOP + 10 else y - 3
    return Markup(
        '<path class="{}" d="M{:g} {:g}H{:g}"/><text class="{}" x="{:g}" y="{:g}">{}</text>'
    ).format(kind, left, y, right, kind, right - 2, below, limit.text)
