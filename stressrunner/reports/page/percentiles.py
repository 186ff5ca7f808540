"""The percentile curve on HdrHistogram's scale, on which 90 %, 99 % and 99.9 % are equally far from each other."""

from math import log10

from stressrunner.metrics.histogram import Histogram
from stressrunner.reports.page.frame import Chart, ChartFrame
from stressrunner.reports.page.lines import Line, line_chart
from stressrunner.reports.page.scale import Axis, time_axis
from stressrunner.result.model import Result
from stressrunner.units import format_duration

__all__ = ["percentile_curve"]

_STEPS = 80  #: percentiles that are looked up for a distribution


def percentile_curve(result: Result) -> Chart:
    """Draw how long the slowest part of the requests took; the gap between the lines is time spent waiting."""
    times, service = result.totals.response_time.distribution, result.totals.service_time.distribution
    nines = max(1.0, log10(max(times.count + times.never, 10)))  # one in 10, 100, 1,000, ...
    lines = (
        Line("response time", _curve(times, nines)),
        Line("service time", _curve(service, nines)),
    )
    ticks = ((0.0, "0 %"), *((float(n), _share(n)) for n in range(1, int(nines) + 1)))
    values = [value for line in lines for _, value in line.points if value is not None]
    upwards = time_axis(0.0, max(values, default=0.0), format_duration)
    frame = ChartFrame(
        "Latency by percentile", Axis(0.0, nines, ticks), upwards, format_duration, _percentile
    )
    return line_chart("distribution", frame, lines)


def _percentile(place: float) -> str:
    """Return the percentile at a place of the axis, with the digits that tell it from its neighbours."""
    return f"{100 - 100 / 10**place:.{int(place) + 1}f} %"


def _share(nines: int) -> str:
    """Return the percentile that all but one in ten to the `nines` lie below: 90 %, 99 %, 99.9 %."""
    digits = max(0, nines - 2)
    return f"{100 - 100 / 10**nines:.{digits}f} %"


def _curve(histogram: Histogram, nines: float) -> tuple[tuple[float, float | None], ...]:
    places = [nines * i / _STEPS for i in range(_STEPS + 1)]
    return tuple((place, histogram.percentile_s(100 - 100 / 10**place)) for place in places)
