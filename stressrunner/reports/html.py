"""The HTML report: one file that asks for nothing from outside, which can be mailed, printed and kept.

Everything can be read without a script. The one that is there shows the values under the pointer and sorts tables; the
page's policy names it by its digest and lets no other run.
"""

import base64
import hashlib

from markupsafe import Markup

from stressrunner.reports import sections
from stressrunner.reports.advice import advice
from stressrunner.reports.page.charts import charts
from stressrunner.reports.page.checks import checks
from stressrunner.reports.page.delivery import delivery
from stressrunner.reports.page.endpoints import endpoints
from stressrunner.reports.page.errors import errors
from stressrunner.reports.page.exchanges import slowest
from stressrunner.reports.page.markup import facts, fill, table
from stressrunner.reports.page.section import Section
from stressrunner.reports.table import Fact
from stressrunner.reports.traffic import excluded, groups, latencies, phases, workloads
from stressrunner.reports.wording import count, encodable, percentile, ratio
from stressrunner.result.model import Result
from stressrunner.spelling import visible
from stressrunner.units import format_duration, format_rate

__all__ = ["SECTIONS", "render"]


def render(result: Result) -> str:
    """Return the report as a whole HTML document."""
    drawn = [(section, section.body(result)) for section in SECTIONS]
    script = fill("report.js")
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    page = fill(
        "report.html.j2",
        result=result,
        mark=sections.MARKS,
        tone=sections.TONES,
        embedded=sections.EMBEDDED,
        doubts=sections.doubts(result),
        warnings=sections.warnings(result),
        early=sections.early_end(result),
        reasons=sections.reasons(result),
        tiles=_tiles(result),
        sections=[(section, body) for section, body in drawn if body],
        script=script,
        script_digest=base64.b64encode(digest).decode("ascii"),
    )
    return visible(encodable(page)) + "\n"


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


def _thresholds(result: Result) -> Markup:
    if not result.thresholds:
        return Markup("")
    return table(sections.thresholds(result), captioned=False) + fill("advice.html.j2", places=advice(result))


def _charts(result: Result) -> Markup:
    drawn = charts(result)
    return fill("charts.html.j2", charts=drawn) if drawn else Markup("")


def _figures(result: Result) -> Markup:
    tables = (*latencies(result), *groups(result), *workloads(result), *phases(result), *excluded(result))
    return facts(sections.summary(result)) + Markup("").join(map(table, tables))


def _monitors(result: Result) -> Markup:
    if not result.monitors:
        return Markup("")
    return table(sections.processes("Monitored processes", result.monitors), captioned=False)


def _generator(result: Result) -> Markup:
    return fill("generator.html.j2") + facts(sections.generator(result))


def _run(result: Result) -> Markup:
    command = " ".join(sections.again(result))
    return facts(sections.run_facts(result)) + fill("again.html.j2", result=result, command=command)


#: The parts of the page in their order.
SECTIONS: tuple[Section, ...] = (
    Section("thresholds", "Thresholds", _thresholds),
    Section("delivery", "Delivery", delivery),
    Section("charts", "Charts", _charts),
    Section("endpoints", "Endpoints", endpoints),
    Section("checks", "Checks", checks),
    Section("errors", "Errors", errors),
    Section("slowest", "Slowest requests", slowest),
    Section("figures", "Figures", _figures),
    Section("monitors", "Monitors", _monitors),
    Section("generator", "Generator", _generator),
    Section("run", "Run", _run),
)
