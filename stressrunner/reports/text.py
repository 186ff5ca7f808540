"""The text report: for a terminal of 80 columns, the verdict first, without colour."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from stressrunner.reports import sections
from stressrunner.reports.advice import advice
from stressrunner.reports.delivery import brief, deliveries
from stressrunner.reports.exemplars import SERVE_DEMO, replay_words, slowest
from stressrunner.reports.table import Fact, Row, Table
from stressrunner.reports.traffic import traffic
from stressrunner.reports.wording import count, printable
from stressrunner.result.model import Result
from stressrunner.units import format_duration

__all__ = ["render", "render_judgement", "text_table"]

_WIDTH = 80
_INDENT = "  "
_GAP = "  "
_IN_FULL = 2  #: sessions that show a fault, of those listed
_MAX_SAMPLES = 3  #: of each group of errors
_MIN_NAME = 12  #: a narrower first column would break every name


def render(result: Result) -> str:
    """Return the report as lines of at most 80 columns, unless a name alone is longer."""
    return _rendered("report.txt.j2", result)


def render_judgement(result: Result) -> str:
    """Return the verdict and the thresholds alone."""
    return _rendered("judgement.txt.j2", result)


def _rendered(template: str, result: Result) -> str:
    """Fill a template, which says what stands where; the filters below say how it is aligned and wrapped."""
    environment = Environment(
        loader=PackageLoader("stressrunner", "reports/templates"),
        autoescape=False,  # noqa: S701  plain text for a terminal, whose control characters `printable` escapes
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "brief": brief,
        "bullet": lambda text: "\n".join(_wrapped(text, _INDENT, "- ")),
        "command": _command_text,
        "count": count,
        "duration": format_duration,
        "facts": lambda facts: "\n".join(_facts(facts)),
        "line": lambda text: textwrap.shorten(printable(text), _WIDTH - 8, placeholder=" ..."),
        "printable": printable,
        "table": text_table,
        "wrapped": _wrapped_text,
    }
    return environment.get_template(template).render(_content(result))


def _wrapped_text(text: str, indent: int = 0) -> str:
    return "\n".join(_wrapped(text, " " * indent))


def _content(result: Result) -> dict[str, Any]:
    return {
        "result": result,
        "rule": "=" * _WIDTH,
        "headline": _headline(result),
        "embedded": sections.EMBEDDED,
        "mark": sections.MARKS[result.validity.state],
        "early": sections.early_end(result),
        "reasons": sections.reasons(result),
        "doubts": sections.doubts(result),
        "warnings": sections.warnings(result),
        "warned": sections.MARKS["warned"],
        "thresholds": sections.thresholds(result),
        "advice": advice(result),
        "run": sections.run_facts(result),
        "summary": sections.summary(result),
        "deliveries": deliveries(result),
        "in_full": _IN_FULL,
        "traffic": traffic(result),
        "max_samples": _MAX_SAMPLES,
        "replays": {group.key: replay_words(result, group) for group in result.errors},
        "serve_demo": SERVE_DEMO,
        "slowest": slowest(result),
        "processes": sections.processes("Monitored processes", result.monitors) if result.monitors else None,
        "generator": _generator(result),
        "again": sections.again(result),
    }


def _headline(result: Result) -> str:
    outcome = result.verdict.outcome
    head = f"{sections.MARKS[outcome]} {outcome.upper()}  {printable(result.run.scenario.name)}"
    exit_code = f"exit code {result.verdict.exit_code}"
    return f"{head:<{_WIDTH - len(exit_code) - 1}} {exit_code}"


def _command_text(words: Iterable[str], indent: int = len(_INDENT)) -> str:
    return "\n".join(_command(words, " " * indent))


def _command(words: Iterable[str], indent: str) -> list[str]:
    """Break a command between its options, so that it can still be pasted into a shell."""
    first, *rest = map(printable, words)
    lines = [indent + first]
    for word in rest:
        if len(lines[-1]) + len(word) + 3 > _WIDTH:
            lines[-1] += " \\"
            lines.append(indent + _INDENT + word)
        else:
            lines[-1] += f" {word}"
    return lines


def _wrapped(text: str, indent: str, bullet: str = "") -> list[str]:
    return textwrap.wrap(
        printable(text),
        _WIDTH,
        initial_indent=indent + bullet,
        subsequent_indent=indent + " " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _facts(facts: Iterable[Fact]) -> list[str]:
    shown = [(fact.label, printable(fact.value), printable(fact.remark)) for fact in facts]
    labels = max(len(label) for label, _, _ in shown)
    lines = []
    for label, value, remark in shown:
        text = f"{value}  ({remark})" if remark else value
        head = f"{_INDENT}{label:<{labels}}{_GAP}"
        if len(head) + len(text) <= _WIDTH:
            lines.append(head + text)
        else:
            lines += _hanging(head, text)
    return lines


def _hanging(head: str, text: str) -> list[str]:
    wrapped = _wrapped(text, " " * len(head)) or [head]
    return [head + wrapped[0][len(head) :], *wrapped[1:]]


def _titles(table: Table) -> tuple[str, ...]:
    return tuple(column.title if column.titled else "" for column in table.columns)


def _widths(table: Table) -> list[int]:
    cells = ([printable(cell) for cell in row.cells] for row in table.rows)
    return [max(map(len, column)) for column in zip(_titles(table), *cells, strict=True)]


def _room(widths: list[int], width: int) -> int:
    """Return how many columns are left over; below zero the table is too wide."""
    return width - len(_INDENT) - sum(widths) - len(_GAP) * (len(widths) - 1)


def _without(table: Table, dropped: int) -> Table:
    kept = [i for i in range(len(table.columns)) if i != dropped]
    rows = tuple(replace(row, cells=tuple(row.cells[i] for i in kept)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[i] for i in kept), rows=rows)


def text_table(table: Table, indent: int = 0) -> str:
    """Return a table with its columns aligned, within the width of the report where that is possible."""
    return "\n".join((" " * indent + line).rstrip() for line in _table(table, _WIDTH - indent))


def _table(table: Table, width: int) -> list[str]:
    widths = _widths(table)
    optional = [i for i, column in enumerate(table.columns) if column.optional]
    while _room(widths, width) < 0 and optional:
        table = _without(table, optional.pop(0))
        widths = _widths(table)
    widths[0] = min(widths[0], max(_MIN_NAME, widths[0] + _room(widths, width)))
    rows = [tuple(printable(cell) for cell in row.cells) for row in table.rows]
    lines = [table.title, _line(table, _titles(table), widths)]
    for row, cells in zip(table.rows, rows, strict=True):
        lines += _row(table, row, cells, widths)
    for note in table.notes:
        lines += _wrapped(note, _INDENT)
    return lines


def _row(table: Table, row: Row, cells: tuple[str, ...], widths: list[int]) -> Iterator[str]:
    """Yield the lines of a row; a name too long for its column has a line of its own."""
    if len(cells[0]) > widths[0]:
        yield _INDENT + cells[0]
        cells = ("", *cells[1:])
    yield _line(table, cells, widths)
    yield from _wrapped(row.note, _INDENT * 3)


def _line(table: Table, cells: tuple[str, ...], widths: list[int]) -> str:
    aligned = (
        f"{cell:<{width}}" if column.align == "left" else f"{cell:>{width}}"
        for column, cell, width in zip(table.columns, cells, widths, strict=True)
    )
    return _INDENT + _GAP.join(aligned)


def _generator(result: Result) -> tuple[Fact, ...]:
    validity = result.validity
    return (Fact("Validity", validity.state, "; ".join(validity.reasons)), *sections.generator(result))
