"""Whether a run measured the target and not the generator: a pure function of what the generator saw of itself.

invalid   nothing came back; or under 99 % of the plan was sent through the generator's fault; or requests were
          released so late (p99 of lag over 5 ms) that it is more than a quarter of p99 of the response times
suspect   p99 of lag is over 5 ms and more than 5 % of p99 of the service times; or, under an open load, the generator
          used over 80 % of a core for 5 s, from where on it falls behind

A closed load adapts to whatever is slow, so a busy generator only makes it smaller, which is no fault of the figures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from stressrunner.http.exchange import NOT_REACHED, FailureKind
from stressrunner.metrics.summary import ErrorGroup, Latency, Stats
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.units import format_duration, format_ratio
from stressrunner.verdict.outcome import Validity

__all__ = ["Observation", "judge_validity"]

_LATE_S = 0.005
_BUSY_CORES = 0.8
_BUSY_S = 5.0
_MUST_BE_SENT = 0.99


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run tells about itself."""

    totals: Stats
    errors: Sequence[ErrorGroup]  #: of all phases, warm-ups included
    lag: Latency  #: released minus due, of all requests
    generators: Sequence[ProcessFigures]  #: the processes that generate load; each can use one core
    open_load: bool  #: arrivals have a rate, so that being late is being wrong
    stopped_early: (
        bool  #: by an interrupt, a threshold, a limit or the end of a feeder: the rest was not wanted
    )


def judge_validity(observation: Observation) -> Validity:
    """Return whether the run is valid, with a sentence for every reason that it is not, each with its remedy."""
    if invalid := tuple(_invalid(observation)):
        return Validity("invalid", invalid)
    if suspect := tuple(_suspect(observation)):
        return Validity("suspect", suspect)
    return Validity("valid")


def _invalid(observation: Observation) -> Iterator[str]:
    totals = observation.totals
    if totals.sent == 0:
        yield "nothing was measured: no request was sent"
        return
    if totals.completed == 0:
        yield "nothing was measured: no request was completed; give the run more time, or a shorter timeout"
        return
    if unreached := _never_reached(observation):
        yield f"the target was never reached: {unreached}; check base_url and whether the target is running"
        return
    yield from _undelivered(observation)
    late_s, response_s = _p99(observation.lag), _response_p99(totals)
    if late_s > _LATE_S and late_s > response_s / 4:
        yield (
            f"the generator was late: p99 of its lag is {format_duration(late_s)}, more than a quarter of the "
            f"response times (p99 {format_duration(response_s)}); lower the load or give this machine more CPU"
        )


def _never_reached(observation: Observation) -> str:
    """Return the most frequent reason if every request failed before it reached the target, or nothing."""
    totals, groups = observation.totals, observation.errors
    if totals.failed < totals.completed or totals.status or not groups:
        return ""
    if any(group.kind not in NOT_REACHED for group in groups):
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


def _suspect(observation: Observation) -> Iterator[str]:
    late_s, service_s = _p99(observation.lag), _service_p99(observation.totals)
    if late_s > _LATE_S and late_s > service_s / 20:
        yield (
            f"the generator was late: p99 of its lag is {format_duration(late_s)}, more than 5 % of the service "
            f"times (p99 {format_duration(service_s)}); lower the load or give this machine more CPU"
        )
    busy_s = max(map(_busy_s, observation.generators), default=0.0)
    if observation.open_load and busy_s >= _BUSY_S:
        yield (
            f"the generator used more than 80 % of a core for {format_duration(busy_s)}; "
            "lower the rate, simplify templates and checks, or use a faster machine"
        )


def _p99(times: Latency) -> float:
    """Return p99 in seconds: 0 of nothing, infinite when it did not end."""
    if times.count + times.never == 0:
        return 0.0
    return inf if times.p99_s is None else times.p99_s


def _response_p99(totals: Stats) -> float:
    """Return p99 of the response times, of failures where nothing succeeded."""
    times = totals.response_time
    return _p99(times if times.count + times.never else totals.response_time_failed)


def _service_p99(totals: Stats) -> float:
    times = totals.service_time
    return _p99(times if times.count + times.never else totals.response_time_failed)


def _busy_s(generator: ProcessFigures) -> float:
    """Return the longest time without a break in which the generator used over 80 % of a core."""
    longest_s = current_s = 0.0
    for before, point in pairwise(generator.points):
        current_s = current_s + point.at_s - before.at_s if point.cpu > _BUSY_CORES else 0.0
        longest_s = max(longest_s, current_s)
    return longest_s
