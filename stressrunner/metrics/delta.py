"""What is counted while load runs: live, mergeable, and of a size that does not grow with the number of requests.

A generator records into a Delta and hands it over once a second; the coordinator merges what it is handed. The
same deltas make the timeline and the windows of thresholds, so nothing is counted twice over.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import sub
from typing import Any

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.loop_watch import Late
from stressrunner.engine.sample import Sample
from stressrunner.http.exchange import FailureKind
from stressrunner.metrics.ends import Ends
from stressrunner.metrics.error_key import ErrorKey
from stressrunner.metrics.exemplars import Exemplars
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.lateness import LateTimes, late_times_of
from stressrunner.plan.outcome import Outcome, Problem

__all__ = ["MAX_ERROR_GROUPS", "MAX_ERROR_SAMPLES", "Delta", "ErrorCounts", "ErrorSample", "Series"]

MAX_ERROR_GROUPS = (
    100  #: further groups are joined by kind; beyond as many kinds, errors are counted together as `other`
)
MAX_TOKENS = 40  #: access tokens that are known, so that they can be masked
MAX_ERROR_SAMPLES = 5  #: kept per group
Moments = tuple[Any, ...]  # nanoseconds of a monotonic clock; None for what did not happen
_NOTABLY_NS = 5_000_000  #: own time that is more than noise
#: Statuses by which a target, or what is before it, says that it has too much to do, or that a credential ran out: what a
#: late client may bring about.
_OF_LOAD = frozenset({401, 408, 425, 429, 502, 503, 504})
_OF_REPLY = frozenset({"check", "graphql", "capture"})  #: kinds of failures, beside those of a status
_HISTOGRAMS = (
    "response_time",
    "service_time",
    "ttfb",
    "connect",
    "failed_time",
    "lag",
    "queue",
    "connecting",
)


def _columns(samples: Sequence[Sample]) -> Mapping[str, tuple[Any, ...]]:
    """Return samples as columns, which are counted at half the cost of rows."""
    columns = zip(*samples, strict=True) if samples else [()] * len(Sample._fields)
    return dict(zip(Sample._fields, columns, strict=True))


def _differences(ends: Moments, starts: Moments) -> list[int]:
    """Return how long it was between two moments of each request that has both."""
    if None in ends or None in starts:
        return [
            end - start for end, start in zip(ends, starts, strict=True) if not (end is None or start is None)
        ]
    return list(map(sub, ends, starts))


def _is_of_reply(problem: Problem, status: int) -> bool:
    """Return whether a complete reply is wrong by its status or content, whenever it came."""
    if not status or status in _OF_LOAD or problem.is_of_time:
        return False
    return problem.kind in _OF_REPLY or problem.kind.startswith("http ")


def _failed_by_lag(sample: Sample) -> bool:
    """Return whether a request failed, and that may be the generator's doing."""
    late, problem = sample.late, sample.problem
    if sample.outcome is not Outcome.FAILED or late is None or not (late.is_ours or late.in_wake):
        return False
    return problem is None or not _is_of_reply(problem, sample.status)


