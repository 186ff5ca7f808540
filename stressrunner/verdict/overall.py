"""Figures under names of the language, such as `endpoints.errors`: of a run as a whole, and of nothing that it names.

A share says little about few: an endpoint of which next to nothing was sent hides among all the others. So the highest
ratio of errors of all endpoints is a figure of its own, of those with 20 completed requests or more, or with 5 that all
failed.
"""

from collections.abc import Mapping
from dataclasses import replace

from stressrunner.metrics.summary import SetupStats, Stats
from stressrunner.scenario.threshold import Threshold
from stressrunner.verdict.figures import Figures
from stressrunner.verdict.measure import Measurement

__all__ = ["counted_in", "culprit", "exemption", "measure_overall"]

_ENOUGH = 20  #: completed requests of an endpoint that are judged whatever became of them
_ENOUGH_FAILED = 5  #: that are judged when all of them failed


def measure_overall(threshold: Threshold, figures: Figures) -> Measurement:
    """Return the figure that a threshold names."""
    if threshold.of == "iterations":
        return _iterations(threshold, figures)
    if threshold.of == "user_setup":
        return _user_setup(threshold, figures)
    return _worst_endpoint(threshold, figures)


def _iterations(threshold: Threshold, figures: Figures) -> Measurement:
    of_phases = figures.phase_iterations
    stats = figures.iterations
    if threshold.phase is not None:
        stats = None if of_phases is None else of_phases.get(threshold.phase)
    if stats is None:
        return Measurement(None, note="a result file does not hold the iterations", skipped=True)
    if threshold.stat == "count":
        return Measurement(stats.ended, stats.ended)
    note = f"{stats.in_error:,} of {stats.ended:,} iterations" if stats.in_error else ""
    return Measurement(stats.in_error / stats.ended if stats.ended else None, stats.ended, note=note)


def _user_setup(threshold: Threshold, figures: Figures) -> Measurement:
    """Return a figure of `user_setup`: of all phases, also those that warm up."""
    setup, attempts = figures.user_setup, figures.groups
    if setup is None or attempts is None:
        return Measurement(None, note="a result file does not hold how users were set up", skipped=True)
    passed = attempts["user_setup"].count if "user_setup" in attempts else 0
    failed = figures.groups_failed.get("user_setup", 0)
    ended = passed + failed
    note = culprit(setup) if failed else ""
    if threshold.stat == "count":
        users = setup.users_failed if ended else None
        return Measurement(
            users, None, note=note if users else ""
        )  # nobody is to be blamed where all were set up
    found = Measurement(failed / ended if ended else None, ended, note=note)
    requests = figures.setup_requests
    if not failed or requests is None:
        return found
    by_lag = min(requests.failed_by_lag, failed)
    return replace(
        found,
        certain=_attempts(requests.certain, requests, failed) / ended,
        certain_replies=_attempts(requests.certain_replies, requests, failed) / ended,
        without_lag=((failed - by_lag) / (ended - by_lag) if ended > by_lag else 0.0) if by_lag else None,
    )


def _attempts(certain: int, requests: Stats, failed: int) -> int:
    """Return how many of the failed attempts at least had a request among those that certainly failed.

    An attempt may have several failed requests, of steps in parallel, and one that passed may have forgiven some.
    """
    surplus = max(0, requests.failed - failed)
    return max(0, min(certain - surplus, failed))


def culprit(setup: SetupStats) -> str:
    """Name the request that failed most often in `user_setup`, its status and its count."""
    if not setup.failures:
        return "no request failed"
    worst = setup.failures[0]
    rest = sum(each.count for each in setup.failures) - worst.count
    others = f", and {rest:,} other {'failure' if rest == 1 else 'failures'}" if rest else ""
    times = "once" if worst.count == 1 else f"{worst.count:,} times"
    return f"'{worst.endpoint}' failed {times}: {worst.kind}{others}"


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
    judged, certain, replies, without_lag = [], [], [], []
    for name, several in parts.items():
        completed = sum(stats.completed for stats in several)
        failed = sum(stats.failed for stats in several)
        ended = failed + sum(stats.ok for stats in several)
        if ended and (completed >= _ENOUGH or (completed == failed >= _ENOUGH_FAILED)):
            judged.append((failed / ended, failed, ended, name))
            certain.append(sum(stats.certain for stats in several) / completed)
            replies.append(sum(stats.certain_replies for stats in several) / completed)
            by_lag = sum(stats.failed_by_lag for stats in several)
            without_lag.append((failed - by_lag) / (ended - by_lag) if ended > by_lag else 0.0)
    rest = exemption(threshold)
    if not judged:
        note = f"no endpoint completed {_ENOUGH} requests"
        return Measurement(None, note=f"{note}; {rest}" if rest else note)
    ratio, failed, ended, name = max(judged, key=lambda each: each[:2])
    note = f"'{name}': {failed:,} of {ended:,} failed" if failed else ""
    return Measurement(
        ratio,
        ended,
        note="; ".join(part for part in (note, rest) if part),
        certain=max(certain),
        certain_replies=max(replies),
        without_lag=lowered if (lowered := max(without_lag)) < ratio else None,
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
