"""The event loop that a run takes place on: uvloop where there is one, asyncio elsewhere."""

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import TypeVar, TypeVarTuple

import anyio

__all__ = ["run_async"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def run_async(function: Callable[[*Ts], Awaitable[T]], *args: *Ts) -> T:
    """Run an asynchronous function to its end and return what it returns."""
    fast = find_spec("uvloop") is not None
    return anyio.run(function, *args, backend="asyncio", backend_options={"use_uvloop": fast})
