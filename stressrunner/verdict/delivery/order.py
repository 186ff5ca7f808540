"""Pairs of messages that the history shows in the wrong order.

A pair (a, b) is reordered when a was answered before b was sent, and yet b stands before a. Messages that were under
way together bind nothing. Counted by a sweep over time: every b is compared with the a's that were answered before,
of which a Fenwick tree over the positions knows how many stand behind b: n log n for a session of n messages.
"""

from collections.abc import Mapping, Sequence

from stressrunner.engine.attempt import Attempt

__all__ = ["reordered_pairs"]


def reordered_pairs(attempts: Sequence[Attempt], places: Mapping[int, int]) -> int:
    """Return how many pairs of a session's messages are reordered.

    Args:
        attempts: messages of one session.
        places: where those that count stand in its history, by their index.
    """
    counted = [attempt for attempt in attempts if attempt.message in places]
    ranks = {place: rank for rank, place in enumerate(sorted(places.values()))}
    answered = sorted((a for a in counted if a.is_answered), key=lambda a: a.ended_ns)
    behind = _Tree(len(ranks))
    pairs = taken = 0
    for b in sorted(counted, key=lambda a: a.sent_ns):
        while taken < len(answered) and answered[taken].ended_ns < b.sent_ns:
            behind.add(ranks[places[answered[taken].message]])
            taken += 1
        pairs += taken - behind.count_up_to(ranks[places[b.message]])
    return pairs


class _Tree:
    """Counts how many of the ranks that were added are not above a rank."""

    def __init__(self, size: int) -> None:
        self._sums = [0] * (size + 1)

    def add(self, rank: int) -> None:
        i = rank + 1
        while i < len(self._sums):
            self._sums[i] += 1
            i += i & -i

    def count_up_to(self, rank: int) -> int:
        i, total = rank + 1, 0
        while i:
            total += self._sums[i]
            i -= i & -i
        return total