class Series:
    """Counts of one endpoint in one phase."""

    __slots__ = (
        "bytes_received",
        "bytes_sent",
        "certain",
        "certain_replies",
        "connect",
        "connecting",
        "dropped",
        "dropped_by_lag",
        "failed_by_lag",
        "failed_time",
        "lag",
        "last_ns",
        "late",
        "late_times",
        "outcomes",
        "own_ns",
        "queue",
        "redirects",
        "resent",
        "response_time",
        "sent",
        "service_time",
        "skipped",
        "status",
        "ttfb",
        "unplanned",
    )

    def __init__(self) -> None:
        self.sent = 0
        self.last_ns = 0  #: when the last request completed, monotonic
        self.dropped = 0
        self.skipped = 0
        self.unplanned = 0  #: sent, or about to be, although the plan did not count on it
        self.outcomes = [0] * len(Outcome)
        self.status: Counter[int] = Counter()
        self.bytes_sent = 0
        self.bytes_received = 0
        self.redirects = 0  #: requests that redirects asked for; not among `sent`
        self.resent = 0  #: requests sent a second time over a new connection; counted once in `sent`
        self.late = (
            0  #: of which 5 ms or more were the generator's own time, and timeouts and drops of its making
        )
        self.own_ns = 0  #: the generator's own time of all
        self.certain_replies = 0  #: failed by what was replied, whenever it came
        self.certain = (
            0  #: those, and others that failed without the generator's having any part in their times
        )
        #: of what failed and was dropped: what may be the generator's doing, as nobody read, or in the wake of a freeze; of
        #: the failed not those that are certain by their reply
        self.failed_by_lag = self.dropped_by_lag = 0
        self.late_times: dict[str, LateTimes] = {}  #: of the histograms here, by their names
        self.response_time = Histogram()
        self.service_time = Histogram()
        self.ttfb = Histogram()
        self.connect = Histogram()
        self.failed_time = Histogram()
        self.lag = Histogram()  #: released minus due, of every request
        self.queue = Histogram()
        self.connecting = Histogram()

    def extend(self, samples: Sequence[Sample]) -> None:
        """Count requests that were sent."""
        if not samples:
            return
        table = _columns(samples)
        sent = len(samples)
        self.sent += sent
        self.last_ns = max((self.last_ns, *table["completed_ns"]))
        self.bytes_sent += sum(table["bytes_sent"])
        self.bytes_received += sum(table["bytes_received"])
        self.redirects += sum(table["redirects"])
        self.resent += sum(table["resent"])
        self.status.update(table["status"])
        self.status.pop(0, None)
        self.lag.extend(list(map(sub, table["released_ns"], table["due_ns"])))
        if table["connect_ns"].count(None) < sent:
            self.connect.extend([ns for ns in table["connect_ns"] if ns is not None])
        never = sum(table["never"])
        self.response_time.never += never
        self.service_time.never += never
        ok = table["outcome"].count(Outcome.OK)
        if ok == sent:
            self.outcomes[Outcome.OK] += sent
        else:
            for outcome in table["outcome"]:
                self.outcomes[outcome] += 1
            failed = [s.completed_ns - s.due_ns for s in samples if s.outcome is Outcome.FAILED]
            self.failed_time.extend(failed)
            self._extend_certain(samples)
        if table["late"].count(None) < sent:
            self._extend_late(samples)
        if ok < sent or never:
            table = _columns([s for s in samples if s.outcome is Outcome.OK and not s.never])
        self._extend_times(table)

    def _extend_certain(self, samples: Sequence[Sample]) -> None:
        """Count failures that no doubt about the generator explains."""
        for sample in samples:
            problem = sample.problem
            if sample.outcome is not Outcome.FAILED or problem is None:
                continue
            if _is_of_reply(problem, sample.status):
                self.certain_replies += 1
                self.certain += 1
            elif sample.late is None and problem.kind != FailureKind.GENERATOR:
                self.certain += 1

    def _extend_late(self, samples: Sequence[Sample]) -> None:
        """Count what the generator added to times."""
        lates = [sample.late for sample in samples if sample.late is not None]
        self.own_ns += sum(late.own_ns for late in lates)
        self.late += sum(late.own_ns > _NOTABLY_NS or late.is_ours for late in lates)
        self.failed_by_lag += sum(map(_failed_by_lag, samples))
        self._merge_late(late_times_of(samples))

    def record_late_drops(self, count: int, late: Late) -> None:
        """Count arrivals that were given up as the generator was late, or is in a wake."""
        self.own_ns += count * late.own_ns
        self.late += count * (late.own_ns > _NOTABLY_NS)
        self.dropped_by_lag += count
        self.late_times.setdefault("response_time", LateTimes()).record_never(late, count)

    def _merge_late(self, others: Mapping[str, LateTimes]) -> None:
        for name, times in others.items():
            self.late_times.setdefault(name, LateTimes()).merge(times)

    def _extend_times(self, table: Mapping[str, tuple[Any, ...]]) -> None:
        """Count the times of requests that succeeded."""
        completed_ns, acquired_ns, sent_ns = table["completed_ns"], table["acquired_ns"], table["sent_ns"]
        self.response_time.extend(_differences(completed_ns, table["due_ns"]))
        self.queue.extend(_differences(acquired_ns, table["released_ns"]))
        self.service_time.extend(_differences(completed_ns, sent_ns))
        self.connecting.extend(_differences(sent_ns, acquired_ns))
        self.ttfb.extend(_differences(table["first_byte_ns"], sent_ns))

    def merge(self, other: "Series") -> None:
        """Add all counts of another series."""
        self.sent += other.sent
        self.last_ns = max(self.last_ns, other.last_ns)
        self.dropped += other.dropped
        self.skipped += other.skipped
        self.unplanned += other.unplanned
        self.outcomes = [a + b for a, b in zip(self.outcomes, other.outcomes, strict=True)]
        self.status.update(other.status)
        self.bytes_sent += other.bytes_sent
        self.bytes_received += other.bytes_received
        self.redirects += other.redirects
        self.resent += other.resent
        self.late += other.late
        self.own_ns += other.own_ns
        self.certain_replies += other.certain_replies
        self.certain += other.certain
        self.failed_by_lag += other.failed_by_lag
        self.dropped_by_lag += other.dropped_by_lag
        self._merge_late(other.late_times)
        for name in _HISTOGRAMS:
            getattr(self, name).merge(getattr(other, name))


