"""Reading back the histories of all sessions until none of them changes any more.

A history is known when two readings, `quiet` apart and both after the last reply of its session, show the same. None
of the requests belongs to the load: nothing here tells a recorder.

Sessions are dealt to a fixed number of readers. Each takes the one that is due next, and so reads others while a
session is left alone for a while.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TypeAlias

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.engine.history import History, Response
from stressrunner.engine.page_reader import Patience, Unreadable
from stressrunner.engine.session_reader import SessionHistory, SessionReader, Wanted
from stressrunner.engine.tokens import MessageToken
from stressrunner.http.exchange import Transport, TransportFactory
from stressrunner.units import NS_PER_S, format_duration

__all__ = ["READERS", "HistoryReader", "Renew"]

Renew: TypeAlias = Callable[[], Awaitable[None]]

READERS = 8  #: sessions that are read at once
_RETRY_NS = NS_PER_S // 2  #: after a reading that failed


@dataclass(slots=True)
class _Pending:
    """A session whose history is not known yet."""

    wanted: Wanted
    begun_ns: int | None = None  #: when it was first read
    reading: SessionHistory | None = None  #: the latest; None when it failed
    still_since_ns: int = 0  #: since when it shows the same
    why: Unreadable | None = None  #: the latest reading failed
    failed_since_ns: int = 0  #: since when it failed every time


class HistoryReader:
    """The read-back of one run."""

    def __init__(
        self,
        reader: SessionReader,
        transports: TransportFactory,
        clock: Clock,
        timeout_s: float,
        renew: Renew | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            reader: reads single sessions.
            transports: where they are.
            clock: that readings are apart by.
            timeout_s: how long a session may take to become quiet.
            renew: fetches other access tokens; None where requests need none.
        """
        self._reader = reader
        self._transports = transports
        self._clock = clock
        self._timeout_s = timeout_s
        self._quiet_ns = 0
        self._first_seen_ns: dict[int, dict[MessageToken, int]] = {}
        self._histories: list[History] = []
        self._renew = renew
        self._renewal = anyio.Lock()
        self._is_renewed = False
        self._absent: list[Response] = []  # by which the server said that it does not know a session
        self._latest_success_ns = 0  # when something could last be read
        self._is_read = False  # something could be read at all
        self._refusals: list[Unreadable] = []  # of sessions that asking again does not help

    async def look(self, wanted: Sequence[Wanted]) -> None:
        """Read sessions once while the load runs, and note which tokens can be seen by now."""
        waiting = list(reversed(wanted))

        async def read_some() -> None:
            async with self._transports.open() as transport:
                while waiting:
                    await self._look_at(waiting.pop(), transport)

        async with anyio.create_task_group() as tasks:
            for _ in range(min(READERS, len(wanted))):
                tasks.start_soon(read_some)

    async def _look_at(self, wanted: Wanted, transport: Transport) -> None:
        if self._is_of_no_use:
            return
        try:
            reading = await self._reader.read(wanted, transport)
        except Unreadable as why:
            if why.patience is Patience.NONE and why.response is not None:
                self._refusals.append(why)
            return  # what counts is read again after the load
        self._is_read = self._is_read or reading.absent is None
        now_ns = self._clock.now_ns()
        seen = self._first_seen_ns.setdefault(wanted.session, {})
        for stored in reading.messages:
            for token in stored.tokens:
                seen.setdefault(token, now_ns)

    def seen(self, session: int) -> frozenset[MessageToken]:
        """Return the tokens of a session's history that were seen while the load ran."""
        return frozenset(self._first_seen_ns.get(session, ()))

    async def settle(self, wanted: Iterable[Wanted], quiet_s: float) -> list[History]:
        """Read sessions until each was quiet for so long, or its time is over; return what was found."""
        self._quiet_ns = round(quiet_s * NS_PER_S)
        self._latest_success_ns = self._clock.now_ns()
        self._refusals.clear()  # what was refused while the load ran may be allowed by now
        shares: list[list[Wanted]] = [[] for _ in range(READERS)]
        for number, each in enumerate(wanted):
            shares[number % READERS].append(each)
        async with anyio.create_task_group() as tasks:
            for share in filter(None, shares):
                tasks.start_soon(self._settle_some, share)
        if self._absent and len(self._absent) == len(self._histories):
            # Where not one session is known, it is the address that is wrong: not all messages are lost.
            why = "the target knows none of the sessions; is the endpoint of 'read_back' the right one?"
            return [History(h.session, unread=why, response=self._absent[0]) for h in self._histories]
        return self._histories

    async def _settle_some(self, share: Sequence[Wanted]) -> None:
        """Settle one reader's sessions, always the one that is due next."""
        due = [(each.last_ns, number, _Pending(each)) for number, each in enumerate(share)]
        heapify(due)
        async with self._transports.open() as transport:
            while due:
                at_ns, number, pending = heappop(due)
                if self._is_of_no_use:
                    pending.why = self._refusals[0]
                    self._histories.append(self._history(pending))
                    continue
                await self._clock.sleep_until(at_ns)
                next_ns = None if self._is_hopeless else await self._visit(pending, transport)
                if next_ns is None:
                    self._histories.append(self._history(pending))
                else:
                    heappush(due, (next_ns, number, pending))

    @property
    def _is_of_no_use(self) -> bool:
        """Whether several sessions were refused for good and none was read: others will not fare better."""
        return len(self._refusals) >= READERS and not self._is_read

    @property
    def _is_hopeless(self) -> bool:
        """Whether nothing at all could be read for as long as a session may take to become quiet."""
        return self._clock.now_ns() - self._latest_success_ns > self._timeout_s * NS_PER_S

    async def _visit(self, pending: _Pending, transport: Transport) -> int | None:
        """Read a session once more; return when to come again, or None when that is of no use."""
        begin_ns = self._clock.now_ns()
        if pending.begun_ns is None:
            pending.begun_ns = begin_ns
        before = pending.reading
        try:
            reading = pending.reading = await self._read(pending.wanted, transport)
        except Unreadable as why:
            next_ns = self._after_failure(pending, why)
            if next_ns is None:
                return None
        else:
            pending.why = None
            self._is_read = self._is_read or reading.absent is None
            self._latest_success_ns = self._clock.now_ns()
            if before is None or reading.mark != before.mark:
                pending.still_since_ns = self._latest_success_ns
            elif begin_ns - pending.still_since_ns >= self._quiet_ns:
                return None
            next_ns = pending.still_since_ns + self._quiet_ns
        if next_ns - pending.begun_ns <= self._timeout_s * NS_PER_S:
            return next_ns
        if pending.why is None:
            pending.why = Unreadable(self._restless)
        return None

    async def _read(self, wanted: Wanted, transport: Transport) -> SessionHistory:
        """Read a session once; with other access tokens when those that there are do not do."""
        try:
            return await self._reader.read(wanted, transport)
        except Unreadable as why:
            if why.patience is not Patience.RENEWAL or self._renew is None:
                raise
        async with self._renewal:
            if not self._is_renewed:
                self._is_renewed = True
                await self._renew()
        return await self._reader.read(wanted, transport)

    def _after_failure(self, pending: _Pending, why: Unreadable) -> int | None:
        """Return when to try again after a reading that failed, or None when that is of no use."""
        now_ns = self._clock.now_ns()
        if pending.why is None:
            pending.failed_since_ns = now_ns
        pending.reading, pending.why = None, why
        if why.patience in (Patience.NONE, Patience.RENEWAL):
            self._refusals.append(why)
            return None
        if why.patience is Patience.QUIET and now_ns - pending.failed_since_ns >= self._quiet_ns:
            return None
        return now_ns + _RETRY_NS

    @property
    def _restless(self) -> str:
        return f"it did not become quiet within {format_duration(self._timeout_s)}"

    def _history(self, pending: _Pending) -> History:
        session, reading, why = pending.wanted.session, pending.reading, pending.why
        if reading is None or why is not None:
            unread = str(why) if why else f"nothing could be read for {format_duration(self._timeout_s)}"
            return History(session, unread=unread, response=why.response if why else None)
        if reading.absent is not None:
            self._absent.append(reading.absent)
        return History(
            session,
            reading.messages,
            unread=reading.unread,
            first_seen_ns=self._first_seen_ns.get(session, {}),
            turned=reading.turned,
            partial=reading.partial,
            page_rows=reading.page_rows,
        )
