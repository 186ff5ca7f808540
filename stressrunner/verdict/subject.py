"""What a threshold is about, found among the figures of a run by its name and phase."""

from collections.abc import Iterable
from dataclasses import replace

from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.summary import Stats
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.scenario.threshold import MONITOR_STATS, OVERALL_STATS, Threshold
from stressrunner.spelling import did_you_mean
from stressrunner.verdict.figures import Figures, LiveRecord
from stressrunner.verdict.measure import Aggregate, Measurement, count_against, measure, measure_group
from stressrunner.verdict.overall import counted_in, exemption, measure_overall
from stressrunner.verdict.processes import measure_process, points_between, windows_of
from stressrunner.verdict.stretch import Stretch

__all__ = ["measure_run", "record_windows"]

#: What is watched without being configured, where it runs on this machine.
_IMPLIED_MONITOR = "target"

#: Names of the language that are no endpoints: what is measured of an iteration as a whole.
_GROUPS = ("session", "flow")


def measure_run(threshold: Threshold, figures: Figures) -> Measurement:
    """Return the figure of the whole run, or of the threshold's phase, that the threshold is about."""
    if _is_about_process(threshold, figures):
        process = _process(threshold, figures)
        if isinstance(process, Measurement):
            return process
        if threshold.phase is None:
            return measure_process(threshold.stat, process)
        phase = figures.phases.get(threshold.phase)
        if phase is None:
            return _unknown("phase", threshold.phase, figures.phases)
        end_s = phase.started_at_s + phase.duration_s
        return measure_process(threshold.stat, process, points_between(process, phase.started_at_s, end_s))
    if threshold.of in OVERALL_STATS:
        return measure_overall(threshold, figures)
    if threshold.of is not None and threshold.of not in {*figures.endpoints, *figures.workloads}:
        return _measure_group(threshold, threshold.of, figures)
    if threshold.exempt:
        return _measure_rest(threshold, figures)
    stats = _stats(threshold, figures)
    if isinstance(stats, Measurement):
        return stats
    aggregate = Aggregate.of(stats, threshold.metric, figures.present)
    return _with_doubt(threshold, measure(threshold, aggregate), aggregate.times)


def _is_about_process(threshold: Threshold, figures: Figures) -> bool:
    return threshold.stat in MONITOR_STATS or threshold.of in figures.monitors


def _process(threshold: Threshold, figures: Figures) -> ProcessFigures | Measurement:
    """Return the process that a threshold names, or why there is none."""
    if threshold.of is None:
        return Measurement(None, note=f"'{threshold.stat}' needs the name of a monitor")
    process = figures.monitors.get(threshold.of)
    if process is not None:
        return process
    if threshold.of == _IMPLIED_MONITOR:
        note = figures.target_unwatched or "the target's process is not on this machine"
        return Measurement(None, note=note, skipped=True)
    return _unknown("monitor", threshold.of, figures.monitors)


def _stats(threshold: Threshold, figures: Figures) -> Stats | Measurement:
    """Return the counts of all requests or of an endpoint, or why there are none."""
    if threshold.phase is None:
        return figures.totals if threshold.of is None else _named(threshold.of, figures)
    phase = figures.phases.get(threshold.phase)
    if phase is None:
        return _unknown("phase", threshold.phase, figures.phases)
    if threshold.of is None or threshold.of in figures.workloads:
        return phase.totals  # every phase belongs to one workload, and was checked to be one of this
    if figures.phase_endpoints is None:
        note = "a result file does not hold the figures of one endpoint in one phase"
        return Measurement(None, note=note, skipped=True)
    stats = figures.phase_endpoints.get((threshold.phase, threshold.of))
    if stats is None:
        return Measurement(None, note=f"no request of '{threshold.of}' was due in '{threshold.phase}'")
    return stats


