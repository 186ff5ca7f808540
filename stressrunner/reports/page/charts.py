"""Which charts a report has, from a Result to drawings; all that go over time have the same time axis."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stressrunner.metrics.spread import Spread
from stressrunner.metrics.timeline import OTHER, TimelinePoint
from stressrunner.monitor.figures import MonitorPoint, ProcessFigures
from stressrunner.reports.page.frame import Band, Chart, ChartFrame, LimitLine
from stressrunner.reports.page.heat import HeatColumn, heat_axis, heat_map, joined
from stressrunner.reports.page.limits import (
    drawable,
    is_about_figure,
    is_about_rates,
    is_about_times,
    limits,
)
from stressrunner.reports.page.lines import Line, line_chart
from stressrunner.reports.page.percentiles import percentile_curve
from stressrunner.reports.page.scale import Axis, count_axis, decimal_axis, time_axis
from stressrunner.result.model import Result
from stressrunner.units import format_bytes, format_duration, format_quantity, format_rate, format_ratio

__all__ = ["charts"]

_STUB = 0.2  #: a stretch this much shorter than the longest says nothing about a rate
_SHORTEST_S = 1e-3  #: nor does any shorter one
_JOINED = 120  #: stretches in which errors are counted, at most


@dataclass(frozen=True, slots=True)
class _Unit:
    """How values of a kind are written, and where their axis has its ticks."""

    write: Callable[[float], str]
    axis: Callable[[float, float, Callable[[float], str]], Axis] = decimal_axis

    from_zero: bool = True
    note: str = ""  #: shown below its charts

    def upwards(self, values: Iterable[float]) -> Axis:
        """Return an axis that holds some values."""
        known = list(values) or [0.0]
        return self.axis(0.0 if self.from_zero else min(known), max(known), self.write)


_SECONDS = _Unit(format_duration, time_axis)
_PER_SECOND = _Unit(format_rate)
# Memory is read by its growth, which a scale from zero would hide.
_BYTES = _Unit(format_bytes, from_zero=False, note="The scale does not begin at 0.")
_CORES = _Unit(format_ratio, note="100 % is one core.")
_COUNT = _Unit(lambda value: format_quantity(value, "count"), count_axis)


def charts(result: Result) -> tuple[Chart, ...]:
    """Return the charts of a run: what the target did, then what the processes and the generator used.

    A run without a timeline has none.
    """
    if not result.timeline:
        return ()
    time = _TimeAxis(result)
    watched = {name: figures for name, figures in result.monitors.items() if figures.points}
    itself = {"generator": result.generator.process} if result.generator.process.points else {}
    drawn = [_rates(time), _response_times(time), _heat(time), percentile_curve(result)]
    drawn += [_errors(time)] if any(point.errors for point in result.timeline) else []
    drawn += [_in_flight(time)]
    drawn += [_cpu(time, {**watched, **itself})] if watched or itself else []
    drawn += [_memory(time, "memory", "Memory of the monitored processes", watched)] if watched else []
    drawn += [_memory(time, "own-memory", "Memory of the generator", itself)] if itself else []
    return tuple(drawn)


class _TimeAxis:
    """The time axis that charts share, and what is drawn along it."""

    def __init__(self, result: Result) -> None:
        self.result = result
        processes = [*result.monitors.values(), result.generator.process]
        looks = [look.at_s for figures in processes for look in figures.points]
        stretches = [point.at_s + point.duration_s for point in result.timeline]
        #: Rates of shorter stretches, such as the very end of a run, say nothing.
        self.shortest_s = max(_SHORTEST_S, _STUB * max(point.duration_s for point in result.timeline))
        self.end_s = max([result.run.duration_s, *looks, *stretches]) or 1.0
        whole = time_axis(0.0, self.end_s, format_duration)
        # The lines reach the right edge; ticks beyond it are left out.
        self.axis = Axis(0.0, self.end_s, tuple(tick for tick in whole.ticks if tick[0] <= self.end_s))

    def line(self, name: str, value: Callable[[TimelinePoint], float | None]) -> Line:
        """Return a line of the timeline, each value in the middle of its stretch."""
        points = ((point.at_s + point.duration_s / 2, value(point)) for point in self.result.timeline)
        return Line(name, tuple(points))

    def rate(self, name: str, counted: Callable[[TimelinePoint], float | None]) -> Line:
        """Return a line of how many a second there were."""

        def per_second(point: TimelinePoint) -> float | None:
            n = counted(point)
            return None if n is None or point.duration_s < self.shortest_s else n / point.duration_s

        return self.line(name, per_second)

    def frame(self, title: str, y: Axis, write: Callable[[float], str]) -> ChartFrame:
        """Return a frame along this axis, with the phases as bands where there are several that follow one another."""
        phases = self.result.phases if len(self.result.workloads) < 2 else ()
        bands: tuple[Band, ...] = ()
        if len(phases) > 1 or any(phase.warmup for phase in phases):
            bands = tuple(
                Band(
                    phase.started_at_s,
                    phase.started_at_s + phase.duration_s,
                    phase.name,
                    phase.warmup,
                )
                for phase in phases
                if phase.duration_s
            )
        return ChartFrame(title, self.axis, y, write, bands=bands)

    def chart(
        self, name: str, title: str, lines: tuple[Line, ...], unit: _Unit, found: tuple[LimitLine, ...] = ()
    ) -> Chart:
        """Draw lines over time, with the limits that lie near them."""
        values = [value for line in lines for _, value in line.points if value is not None]
        near, note = drawable(found, max(values, default=0.0))
        upwards = unit.upwards([*values, *(limit.value for limit in near)])
        frame = replace(self.frame(title, upwards, unit.write), limits=near)
        return line_chart(name, frame, lines, note=f"{unit.note} {note}".strip(), end_s=self.end_s)


def _rates(time: _TimeAxis) -> Chart:
    lines = [time.rate("offered", lambda point: point.offered)]
    if all(point.offered is None for point in time.result.timeline):
        lines = []
    lines += [
        time.rate("sent", lambda point: point.sent),
        time.rate("successful", lambda point: point.ok),
        time.rate("failed", lambda point: point.failed),
    ]
    title = "Requests per second: offered and achieved" if len(lines) > 3 else "Requests per second"
    return time.chart("rate", title, tuple(lines), _PER_SECOND, limits(time.result, is_about_rates))


def _response_times(time: _TimeAxis) -> Chart:
    lines = (
        time.line("median", lambda point: point.p50_s),
        time.line("p95", lambda point: point.p95_s),
        time.line("p99", lambda point: point.p99_s),
    )
    found = limits(time.result, is_about_times)
    return time.chart("response-time", "Response time", lines, _SECONDS, found)


def _heat(time: _TimeAxis) -> Chart:
    timeline = time.result.timeline
    columns = joined(
        [
            HeatColumn(p.at_s, p.at_s + p.duration_s, Spread.read(p.spread))
            for p in timeline
            if p.duration_s > 0
        ]
    )
    frame = time.frame("Response times, all of them", heat_axis(columns), format_duration)
    never = any(column.spread.never for column in columns)
    note = "Each shade is for three times as many a second as the one before."
    note += " Top row: never ended." if never else ""
    return heat_map("heat", frame, columns, note=note, end_s=time.end_s)


def _errors(time: _TimeAxis) -> Chart:
    """Draw how often each kind occurred; errors are few, and neighbours are joined so that their number can be seen."""
    timeline = time.result.timeline
    kinds = Counter[str]()
    for point in timeline:
        kinds.update(point.errors)
    # The most frequent first, and what is left of them at the end.
    ordered = sorted(kinds, key=lambda kind: (kind == OTHER, -kinds[kind], kind))
    size = -(-len(timeline) // _JOINED)
    stretches = [timeline[i : i + size] for i in range(0, len(timeline), size)]
    told = [stretch for stretch in stretches if _length_s(stretch) >= time.shortest_s]
    lines = tuple(Line(kind, tuple(_errors_in(stretch, kind) for stretch in told)) for kind in ordered)
    return time.chart("errors-by-kind", "Errors per second by kind", lines, _PER_SECOND)


def _length_s(stretch: Sequence[TimelinePoint]) -> float:
    return stretch[-1].at_s + stretch[-1].duration_s - stretch[0].at_s


def _errors_in(stretch: Sequence[TimelinePoint], kind: str) -> tuple[float, float]:
    """Return the middle of some points and how many errors of a kind they had in a second."""
    length_s = _length_s(stretch)
    n = sum(point.errors.get(kind, 0) for point in stretch)
    return stretch[0].at_s + length_s / 2, n / length_s


def _in_flight(time: _TimeAxis) -> Chart:
    lines = (time.line("in flight", lambda point: point.in_flight),)
    return time.chart("in-flight", "Requests in flight", lines, _COUNT)


def _memory(time: _TimeAxis, name: str, title: str, watched: Mapping[str, ProcessFigures]) -> Chart:
    lines = _of_processes(watched, lambda point: point.memory_bytes)
    own = name != "memory"
    return time.chart(
        name, title, lines, _BYTES, () if own else limits(time.result, is_about_figure("memory"))
    )


def _cpu(time: _TimeAxis, watched: Mapping[str, ProcessFigures]) -> Chart:
    lines = _of_processes(watched, lambda point: point.cpu)
    return time.chart("cpu", "CPU", lines, _CORES, limits(time.result, is_about_figure("cpu")))


def _of_processes(
    watched: Mapping[str, ProcessFigures], value: Callable[[MonitorPoint], float]
) -> tuple[Line, ...]:
    return tuple(
        Line(name, tuple((point.at_s, value(point)) for point in figures.points))
        for name, figures in watched.items()
    )
