"""The time that a simulated model takes and the errors that a server makes on purpose, both repeatable by seed."""

from random import Random

import anyio

__all__ = ["Faults", "ModelDelay"]


def _stream(seed: int, use: str) -> Random:
    """Return the random numbers of one use, so that drawing for one does not shift another."""
    return Random(f"{seed}/{use}")  # noqa: S311  simulated behaviour, not a secret


class ModelDelay:
    """How long the model thinks: uniformly within `jitter_s` of `latency_s`, never less than nothing."""

    def __init__(self, latency_s: float, jitter_s: float, seed: int) -> None:
        self._shortest_s = latency_s - jitter_s
        self._longest_s = latency_s + jitter_s
        self._random = _stream(seed, "latency")

    def draw_s(self) -> float:
        """Return the seconds of the next run."""
        return max(0.0, self._random.uniform(self._shortest_s, self._longest_s))

    async def elapse(self) -> None:
        """Wait as long as the next run takes."""
        await anyio.sleep(self.draw_s())


class Faults:
    """Which of a server's answers are errors: each with the probability `ratio`."""

    def __init__(self, ratio: float, seed: int) -> None:
        self._ratio = ratio
        self._random = _stream(seed, "faults")

    def strike(self) -> bool:
        """Tell whether the next answer is an error."""
        return self._random.random() < self._ratio
