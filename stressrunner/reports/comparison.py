"""A comparison for people and for programs: text, Markdown and JSON."""

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType

from stressrunner.errors import UsageError
from stressrunner.reports.markdown import escaped, markdown_table
from stressrunner.reports.table import Column, Row, Table
from stressrunner.reports.text import text_table
from stressrunner.reports.wording import NONE, count, printable
from stressrunner.units import Dimension, format_quantity
from stressrunner.verdict.comparison import Compared, Comparison, Side

__all__ = ["COMPARISONS", "render_comparison"]

_WIDTH = 80
_MARKS = {"passed": "✓", "regressed": "✗", "inconclusive": "?", "advisory": " "}


def render_comparison(form: str, comparison: Comparison) -> str:
    """Return a comparison in a format.

    Raises:
        UsageError: there is no such format.
    """
    if form not in COMPARISONS:
        raise UsageError(f"unknown format {form!r} of a comparison; there are {', '.join(COMPARISONS)}")
    return COMPARISONS[form](comparison)


def _text(comparison: Comparison) -> str:
    rule = "=" * _WIDTH
    head, code = _headline(comparison), f"exit code {comparison.exit_code}"
    lines = [rule, f"{head:<{_WIDTH - len(code) - 1}} {code}", rule, *_sides(comparison), ""]
    lines += text_table(_table(comparison)).splitlines()
    for note in _notes(comparison):
        lines += ["", *textwrap.wrap(printable(note), _WIDTH, break_long_words=False, break_on_hyphens=False)]
    return "\n".join(lines) + "\n"


def _markdown(comparison: Comparison) -> str:
    sides = "\n".join(f"- {escaped(line.strip())}" for line in _sides(comparison))
    notes = [escaped(note) for note in _notes(comparison)]
    blocks = [f"## {escaped(_headline(comparison))}", sides, markdown_table(_table(comparison)), *notes]
    return "\n\n".join(blocks) + "\n"


def _json(comparison: Comparison) -> str:
    return json.dumps(asdict(comparison), indent=1, allow_nan=False) + "\n"


#: The formats of a comparison.
COMPARISONS: Mapping[str, Callable[[Comparison], str]] = MappingProxyType(
    {"text": _text, "markdown": _markdown, "json": _json}
)


def _headline(comparison: Comparison) -> str:
    mark = _MARKS[comparison.outcome].strip()
    return f"{mark} {comparison.outcome.upper()}  {printable(comparison.candidate.scenario)}".strip()


def _sides(comparison: Comparison) -> Iterator[str]:
    for label, side in (("base", comparison.base), ("candidate", comparison.candidate)):
        yield f"  {label:<9}  {printable(_side(side))}"
    yield f"  {'load':<9}  {printable(comparison.base.load)}"


def _side(side: Side) -> str:
    runs = f", {count(side.runs)} runs" if side.runs > 1 else ""
    return f"{side.name} against {side.target}{runs}"


_COLUMNS = (
    Column("state", "left", titled=False),
    *map(Column, ("base", "candidate", "change", "90 % interval", "limit")),
    Column("figure", "left"),
)
_OF_PAIRS = (1, 2, 3, 6)  #: columns of what is not judged


def _table(comparison: Comparison) -> Table:
    shown = _OF_PAIRS if comparison.outcome == "advisory" else range(len(_COLUMNS))
    rows = [(_cells(figure), figure.note) for figure in comparison.figures]
    return Table(
        "Figures",
        tuple(_COLUMNS[i] for i in shown),
        tuple(Row(tuple(cells[i] for i in shown), note) for cells, note in rows),
        name_column=len(shown) - 1,
    )


def _cells(figure: Compared) -> tuple[str, ...]:
    interval = NONE
    if figure.low is not None and figure.high is not None:
        interval = f"{_change(figure.low, figure.dimension)} to {_change(figure.high, figure.dimension)}"
    return (
        _MARKS[figure.state],
        _value(figure.base, figure.dimension),
        _value(figure.candidate, figure.dimension),
        NONE if figure.change is None else _change(figure.change, figure.dimension),
        interval,
        NONE if figure.tolerance is None else _change(_limit(figure), figure.dimension),
        figure.text,
    )


def _limit(figure: Compared) -> float:
    """Return the change that is allowed, in the direction in which the figure gets worse."""
    tolerance = figure.tolerance or 0.0
    return 1 / (1 + tolerance) - 1 if figure.is_better_high else tolerance


def _value(value: float | None, dimension: Dimension) -> str:
    return "never" if value is None else format_quantity(value, dimension)


def _change(change: float, dimension: Dimension) -> str:
    """Write a change: in per cent, or in points of a percentage where ratios are compared."""
    unit = "pp" if dimension == "ratio" else "%"
    return f"{100 * change:+.{1 if abs(change) < 1 else 0}f} {unit}"


def _notes(comparison: Comparison) -> Iterator[str]:
    yield from comparison.notes
    if comparison.outcome == "inconclusive":
        yield "Inconclusive: the runs vary too much to tell whether the limits are kept. It is no pass."
