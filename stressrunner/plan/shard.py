"""Things that are dealt in turn: the iterations of a plan to generators, the numbers of sessions to workloads."""

from dataclasses import dataclass

__all__ = ["Shard"]


@dataclass(frozen=True, slots=True)
class Shard:
    """The part of a plan that one of several generators executes: every `count`-th iteration from `index` on."""

    index: int = 0
    count: int = 1

    def share(self, total: int) -> int:
        """Return how many of `total` things, dealt in turn, fall to this shard."""
        return max(0, (total - self.index + self.count - 1) // self.count)

    def number(self, local: int) -> int:
        """Return the number in the whole plan of this shard's thing number `local`."""
        return local * self.count + self.index
