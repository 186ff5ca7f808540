"""A row for each endpoint: what became of its requests, how long they took, and how that was spread."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from markupsafe import Markup

from stressrunner.metrics.spread import Spread
from stressrunner.metrics.summary import Latency, Stats
from stressrunner.reports.page.bars import Bars
from stressrunner.reports.page.markup import fill, table
from stressrunner.reports.table import Column, Row, Table
from stressrunner.reports.wording import NEVER, count, duration, percentile, ratio
from stressrunner.result.model import Result
from stressrunner.units import format_rate

__all__ = ["endpoints"]

_NAMED = 3  #: endpoints that are named beside a status


@dataclass(frozen=True, slots=True)
class _Cell:
    """A figure in words, and the number that it is sorted by; `never` comes after every other one."""

    text: str
    key: str


def endpoints(result: Result) -> Markup:
    """Return the tables of endpoints and of status codes; nothing where no request was sent or given up."""
    stats = result.totals
    if not stats.sent + stats.dropped + stats.skipped:
        return Markup("")
    spreads = {name: Spread.of(s.response_time.distribution) for name, s in result.endpoints.items()}
    bars = Bars.over(list(spreads.values()))
    rows = [(name, _cells(stats), bars.draw(spreads[name])) for name, stats in result.endpoints.items()]
    note = NEVER if any(cell.text == "never" for _, cells, _ in rows for cell in cells) else ""
    codes = table(_status_codes(result.endpoints)) if stats.status else Markup("")
    return fill("endpoints.html.j2", rows=rows, note=note) + codes


def _cells(stats: Stats) -> tuple[_Cell, ...]:
    times = stats.response_time
    return (
        _Cell(count(stats.sent), str(stats.sent)),
        _Cell(count(stats.failed), str(stats.failed)),
        _Cell(ratio(stats.error_ratio), "" if stats.error_ratio is None else f"{stats.error_ratio:.6g}"),
        _Cell(format_rate(stats.throughput_per_s), f"{stats.throughput_per_s:.6g}"),
        *(
            _time(times, value)
            for value in (times.p50_s, times.p90_s, times.p95_s, times.p99_s, times.p99_9_s)
        ),
        _Cell(duration(times.max_s), "" if times.max_s is None else f"{times.max_s:.6g}"),
    )


def _time(times: Latency, value: float | None) -> _Cell:
    key = f"{value:.6g}" if value is not None else "Infinity" if times.never else ""
    return _Cell(percentile(times, value), key)


def _status_codes(of_endpoints: Mapping[str, Stats]) -> Table:
    """Return a row for each status, with the endpoints that it came from."""
    codes = sorted({code for stats in of_endpoints.values() for code in stats.status})
    total = sum(n for stats in of_endpoints.values() for n in stats.status.values())
    rows = []
    for code in codes:
        found = Counter({name: s.status[code] for name, s in of_endpoints.items() if code in s.status})
        n = found.total()
        rows.append(Row((code, _meaning(code), count(n), ratio(n / total if total else None), _most(found))))
    columns = (
        Column("status", "left"),
        Column("meaning", "left"),
        Column("responses"),
        Column("share"),
        Column("from", "left"),
    )
    return Table("Status codes", columns, tuple(rows))


def _most(found: Counter[str]) -> str:
    """Name the endpoints that had most of something, and how many others had it."""
    names = [f"{name} {count(n)}" for name, n in found.most_common(_NAMED)]
    return ", ".join([*names, f"and {len(found) - _NAMED:,} more"] if len(found) > _NAMED else names)


def _meaning(code: str) -> str:
    try:
        return HTTPStatus(int(code)).phrase
    except ValueError:
        return ""