@dataclass(frozen=True, slots=True)
class ErrorSample:
    """One of the errors of a group, kept whole."""

    at_ns: int  #: when it was known, monotonic
    endpoint: int
    status: int
    message: str
    excerpt: str  #: start of the response's body


@dataclass(slots=True)
class ErrorCounts:
    """Errors of one group."""

    first_ns: int
    last_ns: int
    count: int = 0
    samples: list[ErrorSample] = field(
        default_factory=list
    )  #: the first few, those with a new message before others

    def add(self, sample: ErrorSample, *, count: int = 1) -> None:
        """Count an error, and keep it while it tells something new."""
        self.count += count
        self.first_ns = min(self.first_ns, sample.at_ns)
        self.last_ns = max(self.last_ns, sample.at_ns)
        if len(self.samples) < MAX_ERROR_SAMPLES and not any(
            kept.message == sample.message and kept.endpoint == sample.endpoint for kept in self.samples
        ):
            self.samples.append(sample)

    def merge(self, other: "ErrorCounts") -> None:
        """Add the errors of the same group that another delta has."""
        self.count += other.count
        self.first_ns = min(self.first_ns, other.first_ns)
        self.last_ns = max(self.last_ns, other.last_ns)
        for sample in other.samples:
            self.add(sample, count=0)


