"""Figures under names of the language, such as `endpoints.errors`: of a run as a whole, and of nothing that it names.

A share says little about few: an endpoint of which next to nothing was sent hides among all the others. So the highest
ratio of errors of all endpoints is a figure of its own, of those with 20 completed requests or more, or with 5 that all
failed. A workload of `traffic` was wanted as such: it is judged with 20 sent requests or more, or where nothing
of it succeeded, and what did not finish counts as an error of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from stressrunner.metrics.summary import SetupStats, Stats
from stressrunner.scenario.threshold import Threshold
from stressrunner.verdict.figures import Figures
from stressrunner.verdict.measure import Aggregate, Measurement

__all__ = ["counted_in", "culprit", "exemption", "measure_overall"]

_ENOUGH = 20  #: completed requests of an endpoint, and sent ones of a workload, that are judged whatever became of them
_ENOUGH_FAILED = 5  #: that are judged when all of them failed


def measure_overall(threshold: Threshold, figures: Figures) -> Measurement:
    """Return the figure that a threshold names."""
    if threshold.of == "iterations":
        return _iterations(threshold, figures)
    if threshold.of == "user_setup":
        return _user_setup(threshold, figures)
    if threshold.of == "workloads":
        return _worst(threshold, figures, _workload, "nothing was planned in a workload")
    return _worst(threshold, figures, _endpoint, f"no endpoint completed {_ENOUGH} requests")


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


class _Part(NamedTuple):
    """What became of the requests of an endpoint or a workload, as far as it was sent often enough to be judged."""

    ratio: float
    lost: int  #: requests that failed, or did not finish where that counts
    of: int  #: requests that the ratio is of
    note: str
    certain: float
    certain_replies: float
    without_lag: float


def _endpoint(name: str, a: Aggregate) -> _Part | None:
    if not (a.ok + a.failed and (a.completed >= _ENOUGH or a.completed == a.failed >= _ENOUGH_FAILED)):
        return None
    return _part(a, name, a.failed, a.completed, "failed")


def _workload(name: str, a: Aggregate) -> _Part | None:
    has_succeeded = a.completed > a.failed
    if has_succeeded and a.sent < _ENOUGH:
        return None
    lost = a.failed + a.unfinished
    if a.planned and not a.sent:
        return _part(a, name, a.planned, a.planned, "planned requests were not sent")
    if not a.ok + lost:
        return None
    return _part(a, name, lost, a.sent, "failed or did not finish")


def _part(a: Aggregate, name: str, lost: int, ended: int, fate: str) -> _Part:
    of = a.ok + lost
    by_lag = min(a.failed_by_lag, lost)
    return _Part(
        ratio=lost / of,
        lost=lost,
        of=of,
        note=f"'{name}': {lost:,} of {of:,} {fate}",
        certain=a.certain / ended,
        certain_replies=a.certain_replies / ended,
        without_lag=(lost - by_lag) / (of - by_lag) if of > by_lag else 0.0,
    )


def _worst(
    threshold: Threshold, figures: Figures, judge: Callable[[str, Aggregate], _Part | None], nothing: str
) -> Measurement:
    """Return the highest ratio of all endpoints or workloads; where none can be judged, `nothing` says so."""
    held = _parts(threshold, figures)
    if isinstance(held, Measurement):
        return held
    parts = [part for name, counts in held.items() if (part := judge(name, counts)) is not None]
    rest = exemption(threshold)
    if not parts:
        return Measurement(None, note="; ".join(filter(None, (nothing, rest))))
    worst = max(parts, key=lambda part: part[:2])
    lowered = max(part.without_lag for part in parts)
    return Measurement(
        worst.ratio,
        worst.of,
        note="; ".join(filter(None, (worst.note if worst.lost else "", rest))),
        certain=max(part.certain for part in parts),
        certain_replies=max(part.certain_replies for part in parts),
        without_lag=lowered if lowered < worst.ratio else None,
    )


def _parts(threshold: Threshold, figures: Figures) -> Mapping[str, Aggregate] | Measurement:
    """Return the counts of each endpoint or workload, as far as a threshold judges them."""
    of_workloads = threshold.of == "workloads"
    if not (threshold.exempt or threshold.phase):
        whole = figures.workloads if of_workloads else figures.endpoints
        return {name: Aggregate.counts([stats]) for name, stats in whole.items()}
    held = counted_in(threshold, figures)
    if isinstance(held, Measurement):
        return held
    parts: dict[str, list[Stats]] = {}
    for (phase, endpoint), stats in held.items():
        parts.setdefault(figures.phase_streams[phase] if of_workloads else endpoint, []).append(stats)
    return {name: Aggregate.counts(several) for name, several in parts.items()}


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
