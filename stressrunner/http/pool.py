"""A pool of transports shared by all users, so that a limit on connections holds over the whole run."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import anyio

from stressrunner.http.exchange import Exchange, Request, Transport, TransportFactory

__all__ = ["SharedPool"]


class SharedPool:
    """Gives every user a view of one pool of at most `size` transports, each in use by one exchange at a time.

    Who waits is served in the order of arrival; of the idle transports the one used last is taken, so no more
    are opened than are needed at once. A transport sets `acquired_ns` when it is given its request, so the waiting
    lies before it and takes nothing from the request's timeout. The transports are closed when the last
    view is left; whoever leaves it closes them, so they must not be bound to the task that opened them.
    """

    def __init__(self, factory: TransportFactory, size: int) -> None:
        """Take transports from `factory`; `size` is how many there may be.

        Raises:
            ValueError: `size` is less than 1.
        """
        if size < 1:
            raise ValueError(f"a pool of {size} transports serves nobody")
        self.name = factory.name
        self._factory = factory
        self._size = size
        self._views = 0
        self._slots: _Slots | None = None

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a view of the pool; leaving the last one closes the transports."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Transport]:
        if self._slots is None:
            self._slots = _Slots(self._factory, self._size)
        slots = self._slots
        self._views += 1
        try:
            yield _View(slots)
        finally:
            self._views -= 1
            if self._views == 0:
                self._slots = None
                await slots.aclose()


class _View:
    def __init__(self, slots: "_Slots") -> None:
        self._slots = slots

    async def exchange(self, request: Request) -> Exchange:
        transport = await self._slots.acquire()
        try:
            return await transport.exchange(request)
        finally:
            self._slots.release(transport)


class _Waiter:
    """Somebody who waits for a slot; `transport` stays None where the slot has to be opened first."""

    __slots__ = ("served", "transport")

    def __init__(self) -> None:
        self.served = anyio.Event()
        self.transport: Transport | None = None


class _Slots:
    """The slots of a pool: idle, in use, or not opened yet. Every slot in use is given back exactly once."""

    def __init__(self, factory: TransportFactory, size: int) -> None:
        self._factory = factory
        self._unopened = size
        self._idle: list[Transport] = []
        self._waiting: deque[_Waiter] = deque()
        self._opened = AsyncExitStack()

    async def acquire(self) -> Transport:
        """Wait for a slot and return its transport."""
        if self._idle:  # and then nobody waits
            return self._idle.pop()
        if self._unopened:
            self._unopened -= 1
            return await self._open()
        waiter = _Waiter()
        self._waiting.append(waiter)
        try:
            await waiter.served.wait()
        except BaseException:
            if waiter.served.is_set():  # served and cancelled in the same instant: pass it on
                self.release(waiter.transport)
            else:
                self._waiting.remove(waiter)
            raise
        return await self._open() if waiter.transport is None else waiter.transport

    def release(self, transport: Transport | None) -> None:
        """Give a slot to who has waited longest, or keep it; None is a slot without a transport."""
        if self._waiting:
            waiter = self._waiting.popleft()
            waiter.transport = transport
            waiter.served.set()
        elif transport is None:
            self._unopened += 1
        else:
            self._idle.append(transport)

    async def aclose(self) -> None:
        """Close every transport that was opened."""
        await self._opened.aclose()

    async def _open(self) -> Transport:
        try:
            return await self._opened.enter_async_context(self._factory.open())
        except BaseException:
            self.release(None)
            raise
