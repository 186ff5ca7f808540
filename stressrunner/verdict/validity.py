"""Whether a run measured the target and not the generator: a pure function of what the generator saw of itself.

invalid   nothing came back, unless the scenario ends the load where too much is in flight, which the target has brought
          about then; or under 99 % of the plan was sent through the generator's fault, or under 99 % of the
          arrivals of a rate were released in time; or a load without a rate was kept from running for a quarter of its
          time and a second, so that it was smaller by as much, whatever its times say; or response times are off, see `off`, and

          - still are without the two neighbouring seconds with most of the generator's own time, or
          - the generator was away for 0.25 s or more, and 5 % of the requests were late in these two seconds, or
          - a quarter of all requests was late by more than 5 ms

suspect   response times are off, and none of the three; or those of an endpoint are, or a figure that is judged; or,
          under an open load, the generator used over 80 % of a core for 5 s, from where on it falls behind

A figure that rests on nothing decides nothing. A closed load adapts to whatever is slow, so a busy generator only makes
it smaller, which is no fault of the figures as long as they are not off.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

from stressrunner.http.exchange import NOT_REACHED, FailureKind
from stressrunner.metrics.summary import ErrorGroup, Latency, Stats
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.units import format_duration, format_quantity, format_ratio
from stressrunner.verdict.off import Off, is_apart, off_of
from stressrunner.verdict.outcome import ThresholdOutcome, Validity

__all__ = ["MAX_LAG_S", "Lag", "Observation", "judge_validity", "off_in"]

MAX_LAG_S = 0.005  #: by how much figures must differ without lag to be off, unless the scenario says so
_SPELL_S = 0.25
_SPELL_SHARE = 0.05
_HABIT_SHARE = 0.25
_IDLE_SHARE = 0.25
_IDLE_S = 1.0  #: less is a moment, also of a short run
_REMEDY = "lower the load, give this machine more CPU, or use more workers"
_BUSY_CORES = 0.8
_BUSY_S = 5.0
_MUST_BE_SENT = 0.99


@dataclass(frozen=True, slots=True)
class Lag:
    """What a run tells about the generator's own part in its times."""

    rest: Latency | None = None  #: response times without the two neighbouring seconds with most own time
    late_in_spell: int = 0  #: requests that were late in these
    longest_s: float = 0.0  #: that the event loop was away at a time
    offered: float | None = (
        None  #: part of the arrivals of a rate that was released in time; None without one
    )
    max_lag_s: float = MAX_LAG_S
    idle_s: float = 0.0  #: how long the generator was kept from running, of a load without a rate
    duration_s: float = 0.0  #: of the load
    made_overflow: bool = (
        False  #: all arrivals that found too much in flight were late, or in the wake of a freeze
    )


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run tells about itself."""

    totals: Stats
    errors: Sequence[ErrorGroup]  #: of all phases, warm-ups included
    generators: Sequence[ProcessFigures]  #: the processes that generate load; each can use one core
    open_load: bool  #: arrivals have a rate, so that being late is being wrong
    stopped_early: (
        bool  #: by an interrupt, a threshold, a limit or the end of a feeder: the rest was not wanted
    )
    endpoints: Mapping[str, Stats] = field(default_factory=dict)
    lag: Lag = Lag()
    thresholds: Sequence[ThresholdOutcome] = ()  #: what was judged
    cut_itself_off: bool = (
        False  #: as the scenario asks for, where too much is in flight or nobody can be set up
    )
    setup_failed: str = ""  #: nothing was sent: which request of `user_setup` failed, how often and how
    setup_replied: bool = False  #: nothing was sent, as replies to `user_setup` kept all users from beginning


def judge_validity(observation: Observation) -> Validity:
    """Return whether the run is valid, with a sentence for every reason that it is not, each with its remedy."""
    max_lag_s = observation.lag.max_lag_s
    if observation.setup_replied and observation.totals.sent == 0:
        return Validity("valid", max_lag_s=max_lag_s)  # the target kept all users from beginning, and said so
    if nothing := _nothing(observation):
        return Validity("invalid", (nothing,), "else", max_lag_s)
    off = off_in(observation.totals, observation.endpoints, max_lag_s)
    if invalid := (*_undelivered(observation), *_through_lag(observation, off)):
        return Validity("invalid", invalid, "generator", max_lag_s)
    if suspect := (*_suspect(observation, off), *_busy(observation)):
        return Validity("suspect", suspect, max_lag_s=max_lag_s)
    return Validity("valid", max_lag_s=max_lag_s)


def off_in(totals: Stats, endpoints: Mapping[str, Stats], max_lag_s: float) -> Mapping[str | None, Off]:
    """Return by what the response times of all requests, under None, and of single endpoints are off."""
    found: dict[str | None, Off | None] = {None: off_of(_times_of(totals), max_lag_s)}
    found |= {name: off_of(_times_of(stats), max_lag_s) for name, stats in endpoints.items()}
    return {name: off for name, off in found.items() if off is not None}


def _times_of(stats: Stats) -> Latency:
    """Return the response times, of failures where nothing succeeded."""
    times = stats.response_time
    return times if times.count + times.never else stats.response_time_failed


def _nothing(observation: Observation) -> str:
    """Say why nothing was measured; empty when something was."""
    totals = observation.totals
    if totals.sent == 0:
        why = _most_frequent(observation.errors)
        parts = (observation.setup_failed, "nothing was measured: no request was sent", why)
        return "; ".join(filter(None, parts))
    if totals.completed == 0 and not observation.cut_itself_off:
        return "nothing was measured: no request was completed; give the run more time, or a shorter timeout"
    if unreached := _never_reached(observation):
        return f"the target was never reached: {unreached}; check base_url and whether the target is running"
    return ""


def _through_lag(observation: Observation, off: Mapping[str | None, Off]) -> Iterator[str]:
    totals, lag = observation.totals, observation.lag
    late = totals.late / (totals.sent + totals.dropped)
    if None in off:
        if why := _not_a_moment(observation, late):
            yield f"the generator was late: {off[None]}; {why}; {_REMEDY}"
    elif off and late >= _HABIT_SHARE:
        name = next(iter(off))
        yield f"the generator was late: of '{name}' {off[name]}; {_REMEDY}"
    if lag.idle_s >= _IDLE_S and lag.idle_s > _IDLE_SHARE * lag.duration_s:
        share = format_ratio(lag.idle_s / lag.duration_s)
        yield f"the generator was late: it was kept from running for {share} of the time, so that its users did less; {_REMEDY}"
    if observation.cut_itself_off and lag.made_overflow:
        yield f"the generator was late: what it released late found too much in flight, which ended the load; {_REMEDY}"
    if lag.offered is not None and lag.offered < _MUST_BE_SENT:
        share = format_ratio(1 - lag.offered)
        yield f"the generator was late: it released {share} of the arrivals too late to have offered the rate; {_REMEDY}"


def _not_a_moment(observation: Observation, late: float) -> str:
    """Say why times that are off are no matter of a moment, of which few took notice; empty when they are."""
    lag, arrived = observation.lag, observation.totals.sent + observation.totals.dropped
    if late >= _HABIT_SHARE:
        return f"{format_ratio(late)} of the requests were late by more than 5 ms"
    if lag.longest_s >= _SPELL_S and lag.late_in_spell >= _SPELL_SHARE * arrived:
        return f"it was away for {format_duration(lag.longest_s)}"
    if lag.rest is not None and off_of(lag.rest, lag.max_lag_s) is not None:
        return "it was late again and again"
    return ""


def _never_reached(observation: Observation) -> str:
    """Return the most frequent reason if every request failed before it reached the target, or nothing."""
    totals, groups = observation.totals, observation.errors
    if totals.failed < totals.completed or totals.status or not groups:
        return ""
    if any(group.kind not in NOT_REACHED for group in groups):
        return ""
    return _most_frequent(groups)


def _most_frequent(groups: Sequence[ErrorGroup]) -> str:
    """Return what the most frequent of some errors says; nothing when there is none."""
    if not groups:
        return ""
    top = max(groups, key=lambda group: group.count)
    return top.samples[0].message if top.samples else top.kind


def _undelivered(observation: Observation) -> Iterator[str]:
    totals = observation.totals
    broken = sum(group.count for group in observation.errors if group.kind == FailureKind.GENERATOR)
    broken = min(broken, totals.failed)  # errors are of warm-ups too
    unsent = 0 if observation.stopped_early else totals.not_reached
    if broken + unsent <= (1 - _MUST_BE_SENT) * totals.planned:
        return
    if broken:
        yield (
            f"{format_ratio(broken / totals.planned)} of the requests failed because this machine ran out of "
            "descriptors or ports; raise 'ulimit -n', or lower concurrency or target.connections"
        )
    if unsent:
        yield (
            f"{format_ratio(unsent / totals.planned)} of the planned requests were not sent before the load ended; "
            "lower the load, raise max_in_flight, or allow a longer graceful_stop"
        )


def _suspect(observation: Observation, off: Mapping[str | None, Off]) -> Iterator[str]:
    for name, found in off.items():
        of = "" if name is None else f"of '{name}' "
        yield f"the generator was late for some time: {of}{found}; {_REMEDY}"
    for outcome in observation.thresholds:
        without_lag = outcome.without_lag
        if outcome.dimension != "duration" or without_lag is None or outcome.state == "skipped":
            continue
        measured = inf if outcome.measured is None else outcome.measured
        if is_apart(measured, without_lag, observation.lag.max_lag_s):
            said = "never" if measured == inf else format_duration(measured)
            yield (
                f"{outcome.text}: the figure lies in the generator's own stall: {said} as measured, and "
                f"{format_quantity(without_lag, outcome.dimension)} without it"
            )


def _busy(observation: Observation) -> Iterator[str]:
    busy_s = max(map(_busy_s, observation.generators), default=0.0)
    if observation.open_load and busy_s >= _BUSY_S:
        yield (
            f"the generator used more than 80 % of a core for {format_duration(busy_s)}; "
            "lower the rate, simplify templates and checks, or use a faster machine"
        )


def _busy_s(generator: ProcessFigures) -> float:
    """Return the longest time without a break in which the generator used over 80 % of a core."""
    longest_s = current_s = 0.0
    for before, point in pairwise(generator.points):
        current_s = current_s + point.at_s - before.at_s if point.cpu > _BUSY_CORES else 0.0
        longest_s = max(longest_s, current_s)
    return longest_s
