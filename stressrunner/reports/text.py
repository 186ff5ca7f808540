"""The text report: for a terminal of 80 columns, the verdict first, without colour."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace

from stressrunner.metrics.summary import ErrorGroup
from stressrunner.reports import sections
from stressrunner.reports.advice import advice
from stressrunner.reports.table import Fact, Row, Table
from stressrunner.reports.traffic import traffic
from stressrunner.reports.wording import count, printable
from stressrunner.result.model import Result
from stressrunner.units import format_duration

__all__ = ["render", "render_judgement"]

_WIDTH = 80
_INDENT = "  "
_GAP = "  "
_MAX_SAMPLES = 3  #: of each kind of error
_MIN_NAME = 12  #: a narrower first column would break every name


def render(result: Result) -> str:
    """Return the report as lines of at most 80 columns, unless a name alone is longer."""
    parts = [
        _verdict(result),
        _facts("Run", sections.run_facts(result)),
        _thresholds(result),
        _facts("Summary", sections.summary(result)),
        *map(_table, traffic(result)),
        _errors(result.errors),
        _table(sections.processes("Monitored processes", result.monitors)) if result.monitors else [],
        _generator(result),
        ["Run it again", *_command(sections.again(result))],
        [_headline(result)],
    ]
    return _joined(parts)


def render_judgement(result: Result) -> str:
    """Return the verdict and the thresholds alone."""
    return _joined([_verdict(result), _thresholds(result)])


def _joined(parts: Iterable[list[str]]) -> str:
    return "\n\n".join("\n".join(line.rstrip() for line in part) for part in parts if part) + "\n"


def _headline(result: Result) -> str:
    outcome = result.verdict.outcome
    head = f"{sections.MARKS[outcome]} {outcome.upper()}  {printable(result.run.scenario.name)}"
    exit_code = f"exit code {result.verdict.exit_code}"
    return f"{head:<{_WIDTH - len(exit_code) - 1}} {exit_code}"


def _verdict(result: Result) -> list[str]:
    verdict, validity = result.verdict, result.validity
    rule = "=" * _WIDTH
    lines = [rule, _headline(result), rule]
    if result.run.embedded:
        lines += _wrapped(sections.EMBEDDED, "")
    lines += _bullets(verdict.reasons)
    if doubts := sections.doubts(result):
        lines += [f"{sections.MARKS[validity.state]} The measurement is {validity.state}:", *_bullets(doubts)]
    return lines


def _command(words: Iterable[str]) -> list[str]:
    """Break a command between its options, so that it can still be pasted into a shell."""
    lines = [""]
    for word in map(printable, words):
        if lines[-1] and len(lines[-1]) + len(word) + 5 > _WIDTH:
            lines[-1] += " \\"
            lines.append(_INDENT + word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    return [_INDENT + line for line in lines]


def _bullets(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in _wrapped(text, "  ", "- ")]


def _wrapped(text: str, indent: str, bullet: str = "") -> list[str]:
    return textwrap.wrap(
        printable(text),
        _WIDTH,
        initial_indent=indent + bullet,
        subsequent_indent=indent + " " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _facts(title: str, facts: Iterable[Fact]) -> list[str]:
    shown = [(fact.label, printable(fact.value), printable(fact.remark)) for fact in facts]
    labels = max(len(label) for label, _, _ in shown)
    lines = [title]
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


def _room(widths: list[int]) -> int:
    """Return how many columns are left over; below zero the table is too wide."""
    return _WIDTH - len(_INDENT) - sum(widths) - len(_GAP) * (len(widths) - 1)


def _without_optional(table: Table) -> Table:
    kept = [i for i, column in enumerate(table.columns) if not column.optional]
    rows = tuple(replace(row, cells=tuple(row.cells[i] for i in kept)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[i] for i in kept), rows=rows)


def _table(table: Table) -> list[str]:
    widths = _widths(table)
    if _room(widths) < 0:
        table = _without_optional(table)
        widths = _widths(table)
    widths[0] = min(widths[0], max(_MIN_NAME, widths[0] + _room(widths)))
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


def _thresholds(result: Result) -> list[str]:
    if not result.thresholds:
        return []
    lines = _table(sections.thresholds(result))
    return lines + [f"{_INDENT}What to do: {where}" for where in advice(result)]


def _errors(groups: Iterable[ErrorGroup]) -> list[str]:
    lines: list[str] = []
    for group in groups:
        first, last = format_duration(group.first_at_s), format_duration(group.last_at_s)
        lines.append(
            f"{_INDENT}{count(group.count)} x {printable(group.kind)}  (first at {first}, last at {last})"
        )
        for sample in group.samples[:_MAX_SAMPLES]:
            lines += _wrapped(f"{sample.endpoint}: {sample.message}", _INDENT * 3)
            if sample.excerpt:
                shown = textwrap.shorten(printable(sample.excerpt), _WIDTH - 8, placeholder=" ...")
                lines.append(f"{_INDENT * 3}| {shown}")
    return ["Errors", *lines] if lines else []


def _generator(result: Result) -> list[str]:
    validity = result.validity
    health = Fact("Validity", validity.state, "; ".join(validity.reasons))
    return _facts("Generator (stressrunner itself, not the target)", (health, *sections.generator(result)))
