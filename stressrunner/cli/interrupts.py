"""Work that a person may interrupt: the first Ctrl-C asks it to end, a second one ends the process.

SIGTERM and the end of the terminal (SIGHUP, as when a laptop is closed) ask as a Ctrl-C does; what closes a terminal may
say so more than once, and only the first time counts.
"""

import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio

from stressrunner.errors import StressrunnerError

__all__ = ["interrupted_at_once", "interruptible", "watch_handlers", "watch_signals"]

T = TypeVar("T")
Watch = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]

_LOOKED_AT_EVERY_S = 0.1


async def watch_signals(interrupt: Callable[[], None]) -> None:
    """Wait until the user wants the work to end, and say so; a signal of the same kind then has its usual effect."""
    async with anyio.create_task_group() as tasks:

        async def on_interrupt() -> None:
            with (
                _kept(signal.SIGTERM),
                anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as received,
            ):
                async for _ in received:
                    interrupt()
                    return

        async def on_hang_up() -> None:
            # `nohup` has it ignored, and that is to stay so.
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                with _kept(signal.SIGHUP) as kept, anyio.open_signal_receiver(signal.SIGHUP) as received:
                    async for _ in received:
                        kept.handler = signal.SIG_IGN  # also while reports are written
                        interrupt()

        tasks.start_soon(on_interrupt)
        tasks.start_soon(on_hang_up)


@dataclass(slots=True)
class _Kept:
    """What a signal is to do when nobody waits for it any more."""

    handler: Any


@contextmanager
def _kept(number: signal.Signals) -> Iterator[_Kept]:
    """Put a signal's handler back, of which the event loop leaves none."""
    kept = _Kept(signal.getsignal(number))
    try:
        yield kept
    finally:
        signal.signal(number, kept.handler)


async def watch_handlers(interrupt: Callable[[], None]) -> None:
    """Do the same where an event loop cannot receive signals, as on Windows: a handler notes what came."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda n, _: came.append(n)) for number in _handled()}
    try:
        while not came:  # noqa: ASYNC110  a handler may set no event
            await anyio.sleep(_LOOKED_AT_EVERY_S)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    interrupt()


def _handled() -> list[signal.Signals]:
    # A console that is closed or a Ctrl-Break is SIGBREAK on Windows.
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    return [signal.Signals[name] for name in names if name in signal.Signals.__members__]


async def interruptible(
    work: Callable[[anyio.Event], Awaitable[T]],
    watch: Watch = watch_handlers if sys.platform == "win32" else watch_signals,
) -> T:
    """Do some work; the event that it is given is set by the first Ctrl-C.

    Raises:
        StressrunnerError: what the work raises.
    """
    interrupted = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch, interrupted.set)
        outcome: T | StressrunnerError
        try:
            outcome = await work(interrupted)
        except StressrunnerError as error:
            outcome = error  # raised below, as a group of tasks would wrap it up
        tasks.cancel_scope.cancel()
    if isinstance(outcome, StressrunnerError):
        raise outcome
    return outcome


@contextmanager
def interrupted_at_once() -> Iterator[None]:
    """Let a Ctrl-C end what does not wait, such as a question or the reading of a file; an event loop only takes note of it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
