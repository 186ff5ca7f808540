"""Thresholds against figures: a pure function from what was required and measured to an outcome.

passed      the figure satisfies the limit
failed      it does not, there is no figure, or it rests on fewer samples than `min_samples`
turned      as measured the answer is another one than without the generator's own lag; or it fails, is about times, and
            all times are off: there is no answer
warned      the same, where the threshold says `else warn`
unproven    it satisfies the limit, but a percentile of so few samples cannot be claimed
skipped     it cannot be measured here, for a reason that is nobody's fault

A percentile that exceeds its limit in the samples has failed, however few they are. One that does not has passed when
there are as many samples as would prove it if none of them exceeded the limit (`confidence.samples_needed`), or
`min_samples` where that is given instead. When some did exceed it, 95 % confidence would take more samples: it has
passed still, because what was measured satisfies the limit, and the note says how close it is.

Lag makes times longer and closed loads smaller. So an upper limit on times that holds as measured holds, however late the
generator was, and so does a lower one on the rate of a closed load; the others may hold by lag alone.

With `over`, every full window must satisfy the limit, and the worst one is reported; with `after`, windows may be
broken for less than that time without a break.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isinf
from types import MappingProxyType
from typing import Literal

from stressrunner.scenario.threshold import Threshold
from stressrunner.units import format_duration, format_quantity
from stressrunner.verdict.confidence import is_proven, samples_needed
from stressrunner.verdict.figures import Figures, LiveRecord
from stressrunner.verdict.measure import Measurement, holds
from stressrunner.verdict.outcome import ThresholdOutcome
from stressrunner.verdict.subject import measure_run, record_windows

__all__ = ["evaluate"]

_State = Literal["passed", "failed", "turned", "unproven", "skipped", "warned"]
_Certain = Literal["", "punctual", "replies"]

#: Figures of a process that a busy or late generator does not make higher; only while it stood still they were not made.
_OWN_FIGURES = ("memory", "memory_growth", "memory_slope", "open_files")
_TIMES = ("min", "mean", "max")

#: What a reader who wants advice looks under; percentiles are of latency, everything else is `other`.
_TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "errors": "errors",
        "throughput": "throughput",
        "goodput": "throughput",
        "dropped": "throughput",
        "unfinished": "throughput",
        "not_reached": "throughput",
        "min": "latency",
        "mean": "latency",
        "max": "latency",
        "memory": "memory",
        "memory_growth": "memory",
        "memory_slope": "memory",
        "cpu": "cpu",
    }
)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What was measured of a threshold, before it is judged."""

    measurement: Measurement
    broken: bool
    samples: int | None  #: that the claim rests on: of windows, those of the one with fewest
    note: str = ""
    aborted_at_s: float | None = None
    broken_without_lag: bool | None = None  #: None where lag has no part in it
    without_lag: float | None = None


def evaluate(threshold: Threshold, figures: Figures) -> ThresholdOutcome:
    """Judge one threshold on the figures of a run; it never raises, and never guesses at what is not held."""
    finding = _find(threshold, figures)
    state, note = _judge(threshold, finding, is_off=_is_off(threshold, figures))
    if state == "failed":
        note = "; ".join(filter(None, (note, threshold.remedy)))
    value, without_lag = finding.measurement.value, finding.without_lag
    return ThresholdOutcome(
        text=threshold.text,
        state=state,
        measured=None if value is None or isinf(value) else float(value),
        limit=threshold.limit,
        dimension=threshold.dimension,
        samples=finding.measurement.samples,
        note=note,
        topic="latency" if threshold.percentile is not None else _TOPICS.get(threshold.stat, "other"),
        is_default=threshold.is_default,
        without_lag=None if without_lag is None or isinf(without_lag) else float(without_lag),
        certain=_certain(threshold, finding, figures) if state == "failed" else "",
    )


def _is_off(threshold: Threshold, figures: Figures) -> bool:
    """Return whether a threshold is about times, and these or all are off through the generator's own lag."""
    is_about_times = threshold.percentile is not None or threshold.stat in _TIMES
    return is_about_times and (None in figures.off or threshold.of in figures.off)


def _certain(threshold: Threshold, finding: _Finding, figures: Figures) -> _Certain:
    """Say what makes a failure certain though the generator may be in doubt."""
    found = finding.measurement
    if found.fails:
        return "punctual"  # the process has ended, which no lag of the generator's explains
    if threshold.stat in _OWN_FIGURES:
        return "" if figures.freezes or found.value is None else "punctual"
    if threshold.after_s or found.certain is None or found.certain_replies is None:
        return ""
    if _is_exceeded(threshold, found.certain_replies):
        return "replies"
    return "punctual" if _is_exceeded(threshold, found.certain) else ""


def _is_exceeded(threshold: Threshold, least: float) -> bool:
    """Return whether a figure that is so high at least breaks a limit from above."""
    if threshold.op == "==":
        return least > threshold.limit
    return threshold.op in ("<", "<=") and not holds(threshold, least)


