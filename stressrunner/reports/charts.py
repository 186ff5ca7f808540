"""Which charts a report has: from a Result to lines."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import log10

from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.timeline import Point
from stressrunner.monitor.figures import MonitorPoint, ProcessFigures
from stressrunner.reports.scale import Axis, count_axis, decimal_axis, time_axis
from stressrunner.reports.svg import Chart, Frame, Series, line_chart
from stressrunner.result.model import Result
from stressrunner.units import format_bytes, format_duration, format_quantity, format_rate, format_ratio

__all__ = ["charts"]

_CURVE_STEPS = 80  #: percentiles that are looked up for a distribution


@dataclass(frozen=True, slots=True)
class _Unit:
    """How values of a kind are written, and where their axis has its ticks."""

    write: Callable[[float], str]
    axis: Callable[[float, float, Callable[[float], str]], Axis] = decimal_axis

    from_zero: bool = True
    note: str = ""  #: shown below its charts

    def upwards(self, lines: Iterable[Series]) -> Axis:
        """Return an axis that holds all values of some lines."""
        values = [value for line in lines for _, value in line.points if value is not None] or [0.0]
        return self.axis(0.0 if self.from_zero else min(values), max(values), self.write)


_SECONDS = _Unit(format_duration, time_axis)
_PER_SECOND = _Unit(format_rate)
# Memory is read by its growth, which a scale from zero would hide.
_BYTES = _Unit(format_bytes, from_zero=False, note="The scale does not begin at 0.")
_CORES = _Unit(format_ratio, note="100 % is one core.")
_COUNT = _Unit(lambda value: format_quantity(value, "count"), count_axis)


def charts(result: Result) -> tuple[Chart, ...]:
    """Return the charts of a run: what the target did, what the processes used, how busy the generator was.

    A run without a timeline has none.
    """
    if not result.timeline:
        return ()
    drawn = [_response_times(result), _rates(result), _in_flight(result), _distribution(result)]
    watched = {name: figures for name, figures in result.monitors.items() if figures.points}
    if watched:
        drawn.append(_memory(result, watched))
        drawn.append(_cpu(result, "cpu", "CPU of the monitored processes", watched))
    if result.generator.process.points:
        itself = {"generator": result.generator.process}
        drawn.append(_cpu(result, "generator", "CPU of the generator", itself))
    return tuple(drawn)


def _time_axis(result: Result, lines: Iterable[Series]) -> Axis:
    """Return an axis from the beginning of the load to its end or to the last value, whichever is later."""
    end_s = max([result.run.duration_s, *(x for line in lines for x, _ in line.points)])
    whole = time_axis(0.0, end_s, format_duration)
    if not end_s:
        return whole
    # The lines reach the right edge; ticks beyond it are left out.
    return Axis(0.0, end_s, tuple(tick for tick in whole.ticks if tick[0] <= end_s))


def _over_time(result: Result, name: str, title: str, lines: tuple[Series, ...], unit: _Unit) -> Chart:
    marks = tuple(phase.started_at_s for phase in result.phases[1:])
    note = f"{unit.note} Dashed: where a phase begins." if marks else unit.note
    frame = Frame(title, _time_axis(result, lines), unit.upwards(lines), unit.write, marks)
    return line_chart(name, frame, lines, note.strip())


def _line(result: Result, name: str, value: Callable[[Point], float | None]) -> Series:
    """Return a line of the timeline, each value in the middle of its stretch."""
    points = ((point.at_s + point.duration_s / 2, value(point)) for point in result.timeline)
    return Series(name, tuple(points))


def _response_times(result: Result) -> Chart:
    lines = (
        _line(result, "median", lambda point: point.p50_s),
        _line(result, "p95", lambda point: point.p95_s),
        _line(result, "p99", lambda point: point.p99_s),
    )
    return _over_time(result, "response-time", "Response time", lines, _SECONDS)


def _per_second(n: int, point: Point) -> float | None:
    # A rate over next to no time, such as the very end of a run, says nothing.
    return n / point.duration_s if point.duration_s >= 0.001 else None


def _rates(result: Result) -> Chart:
    lines = (
        _line(result, "sent", lambda point: _per_second(point.sent, point)),
        _line(result, "completed", lambda point: _per_second(point.completed, point)),
        _line(result, "failed", lambda point: _per_second(point.failed, point)),
    )
    return _over_time(result, "rate", "Requests per second", lines, _PER_SECOND)


def _in_flight(result: Result) -> Chart:
    lines = (_line(result, "in flight", lambda point: point.in_flight),)
    return _over_time(result, "in-flight", "Requests in flight", lines, _COUNT)


def _memory(result: Result, watched: Mapping[str, ProcessFigures]) -> Chart:
    lines = _of_processes(watched, lambda point: point.memory_bytes)
    return _over_time(result, "memory", "Memory of the monitored processes", lines, _BYTES)


def _cpu(result: Result, name: str, title: str, watched: Mapping[str, ProcessFigures]) -> Chart:
    lines = _of_processes(watched, lambda point: point.cpu)
    return _over_time(result, name, title, lines, _CORES)


def _of_processes(
    watched: Mapping[str, ProcessFigures], value: Callable[[MonitorPoint], float]
) -> tuple[Series, ...]:
    return tuple(
        Series(name, tuple((point.at_s, value(point)) for point in figures.points))
        for name, figures in watched.items()
    )


def _distribution(result: Result) -> Chart:
    """Draw how long the slowest part of the requests took; the gap between the lines is time spent waiting."""
    times, service = result.totals.response_time.distribution, result.totals.service_time.distribution
    nines = max(1.0, log10(max(times.count + times.never, 10)))  # one in 10, 100, 1,000, ...
    lines = (
        Series("response time", _curve(times, nines)),
        Series("service time", _curve(service, nines)),
    )
    ticks = ((0.0, "0 %"), *((float(n), _share(n)) for n in range(1, int(nines) + 1)))
    frame = Frame("Latency by percentile", Axis(0.0, nines, ticks), _SECONDS.upwards(lines), format_duration)
    return line_chart("distribution", frame, lines)


def _share(nines: int) -> str:
    """Return the percentile that all but one in ten to the `nines` lie below: 90 %, 99 %, 99.9 %."""
    digits = max(0, nines - 2)
    return f"{100 - 100 / 10**nines:.{digits}f} %"


def _curve(histogram: Histogram, nines: float) -> tuple[tuple[float, float | None], ...]:
    places = [nines * i / _CURVE_STEPS for i in range(_CURVE_STEPS + 1)]
    return tuple((place, histogram.percentile_s(100 - 100 / 10**place)) for place in places)
