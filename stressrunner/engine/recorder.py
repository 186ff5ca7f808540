"""The engine's seam to whoever counts: it does not know who listens."""

from typing import Protocol

from stressrunner.engine.sample import Sample
from stressrunner.http.exchange import Exchange
from stressrunner.plan.outcome import Problem

__all__ = ["Recorder"]


class Recorder(Protocol):
    """Is told of everything that happens to a planned request; must not block."""

    in_flight: int  #: requests on their way now; the engine counts it up and down

    def emit(self, sample: Sample, exchange: Exchange | None) -> None:
        """Take a request that was sent, with its exchange unless it was cut off or could not be filled in."""

    def skipped(self, phase: int, endpoint: int, count: int) -> None:
        """Take planned requests that an earlier failure of their iteration prevented."""

    def dropped(self, phase: int, endpoint: int, count: int) -> None:
        """Take planned requests whose arrival was given up."""

    def unplanned(self, phase: int, endpoint: int) -> None:
        """Take that a request will be sent which the plan did not count on, as it depends on what happens."""

    def failed(self, endpoint: int, problem: Problem, at_ns: int) -> None:
        """Take a failure that is none of a request, at a monotonic time; `endpoint` is what it has to do with."""

    def whole(self, name: str, length_ns: int | None) -> None:
        """Take the length, pauses subtracted, of something that is measured as a whole; None when it failed."""
