"""Runs that never took place: a target of known speed, and a generator that is away at known times.

Requests are counted and judged by the classes that do it for real ones; only the times are made up. What the target did
is known, so that it can be said whether figures are truly off, and whether a threshold was broken by lag alone.
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from math import exp

from stressrunner.engine.loop_watch import LEAST_NS, Late
from stressrunner.engine.sample import Sample
from stressrunner.metrics.aggregator import Aggregator, PhaseOutline, Summary
from stressrunner.metrics.delta import Delta
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.verdict.figures import Figures
from stressrunner.verdict.off import is_apart
from stressrunner.verdict.thresholds import evaluate
from stressrunner.verdict.validity import MAX_LAG_S, Lag, Observation, judge_validity, off_in

NS = 1_000_000_000
BEAT_S = 0.002
FREEZE_S = 0.05


def noise(random, length_s, *, per_s=2.0, per_minute=1.0):
    """Return the absences of a generator on a shared machine: many of some ms, and now and then one of up to 200 ms."""
    times = scattered(random, length_s, per_s, 0.001, 0.010)
    return merged(times + scattered(random, length_s, per_minute / 60, 0.05, 0.2))


def scattered(random, length_s, rate, low_s, high_s):
    """Return absences at random moments."""
    found, at_s = [], random.expovariate(rate)
    while at_s < length_s:
        found.append((at_s, at_s + random.uniform(low_s, high_s)))
        at_s += random.expovariate(rate)
    return found


def starved(random, length_s):
    """Return the absences of a generator that has half of a core: away for 20 ms, there for 20 ms."""
    found, at_s = [], 0.0
    while at_s < length_s:
        at_s += random.expovariate(1 / 0.02)
        found.append((at_s, at_s + random.uniform(0.01, 0.03)))
        at_s = found[-1][1]
    return found


def merged(absences):
    """Return absences in order, without overlaps."""
    found = []
    for begin_s, end_s in sorted(absences):
        if found and begin_s <= found[-1][1]:
            found[-1] = (found[-1][0], max(end_s, found[-1][1]))
        else:
            found.append((begin_s, end_s))
    return found


def fast(random):
    """Return how long a fast target takes: 1.5 ms at the median, 4 ms at p99."""
    return 0.0015 * exp(random.gauss(0, 0.42))


def bimodal(random):
    """Return how long a target takes that is slow for 4 % of the requests."""
    slow = random.random() < 0.04
    return (0.25 if slow else 0.003) * exp(random.gauss(0, 0.2))


@dataclass
class Made:
    """A run, and what is known of it that no tool can know."""

    summary: Summary
    measured_s: list
    true_s: list
    idle_s: float = 0.0  #: how long the generator of a load without a rate was away
    max_lag_s: float = MAX_LAG_S

    def truly_off(self, *percentiles):
        """Return whether one of some percentiles is another one than the target made it."""
        return any(
            is_apart(rank(self.measured_s, p), rank(self.true_s, p), self.max_lag_s) for p in percentiles
        )

    @property
    def validity(self):
        """The judgement of the run."""
        summary = self.summary
        return judge_validity(
            Observation(
                totals=summary.totals,
                errors=summary.errors,
                generators=(),
                open_load=False,
                stopped_early=False,
                endpoints=summary.endpoints,
                lag=Lag(
                    rest=summary.apart_from_spell,
                    late_in_spell=summary.late_in_spell,
                    longest_s=summary.stalls.max_s or 0.0,
                    idle_s=self.idle_s,
                    duration_s=summary.duration_s,
                ),
            )
        )

    def judged(self, percentile, limit_s):
        """Return the outcome of a threshold on a percentile."""
        summary = self.summary
        return evaluate(
            parse_threshold(f"p{percentile} < {limit_s * 1000:.4f}ms"),
            Figures(
                totals=summary.totals,
                endpoints=summary.endpoints,
                phases={},
                monitors={},
                off=off_in(summary.totals, summary.endpoints, self.max_lag_s),
            ),
        )


def rank(times_s, percentile):
    """Return a percentile by the nearest rank."""
    ordered = sorted(times_s)
    return ordered[max(1, -(-round(percentile * len(ordered) * 10) // 1000)) - 1]


def open_run(random, target, rate, length_s, absences, *, station=0.0, timeout_s=None):
    """Return a run at a rate; with a `station`, requests queue for a target that is busy for so much of its time."""
    begins = [begin for begin, _ in absences]

    def away(at_s):
        place = bisect_right(begins, at_s) - 1
        return absences[place] if place >= 0 and at_s < absences[place][1] else None

    samples, measured, true = [], [], []
    each_s = station / rate
    free_s = truly_free_s = 0.0
    for number in range(round(rate * length_s)):
        due_s = number / rate
        absence = away(due_s)
        released_s = due_s if absence is None else absence[1]
        service_s = target(random)
        free_s = max(free_s, released_s) + each_s
        truly_free_s = max(truly_free_s, due_s) + each_s
        done_s = (free_s if station else released_s) + service_s
        true_s = (truly_free_s if station else due_s) + service_s - due_s
        absence = away(done_s)
        read_s, read_late_s = done_s, 0.0
        if absence is not None:
            read_s = absence[1]
            overdue_s = absence[0] + random.uniform(0, BEAT_S)
            read_late_s = max(0.0, read_s - max(released_s, overdue_s))
        measured.append(read_s - due_s)
        true.append(true_s)
        ours = timeout_s is not None and read_s - released_s > timeout_s
        late = late_of(due_s, released_s - due_s, read_late_s, absences, is_ours=ours)
        samples.append(sample_of(due_s, released_s, read_s, late, timed_out=ours))
    return Made(summary_of(samples, absences), measured, true)


def closed_run(random, target, users, length_s, absences):
    """Return a run of users that send one request after the other."""
    begins = [begin for begin, _ in absences]
    samples, measured, true = [], [], []
    for _ in range(users):
        due_s = random.uniform(0, 0.01)
        while due_s < length_s:
            service_s = target(random)
            done_s = read_s = due_s + service_s
            place = bisect_right(begins, done_s) - 1
            read_late_s = 0.0
            if place >= 0 and done_s < absences[place][1]:
                read_s = absences[place][1]
                overdue_s = absences[place][0] + random.uniform(0, BEAT_S)
                read_late_s = max(0.0, read_s - max(due_s, overdue_s))
            measured.append(read_s - due_s)
            true.append(service_s)
            late = late_of(due_s, 0.0, read_late_s, absences)
            samples.append(sample_of(due_s, due_s, read_s, late))
            due_s = read_s + 0.00002
    idle_s = sum(end - begin for begin, end in absences if end - begin > 0.005)
    return Made(summary_of(samples, absences), measured, true, idle_s)


def late_of(due_s, send_s, read_s, absences, *, is_ours=False):
    """Return what the generator added to a request, as its watch over the event loop tells it."""
    own_ns = round((send_s + read_s) * NS)
    in_wake = any(
        begin <= due_s < end + 5 * (end - begin) for begin, end in absences if end - begin >= FREEZE_S
    )
    if own_ns < LEAST_NS and not is_ours and not in_wake:
        return None
    counted = own_ns if own_ns >= LEAST_NS else 0
    return Late(counted, round(read_s * NS), is_ours=is_ours, in_wake=in_wake)


def sample_of(due_s, released_s, read_s, late, *, timed_out=False):
    """Return a request as figures."""
    due_ns, released_ns, read_ns = round(due_s * NS), round(released_s * NS), round(read_s * NS)
    outcome = Outcome.FAILED if timed_out else Outcome.OK
    problem = Problem("timeout", "no complete response") if timed_out else None
    moments = (due_ns, released_ns, released_ns, released_ns, read_ns, read_ns)
    return Sample(0, 0, outcome, *moments, never=timed_out, problem=problem, late=late)


def summary_of(samples, absences):
    """Count requests second by second, as a coordinator does, and freeze the figures."""
    seconds = defaultdict(list)
    for sample in samples:
        seconds[sample.completed_ns // NS].append(sample)
    aggregator = Aggregator(["one"], [PhaseOutline("p", warmup=False, planned=None)], 0)
    for second in range(max(seconds) + 1):
        delta = Delta()
        delta.extend(seconds.get(second, []))
        delta.stalls.extend([round((end - begin) * NS) for begin, end in absences if int(end) == second])
        aggregator.add(delta, second * NS, (second + 1) * NS)
    return aggregator.summary({0: (0, (max(seconds) + 1) * NS)})
