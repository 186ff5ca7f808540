"""How long users pause, and what wakes them."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.expressions.functions import random_stream
from stressrunner.units import NS_PER_S

__all__ = ["Pauses", "think_ns"]

T = TypeVar("T")


def think_ns(low_s: float, high_s: float, *parts: object) -> int:
    """Return a pause in nanoseconds between two bounds, drawn for the parts given."""
    if low_s == high_s:
        return round(low_s * NS_PER_S)
    return round(random_stream(*parts).uniform(low_s, high_s) * NS_PER_S)


class Pauses(Generic[T]):
    """Those who wait, each for a moment of its own: one task waits for all of them, and wakes them in order."""

    def __init__(self, clock: Clock, wake: Callable[[T], None]) -> None:
        """`wake` is called when the moment has come, never early."""
        self._clock = clock
        self._wake = wake
        self._waiting: list[tuple[int, int, T]] = []  # a heap
        self._order = count()
        self._some = anyio.Event()  # set when somebody waits
        self._sleep: anyio.CancelScope | None = None  # while `run` waits for the first moment

    def add(self, who: T, until_ns: int) -> None:
        """Wake somebody when the clock shows a moment."""
        first = self._waiting[0][0] if self._waiting else None
        heappush(self._waiting, (until_ns, next(self._order), who))
        if first is None:
            self._some.set()
        elif until_ns < first:
            self._sleep_anew()

    def end(self) -> None:
        """Wake all who wait, as soon as `run` gets to it."""
        self._waiting = [(0, order, who) for _, order, who in sorted(self._waiting)]
        self._sleep_anew()

    def _sleep_anew(self) -> None:
        if self._sleep is not None:
            self._sleep.cancel()

    async def run(self) -> None:
        """Wake everybody in time, until cancelled."""
        while True:
            if not self._waiting:
                self._some = anyio.Event()
                await self._some.wait()
            with anyio.CancelScope() as self._sleep:
                await self._clock.meet(self._waiting[0][0])
            self._sleep = None
            while self._waiting and self._waiting[0][0] <= self._clock.now_ns():
                self._wake(heappop(self._waiting)[2])
