"""The engine's seam to whoever counts: it does not know who listens."""

from typing import Protocol

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.loop_watch import Late
from stressrunner.engine.sample import Sample
from stressrunner.http.exchange import Exchange
from stressrunner.plan.outcome import Problem

__all__ = ["Excluding", "Recorder"]


class Recorder(Protocol):
    """Is told of everything that happens to a planned request; must not block."""

    in_flight: int  #: requests on their way now; the engine counts it up and down

    def emit(self, sample: Sample, exchange: Exchange | None) -> None:
        """Take a request that was sent, with its exchange unless it was cut off or could not be filled in."""

    def attempted(self, attempt: Attempt) -> None:
        """Take a message whose delivery is checked, with its reply; `emit` is told of its request too."""

    def skipped(self, phase: int, endpoint: int, count: int) -> None:
        """Take planned requests that an earlier failure of their iteration prevented."""

    def dropped(self, phase: int, endpoint: int, count: int, late: Late | None = None) -> None:
        """Take planned requests whose arrival was given up; `late` is what the generator has to do with that."""

    def unplanned(self, phase: int, endpoint: int) -> None:
        """Take that a request will be sent which the plan did not count on, as it depends on what happens."""

    def record_excluded(self, kind: str, sample: Sample) -> None:
        """Take a request that is reported under a kind of its own, such as `setup`, and never counted."""

    def failed(self, endpoint: int, problem: Problem, at_ns: int) -> None:
        """Take a failure that is none of a request, at a monotonic time; `endpoint` is what it has to do with."""

    def group(self, phase: int, name: str, length_ns: int | None, late: Late | None = None) -> None:
        """Take the length, pauses subtracted, of something that is measured as a whole; None when it failed.

        `late` is what the generator added to it.
        """

    def late_arrival(self, phase: int) -> None:
        """Take an arrival that was released so late that it cannot be said to have been offered."""

    def group_cut_off(self, phase: int, name: str) -> None:
        """Take something that is measured as a whole and did not finish in time: it ranks last."""

    def iteration(self, phase: int, *, in_error: bool) -> None:
        """Take an iteration of more than one request that has ended, or that could not begin.

        It is in error when none of its requests tells that it failed.
        """

    def not_set_up(self, users: int) -> None:
        """Take how many more users there are that `user_setup` has failed for so far; -1 when one made it after all."""


class Excluding:
    """A recorder of requests that are no part of the load, in front of the one that is told of them."""

    def __init__(self, recorder: Recorder, kind: str) -> None:
        """`kind` is what they are reported under."""
        self._recorder = recorder
        self._kind = kind
        self.in_flight = 0
        self.latest: Problem | None = None  #: what went wrong last

    def emit(self, sample: Sample, _exchange: Exchange | None) -> None:
        """Pass a request on."""
        if sample.problem is not None:
            self.latest = sample.problem
        self._recorder.record_excluded(self._kind, sample)

    def failed(self, endpoint: int, problem: Problem, at_ns: int) -> None:
        """Count a failure in total and under its kind."""
        self.latest = problem
        self._recorder.failed(endpoint, problem._replace(kind=f"{self._kind}: {problem.kind}"), at_ns)

    def record_excluded(self, kind: str, sample: Sample) -> None:
        """Pass a request on that is reported under another kind."""
        self._recorder.record_excluded(kind, sample)

    def attempted(self, attempt: Attempt) -> None:
        """Forget it: deliveries are of the load alone, and these tokens are none of its."""

    def skipped(self, phase: int, endpoint: int, count: int) -> None:
        """Forget it: nothing of this is planned."""

    def dropped(self, phase: int, endpoint: int, count: int, late: Late | None = None) -> None:
        """Forget it: nothing of this arrives."""

    def unplanned(self, phase: int, endpoint: int) -> None:
        """Forget it: nothing of this is planned."""

    def group(self, phase: int, name: str, length_ns: int | None, late: Late | None = None) -> None:
        """Forget it: lengths are of the load alone."""

    def late_arrival(self, phase: int) -> None:
        """Forget it: nothing of this arrives."""

    def group_cut_off(self, phase: int, name: str) -> None:
        """Forget it: lengths are of the load alone."""

    def iteration(self, phase: int, *, in_error: bool) -> None:
        """Forget it: this is no iteration."""

    def not_set_up(self, users: int) -> None:
        """Forget it: who sets users up tells that itself."""
