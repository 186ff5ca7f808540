"""Thresholds as lines in charts: those that are about everything that a chart shows."""

from collections.abc import Callable, Sequence

from stressrunner.reports.page.frame import LimitLine
from stressrunner.result.model import Result
from stressrunner.scenario.threshold import Threshold
from stressrunner.scenario.threshold_grammar import ThresholdError, parse_threshold

__all__ = ["drawable", "is_about_figure", "is_about_rates", "is_about_times", "limits"]

_HEADROOM = 2.0  #: a limit that is further off would flatten the lines that it belongs to


def is_about_times(threshold: Threshold) -> bool:
    """Whether it limits the response times of all requests."""
    times = threshold.percentile is not None or threshold.stat in ("min", "mean", "max")
    return times and threshold.of is None and threshold.metric == "response_time"


def is_about_rates(threshold: Threshold) -> bool:
    """Whether it limits how many requests of all are served in a second."""
    return threshold.of is None and threshold.stat in ("throughput", "goodput")


def is_about_figure(stat: str) -> Callable[[Threshold], bool]:
    """Return the question whether a threshold limits a figure of a process."""
    return lambda threshold: threshold.of is not None and threshold.stat == stat


def limits(result: Result, chosen: Callable[[Threshold], bool]) -> tuple[LimitLine, ...]:
    """Return the lines of the thresholds that are chosen, each over the phase that it is about."""
    found = []
    spans = {
        phase.name: (phase.started_at_s, phase.started_at_s + phase.duration_s) for phase in result.phases
    }
    for outcome in result.thresholds:
        try:
            threshold = parse_threshold(outcome.text)
        except ThresholdError:
            continue  # of another version, or written by hand: the table has it
        if chosen(threshold):
            start, end = spans.get(threshold.phase or "", (0.0, result.run.duration_s))
            broken = outcome.state in ("failed", "warned")
            found.append(LimitLine(outcome.limit, outcome.text, start, end, broken))
    return tuple(found)


def drawable(found: Sequence[LimitLine], highest: float) -> tuple[tuple[LimitLine, ...], str]:
    """Return the limits that lie near values up to `highest`, and a sentence about those that do not."""
    near = tuple(limit for limit in found if limit.value <= highest * _HEADROOM)
    far = ", ".join(limit.text for limit in found if limit.value > highest * _HEADROOM)
    return near, f"Far above what is drawn: {far}." if far else ""
