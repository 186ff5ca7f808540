"""Reports: functions from a Result to text, each one module and one line of the registry."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from stressrunner.errors import UsageError
from stressrunner.reports import csv_table, hlog, html, junit, markdown, text
from stressrunner.result.codec import to_json
from stressrunner.result.model import Result
from stressrunner.spelling import did_you_mean

__all__ = ["REPORTS", "Report", "render", "report_of"]

Report = Callable[[Result], str]

REPORTS: Mapping[str, Report] = MappingProxyType(
    {
        "text": text.render,
        "html": html.render,
        "json": to_json,
        "junit": junit.render,
        "markdown": markdown.render,
        "csv": csv_table.render,
        "hlog": hlog.render,
    }
)


def report_of(name: str) -> Report:
    """Return the report of a format.

    Raises:
        UsageError: there is no such format.
    """
    report = REPORTS.get(name)
    if report is None:
        hint = did_you_mean(name, REPORTS) or f"there are {', '.join(REPORTS)}"
        raise UsageError(f"unknown report format {name!r}; {hint}")
    return report


def render(name: str, result: Result) -> str:
    """Return a result in a format; raises UsageError as `report_of` does."""
    return report_of(name)(result)
