"""Figures under names of the language, such as `endpoints.errors`: of a run as a whole, and of nothing that it names.

A share says little about few: an endpoint of which next to nothing was sent hides among all the others. So the highest
ratio of errors of all endpoints is a figure of its own, of those with 20 completed requests or more, or with 5 that all
failed.
"""

from collections.abc import Mapping

from stressrunner.metrics.summary import Stats
from stressrunner.scenario.threshold import Threshold
from stressrunner.verdict.figures import Figures
from stressrunner.verdict.measure import Measurement

__all__ = ["counted_in", "exemption", "measure_overall"]

_ENOUGH = 20  #: completed requests of an endpoint that are judged whatever became of them
_ENOUGH_FAILED = 5  #: that are judged when all of them failed


def measure_overall(threshold: Threshold, figures: Figures) -> Measurement:
    """Return the figure that a threshold names."""
    return _worst_endpoint(threshold, figures)


def _worst_endpoint(threshold: Threshold, figures: Figures) -> Measurement:
    found = figures.endpoints if not (threshold.exempt or threshold.phase) else None
    if found is None:
        held = counted_in(threshold, figures)
        if isinstance(held, Measurement):
            return held
        names = dict.fromkeys(endpoint for _, endpoint in held)
        parts = {name: [stats for (_, endpoint), stats in held.items() if endpoint == name] for name in names}
    else:
        parts = {name: [stats] for name, stats in found.items()}
    judged, certain, replies = [], [], []
    for name, several in parts.items():
        completed = sum(stats.completed for stats in several)
        failed = sum(stats.failed for stats in several)
        ended = failed + sum(stats.ok for stats in several)
        if ended and (completed >= _ENOUGH or (completed == failed >= _ENOUGH_FAILED)):
            judged.append((failed / ended, failed, ended, name))
            certain.append(sum(stats.certain for stats in several) / completed)
            replies.append(sum(stats.certain_replies for stats in several) / completed)
    rest = exemption(threshold)
    if not judged:
        note = f"no endpoint was sent {_ENOUGH} times"
        return Measurement(None, note=f"{note}; {rest}" if rest else note)
    ratio, failed, ended, name = max(judged, key=lambda each: each[:2])
    note = f"'{name}': {failed:,} of {ended:,} failed" if failed else ""
    return Measurement(
        ratio,
        ended,
        note="; ".join(part for part in (note, rest) if part),
        certain=max(certain),
        certain_replies=max(replies),
    )


def counted_in(threshold: Threshold, figures: Figures) -> Mapping[tuple[str, str], Stats] | Measurement:
    """Return the counts that a threshold judges by phase and endpoint, or why there are none."""
    if figures.phase_endpoints is None:
        note = "a result file does not hold the figures of one endpoint in one phase"
        return Measurement(None, note=note, skipped=True)
    return {
        (phase, endpoint): stats
        for (phase, endpoint), stats in figures.phase_endpoints.items()
        if (phase == threshold.phase or (threshold.phase is None and not figures.phases[phase].warmup))
        and not threshold.leaves_out(phase, endpoint)
    }


def exemption(threshold: Threshold) -> str:
    """Say which requests a default leaves to other thresholds; nothing where it judges all of them."""
    left = sorted(
        f"'{one.endpoint}' in '{one.phase}'"
        if one.phase and one.endpoint
        else f"'{one.phase or one.endpoint}'"
        for one in threshold.exempt
    )
    return f"without {', '.join(left)}, which another threshold judges" if left else ""
