"""What a coordinator knows of one generator, and how it speaks to it."""

from typing import TypeVar

import anyio

from stressrunner.engine.clock import Clock
from stressrunner.errors import GeneratorFault
from stressrunner.fleet.launch import Channel
from stressrunner.fleet.messages import (
    VERSION,
    Assignment,
    Busy,
    Failed,
    Hello,
    Message,
    Over,
    Ping,
    Poll,
    Pong,
    ProtocolError,
    Ready,
    Start,
    Stop,
    Update,
)
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.wire import delta_from_wire
from stressrunner.units import NS_PER_S

__all__ = ["WorkerHandle"]

_READY_WITHIN_S = 30.0
_PINGS = 3

M = TypeVar("M", bound=Message)


class WorkerHandle:
    """One generator of a fleet, as its coordinator sees it.

    `prepare` and `start` come first, then `listen` runs beside `poll` and `stop` until the generator has ended.
    """

    def __init__(self, channel: Channel, name: str, clock: Clock) -> None:
        """`name` is for people: `generator 2 of 4`."""
        self.name = name
        self.transport = ""
        self.loop = ""
        self.phases: frozenset[int] = frozenset()  #: that are running there
        self.in_flight = 0
        self.spans_ns: dict[
            int, tuple[int, int]
        ] = {}  #: of its phases by their indices, by the coordinator's clock
        self.failure = ""  #: why the load cut itself off
        self.limit_hit = ""  #: the hard limit that cut the load off
        self.loss = ""  #: how the generator was lost, in a sentence; empty when it was not
        self.has_ended = False  #: nothing more will come
        self.answered = anyio.Event()  #: the latest poll was answered, or never will be
        self._channel = channel
        self._clock = clock
        self._round_trip_s = 0.0
        self._origin_ns = 0
        self._heard_ns = 0
        self._told_ns = 0  # when an update came last
        self.is_busy = False  #: it has said so since its latest update
        self._expected = 0  # number of the next update
        self._fresh = Delta()
        self._is_over = False  # nothing more is sent; messages may still have to be handed over

    # Before the load

    async def prepare(self, assignment: Assignment) -> None:
        """Have the generator compile its shard, and time the way there and back.

        When it cannot, has gone, or is not ready within 30 s, it is lost.
        """
        try:
            with anyio.fail_after(_READY_WITHIN_S):
                await self._prepare(assignment)
        except TimeoutError:
            self.loss = (
                f"{self.name} was not ready within {_READY_WITHIN_S:.0f} s; give this machine more CPU"
            )
        except ProtocolError as error:
            self.loss = f"{self.name} does not speak this protocol: {error}; use one version of stressrunner"
        except GeneratorFault as fault:
            self.loss = f"{self.name}: {fault}"
        if self.loss:
            self._abandon()

    async def _prepare(self, assignment: Assignment) -> None:
        hello = await self._receive(Hello)
        if hello.version != VERSION:
            raise ProtocolError(f"it speaks version {hello.version}, and this is {VERSION}")
        await self._channel.send(assignment)
        ready = await self._receive(Ready)
        self.transport, self.loop = ready.transport, ready.loop
        trips_ns = []
        for _ in range(_PINGS):
            sent_ns = self._clock.now_ns()
            await self._channel.send(Ping())
            await self._receive(Pong)
            trips_ns.append(self._clock.now_ns() - sent_ns)
        self._round_trip_s = min(trips_ns) / NS_PER_S

    async def _receive(self, kind: type[M]) -> M:
        message = await self._channel.receive()
        if isinstance(message, kind):
            return message
        if isinstance(message, Failed):
            raise GeneratorFault(message.reason, message.remedy)
        if message is None:
            raise GeneratorFault("it ended before the load", await self._channel.cause())
        raise ProtocolError(f"expected {kind.__name__}, got {type(message).__name__}")

    async def start(self, at_ns: int) -> None:
        """Have the load begin at a moment; half of a round trip passes until the generator learns of it."""
        self._origin_ns = self._heard_ns = self._told_ns = at_ns
        in_s = (at_ns - self._clock.now_ns()) / NS_PER_S - self._round_trip_s / 2
        await self._channel.send(Start(max(0.0, in_s)))

    # During the load

    async def poll(self) -> None:
        """Ask for what was counted; the question may be repeated."""
        self.answered = anyio.Event()
        await self._channel.send(Poll(self._expected))

    async def stop(self) -> None:
        """Have the generator cut its load off; what it measured still comes."""
        await self._channel.send(Stop())

    async def listen(self) -> None:
        """Take in what the generator says until it has ended."""
        while not self.has_ended:
            try:
                await self._take_in(await self._channel.receive())
            except ValueError as error:  # ProtocolError is one
                self.lose("said what makes no sense", str(error))

    async def _take_in(self, message: Message | None) -> None:
        self._heard_ns = self._clock.now_ns()
        match message:
            case Update():
                self._add(message)
                if self._is_over and not self.has_ended:
                    await self.poll()
            case Busy():
                self.is_busy = True
            case Over():
                self._is_over = True
                await self.poll()
            case None:
                self.lose("died", await self._channel.cause())
            case _:
                raise ProtocolError(f"{type(message).__name__} has no place here")

    def _add(self, update: Update) -> None:
        if update.seq < self._expected:
            return  # the answer to a question that was asked twice
        if update.seq > self._expected:
            raise ProtocolError(f"update {update.seq} came before update {self._expected}")
        delta = delta_from_wire(update.delta, self._origin_ns)
        self._expected += 1
        self._told_ns, self.is_busy = self._heard_ns, False
        self._fresh.merge(delta)
        self.in_flight = delta.in_flight
        self.phases = frozenset(update.phases)
        self.spans_ns = {
            index: (self._origin_ns + begin, self._origin_ns + end) for index, begin, end in update.spans_ns
        }
        self.failure = update.failure
        self.limit_hit = update.limit_hit
        self.has_ended = update.is_final
        self.answered.set()

    def take(self) -> Delta:
        """Return what has come since the last time."""
        fresh, self._fresh = self._fresh, Delta()
        return fresh

    @property
    def silent_s(self) -> float:
        """How long nothing was heard from the generator."""
        return (self._clock.now_ns() - self._heard_ns) / NS_PER_S

    @property
    def busy_s(self) -> float:
        """How long the generator has handed nothing over, although it is alive."""
        return (self._clock.now_ns() - self._told_ns) / NS_PER_S if self.is_busy else 0.0

    def lose(self, what: str, why: str = "") -> None:
        """Give the generator up; `what` became of it is said after its name, and `why` in brackets at the end."""
        if self.has_ended:
            return
        at_s = (self._clock.now_ns() - self._origin_ns) / NS_PER_S
        self.loss = f"{self.name} {what} {at_s:.1f} s into the load" + (f" ({why})" if why else "")
        self._abandon()

    def _abandon(self) -> None:
        self._channel.kill()
        self.has_ended = True
        self.in_flight = 0
        self.phases = frozenset()
        self.answered.set()
