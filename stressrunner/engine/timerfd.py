"""A clock on Linux's timerfd: nanoseconds where the timers of event loops round to milliseconds.

Lateness at 1,000 waits a second is about a third of that of uvloop's own timers, which also may fire early.
"""

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count

import anyio.lowlevel

from stressrunner.engine.clock import Clock, MonotonicClock
from stressrunner.units import NS_PER_S

__all__ = ["TimerfdClock", "precise_clock"]

# linux/timerfd.h and time.h; the flags are those of open(2).
_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1

_AWAKE_NS = 300_000  #: before the moment that a long wait is for
_LONG_NS = 20 * _AWAKE_NS  #: so that it takes a twentieth of a core at the most


class _Timespec(ctypes.Structure):
    _fields_ = (("s", ctypes.c_long), ("ns", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class TimerfdClock(MonotonicClock):
    """The machine's monotonic clock, whose waits end within a fraction of a millisecond."""

    def __init__(self) -> None:
        """Open a timer in the running event loop.

        Raises:
            OSError: the system has no timerfd, or the process may not open it.
            RuntimeError: no asyncio event loop is running.
        """
        self._loop = asyncio.get_running_loop()
        self._libc = ctypes.CDLL(None, use_errno=True)
        try:
            create = self._libc.timerfd_create
        except AttributeError as error:
            raise OSError("the C library has no timerfd") from error
        self._fd: int = create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []  # a heap
        self._order = count()
        self._armed_ns = 0  # for when the timer is set; 0 when it is not
        self._loop.add_reader(self._fd, self._fired)

    def close(self) -> None:
        """Give the timer back; nobody may be waiting."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    async def sleep_until(self, at_ns: int) -> None:
        """Return when the moment has come, never early; at once when it has passed."""
        if at_ns <= time.monotonic_ns():
            return
        woken = self._loop.create_future()
        heappush(self._waiting, (at_ns, next(self._order), woken))
        self._arm()
        await woken

    async def meet(self, at_ns: int) -> None:
        """Return when the moment has come, never early; the end of a long wait is spent awake.

        A process that has slept is late by a fifth of a millisecond, until it runs again and all that it needs is at
        hand again. The event loop goes on meanwhile, so that nothing else waits for that.
        """
        if at_ns - time.monotonic_ns() < _LONG_NS:
            await self.sleep_until(at_ns)
            return
        await self.sleep_until(at_ns - _AWAKE_NS)
        while time.monotonic_ns() < at_ns:
            await anyio.lowlevel.checkpoint()

    def _arm(self) -> None:
        """Set the timer for the first who waits."""
        while self._waiting and self._waiting[0][2].done():  # cancelled meanwhile
            heappop(self._waiting)
        first_ns = self._waiting[0][0] if self._waiting else 0
        if first_ns == self._armed_ns:
            return
        self._armed_ns = first_ns
        timer = _Itimerspec(value=_Timespec(*divmod(first_ns, NS_PER_S)))
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(timer), None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    def _fired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # set anew between the timer's end and now
        self._armed_ns = 0
        now_ns = time.monotonic_ns()
        while self._waiting and self._waiting[0][0] <= now_ns:
            woken = heappop(self._waiting)[2]
            if not woken.done():
                woken.set_result(None)
        self._arm()


@contextmanager
def precise_clock() -> Iterator[Clock]:
    """Return the most precise clock that there is here: timerfd on Linux, else the event loop's timers."""
    if sys.platform != "linux":
        yield MonotonicClock()
        return
    try:
        clock = TimerfdClock()
    except (OSError, RuntimeError):  # no timerfd, or another event loop than asyncio's
        yield MonotonicClock()
        return
    try:
        yield clock
    finally:
        clock.close()