def _find(threshold: Threshold, figures: Figures) -> _Finding:
    if threshold.window_s is not None:
        windows = record_windows(threshold, figures)
        if isinstance(windows, LiveRecord):
            return _finding_of_windows(threshold, windows)
        return _Finding(windows, broken=windows.fails, samples=None, note=windows.note)
    measurement = measure_run(threshold, figures)
    record, without_lag = (figures.live or {}).get(threshold), measurement.without_lag
    finding = _Finding(
        measurement,
        broken=measurement.fails
        or (measurement.value is not None and not holds(threshold, measurement.value)),
        samples=measurement.samples,
        note=measurement.note,
        broken_without_lag=None if without_lag is None else not holds(threshold, without_lag),
        without_lag=without_lag,
    )
    if record is None or record.aborted_at_s is None:
        return finding
    lag_less = record.without_lag
    return replace(
        finding,
        broken=True,
        broken_without_lag=None if lag_less is None else _is_broken(threshold, lag_less),
        aborted_at_s=record.aborted_at_s,
    )


def _is_broken(threshold: Threshold, record: LiveRecord) -> bool:
    return record.broken_s is not None and record.broken_s >= threshold.after_s


def _finding_of_windows(threshold: Threshold, record: LiveRecord) -> _Finding:
    broken_s = record.broken_s
    note = record.worst.note
    if record.worst.value is None:
        note = f"no full window of {format_duration(threshold.window_s or 0.0)} was measured"
    elif broken_s is not None and broken_s < threshold.after_s:
        allowed = format_duration(threshold.after_s)
        note = f"broken for {format_duration(broken_s)} without a break, which is less than {allowed}"
    return _Finding(
        record.worst,
        broken=_is_broken(threshold, record),
        samples=record.fewest,
        note=note,
        aborted_at_s=record.aborted_at_s,
        broken_without_lag=None if record.without_lag is None else _is_broken(threshold, record.without_lag),
        without_lag=None if record.without_lag is None else record.without_lag.worst.value,
    )


def _judge(threshold: Threshold, finding: _Finding, *, is_off: bool) -> tuple[_State, str]:
    """Return the state and the note that explains it."""
    broken: _State = "warned" if threshold.action == "warn" else "failed"
    turned = "" if threshold.action == "warn" else _turned(threshold, finding, is_off=is_off)
    if finding.aborted_at_s is not None:
        stopped = f"it stopped the load after {format_duration(finding.aborted_at_s)}"
        return ("turned", f"{stopped}; {turned}") if turned else ("failed", stopped)
    if turned:
        return "turned", turned
    if finding.measurement.skipped:
        return "skipped", finding.measurement.note
    if finding.measurement.fails:
        return broken, finding.note
    if finding.measurement.value is None:
        note = finding.note or finding.measurement.note or "nothing was measured"
        return ("passed" if threshold.no_data == "pass" else broken), note
    if finding.broken:
        return broken, finding.note
    if shortage := _shortage(threshold, finding.samples):
        return (broken if threshold.min_samples is not None else "unproven"), shortage
    return "passed", finding.note or _closeness(threshold, finding.measurement)


def _turned(threshold: Threshold, finding: _Finding, *, is_off: bool) -> str:
    """Say why a threshold has no answer, as the generator was late; empty when it has one."""
    if finding.broken_without_lag is not None and finding.broken != finding.broken_without_lag:
        without_lag = finding.without_lag
        if without_lag is None or isinf(without_lag):
            return "without the generator's own lag the answer is another one"
        return f"{format_quantity(without_lag, threshold.dimension)} without the generator's own lag"
    if finding.broken and is_off:
        return "response times are off through the generator's own lag"
    return ""


def _share(threshold: Threshold) -> float | None:
    """Return the part of all requests that must satisfy the limit for a percentile to do so."""
    if threshold.percentile is None:
        return None
    share = threshold.percentile / 100
    return 1 - share if threshold.op in (">", ">=") else share


def _shortage(threshold: Threshold, samples: int | None) -> str:
    """Say that there are too few samples to claim what was measured; empty when there are enough."""
    if samples is None:
        return ""
    share = _share(threshold)
    needed = threshold.min_samples
    if needed is None and share is not None:
        needed = samples_needed(share)
    if needed is None or samples >= needed:
        return ""
    where = " in a window" if threshold.window_s is not None else ""
    return f"only {samples:,} samples{where}; {threshold.stat} needs {needed:,}"


def _closeness(threshold: Threshold, measurement: Measurement) -> str:
    """Say that a percentile satisfies its limit by a margin that chance can explain; empty otherwise."""
    share, samples, against = _share(threshold), measurement.samples, measurement.against
    if share is None or not samples or not against or is_proven(share, samples, against):
        return ""
    side = "below" if threshold.op in (">", ">=") else "over"
    return f"close: {against:,} of {samples:,} are {side} the limit, more than 95 % confidence allows"
