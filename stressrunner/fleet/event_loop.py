"""The event loop that load runs on: uvloop where there is one, asyncio elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TypeVar, TypeVarTuple

import anyio

__all__ = ["loop_name", "run_async"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run_async(function: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run an asynchronous function to its end and return what it returns."""
    fast = find_spec("uvloop") is not None
    return anyio.run(function, *args, backend="asyncio", backend_options={"use_uvloop": fast})


def loop_name() -> str:
    """Return the package of the event loop that runs."""
    try:
        return type(asyncio.get_running_loop()).__module__.partition(".")[0]
    except RuntimeError:
        return "trio"
