"""Figures of runs that never took place, made by the classes that count real ones."""

from collections.abc import Iterable, Mapping

from stressrunner.engine.sample import Sample
from stressrunner.metrics.delta import Series
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.summary import Latency, PhaseStats, Stats, stats_of
from stressrunner.monitor.figures import MonitorPoint, ProcessFigures
from stressrunner.monitor.trend import growth, slope_per_h
from stressrunner.plan.outcome import Outcome
from stressrunner.verdict.figures import Figures

MS = 1_000_000


def sample(ms: float, outcome: Outcome = Outcome.OK, **fields: object) -> Sample:
    """Return a request that took so many milliseconds; `fields` replace others of it."""
    made = Sample(0, 0, outcome, 0, 0, 0, 0, round(ms * MS / 2), round(ms * MS))
    return made._replace(**fields)


def cell_of(samples: Iterable[Sample], *, dropped: int = 0, skipped: int = 0) -> Series:
    """Count some requests, and some that were not sent."""
    series = Series()
    series.extend(tuple(samples))
    series.dropped, series.skipped = dropped, skipped
    series.response_time.never += dropped
    return series


def stats(
    times_ms: Iterable[float] = (), *, duration_s: float = 10.0, not_reached: int = 0, **counts: int
) -> Stats:
    """Return the figures of requests that succeeded in some times, and of so many with another fate.

    `counts` are `failed`, `refused`, `unfinished`, `never` (a timeout), `dropped` and `skipped`.
    """
    outcomes = {"failed": Outcome.FAILED, "refused": Outcome.REFUSED, "unfinished": Outcome.UNFINISHED}
    samples = [sample(ms) for ms in times_ms]
    for name, outcome in outcomes.items():
        samples += [sample(5, outcome)] * counts.get(name, 0)
    samples += [sample(30_000, Outcome.FAILED, never=True)] * counts.get("never", 0)
    series = cell_of(samples, dropped=counts.get("dropped", 0), skipped=counts.get("skipped", 0))
    planned = series.sent + series.dropped + series.skipped + not_reached
    return stats_of([series], planned=planned, duration_s=duration_s)


def latency(times_ms: Iterable[float]) -> Latency:
    """Return the distribution of some times."""
    histogram = Histogram()
    for ms in times_ms:
        histogram.record(round(ms * MS))
    return Latency.of(histogram)


def point(
    at_s: float, cpu: float = 0.0, memory: int = 0, files: int | None = 0, sockets: int | None = 0
) -> MonitorPoint:
    """Return one look at a process."""
    return MonitorPoint(at_s, cpu, memory, files, sockets)


def process(*points: MonitorPoint, reason: str = "") -> ProcessFigures:
    """Return the figures that follow from some looks; without any, of a process that was not found."""
    memory = [(p.at_s, float(p.memory_bytes)) for p in points]
    grown = growth(memory)

    def highest(values: Iterable[float | None]) -> float | None:
        return max((value for value in values if value is not None), default=None)

    return ProcessFigures(
        label="pid 4711 (app)" if points else "pid 4711",
        available=bool(points),
        reason=reason,
        cpu_mean=sum(p.cpu for p in points) / len(points) if points else None,
        cpu_max=highest(p.cpu for p in points),
        memory_max_bytes=highest(p.memory_bytes for p in points),
        memory_growth_bytes=None if grown is None else round(grown),
        memory_slope_bytes_per_h=slope_per_h(memory),
        open_files_max=highest(p.open_files for p in points),
        connections_max=highest(p.connections for p in points),
        points=points,
    )


def phase(
    name: str, totals: Stats, started_at_s: float = 0.0, duration_s: float = 10.0, *, warmup: bool = False
) -> PhaseStats:
    """Return a phase."""
    return PhaseStats(name, warmup, started_at_s, duration_s, totals)


def figures(
    totals: Stats | None = None,
    *,
    endpoints: Mapping[str, Stats] | None = None,
    phases: Iterable[PhaseStats] = (),
    monitors: Mapping[str, ProcessFigures] | None = None,
    **held: object,
) -> Figures:
    """Return the figures of a run; `held` are those that a result file does not hold."""
    return Figures(
        totals=totals or stats(),
        endpoints=endpoints or {},
        phases={one.name: one for one in phases},
        monitors=monitors or {},
        **held,
    )
