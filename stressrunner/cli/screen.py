"""What the live view shows: a pure function of where a load stands and stood.

    name                                                      target
    ━━━━━━━━━━━━━━━━━━━━───────────  62 %  hold (2 of 3), 19 s left
    rate, latencies and errors, each with the last seconds beside it
    thresholds: green while they hold, red when they are broken
    a row for each endpoint
    the generator's own health

Below 110 columns thresholds stand under the figures, else beside them.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stressrunner.cli.progress import done_share, left_s, of_offered, time_or_dash
from stressrunner.cli.sparkline import ASCII, UNICODE, Glyphs, bar, sparkline
from stressrunner.run.listener import EndpointProgress, PhaseProgress, Progress, ThresholdProgress
from stressrunner.spelling import printable
from stressrunner.units import format_duration, format_quantity, format_rate, format_ratio

__all__ = ["ASCII", "UNICODE", "Screen", "draw"]

_WIDE = 110  #: columns from which on two things stand side by side
_FIGURES = 6  #: rows of them
_FIXED = 13  #: rows that are always there: head, bar, figures, the heading of endpoints, generator, and blanks between
_NAME = 12  #: columns that the name of an endpoint has at least
_GAP = 2  #: between columns
_LATE_S = 0.05  #: lag of the generator that is shown as a warning
_BUSY = 0.9  #: cores of it
_ORDER = {"broken": 0, "holds": 1, "open": 2}
_STYLES = {"broken": "red", "holds": "green", "open": "dim"}


@dataclass(frozen=True, slots=True)
class Screen:
    """What there is to show."""

    progress: Progress
    past: tuple[Progress, ...]  #: the latest seconds in order, the present one included


def draw(screen: Screen, width: int, height: int, glyphs: Glyphs = UNICODE) -> RenderableType:
    """Return a frame for a terminal of that size; rows that have no room are counted instead."""
    progress, beside = screen.progress, width >= _WIDE
    figures = _figures(screen, (width // 2 if beside else width) - 32, glyphs)
    parts: list[RenderableType] = [_head(progress, width), _bar(progress, width, glyphs), Text()]
    room = height - _FIXED - bool(progress.errors)  # for thresholds and endpoints
    if beside:
        thresholds = _thresholds(progress.thresholds, _FIGURES, glyphs)
        parts += [_side_by_side(figures, thresholds, width), *_errors(progress)]
    else:
        # Thresholds first, because they decide; but three endpoints are shown as long as that can be.
        thresholds = _thresholds(progress.thresholds, max(1, room - 4), glyphs)
        room -= thresholds.row_count + 1
        parts += [figures, *_errors(progress), Text(), thresholds]
    return Group(
        *parts, Text(), _endpoints(screen, width, max(1, room), glyphs), Text(), _generator(progress, width)
    )


def _head(progress: Progress, width: int) -> Text:
    name = Text(printable(progress.scenario), style="bold", no_wrap=True, overflow="ellipsis")
    target = Text(printable(progress.target), style="dim", no_wrap=True, overflow="ellipsis")
    name.truncate(max(10, width - 12), overflow="ellipsis")
    target.truncate(max(8, width - name.cell_len - 2), overflow="ellipsis")
    return Text.assemble(name, " " * max(2, width - name.cell_len - target.cell_len), target)


def _bar(progress: Progress, width: int, glyphs: Glyphs) -> Text:
    phases, share, left = progress.phases, done_share(progress), left_s(progress)
    words = [format_duration(round(progress.at_s))]
    words += [f"{share:.0%}"] if share is not None else []
    words += [_phase_words(phase, alone=len(phases) == 1) for phase in phases]
    is_part = len(phases) > 1 or phases[0].count > 1
    if left is not None and phases[0].name != "finishing":
        words += [f"{'all: ' if is_part else ''}{format_duration(round(left))} left"]
    told = "  ".join(words)
    full, empty = bar(share or 0.0, max(0, width - len(told) - 2), glyphs)
    return Text.assemble((full, "cyan"), (empty, "dim"), "  ", told, no_wrap=True, overflow="ellipsis")


def _phase_words(phase: PhaseProgress, *, alone: bool) -> str:
    words = f"{phase.name} ({phase.number} of {phase.count})" if phase.count > 1 else phase.name
    if phase.left_s is not None and (phase.count > 1 or not alone):
        words += f": {format_duration(round(phase.left_s))} left"
    return words


def _figures(screen: Screen, room: int, glyphs: Glyphs) -> Table:
    progress = screen.progress
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(min_width=18, no_wrap=True)
    grid.add_column(no_wrap=True)

    def row(label: str, words: str, value: Callable[[Progress], float | None], style: str) -> None:
        line = sparkline([value(one) for one in screen.past], room, glyphs)
        grid.add_row(label, words, Text(line, style))

    row("rate", of_offered(progress), lambda one: one.recent_per_s, "cyan")
    row("in flight", f"{progress.in_flight:,}", lambda one: float(one.in_flight), "cyan")
    row("p50", time_or_dash(progress.recent_p50_s), lambda one: one.recent_p50_s, "magenta")
    row("p95", time_or_dash(progress.recent_p95_s), lambda one: one.recent_p95_s, "magenta")
    row("p99", time_or_dash(progress.recent_p99_s), lambda one: one.recent_p99_s, "magenta")
    planned = f" of {progress.planned:,}" if progress.planned and not progress.planned_s else ""
    grid.add_row("done", f"{progress.completed:,}{planned}", _failed(progress.completed, progress.failed))
    return grid


def _failed(completed: int, failed: int) -> Text:
    if not failed:
        return Text("none failed", "dim")
    return Text(f"{failed:,} failed ({format_ratio(failed / completed)})", "red")


def _thresholds(thresholds: Sequence[ThresholdProgress], most: int, glyphs: Glyphs) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for align in ("left", "right", "left"):
        grid.add_column(no_wrap=True, overflow="ellipsis", justify=align)
    marks = {"holds": glyphs.holds, "broken": glyphs.broken, "open": glyphs.open}
    shown = list(thresholds)
    if len(shown) > most:
        shown = sorted(shown, key=lambda one: _ORDER[one.state])[: max(1, most - 1)]
    for one in shown:
        measured = "-" if one.state == "open" else "never"
        if one.measured is not None:
            measured = format_quantity(one.measured, one.dimension)
        style = _STYLES[one.state]
        grid.add_row(Text(marks[one.state], style), Text(measured, style), Text(printable(one.text), style))
    if len(shown) < min(most, len(thresholds)):
        grid.add_row("", "", Text(f"and {len(thresholds) - len(shown)} more", "dim"))
    return grid


def _side_by_side(left: RenderableType, right: RenderableType, width: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=width // 2)
    grid.add_column(width=width - width // 2 - 4)
    grid.add_row(left, right)
    return grid


def _errors(progress: Progress) -> list[Text]:
    counts = Counter[str]()  # the line has no room for checks, so those of one status add up
    for error in progress.errors:
        counts[error.key.label] += error.count
    words = ", ".join(f"{count:,} x {printable(label)}" for label, count in counts.most_common())
    line = Text.assemble(("errors     ", "dim"), (words, "red"), no_wrap=True, overflow="ellipsis")
    return [line] if words else []


def _endpoints(screen: Screen, width: int, most: int, glyphs: Glyphs) -> Table:
    grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
    endpoints = _chosen(screen.progress.endpoints, most)
    columns = _fitting(
        {title: [cell(one) for _, one in endpoints] for title, cell in _COLUMNS.items()}, width
    )
    taken = sum(_cell_width(title, cells) for title, cells in columns.items())
    grid.add_column(
        "endpoint", no_wrap=True, overflow="ellipsis", max_width=max(_NAME, min(width // 3, width - taken))
    )
    for title in columns:
        grid.add_column(title, justify="right", no_wrap=True)
    room = min(60, width - width // 3 - 56)
    if room >= 10:
        grid.add_column("p95 over time", no_wrap=True)
    for row, (place, one) in enumerate(endpoints):
        past = [seen.endpoints[place].p95_s for seen in screen.past]
        chart = [Text(sparkline(past, room, glyphs), "magenta")] if room >= 10 else []
        grid.add_row(printable(one.name), *(cells[row] for cells in columns.values()), *chart)
    if len(endpoints) < len(screen.progress.endpoints):
        grid.add_row(Text(f"and {len(screen.progress.endpoints) - len(endpoints)} more", "dim"))
    return grid


def _fitting(columns: Mapping[str, list[Text]], width: int) -> dict[str, list[Text]]:
    """Return the columns that have room beside the name of an endpoint, the least telling ones left out first."""
    kept = dict(columns)
    for title in _LESS_TELLING:
        if sum(_cell_width(name, cells) for name, cells in kept.items()) + _NAME <= width:
            break
        del kept[title]
    return kept


def _cell_width(title: str, cells: Sequence[Text]) -> int:
    return max(len(title), *(cell.cell_len for cell in cells), 0) + _GAP


def _chosen(endpoints: Sequence[EndpointProgress], most: int) -> list[tuple[int, EndpointProgress]]:
    """Return the endpoints that have room, with their places: those that fail and those that send most."""
    numbered = list(enumerate(endpoints))
    if len(numbered) <= most:
        return numbered
    ranked = sorted(numbered, key=lambda entry: (-entry[1].failed, -entry[1].completed))
    return sorted(ranked[: most - 1])


def _error_share(one: EndpointProgress) -> Text:
    if not one.failed:
        return Text("0 %" if one.completed else "-", "dim")
    return Text(format_ratio(one.failed / one.completed), "red")


_COLUMNS: Mapping[str, Callable[[EndpointProgress], Text]] = MappingProxyType(
    {
        "done": lambda one: Text(f"{one.completed:,}"),
        "errors": _error_share,
        "rate": lambda one: Text(format_rate(one.recent_per_s)),
        "p50": lambda one: Text(time_or_dash(one.p50_s)),
        "p95": lambda one: Text(time_or_dash(one.p95_s)),
        "p99": lambda one: Text(time_or_dash(one.p99_s)),
    }
)
#: Columns that are left out in a narrow window, in this order.
_LESS_TELLING = ("p50", "p99", "rate", "done", "p95")


def _generator(progress: Progress, width: int) -> Text:
    health = progress.generator
    late, busy = (health.lag_p99_s or 0.0) > _LATE_S, (health.cpu or 0.0) > _BUSY
    cpu = "-" if health.cpu is None else format_ratio(round(health.cpu, 2))
    parts = [
        Text(f"lag p99 {time_or_dash(health.lag_p99_s)}", "yellow" if late else ""),
        Text(f"CPU {cpu} of a core", "yellow" if busy else ""),
        Text(f"longest stall {time_or_dash(health.stall_max_s)}"),
    ]
    line = Text("generator", "dim", no_wrap=True)
    for part in parts:
        if line.cell_len + _GAP + part.cell_len <= width:
            line = Text.assemble(line, " " * _GAP, part, no_wrap=True)
    return line
