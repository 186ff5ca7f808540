"""The CSV report: totals, endpoints, workloads, phases and the timeline as one table, for spreadsheets and data frames.

The column `part` tells the rows apart: `total`, `endpoint`, `workload`, `phase` or `timeline`. A figure that a row does not have, or
that was not measured, is an empty cell. A name that a spreadsheet would take for a formula begins with an apostrophe. Times are seconds, as in the result file, whose keys the columns are named by.
"""

import csv
import io
from collections.abc import Iterator

from stressrunner.metrics.summary import Stats
from stressrunner.metrics.timeline import TimelinePoint
from stressrunner.result.model import Result
from stressrunner.spelling import spreadsheet_cell

__all__ = ["COLUMNS", "render"]

_Cell = str | int | float | None
_COUNTS = ("sent", "completed", "ok", "failed", "refused")
_STATS = ("planned", "superseded", "unfinished", "dropped", "skipped", "not_reached", "error_ratio")
_RATES = ("throughput_per_s", "goodput_per_s")
_BYTES = ("bytes_sent", "bytes_received")
_ENDS = ("min_s", "mean_s", "stddev_s")
_PERCENTILES = ("p50_s", "p90_s", "p95_s", "p99_s", "p99_9_s", "max_s")

COLUMNS = (
    "part",
    "name",
    "at_s",
    "duration_s",
    *_COUNTS,
    *_STATS,
    "in_flight",
    *_RATES,
    *_BYTES,
    *_ENDS,
    *_PERCENTILES,
)


def render(result: Result) -> str:
    """Return the table with its header; times are response times."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_rows(result))
    return out.getvalue()


def _rows(result: Result) -> Iterator[dict[str, _Cell]]:
    yield {
        "part": "total",
        "name": spreadsheet_cell(result.run.scenario.name),
        "duration_s": result.run.duration_s,
        **_stats(result.totals),
    }
    for name, stats in result.endpoints.items():
        yield {"part": "endpoint", "name": spreadsheet_cell(name), **_stats(stats)}
    for name, stats in result.workloads.items():
        yield {"part": "workload", "name": spreadsheet_cell(name), **_stats(stats)}
    for phase in result.phases:
        span = {"at_s": phase.started_at_s, "duration_s": phase.duration_s}
        yield {"part": "phase", "name": spreadsheet_cell(phase.name), **span, **_stats(phase.totals)}
    for point in result.timeline:
        yield {"part": "timeline", **_point(point)}


def _stats(stats: Stats) -> dict[str, _Cell]:
    times = stats.response_time
    return {name: getattr(stats, name) for name in (*_COUNTS, *_STATS, *_RATES, *_BYTES)} | {
        name: getattr(times, name) for name in (*_ENDS, *_PERCENTILES)
    }


def _point(point: TimelinePoint) -> dict[str, _Cell]:
    rates = {
        "throughput_per_s": point.completed / point.duration_s if point.duration_s else None,
        "goodput_per_s": point.ok / point.duration_s if point.duration_s else None,
    }
    names = ("at_s", "duration_s", *_COUNTS, "in_flight", "p50_s", "p95_s", "p99_s", "max_s")
    return {name: getattr(point, name) for name in names} | rates
