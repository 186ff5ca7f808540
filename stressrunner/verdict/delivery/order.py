"""Pairs of messages that the history shows in the wrong order, and histories that are listed the other way round.

A pair (a, b) is bound when a was answered before b was sent, and reordered when yet b stands before a. Messages that were
under way together bind nothing. Counted by a sweep over time: every b is compared with the a's that were answered before,
of which a Fenwick tree over the positions knows how many stand behind b: n log n for a session of n messages.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from stressrunner.engine.attempt import Attempt

__all__ = ["Direction", "Pairs", "direction_of", "pairs_of"]

_MANY_PAIRS = 20
_MANY_SESSIONS = 3
_NEARLY_ALL = 0.9


class Pairs(NamedTuple):
    """Pairs of a session's messages."""

    bound: int = 0
    reordered: int = 0  #: of these

    def plus(self, other: "Pairs") -> "Pairs":
        """Return both together."""
        return Pairs(self.bound + other.bound, self.reordered + other.reordered)


class Direction(Enum):
    """How the pairs of a whole run say that messages are listed."""

    OLDEST_FIRST = "oldest first"
    NEWEST_FIRST = "newest first"
    DOUBTFUL = "most pairs are the other way round, and they are too few to tell"


def direction_of(sessions: Collection[Pairs]) -> Direction:
    """Return how messages are listed, by the pairs of all sessions, counted as if oldest first.

    A server that lists the newest first reverses nearly all pairs of all sessions. A few pairs of one or two sessions
    are as well a real fault, of which half of the cases with two messages look the same.
    """
    bound = sum(each.bound for each in sessions)
    reordered = sum(each.reordered for each in sessions)
    telling = sum(each.bound > 0 for each in sessions)
    if bound >= _MANY_PAIRS and telling >= _MANY_SESSIONS:
        is_reversed = reordered >= _NEARLY_ALL * bound
        return Direction.NEWEST_FIRST if is_reversed else Direction.OLDEST_FIRST
    return Direction.DOUBTFUL if 2 * reordered > bound else Direction.OLDEST_FIRST


def pairs_of(attempts: Sequence[Attempt], places: Mapping[int, int]) -> Pairs:
    """Return the pairs of a session's messages.

    Args:
        attempts: messages of one session.
        places: where those that count stand in its history, by their index.
    """
    counted = [attempt for attempt in attempts if attempt.message in places]
    ranks = {place: rank for rank, place in enumerate(sorted(places.values()))}
    answered = sorted((a for a in counted if a.is_answered), key=lambda a: a.ended_ns)
    behind = _Tree(len(ranks))
    bound = reordered = taken = 0
    for b in sorted(counted, key=lambda a: a.sent_ns):
        while taken < len(answered) and answered[taken].ended_ns < b.sent_ns:
            behind.add(ranks[places[answered[taken].message]])
            taken += 1
        bound += taken
        reordered += taken - behind.count_up_to(ranks[places[b.message]])
    return Pairs(bound, reordered)


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
