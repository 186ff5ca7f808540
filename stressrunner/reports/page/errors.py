"""The errors of a run: one row for each group, then the samples that were kept of it."""

from markupsafe import Markup

from stressrunner.metrics.summary import ErrorGroup
from stressrunner.reports.page.exchanges import exchanges_of
from stressrunner.reports.page.markup import fill, table
from stressrunner.reports.table import Column, Row, Table
from stressrunner.reports.wording import count, duration, ratio
from stressrunner.result.model import Result
from stressrunner.units import format_duration

__all__ = ["errors"]


def errors(result: Result) -> Markup:
    """Return all groups of errors, the most frequent first; nothing where there was none."""
    if not result.errors:
        return Markup("")
    groups = [
        (_heading(group), table(_samples(group), captioned=False), exchanges_of(result, group))
        for group in result.errors
    ]
    return table(_groups(result), captioned=False) + fill("errors.html.j2", groups=groups)


def _groups(result: Result) -> Table:
    with_checks = any(group.rule for group in result.errors)
    columns = (
        Column("kind", "left"),
        *([Column("check", "left")] if with_checks else []),
        *map(Column, ("errors", "share", "first seen", "last seen")),
        Column("endpoints", "left"),
    )
    total = sum(group.count for group in result.errors)
    rows = tuple(
        Row(
            (
                group.key.label,
                *([group.rule] if with_checks else []),
                count(group.count),
                ratio(group.count / total if total else None),
                format_duration(group.first_at_s),
                format_duration(group.last_at_s),
                ", ".join(dict.fromkeys(sample.endpoint for sample in group.samples)),
            )
        )
        for group in result.errors
    )
    notes = ("Seen: after the load began. Endpoints: of the samples below.",)
    return Table("Errors", columns, rows, notes)


def _heading(group: ErrorGroup) -> str:
    return f"{group.key.title}: {len(group.samples)} of {count(group.count)} errors"


def _samples(group: ErrorGroup) -> Table:
    columns = tuple(Column(title, "left") for title in ("at", "endpoint", "status", "message", "response"))
    rows = tuple(
        Row(
            (
                duration(sample.at_s),
                sample.endpoint,
                count(sample.status),
                sample.message,
                sample.excerpt,
            )
        )
        for sample in group.samples
    )
    return Table(f"Samples of {group.key.title}", columns, rows)
