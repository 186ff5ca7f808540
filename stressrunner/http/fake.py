"""A transport without a network, for tests in virtual time."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, Protocol

import anyio
from anyio.abc import TaskGroup

from stressrunner.http.exchange import Done, Exchange, Failure, Headers, Request, Transport
from stressrunner.http.failures import response_timeout

__all__ = ["DirectFakeTransports", "FakeAnswer", "FakeTransports", "SleepingClock"]


class SleepingClock(Protocol):
    """The clock that a fake lives by."""

    def now_ns(self) -> int:
        """Return the time in nanoseconds."""

    async def sleep_until(self, at_ns: int) -> None:
        """Return when the clock shows `at_ns` nanoseconds."""


class FakeAnswer(NamedTuple):
    """How a fake server treats one request."""

    service_s: float = 0.01  #: from the first byte sent to the end of the response
    status: int = 200
    body: bytes = b"{}"
    headers: Headers = (("Content-Type", "application/json"),)
    failure: Failure | None = None  #: instead of the response, after `service_s`
    connect_s: float | None = None  #: time to open a connection first, when one has to be opened


class FakeTransports:
    """Opens transports that answer as `answer` says; counts what passes through them.

    `answer` is called with the request's number, from 0 in the order of sending, and the request. A request
    whose answer takes longer than its timeout fails with it.
    """

    name = "fake"

    def __init__(self, clock: SleepingClock, answer: Callable[[int, Request], FakeAnswer]) -> None:
        self._clock = clock
        self._answer = answer
        self.requests = 0  #: requests begun
        self.in_flight = 0  #: requests begun and not ended
        self.max_in_flight = 0
        self.opened = 0  #: transports opened
        self.closed = 0  #: transports closed again

    def open(self) -> AbstractAsyncContextManager[Transport]:
        """Return a transport; all of them share the numbering and the counts."""
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Transport]:
        self.opened += 1
        try:
            yield self
        finally:
            self.closed += 1

    async def exchange(self, request: Request) -> Exchange:
        """Answer one request as programmed."""
        number = self.requests
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            return await self._serve(request, self._answer(number, request))
        finally:
            self.in_flight -= 1

    async def _serve(self, request: Request, answer: FakeAnswer) -> Exchange:
        acquired_ns = self._clock.now_ns()
        connect_ns = None if answer.connect_s is None else round(answer.connect_s * 1e9)
        sent_ns = acquired_ns + (connect_ns or 0)
        end_ns = sent_ns + round(answer.service_s * 1e9)
        deadline_ns = acquired_ns + round(request.timeout_s * 1e9)
        await self._clock.sleep_until(min(end_ns, deadline_ns))
        failure = response_timeout(request.timeout_s) if end_ns > deadline_ns else answer.failure
        begun = sent_ns <= deadline_ns
        exchange = Exchange(
            request,
            acquired_ns,
            sent_ns if begun else None,
            None,
            self._clock.now_ns(),
            connect_ns if begun else None,
            bytes_sent=len(request.body) if begun else 0,
            failure=failure,
        )
        if failure is not None:
            return exchange
        return exchange._replace(
            first_byte_ns=exchange.completed_ns,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            bytes_received=len(answer.body),
        )


class DirectFakeTransports(FakeTransports):
    """The same, which calls back too."""

    def __init__(
        self, clock: SleepingClock, answer: Callable[[int, Request], FakeAnswer], tasks: TaskGroup
    ) -> None:
        """Answers are given by tasks of `tasks`, of which none is left when the transports are."""
        super().__init__(clock, answer)
        self._tasks = tasks

    def enter(self) -> "DirectFake":
        """Return a transport that is open."""
        self.opened += 1
        return DirectFake(self, self._tasks)

    async def leave(self, transports: Sequence["DirectFake"]) -> None:
        """Close transports that were entered, and give up what they have not answered."""
        for transport in transports:
            transport.scope.cancel()
            self.closed += 1


class DirectFake:
    """A transport that answers from tasks of its own."""

    def __init__(self, transport: Transport, tasks: TaskGroup) -> None:
        self._tasks = tasks
        self.scope = anyio.CancelScope()  #: of the request in flight
        self.exchange = transport.exchange

    def begin(self, request: Request, done: Done) -> None:
        """Answer one request as programmed."""
        self._tasks.start_soon(self._answer, request, done)

    async def _answer(self, request: Request, done: Done) -> None:
        if self.scope.cancel_called:
            return
        with anyio.CancelScope() as self.scope:
            done(await self.exchange(request))