class Delta:
    """Everything counted so far, or since the last time it was handed over."""

    def __init__(self) -> None:
        self.series: dict[tuple[int, int], Series] = {}  #: (phase, endpoint) to counts
        self.ends: dict[int, Ends] = {}  #: by phase: when its requests ended
        self.errors: dict[ErrorKey, ErrorCounts] = {}
        #: (phase, name) to the lengths of what is measured as a whole, such as `session`
        self.groups: dict[tuple[int, str], Histogram] = {}
        self.groups_failed: Counter[tuple[int, str]] = (
            Counter()
        )  #: how many of them failed, whose lengths are not recorded
        self.groups_late: dict[tuple[int, str], LateTimes] = {}  #: of those lengths
        self.iterations: Counter[int] = Counter()  #: by phase, where they are more than one request each
        self.iterations_in_error: Counter[int] = Counter()  #: of them, and those that could not begin
        self.not_set_up = 0  #: users that `user_setup` has failed for, less those that it passed for later
        self.excluded: dict[
            str, Series
        ] = {}  #: requests beside the load, such as those of `setup`, by their kind
        #: failed requests of these by kind, endpoint, and kind of the error
        self.excluded_failures: Counter[tuple[str, int, str]] = Counter()
        self.stalls = Histogram()  #: how much later than asked timers of the generator's event loop fired
        self.absent_ns = 0  #: how long beats of the event loops were late, each by more than 1 ms
        self.idle_ns = 0  #: of that, how long the process was kept from running, each time by more than 5 ms
        self.freezes = 0  #: of the generator: absences of 50 ms and more in which it did not work
        self.late_arrivals: Counter[int] = Counter()  #: by phase: released so late that they were not offered
        self.collections = Histogram()  #: pauses of the generator's garbage collection
        self.in_flight = 0  #: requests on their way when this was handed over
        self.token_requests = 0  #: sent for access tokens; not among those of any series
        self.token_failures = 0  #: of them, that gave no token
        self.tokens: list[str] = []  #: access tokens that were given, so that they can be masked; the latest
        self.exemplars = Exemplars()  #: exchanges that were kept
        self.attempts: list[Attempt] = []  #: messages whose delivery is checked

    def series_of(self, phase: int, endpoint: int) -> Series:
        """Return the counts of an endpoint in a phase, made when they are first asked for."""
        key = (phase, endpoint)
        series = self.series.get(key)
        if series is None:
            series = self.series[key] = Series()
        return series

    def record(self, sample: Sample) -> None:
        """Count one request that was sent."""
        self.extend((sample,))

    def extend(self, samples: Sequence[Sample]) -> None:
        """Count requests that were sent; many at once cost a fifth of what they cost one by one."""
        groups: dict[tuple[int, int], list[Sample]] = {}
        for sample in samples:
            groups.setdefault((sample.phase, sample.endpoint), []).append(sample)
            problem = sample.problem
            if problem is not None:
                at_ns = sample.completed_ns
                error = ErrorSample(at_ns, sample.endpoint, sample.status, problem.message, problem.excerpt)
                self._record_error(ErrorKey.of(problem, sample.status), error)
        for (phase, endpoint), group in groups.items():
            self.series_of(phase, endpoint).extend(group)
        for phase in {phase for phase, _ in groups}:
            ends = [sample.completed_ns for sample in samples if sample.phase == phase]
            self.ends.setdefault(phase, Ends()).extend(ends)

    def _record_error(self, key: ErrorKey, error: ErrorSample) -> None:
        self._errors_of(key, error.at_ns).add(error)

    def _errors_of(self, key: ErrorKey, at_ns: int) -> ErrorCounts:
        """Return a group of errors, or one that takes it in where there are too many."""
        for limit, wider in ((MAX_ERROR_GROUPS, key), (2 * MAX_ERROR_GROUPS, ErrorKey(key.kind))):
            if wider in self.errors or len(self.errors) < limit:
                return self.errors.setdefault(wider, ErrorCounts(at_ns, at_ns))
        return self.errors.setdefault(ErrorKey("other"), ErrorCounts(at_ns, at_ns))

    def record_excluded(self, kind: str, sample: Sample) -> None:
        """Count a request that is no part of the load; its errors are among the others, under the kind too."""
        self.excluded.setdefault(kind, Series()).extend((sample,))
        problem = sample.problem
        if problem is not None:
            at_ns = sample.completed_ns
            error = ErrorSample(at_ns, sample.endpoint, sample.status, problem.message, problem.excerpt)
            self._record_error(ErrorKey.of(problem, sample.status, kind), error)
            self.excluded_failures[kind, sample.endpoint, problem.kind] += 1

    def record_failure(self, endpoint: int, problem: Problem, at_ns: int) -> None:
        """Count a failure that is none of a request: among the errors, and in nothing else."""
        error = ErrorSample(at_ns, endpoint, 0, problem.message, problem.excerpt)
        self._record_error(ErrorKey.of(problem, 0), error)

    def record_skipped(self, phase: int, endpoint: int, count: int) -> None:
        """Count planned requests that an earlier failure of their iteration prevented."""
        self.series_of(phase, endpoint).skipped += count

    def record_dropped(self, phase: int, endpoint: int, count: int, late: Late | None = None) -> None:
        """Count planned requests whose arrival was given up; they rank last in `response_time`.

        Those that the generator gave up because it was late itself are not among the times without lag.
        """
        series = self.series_of(phase, endpoint)
        series.dropped += count
        series.response_time.never += count
        if late is not None:
            series.record_late_drops(count, late)

    def record_iteration(self, phase: int, *, in_error: bool) -> None:
        """Count an iteration of more than one request, or one that could not begin."""
        self.iterations[phase] += 1
        self.iterations_in_error[phase] += in_error

    def record_group(self, phase: int, name: str, length_ns: int | None, late: Late | None = None) -> None:
        """Count something that is measured as a whole and began in a phase, with its length unless it failed."""
        lengths = self.groups.setdefault((phase, name), Histogram())
        if length_ns is None:
            self.groups_failed[phase, name] += 1
        else:
            lengths.record(length_ns)
            if late is not None:
                self.groups_late.setdefault((phase, name), LateTimes()).record(length_ns, late, late.own_ns)

    def record_group_cut_off(self, phase: int, name: str) -> None:
        """Count something that is measured as a whole and was cut off; it ranks last among the lengths."""
        self.groups.setdefault((phase, name), Histogram()).never += 1

    def add_tokens(self, requests: int, failures: int, given: Sequence[str]) -> None:
        """Count requests for access tokens, of which some gave none and the others these."""
        self.token_requests += requests
        self.token_failures += failures
        self.tokens = [*self.tokens, *given][-MAX_TOKENS:]

    @property
    def errors_by_kind(self) -> Counter[str]:
        """How many errors there were of each kind."""
        kinds: Counter[str] = Counter()
        for key, errors in self.errors.items():
            kinds[key.kind] += errors.count
        return kinds

    def merge(self, other: "Delta") -> None:
        """Add everything that another delta has counted."""
        for (phase, endpoint), series in other.series.items():
            self.series_of(phase, endpoint).merge(series)
        for phase, ends in other.ends.items():
            self.ends.setdefault(phase, Ends()).merge(ends)
        for error_key, errors in other.errors.items():
            self._errors_of(error_key, errors.first_ns).merge(errors)
        self.stalls.merge(other.stalls)
        self.collections.merge(other.collections)
        self.add_tokens(other.token_requests, other.token_failures, other.tokens)
        for key, lengths in other.groups.items():
            self.groups.setdefault(key, Histogram()).merge(lengths)
        self.groups_failed.update(other.groups_failed)
        for key, late in other.groups_late.items():
            self.groups_late.setdefault(key, LateTimes()).merge(late)
        self.absent_ns += other.absent_ns
        self.idle_ns += other.idle_ns
        self.freezes += other.freezes
        self.late_arrivals.update(other.late_arrivals)
        self.iterations.update(other.iterations)
        self.iterations_in_error.update(other.iterations_in_error)
        self.not_set_up += other.not_set_up
        self.excluded_failures.update(other.excluded_failures)
        for kind, series in other.excluded.items():
            self.excluded.setdefault(kind, Series()).merge(series)
        self.in_flight = other.in_flight
        self.exemplars.merge(other.exemplars)
        self.attempts += other.attempts
