"""Tables of what was measured of requests: latencies, endpoints, phases; shared by every format."""

from collections.abc import Iterable
from typing import NamedTuple

from stressrunner.metrics.summary import Latency, Stats
from stressrunner.reports.table import Column, Row, Table
from stressrunner.reports.wording import NEVER, count, duration, percentile, ratio
from stressrunner.result.model import Result
from stressrunner.units import format_rate

__all__ = ["excluded", "groups", "latencies", "phases", "traffic", "workloads"]


def traffic(result: Result) -> tuple[Table, ...]:
    """Tables of what was measured; none when no request was sent or given up, for they would say nothing."""
    if not _has_traffic(result):
        return excluded(result)
    rest = (*groups(result), *workloads(result), *phases(result), *excluded(result))
    return (*latencies(result), _endpoints(result), *rest)


def latencies(result: Result) -> tuple[Table, ...]:
    """Return the table of times of all requests; none without a request."""
    return (_latencies(result.totals),) if _has_traffic(result) else ()


def groups(result: Result) -> tuple[Table, ...]:
    """Return the table of what was measured as a group; none when nothing was."""
    return (_groups(result),) if result.groups and _has_traffic(result) else ()


def workloads(result: Result) -> tuple[Table, ...]:
    """Return the table of workloads of traffic; none when there are none."""
    if not result.workloads or not _has_traffic(result):
        return ()
    return (_stats_table("Workloads", "workload", result.workloads.items()),)


def phases(result: Result) -> tuple[Table, ...]:
    """Return the table of phases; none when there is but one."""
    return (_phases(result),) if len(result.phases) > 1 and _has_traffic(result) else ()


def excluded(result: Result) -> tuple[Table, ...]:
    """Return the table of requests beside the load; none when there were none."""
    return (_excluded(result),) if result.excluded else ()


def _has_traffic(result: Result) -> bool:
    stats = result.totals
    return bool(stats.sent + stats.dropped + stats.skipped)


class _Kind(NamedTuple):
    """A kind of time, and from when until when it counts where the title does not say it."""

    title: str
    latency: Latency
    meaning: str = ""
    always: bool = False  #: shown also when nothing was counted


def _kinds(stats: Stats) -> Iterable[_Kind]:
    due_until_complete = "from the moment a request was due until its answer was complete"
    yield _Kind("response time", stats.response_time, due_until_complete, always=True)
    yield _Kind("service time", stats.service_time, "from its first byte on the wire")
    yield _Kind("first byte", stats.ttfb)
    yield _Kind("connect", stats.connect)
    yield _Kind("failed", stats.response_time_failed, "response time of the requests that failed")


def _latencies(stats: Stats) -> Table:
    """Distributions of times, a column for each kind of time that was measured."""
    measured = [kind for kind in _kinds(stats) if kind.latency.count or kind.latency.never or kind.always]
    kinds = [kind.latency for kind in measured]
    rows = [
        Row(("Mean", *(duration(latency.mean_s) for latency in kinds))),
        Row(("Median", *(percentile(latency, latency.p50_s) for latency in kinds))),
        Row(("p90", *(percentile(latency, latency.p90_s) for latency in kinds))),
        Row(("p95", *(percentile(latency, latency.p95_s) for latency in kinds))),
        Row(("p99", *(percentile(latency, latency.p99_s) for latency in kinds))),
        Row(("p99.9", *(percentile(latency, latency.p99_9_s) for latency in kinds))),
        Row(("Max", *(duration(latency.max_s) for latency in kinds))),
        Row(("Min", *(duration(latency.min_s) for latency in kinds))),
        Row(("Std. dev.", *(duration(latency.stddev_s) for latency in kinds))),
        Row(("Counted", *(count(latency.count) for latency in kinds))),
    ]
    if any(latency.never for latency in kinds):
        rows.append(Row(("Never ended", *(count(latency.never) for latency in kinds))))
    columns = (Column("figure", "left", titled=False), *(Column(kind.title) for kind in measured))
    notes = (*(f"{kind.title}: {kind.meaning}" for kind in measured if kind.meaning), *_never_note(rows))
    return Table("Latency", columns, tuple(rows), notes)


def _never_note(rows: Iterable[Row]) -> tuple[str, ...]:
    return (NEVER,) if any("never" in row.cells[1:] for row in rows) else ()


def _endpoints(result: Result) -> Table:
    """A row for each endpoint."""
    return _stats_table("Endpoints", "endpoint", result.endpoints.items())


def _groups(result: Result) -> Table:
    """What was measured from its beginning to its end, a row each."""
    columns = (
        Column("group", "left"),
        *(Column(title) for title in ("passed", "failed", "mean", "median", "p95", "p99", "max")),
    )
    rows = tuple(
        Row(
            (
                name,
                count(group.count),
                count(result.groups_failed.get(name, 0)),
                duration(group.mean_s),
                percentile(group, group.p50_s),
                percentile(group, group.p95_s),
                percentile(group, group.p99_s),
                duration(group.max_s),
            )
        )
        for name, group in result.groups.items()
    )
    return Table("Group durations (think time excluded)", columns, rows)


def _excluded(result: Result) -> Table:
    """A row for each kind of requests beside the load."""
    columns = (Column("requests of", "left"), *map(Column, ("sent", "failed", "errors", "median", "max")))
    rows = []
    for kind, stats in result.excluded.items():
        times, counted = stats.response_time, (count(stats.sent), count(stats.failed))
        errors = ratio(stats.error_ratio)
        rows.append(Row((kind, *counted, errors, percentile(times, times.p50_s), duration(times.max_s))))
    return Table("Setup and teardown (excluded from totals)", columns, tuple(rows))


def _phases(result: Result) -> Table:
    """A row for each phase of the load."""
    named = ((f"{p.name} (warm-up)" if p.warmup else p.name, p.totals) for p in result.phases)
    return _stats_table("Phases", "phase", named)


def _stats_table(title: str, first: str, named: Iterable[tuple[str, Stats]]) -> Table:
    columns = (
        Column(first, "left"),
        *map(Column, ("sent", "failed", "errors", "rate", "median", "p95", "p99")),
        Column("max", optional=True),
    )
    rows = tuple(_stats_row(name, stats) for name, stats in named)
    return Table(title, columns, rows, _never_note(rows))


def _stats_row(name: str, stats: Stats) -> Row:
    times = stats.response_time
    cells = (
        name,
        count(stats.sent),
        count(stats.failed),
        ratio(stats.error_ratio),
        format_rate(stats.throughput_per_s),
        percentile(times, times.p50_s),
        percentile(times, times.p95_s),
        percentile(times, times.p99_s),
        duration(times.max_s),
    )
    return Row(cells, tone="bad" if stats.failed else "")
