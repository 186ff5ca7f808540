"""What the generator added to the times of a request, because its event loop came late.

A beat is due every 2 ms. When it comes late, everything else that was due since then came late too: responses were read
late, timeouts were found late, connections were noticed late. So a moment that was stamped while the beat was overdue
since h may have come at any time from h on. Each stretch of a request that ended in such a moment is counted from h on as
the generator's own:

    own time = (D - T) + (A - max(D, h)) + (S - max(A, h)) + (E - max(S, h))

D - T is all of the generator's, as ever; each of the others is 0 unless it ended while the beat was overdue. Own time
below 1 ms is 0: timers of event loops are no more precise than that. A timeout is *ours* when its deadline came after h:
what the server sent until then lay unread.

The turn of the event loop after the beat counts too, as some loops (uvloop) look at timers before they read.

While the loop was away for 50 ms or more without using half a core, nothing was sent, and what was due arrives all at
once: the target is busier than it was to be. Requests due until five such lengths later are in the *wake* of that.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import anyio
import anyio.lowlevel

from stressrunner.engine.clock import Clock
from stressrunner.http.exchange import Exchange, FailureKind

__all__ = ["LEAST_NS", "Late", "LoopWatch", "Told"]

LEAST_NS = 1_000_000  #: own time below this is none
_BEAT_NS = 2_000_000
_VIRTUAL_BEAT_NS = 20_000_000  #: where time is virtual, and beats are all that costs anything
_FREEZE_NS = 50_000_000  #: an absence of this length, without work, has a wake
_WAKE_LENGTHS = 5  #: lengths of such an absence that its wake takes
_NOTABLY_NS = 5_000_000  #: absences are looked at, whether the process worked in them
_BUSY = 0.5  #: of a core: who uses as much was not frozen
_KEPT = 256  #: absences that are remembered: of half a second, when every beat is late
_TOLD_AT_ONCE = 25  #: beats
_NEVER_NS = 1 << 62


class Late(NamedTuple):
    """What the generator added to a request, in nanoseconds, each 0 when it is below 1 ms."""

    own_ns: int  #: to the time from due to completed
    service_ns: int = 0  #: of it, to the time from the first byte written to completed
    first_byte_ns: int = 0  #: to the time from the first byte written to the first byte received
    connect_ns: int = 0  #: to opening the connection
    is_ours: bool = (
        False  #: a timeout that came about because nobody read, or an arrival dropped as it came late
    )
    in_wake: bool = False  #: due while, or soon after, the generator was frozen


#: Told how much later than asked beats came, in nanoseconds; how many of these absences were freezes; and for how long,
#: in nanoseconds, the process was kept from running in absences of more than 5 ms.
Told = Callable[[Sequence[int], int, int], None]


class LoopWatch:
    """Watches the event loop that it runs on, and tells of single requests what they owe to its absences."""

    __slots__ = (
        "_absences",
        "_beat_ns",
        "_clock",
        "_due_ns",
        "_lates",
        "_loop",
        "_told",
        "_turns",
        "_turns_left",
        "_used_ns",
        "_wakes",
        "overdue_ns",
        "until_ns",
    )

    def __init__(self, clock: Clock, *, turns: int = 2) -> None:
        """Be ready; nothing is late before `run`.

        `turns` of the event loop after an absence count as read late: as many as the transport needs until it has
        stamped what was read in the first.
        """
        self._clock = clock
        self._turns = turns
        self._turns_left = 0
        self._absences: deque[tuple[int, int]] = deque(maxlen=_KEPT)  # overdue since, over
        self._wakes: deque[tuple[int, int]] = deque(maxlen=_KEPT)
        self._lates: list[int] = []
        self._told: Told = _nobody
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beat_ns = _BEAT_NS
        self._due_ns = _NEVER_NS
        self._used_ns = 0  # processor time when the beat was set
        self.overdue_ns = _NEVER_NS  #: a moment stamped after this one was stamped late
        self.until_ns = 0  #: requests due before this moment may have been late, or are in a wake

    async def run(self, told: Told) -> None:
        """Watch until cancelled."""
        self._told = told
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:  # another event loop than asyncio's
            await self._beat_by_task()
            return
        self._arm()
        try:
            await anyio.sleep_forever()
        finally:
            self._loop = None
            self._end()

    async def _beat_by_task(self) -> None:
        self._beat_ns = _VIRTUAL_BEAT_NS
        try:
            while True:
                self._set()
                await self._clock.sleep_until(self._due_ns)
                if self._comes_late():
                    for _ in range(self._turns):
                        await anyio.lowlevel.checkpoint()
                    self._is_back()
        finally:
            self._end()

    def _end(self) -> None:
        self._tell()
        self._due_ns = self.overdue_ns = _NEVER_NS

    def _set(self) -> None:
        self._due_ns = self._clock.now_ns() + self._beat_ns
        self.overdue_ns = self._due_ns + LEAST_NS
        self._used_ns = time.process_time_ns()

    def _arm(self) -> None:
        if self._loop is not None:
            self._set()
            self._loop.call_later(self._beat_ns / 1e9, self._beat)

    def _beat(self) -> None:
        if self._loop is None:
            return
        if self._comes_late():
            self._turns_left = self._turns
            self._loop.call_soon(self._turn)
        else:
            self._arm()

    def _turn(self) -> None:
        if self._loop is None:
            return
        self._turns_left -= 1
        if self._turns_left > 0:
            self._loop.call_soon(self._turn)
        else:
            self._is_back()
            self._arm()

    def _comes_late(self) -> bool:
        """Take a beat; return whether it came late."""
        late_ns = self._clock.now_ns() - self._due_ns
        self._lates.append(late_ns)
        if late_ns > LEAST_NS:
            return True
        if len(self._lates) >= _TOLD_AT_ONCE:
            self._tell()
        return False

    def _is_back(self) -> None:
        """Take the end of an absence, in which the beat was overdue."""
        since_ns, now_ns = self._due_ns, self._clock.now_ns()
        self._absences.append((since_ns, now_ns))
        self.until_ns = max(self.until_ns, now_ns)
        length_ns = self._lates[-1]
        is_idle = length_ns > _NOTABLY_NS and time.process_time_ns() - self._used_ns < _BUSY * length_ns
        is_freeze = is_idle and length_ns >= _FREEZE_NS
        if is_freeze:
            end_ns = since_ns + (1 + _WAKE_LENGTHS) * length_ns
            self._wakes.append((since_ns, end_ns))
            self.until_ns = max(self.until_ns, end_ns)
        self._tell(int(is_freeze), length_ns if is_idle else 0)

    def _tell(self, freezes: int = 0, idle_ns: int = 0) -> None:
        lates, self._lates = self._lates, []
        if lates:
            self._told(lates, freezes, idle_ns)

    def late(self, due_ns: int, released_ns: int, exchange: Exchange) -> Late | None:
        """Return what the generator added to a request; None when that is nothing."""
        acquired_ns, sent_ns, first_ns, completed_ns, connect_ns = exchange[1:6]
        own_ns = released_ns - due_ns + self._overdue(released_ns, acquired_ns)
        first_late_ns = connect_late_ns = 0
        begun_ns = acquired_ns
        if sent_ns is not None:
            own_ns += self._overdue(acquired_ns, sent_ns)
            begun_ns = sent_ns
            if connect_ns is not None:
                connect_late_ns = min(connect_ns, self._overdue(sent_ns - connect_ns, sent_ns))
            if first_ns is not None:
                first_late_ns = self._overdue(sent_ns, first_ns)
        read_ns = self._overdue(begun_ns, completed_ns)
        own_ns += read_ns
        is_ours = read_ns > 0 and self._is_ours(exchange, completed_ns - read_ns)
        in_wake = self._is_in_wake(due_ns)
        if own_ns < LEAST_NS and not is_ours and not in_wake:
            return None
        return Late(
            _counted(own_ns),
            _counted(read_ns),
            _counted(first_late_ns),
            _counted(connect_late_ns),
            is_ours,
            in_wake,
        )

    def given_up(self, due_ns: int, released_ns: int) -> Late | None:
        """Return what the generator has to do with an arrival that was given up; None when that is nothing.

        One that was released late found in flight what was released late with it, and answers that nobody had read.
        """
        own_ns = _counted(released_ns - due_ns)
        in_wake = self._is_in_wake(due_ns)
        return Late(own_ns, is_ours=own_ns > 0, in_wake=in_wake) if own_ns or in_wake else None

    def _overdue(self, start_ns: int, end_ns: int) -> int:
        """Return for how long of a stretch the beat was overdue when it ended: 0 if it was not."""
        if end_ns <= start_ns:
            return 0
        if end_ns > self.overdue_ns:
            return end_ns - max(start_ns, self._due_ns)
        for since_ns, until_ns in reversed(self._absences):
            if end_ns > until_ns:
                return 0
            if end_ns > since_ns:
                return end_ns - max(start_ns, since_ns)
        return 0

    @staticmethod
    def _is_ours(exchange: Exchange, unread_ns: int) -> bool:
        """Whether a timeout had its deadline when the generator did not read any more."""
        failure, request = exchange.failure, exchange.request
        if failure is None or failure.kind is not FailureKind.TIMEOUT:
            return False
        timeout_s = request.timeout_s
        if exchange.sent_ns is None:
            timeout_s = min(timeout_s, request.connect_timeout_s)
        return exchange.acquired_ns + round(timeout_s * 1e9) > unread_ns

    def _is_in_wake(self, due_ns: int) -> bool:
        return any(begin_ns <= due_ns < end_ns for begin_ns, end_ns in self._wakes)


def _counted(ns: int) -> int:
    return ns if ns >= LEAST_NS else 0


def _nobody(_lates: Sequence[int], _freezes: int, _idle_ns: int) -> None:
    """Tell nobody."""
