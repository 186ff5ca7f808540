"""The shared pool and the fake transport, in virtual time."""

import functools

import anyio
import pytest
import trio
import trio.testing

from stressrunner.http.exchange import Failure, FailureKind, Request
from stressrunner.http.fake import FakeAnswer, FakeTransports
from stressrunner.http.pool import SharedPool

MS = 1_000_000
GET = Request("GET", "/")


class TrioClock:
    """trio's clock in nanoseconds; under MockClock it jumps over every wait."""

    def now_ns(self):
        """Return the time in nanoseconds."""
        return round(trio.current_time() * 1e9)

    async def sleep_until(self, at_ns):
        """Return when it is `at_ns`."""
        await trio.sleep_until(at_ns / 1e9)


def in_virtual_time(test):
    """Run an async test under trio with a clock that jumps."""

    @functools.wraps(test)
    def run():
        trio.run(test, clock=trio.testing.MockClock(autojump_threshold=0))

    return run


def fakes(answer=lambda number, request: FakeAnswer()):
    """Return fake transports that answer after 10 ms unless told otherwise."""
    return FakeTransports(TrioClock(), answer)


async def ask(factory, exchanges, request=GET):
    """Send one request through a view of its own and keep the exchange."""
    async with factory.open() as transport:
        exchanges.append(await transport.exchange(request))


@in_virtual_time
async def test_waiting_ends_where_the_exchange_begins():
    """Of five requests on two transports, A moves by the time waited and the service stays what it is."""
    fake, done = fakes(), []
    pool, start = SharedPool(fake, 2), TrioClock().now_ns()
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask, pool, done)
    assert sorted((e.acquired_ns - start) // MS for e in done) == [0, 0, 10, 10, 20]
    assert {(e.completed_ns - e.sent_ns) // MS for e in done} == {10}
    assert fake.max_in_flight == 2


@in_virtual_time
async def test_first_come_first_served():
    """Requests get their slots in the order in which they came."""
    served = []
    fake = fakes(lambda number, request: served.append(request.target) or FakeAnswer())
    pool = SharedPool(fake, 1)
    async with anyio.create_task_group() as group:
        for i in range(4):
            group.start_soon(ask, pool, [], Request("GET", f"/{i}"))
            await anyio.sleep(0.001)
    assert served == ["/0", "/1", "/2", "/3"]


@in_virtual_time
async def test_only_what_is_needed_is_opened_and_all_is_closed():
    """One request after another needs one transport; the last view closes what was opened."""
    fake = fakes()
    pool = SharedPool(fake, 8)
    async with pool.open() as first:
        for _ in range(3):
            await first.exchange(GET)
        await ask(pool, [])
        assert (fake.opened, fake.closed) == (1, 0)
    assert (fake.opened, fake.closed) == (1, 1)


@in_virtual_time
async def test_cancelled_waiters_leave_and_cancelled_exchanges_give_back():
    """Cancellation loses no slot, wherever it strikes."""
    fake, done = fakes(), []
    pool = SharedPool(fake, 1)
    async with pool.open() as keep:
        for holder_ms, waiter_ms in [(5, 2), (2, 5), (5, 5), (10, 10), (20, 10)]:
            async with anyio.create_task_group() as group:
                for limit_ms in (holder_ms, waiter_ms):
                    group.start_soon(_ask_within, pool, limit_ms / 1000)
        with anyio.fail_after(1):
            done.append(await keep.exchange(GET))
    assert done[0].status == 200
    assert fake.max_in_flight == 1
    assert fake.in_flight == 0


async def _ask_within(pool, limit_s):
    with anyio.move_on_after(limit_s):
        await ask(pool, [])


@in_virtual_time
async def test_slot_that_could_not_be_opened_is_given_on():
    """When opening fails, who waits gets the right to open instead of waiting for ever."""
    fake, done = fakes(), []

    class FailsOnce:
        name = "fails once"
        opened = 0

        def open(self):
            self.opened += 1
            return _FailingOpen() if self.opened == 1 else fake.open()

    pool = SharedPool(FailsOnce(), 1)

    async def first():
        with pytest.raises(OSError, match="not today"):
            await ask(pool, [])

    async with anyio.create_task_group() as group:
        group.start_soon(first)
        await anyio.sleep(0.001)
        group.start_soon(ask, pool, done)
        group.start_soon(ask, pool, done)
    assert [e.status for e in done] == [200, 200]


class _FailingOpen:
    async def __aenter__(self):
        await anyio.sleep(0.01)
        raise OSError("not today")

    async def __aexit__(self, *_):
        raise AssertionError("never entered")


def test_pool_of_nothing_is_refused():
    """A pool without a slot would wait for ever."""
    with pytest.raises(ValueError, match="serves nobody"):
        SharedPool(FakeTransports(TrioClock(), lambda *_: FakeAnswer()), 0)


@in_virtual_time
async def test_fake_fails_as_programmed_and_when_late():
    """A programmed failure comes after the service time, and a late answer is a timeout at its deadline."""
    reset = Failure(FailureKind.RESET, "lost")
    answers = [FakeAnswer(failure=reset), FakeAnswer(service_s=5, connect_s=0.5), FakeAnswer(connect_s=5)]
    fake = fakes(lambda number, request: answers[number])
    request = Request("GET", "/", timeout_s=2)
    async with fake.open() as transport:
        lost, late, unconnected = [await transport.exchange(request) for _ in answers]
    assert (lost.failure, lost.completed_ns - lost.sent_ns) == (reset, 10 * MS)
    assert late.failure.kind is unconnected.failure.kind is FailureKind.TIMEOUT
    assert late.completed_ns - late.acquired_ns == 2000 * MS
    assert (late.sent_ns - late.acquired_ns, late.connect_ns) == (500 * MS, 500 * MS)
    assert unconnected.sent_ns is None
