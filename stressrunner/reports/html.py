"""The HTML report: one file without scripts or outside requests, which can be mailed and kept."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from stressrunner.metrics.summary import ErrorGroup
from stressrunner.reports import sections
from stressrunner.reports.advice import advice
from stressrunner.reports.charts import charts
from stressrunner.reports.table import Column, Fact, Row, Table
from stressrunner.reports.traffic import traffic
from stressrunner.reports.wording import count, duration, encodable, percentile, ratio
from stressrunner.result.model import Result
from stressrunner.units import format_duration, format_rate

__all__ = ["render"]


def render(result: Result) -> str:
    """Return the report as a whole HTML document."""
    environment = Environment(
        loader=PackageLoader("stressrunner", "reports/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return encodable(environment.get_template("report.html.j2").render(_content(result))) + "\n"


def _content(result: Result) -> dict[str, Any]:
    """Return what the template puts on the page, in the order of the page."""
    return {
        "result": result,
        "mark": sections.MARKS,
        "tone": sections.TONES,
        "embedded": sections.EMBEDDED,
        "doubts": sections.doubts(result),
        "tiles": _tiles(result),
        "advice": advice(result),
        "thresholds": sections.thresholds(result),
        "summary": sections.summary(result),
        "charts": charts(result),
        "traffic": traffic(result),
        "errors": tuple(_errors(group) for group in result.errors),
        "processes": sections.processes("Monitored processes", result.monitors),
        "generator": sections.generator(result),
        "run": sections.run_facts(result),
        "command": " ".join(sections.again(result)),
    }


def _tiles(result: Result) -> tuple[Fact, ...]:
    """Return the figures that are looked for first."""
    stats = result.totals
    times = stats.response_time
    return (
        Fact("requests", count(stats.sent)),
        Fact("errors", ratio(stats.error_ratio)),
        Fact("throughput", format_rate(stats.throughput_per_s)),
        Fact("median", percentile(times, times.p50_s)),
        Fact("p95", percentile(times, times.p95_s)),
        Fact("p99", percentile(times, times.p99_s)),
        Fact("duration", format_duration(result.run.duration_s)),
    )


def _errors(group: ErrorGroup) -> Table:
    """Return one kind of error with its samples."""
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
    first, last = format_duration(group.first_at_s), format_duration(group.last_at_s)
    title = f"{count(group.count)} x {group.kind}"
    return Table(title, columns, rows, (f"First at {first}, last at {last} after the load began.",))
