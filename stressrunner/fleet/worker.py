"""A generator as a process of its own: `python -m stressrunner.fleet.worker`, spoken to over its stdin and stdout.

It sends its shard of a plan and nothing else, and ends when stdin is closed or nobody polls it. Nothing here knows
where the coordinator is.
"""

import asyncio
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeAlias, TypeVar

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream

from stressrunner.engine.timerfd import precise_clock
from stressrunner.errors import GeneratorFault
from stressrunner.fleet.event_loop import loop_name, run_async
from stressrunner.fleet.generator import Generator, Handover
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
    frame_of,
)
from stressrunner.fleet.pipe import Lifeline, Pipe
from stressrunner.fleet.scheduler_slice import ask_for_short_slices
from stressrunner.monitor.generator import calm
from stressrunner.units import NS_PER_S

#: A message and when it arrived, in monotonic nanoseconds.
_Arrived: TypeAlias = tuple[Message, int]
_Inbox: TypeAlias = MemoryObjectReceiveStream[_Arrived]
M = TypeVar("M", bound=Message)
_TURN_S = (
    0.0002  #: after which a thread that writes what was counted lets the load go on; by default it is 5 ms
)


def main() -> None:
    """Be a generator until the coordinator is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the coordinator's to answer
    for name in ("SIGTERM", "SIGHUP"):  # a generator that was forked has the coordinator's handlers
        if name in signal.Signals.__members__ and callable(signal.getsignal(signal.Signals[name])):
            signal.signal(signal.Signals[name], signal.SIG_DFL)
    sys.setswitchinterval(_TURN_S)
    ask_for_short_slices()
    pipe = Pipe.private()
    with contextlib.suppress(BrokenPipeError):  # the coordinator has gone
        run_async(_serve, pipe)


async def _serve(pipe: Pipe) -> None:
    loop = asyncio.get_running_loop()
    outgoing, inbox = anyio.create_memory_object_stream[_Arrived](float("inf"))
    with anyio.CancelScope() as scope, outgoing, inbox:

        def end(reason: str) -> None:
            sys.stderr.write(f"{reason}\n")
            sys.stderr.flush()
            with contextlib.suppress(RuntimeError):  # the event loop has ended before
                loop.call_soon_threadsafe(scope.cancel)

        def deliver(arrived: _Arrived) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(outgoing.send_nowait, arrived)

        lifeline, responder = Lifeline(end), Responder(pipe)
        # Not through a pool of threads, as those are waited for when the process ends, and this one may read for ever.
        threading.Thread(target=_listen, args=(pipe, lifeline, responder, deliver), daemon=True).start()
        await _converse(pipe, inbox, lifeline, responder)


class Responder:
    """Answers polls; when the event loop has not got round to one before the next comes, it says so without it."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._asked = (
            False  # a poll waits for its answer; written by two threads, each of which may find it so
        )

    def has_put_off(self, message: Message) -> bool:
        """Take note of a poll as it arrives; return whether it was answered with `Busy`, as one waits already."""
        if not isinstance(message, Poll):
            return False
        if self._asked:
            self._pipe.write(Busy())
            return True
        self._asked = True
        return False

    def tell(self, handover: Handover) -> None:
        """Write an update, which takes milliseconds: for a thread beside the load."""
        frame = frame_of(handover.update())
        self._asked = False  # before it is written, as the next poll may come as soon as it is
        self._pipe.write_frame(frame)


def _listen(
    pipe: Pipe, lifeline: Lifeline, responder: Responder, deliver: Callable[[_Arrived], None]
) -> None:
    """Hand over every message that the responder leaves, until there are no more."""
    try:
        while (message := pipe.read()) is not None:
            lifeline.renew()
            if not responder.has_put_off(message):
                deliver((message, time.monotonic_ns()))
    except (ProtocolError, OSError) as error:
        sys.stderr.write(f"{error}\n")
    lifeline.cut()


async def _converse(pipe: Pipe, inbox: _Inbox, lifeline: Lifeline, responder: Responder) -> None:
    """Follow the protocol from beginning to end."""

    async def say(message: Message) -> None:
        await to_thread.run_sync(pipe.write, message)

    await say(Hello(VERSION))
    assignment, _ = await _expect(Assignment, inbox)
    with precise_clock() as clock:
        try:
            generator = Generator(assignment, clock)
        except GeneratorFault as error:
            await say(Failed(error.reason, error.remedy))
            return
        except Exception as error:  # noqa: BLE001  whatever is wrong with an assignment, its sender is to be told
            await say(
                Failed(f"the plan cannot be compiled here: {error!r}", "use one version of stressrunner")
            )
            return
        with calm(generator.collected):
            await generator.prepare()
            await say(Ready(generator.transport, loop_name()))
            start_ns = await _armed(pipe, inbox)
            lifeline.lease(assignment.lease_s)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_answer, responder, inbox, generator)
                await generator.run(start_ns)
                await say(Over())
                # The last polls are answered until the coordinator closes the pipe, and that ends everything here.


async def _expect(kind: type[M], inbox: _Inbox) -> tuple[M, int]:
    message, at_ns = await inbox.receive()
    if not isinstance(message, kind):
        raise ProtocolError(f"expected {kind.__name__}, got {type(message).__name__}")
    return message, at_ns


async def _armed(pipe: Pipe, inbox: _Inbox) -> int:
    """Answer pings until the start; return when it is to be, in monotonic nanoseconds."""
    while True:
        message, at_ns = await inbox.receive()
        match message:
            case Ping():
                pipe.write(Pong())  # at once, and no longer than a pipe's buffer
            case Start(in_s):
                return at_ns + round(in_s * NS_PER_S)
            case _:
                raise ProtocolError(f"{type(message).__name__} has no place before the start")


async def _answer(responder: Responder, inbox: _Inbox, generator: Generator) -> None:
    """Answer polls until the coordinator goes."""
    async for message, _ in inbox:
        match message:
            case Poll(seq):
                # In a thread, as neither the writing nor a coordinator that is slow to read may hold up the load.
                await to_thread.run_sync(responder.tell, generator.hand_over(seq))
            case Stop():
                generator.stop()
            case _:
                raise ProtocolError(f"{type(message).__name__} has no place after the start")


if __name__ == "__main__":
    main()
