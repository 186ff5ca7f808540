"""When the requests of a phase ended: the moments of all of them in few numbers, whatever their count.

Ends are counted at moments that lie no closer together than a bound, which doubles whenever there are too many: an end
is counted at the first of these moments that is not before it. So a moment that is read here is never early, and late
by 4 ms, or by less than one part in a thousand of the time that the ends lie in, and by what lies between 16 of them
that were counted together.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import ceil

__all__ = ["Ends"]

_FINEST_NS = 1 << 22  #: about 4 ms
_MOST = 2048  #: moments that are told apart
_PIECES = 64  #: of a batch of ends


class Ends:
    """Counts of ends at moments of a monotonic clock, in nanoseconds."""

    __slots__ = ("counts", "step_ns")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}  #: by the moments, in any order
        self.step_ns = _FINEST_NS

    def extend(self, ends_ns: Sequence[int]) -> None:
        """Count a batch of ends, a large one by every n-th of them: it costs about the same for any number."""
        size = len(ends_ns)
        each = max(1, size // _PIECES)
        ends_ns = sorted(ends_ns)  # they are already, but for a few
        self.add(
            (ends_ns[min(first + each, size) - 1], min(each, size - first)) for first in range(0, size, each)
        )

    def add(self, counted: Iterable[tuple[int, int]]) -> None:
        """Count so many ends at each of some moments."""
        counts, step_ns = self.counts, self.step_ns
        for at_ns, count in counted:
            moment_ns = -(-at_ns // step_ns) * step_ns
            counts[moment_ns] = counts.get(moment_ns, 0) + count
        while len(self.counts) > _MOST:
            self._coarsen()

    def _coarsen(self) -> None:
        fine, self.counts = self.counts, {}
        self.step_ns *= 2
        for at_ns, count in fine.items():
            moment_ns = -(-at_ns // self.step_ns) * self.step_ns
            self.counts[moment_ns] = self.counts.get(moment_ns, 0) + count

    def merge(self, other: "Ends") -> None:
        """Add the ends that others counted."""
        while self.step_ns < other.step_ns:
            self._coarsen()
        self.add(other.counts.items())

    def reached_ns(self, share: Fraction) -> int | None:
        """Return the moment until which such a part of all had ended; None without any."""
        missing = ceil(share * sum(self.counts.values()))
        for at_ns in sorted(self.counts):
            missing -= self.counts[at_ns]
            if missing <= 0:
                return at_ns
        return None

    def after(self, at_ns: int) -> int:
        """Return how many ended after a moment, as far as that can be told."""
        return sum(count for moment_ns, count in self.counts.items() if moment_ns - self.step_ns >= at_ns)
