"""Every check of every endpoint, and how many responses failed it."""

from markupsafe import Markup

from stressrunner.reports import sections
from stressrunner.reports.page.markup import table
from stressrunner.reports.table import Column, Row, Table
from stressrunner.reports.wording import count
from stressrunner.result.model import Result

__all__ = ["checks"]


def checks(result: Result) -> Markup:
    """Return a row for each check; nothing where the scenario has none."""
    if not result.checks:
        return Markup("")
    columns = (
        Column("state", "left", titled=False),
        Column("endpoint", "left"),
        Column("check", "left"),
        Column("failed"),
    )
    rows = tuple(
        Row(
            (sections.MARKS[check.state], check.endpoint, check.text, count(check.failed)),
            "no response was held against it" if check.state == "skipped" else "",
            sections.TONES[check.state],
        )
        for check in result.checks
    )
    return table(Table("Checks", columns, rows, name_column=2), captioned=False)