def _measure_rest(threshold: Threshold, figures: Figures) -> Measurement:
    """Return the figure of the requests that a default does not leave to other thresholds."""
    rest = counted_in(threshold, figures)
    if isinstance(rest, Measurement):
        return rest
    measurement = measure(threshold, Aggregate.counts(list(rest.values())))
    note = f"{measurement.note}; {exemption(threshold)}" if measurement.note else exemption(threshold)
    return replace(measurement, note=note)


def _named(name: str, figures: Figures) -> Stats:
    return figures.endpoints[name] if name in figures.endpoints else figures.workloads[name]


def _measure_group(threshold: Threshold, name: str, figures: Figures) -> Measurement:
    """Return the figure of what is measured as a whole, such as a session."""
    groups = figures.groups or {}
    if name not in groups:
        if name in _GROUPS and figures.groups is None:
            return Measurement(None, note=f"the times of '{name}' are not among the figures", skipped=True)
        return _unknown(
            "endpoint", name, [*figures.endpoints, *figures.workloads, *groups, *figures.monitors]
        )
    lengths, failed = groups[name], figures.groups_failed.get(name, 0)
    if threshold.phase is not None:
        if threshold.phase not in figures.phases:
            return _unknown("phase", threshold.phase, figures.phases)
        if figures.phase_groups is None:
            note = f"a result file does not hold the times of '{name}' in one phase"
            return Measurement(None, note=note, skipped=True)
        if (threshold.phase, name) not in figures.phase_groups:
            return Measurement(None, note=f"no '{name}' began in '{threshold.phase}'")
        lengths, failed = figures.phase_groups[threshold.phase, name]
    times = lengths.distribution
    without_lag = lengths.without_lag if lengths.late is not None else ()
    return _with_doubt(threshold, measure_group(threshold, times, failed, without_lag), times)


def _with_doubt(threshold: Threshold, measurement: Measurement, times: Histogram) -> Measurement:
    """Add what speaks against a percentile, for the note that it is close."""
    if threshold.percentile is None or not measurement.samples:
        return measurement
    return replace(measurement, against=count_against(threshold, times))


def _unknown(kind: str, name: str, known: Iterable[str]) -> Measurement:
    near = did_you_mean(name, known)
    return Measurement(None, note=f"no {kind} named '{name}' was measured{near and '; '}{near}")


def record_windows(threshold: Threshold, figures: Figures) -> LiveRecord | Measurement:
    """Return what is known of every full window of a threshold, or why nothing is.

    Windows of requests are judged while the load runs; those of a process lie in the looks that were kept.
    """
    if figures.live is not None and threshold in figures.live:
        return figures.live[threshold]
    if threshold.window_s is not None and _is_about_process(threshold, figures):
        process = _process(threshold, figures)
        return process if isinstance(process, Measurement) else _process_windows(threshold, process, figures)
    if figures.live is None:
        note = "windows are judged while a run goes on, and a result file does not hold them"
    else:
        note = f"'{threshold.of}' is not counted in windows"
    return Measurement(None, note=note, skipped=True)


def _process_windows(
    threshold: Threshold, process: ProcessFigures, figures: Figures
) -> LiveRecord | Measurement:
    if not process.available:
        return measure_process(threshold.stat, process)
    begin_s = min((p.started_at_s for p in figures.phases.values() if not p.warmup), default=0.0)
    points = tuple(point for point in process.points if point.at_s >= begin_s)
    if threshold.phase is not None:
        phase = figures.phases.get(threshold.phase)
        if phase is None:
            return _unknown("phase", threshold.phase, figures.phases)
        points = points_between(process, phase.started_at_s, phase.started_at_s + phase.duration_s)
    if process.ended:
        return measure_process(threshold.stat, process, points)
    stretch = Stretch(threshold)
    for window in windows_of(points, threshold.window_s or 0.0):
        stretch.add(window[-1].at_s, measure_process(threshold.stat, process, window))
    return stretch.record()
