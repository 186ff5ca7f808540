"""Which row of a feeder a request sees: a pure function of the seed and a number.

The number is the iteration's, the user's or the request's, as the feeder says under `per`.
"""

from functools import lru_cache
from typing import Any

from stressrunner.expressions.functions import random_stream
from stressrunner.plan.permutation import Permutation
from stressrunner.scenario.model import Feeder

__all__ = ["Rows"]

_MOST_LISTED = 50_000  #: rows whose order is kept as a list; that of more is computed


class Rows:
    """The rows of one feeder in the order in which they are drawn."""

    def __init__(self, feeder: Feeder, seed: int) -> None:
        self.name = feeder.name
        self.per = feeder.per
        self._rows = feeder.rows
        # Users never share a row, so that a row drawn for each would be wrong: they are dealt out in another order.
        dealt = feeder.per == "user" and feeder.order == "random"
        self._order = "shuffled" if dealt else feeder.order
        self._seed = seed
        self._ends = feeder.on_end == "stop" and self._order != "random"
        self._shuffled = lru_cache(maxsize=2)(self._shuffle)

    @property
    def limit(self) -> int | None:
        """How many numbers have a row; None when rows repeat."""
        return len(self._rows) if self._ends else None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def _shuffle(self, turn: int) -> list[int] | Permutation:
        parts = (self._seed, "feeder", self.name, turn)
        if len(self._rows) > _MOST_LISTED:
            return Permutation(len(self._rows), *parts)
        places = list(range(len(self._rows)))
        random_stream(*parts).shuffle(places)
        return places

    def row(self, number: int) -> Any:
        """Return the row that a number draws."""
        size = len(self._rows)
        if self._order == "random":
            return self._rows[random_stream(self._seed, "feeder", self.name, number).randrange(size)]
        turn, place = divmod(number, size)
        return self._rows[self._shuffled(turn)[place] if self._order == "shuffled" else place]
