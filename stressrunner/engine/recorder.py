"""The engine's seam to whoever counts: it does not know who listens."""

from typing import Protocol

from stressrunner.engine.sample import Sample
from stressrunner.http.exchange import Exchange

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

    def whole(self, name: str, length_ns: int) -> None:
        """Take the length, pauses subtracted, of something that is measured as a whole and has passed."""
