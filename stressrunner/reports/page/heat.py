"""A heat map of durations: time from left to right, durations upwards on a logarithmic scale, many are dark.

What never ended is a row of its own at the top.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import log, log10
from operator import itemgetter

from markupsafe import Markup

from stressrunner.metrics.spread import Spread, lower_edge_s
from stressrunner.reports.page.frame import TOP, Chart, ChartFrame, background, drawing
from stressrunner.reports.page.scale import Axis, log_axis
from stressrunner.units import format_duration

__all__ = ["SHADES", "HeatColumn", "heat_axis", "heat_map", "joined"]

SHADES = 5  #: classes `heat-1`, the faintest, to `heat-5`; each is for three times as many as the one before
MAX_COLUMNS = 120
_FIRST_S = 5e-7  #: the lowest edge on a logarithmic scale, which has no zero
_NEVER = 6  #: height of the row at the top


@dataclass(frozen=True, slots=True)
class HeatColumn:
    """The durations of a stretch of time."""

    start_s: float
    end_s: float
    spread: Spread


def joined(columns: Sequence[HeatColumn]) -> tuple[HeatColumn, ...]:
    """Return at most 120 columns, neighbours joined in equal numbers."""
    size = -(-len(columns) // MAX_COLUMNS) or 1
    return tuple(_sum(columns[i : i + size]) for i in range(0, len(columns), size))


def _sum(columns: Sequence[HeatColumn]) -> HeatColumn:
    counts: dict[int, int] = {}
    for column in columns:
        for index, n in column.spread.counts.items():
            counts[index] = counts.get(index, 0) + n
    spread = Spread(counts, sum(column.spread.never for column in columns))
    return replace(columns[0], end_s=columns[-1].end_s, spread=spread)


def heat_axis(columns: Sequence[HeatColumn]) -> Axis:
    """Return the logarithmic axis that holds all buckets in use, with room for what never ended."""
    used = [index for column in columns for index in column.spread.counts] or [0]
    axis = log_axis(max(_FIRST_S, lower_edge_s(min(used))), lower_edge_s(max(used) + 1), format_duration)
    if not any(column.spread.never for column in columns):
        return axis
    # The row at the top must not lie over the highest bucket.
    return replace(axis, high=axis.high + (axis.high - axis.low) * 0.08)


def heat_map(
    name: str, frame: ChartFrame, columns: Sequence[HeatColumn], *, note: str, end_s: float
) -> Chart:
    """Draw columns in a frame with the axis of `heat_axis`; how dark a cell is says how many a second it had."""
    paths: dict[str, list[str]] = {}
    for row, shades in _rows(columns).items():
        kind = "heat never" if row is None else "heat"
        low, high = _edges(frame, row)
        for shade, run in groupby(enumerate(shades), key=itemgetter(1)):
            if shade:
                places = [place for place, _ in run]
                left, right = frame.at_x(columns[places[0]].start_s), frame.at_x(columns[places[-1]].end_s)
                area = f"M{left:g} {high:g}h{right - left:.3g}v{low - high:.3g}h{left - right:.3g}z"
                paths.setdefault(f"{kind} heat-{shade}", []).append(area)
    drawn = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(kind, "".join(areas))
        for kind, areas in sorted(paths.items())
    )
    svg = drawing(name, frame.title, _description(columns), background(frame) + drawn)
    return Chart(name, frame.title, svg, (), note, end_s, shades=True)


def _rows(columns: Sequence[HeatColumn]) -> dict[int | None, list[int]]:
    """Return the shade of every column for each bucket in use, 0 where it is empty; None is what never ended."""
    rates: dict[int | None, list[float]] = {}
    for place, column in enumerate(columns):
        lasted_s = max(column.end_s - column.start_s, 1e-3)
        never = [(None, column.spread.never)] if column.spread.never else []
        for row, n in (*column.spread.counts.items(), *never):
            rates.setdefault(row, [0.0] * len(columns))[place] = n / lasted_s
    most = max((rate for row in rates.values() for rate in row), default=1.0)
    return {row: [_shade(rate, most) for rate in of_row] for row, of_row in rates.items()}


def _shade(rate: float, most: float) -> int:
    return max(1, SHADES - int(log(most / rate, 3))) if rate else 0


def _edges(frame: ChartFrame, row: int | None) -> tuple[float, float]:
    """Return where a row ends below and begins above, in units of the drawing."""
    if row is None:
        return TOP + _NEVER, TOP
    low, high = (frame.at_y(log10(max(_FIRST_S, lower_edge_s(edge)))) for edge in (row, row + 1))
    return low, high


def _description(columns: Sequence[HeatColumn]) -> str:
    used = sorted({index for column in columns for index in column.spread.counts})
    never = sum(column.spread.never for column in columns)
    words = "nothing was measured"
    if used:
        low, high = lower_edge_s(used[0]), lower_edge_s(used[-1] + 1)
        words = f"response times between {format_duration(low)} and {format_duration(high)}"
    return f"{words}; {never:,} never ended." if never else f"{words}."
