"""Where the engine puts what it measures, and where the coordinator takes it from."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.loop_watch import LEAST_NS, Late
from stressrunner.engine.sample import Sample
from stressrunner.http.exchange import Exchange
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.exemplars import ExemplarRecorder
from stressrunner.plan.captures import Captures
from stressrunner.plan.outcome import Problem

__all__ = ["Collector", "SampleListener"]

_BATCH = 512  #: samples counted at once; it takes about a millisecond
_MOST_BATCHES = (
    4  #: kept for a thread to count when they are handed over: all of a second with 2,000 requests
)

#: Told of every sample, with its exchange where there is one; synchronous, must not block.
SampleListener = Callable[[Sample, Exchange | None], None]


class Collector:
    """Records into a delta that is handed over from time to time, and tells the listeners."""

    def __init__(
        self,
        listeners: tuple[SampleListener, ...] = (),
        warmups: Iterable[int] = (),
        credentials: Mapping[int, Sequence[Captures]] | None = None,
    ) -> None:
        """Begin to collect; `warmups` are the phases that are reported and not counted, `credentials` as in the plan."""
        self._delta = Delta()
        self._exemplars = ExemplarRecorder(warmups, credentials)
        self._pending: list[Sample] = []  # bounded: counted together when there are enough of them
        self._batches: deque[list[Sample]] = deque()  # that are full
        self._listeners = listeners
        self._attempts: deque[Attempt] = deque()  # grows with the messages sent: a row of 200 bytes each
        self.in_flight = 0  #: requests on their way now

    def emit(self, sample: Sample, exchange: Exchange | None) -> None:
        """Count a request that was sent."""
        pending = self._pending
        pending.append(sample)
        if len(pending) >= _BATCH:
            self._put_aside()
        self._exemplars(sample, exchange)
        for listener in self._listeners:
            listener(sample, exchange)

    def attempted(self, attempt: Attempt) -> None:
        """Keep a message whose delivery is checked."""
        self._attempts.append(attempt)

    @property
    def is_drained(self) -> bool:
        """Whether all messages have been handed over."""
        return not self._attempts

    def skipped(self, phase: int, endpoint: int, count: int) -> None:
        """Count requests that an earlier failure of their iteration prevented."""
        self._delta.record_skipped(phase, endpoint, count)

    def dropped(self, phase: int, endpoint: int, count: int, late: Late | None = None) -> None:
        """Count requests whose arrival was given up, with what the generator has to do with it."""
        self._delta.record_dropped(phase, endpoint, count, late)

    def unplanned(self, phase: int, endpoint: int) -> None:
        """Count a request that the plan did not count on."""
        self._delta.series_of(phase, endpoint).unplanned += 1

    def record_excluded(self, kind: str, sample: Sample) -> None:
        """Count a request that is no part of the load."""
        self._delta.record_excluded(kind, sample)

    def failed(self, endpoint: int, problem: Problem, at_ns: int) -> None:
        """Count a failure that is none of a request."""
        self._delta.record_failure(endpoint, problem, at_ns)

    def group(self, phase: int, name: str, length_ns: int | None, late: Late | None = None) -> None:
        """Count something that is measured as a whole, such as a session, with its length unless it failed."""
        self._delta.record_group(phase, name, length_ns, late)

    def group_cut_off(self, phase: int, name: str) -> None:
        """Count something that is measured as a whole and was cut off."""
        self._delta.record_group_cut_off(phase, name)

    def late_arrival(self, phase: int) -> None:
        """Count an arrival that was released so late that it was not offered."""
        self._delta.late_arrivals[phase] += 1

    def stalled(self, late_ns: Sequence[int], freezes: int, idle_ns: int) -> None:
        """Count what a watch over the event loop tells."""
        self._delta.stalls.extend(list(late_ns))
        self._delta.absent_ns += sum(ns for ns in late_ns if ns > LEAST_NS)
        self._delta.freezes += freezes
        self._delta.idle_ns += idle_ns

    def iteration(self, phase: int, *, in_error: bool) -> None:
        """Count an iteration of more than one request, or one that could not begin."""
        self._delta.record_iteration(phase, in_error=in_error)

    def not_set_up(self, users: int) -> None:
        """Count users that could not be set up so far."""
        self._delta.not_set_up += users

    def collected(self, took_ns: int) -> None:
        """Count a pause of garbage collection."""
        self._delta.collections.record(took_ns)

    def _put_aside(self) -> None:
        """Begin a new batch, and count the oldest one when there are too many."""
        self._batches.append(self._pending)
        self._pending = []
        if len(self._batches) > _MOST_BATCHES:
            self._delta.extend(self._batches.popleft())

    def drain(self, most_attempts: int | None = None) -> Delta:
        """Hand over what was counted since the last time, and no more than so many messages."""
        delta, batches = self.hand_over(most_attempts)
        for samples in batches:
            delta.extend(samples)
        return delta

    def hand_over(self, most_attempts: int | None = None) -> tuple[Delta, Sequence[Sequence[Sample]]]:
        """Hand over as `drain` does, with batches of samples that the delta has yet to be extended by.

        That takes some milliseconds, which a thread beside the load can spend as well.
        """
        batches = [*self._batches, self._pending]
        self._batches.clear()
        self._pending = []
        delta, self._delta = self._delta, Delta()
        delta.in_flight = self.in_flight
        delta.exemplars = self._exemplars.hand_over()
        waiting = self._attempts
        count = len(waiting) if most_attempts is None else min(len(waiting), most_attempts)
        delta.attempts = [waiting.popleft() for _ in range(count)]
        return delta, batches
