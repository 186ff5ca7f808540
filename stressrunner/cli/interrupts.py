"""Work that a person may interrupt: the first Ctrl-C asks it to end, a second one ends the process."""

import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

from stressrunner.errors import StressrunnerError

__all__ = ["interruptible"]

T = TypeVar("T")


async def interruptible(work: Callable[[anyio.Event], Awaitable[T]]) -> T:
    """Do some work; the event that it is given is set by the first Ctrl-C.

    Raises:
        StressrunnerError: what the work raises.
    """
    interrupted = anyio.Event()

    async def watch_signals() -> None:
        signals = (signal.SIGINT, signal.SIGTERM)
        with anyio.open_signal_receiver(*signals) as received:
            async for _ in received:
                interrupted.set()
                return

    async with anyio.create_task_group() as tasks:
        if (
            sys.platform != "win32"
        ):  # event loops there cannot receive signals; Ctrl-C raises KeyboardInterrupt
            tasks.start_soon(watch_signals)
        outcome: T | StressrunnerError
        try:
            outcome = await work(interrupted)
        except StressrunnerError as error:
            outcome = error  # raised below, as a group of tasks would wrap it up
        tasks.cancel_scope.cancel()
    if isinstance(outcome, StressrunnerError):
        raise outcome
    return outcome
