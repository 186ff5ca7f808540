"""Reports: functions from a Result to text, each one module and one line of the registry.

A module is imported when its report is first written: to import all of them takes longer than the first request of a
run, which does not need any.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType

from stressrunner.errors import UsageError
from stressrunner.result.model import Result
from stressrunner.spelling import did_you_mean

__all__ = ["REPORTS", "Report", "render", "report_of"]

Report = Callable[[Result], str]


def _of(module: str, function: str = "render") -> Report:
    """Return the report that a function of a module writes."""

    def write(result: Result) -> str:
        report: Report = getattr(import_module(f"stressrunner.{module}"), function)
        return report(result)

    return write


REPORTS: Mapping[str, Report] = MappingProxyType(
    {
        "text": _of("reports.text"),
        "html": _of("reports.html"),
        "json": _of("result.codec", "to_json"),
        "junit": _of("reports.junit"),
        "markdown": _of("reports.markdown"),
        "csv": _of("reports.csv_table"),
        "hlog": _of("reports.hlog"),
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
