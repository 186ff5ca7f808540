"""The generator looks at itself: pauses of garbage collection, and what it may open."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stressrunner.errors import GeneratorFault

__all__ = ["SystemLimits", "calm", "check_room", "limits"]

_NEW_OBJECTS = 5_000  #: between collections, each of which takes a tenth of a millisecond then
_SPARE_DESCRIPTORS = 64  #: for files, pipes and the event loop itself


@contextmanager
def calm(took_ns: Callable[[int], None]) -> Iterator[None]:
    """Keep what is alive now out of garbage collection, and tell how long each collection took.

    A full collection with a million live objects stops everything for a tenth of a second; what was made before the
    load begins is not going to be garbage. New objects are nearly all samples, which wait to be counted and are never
    part of a cycle, so they are looked through more seldom than Python would.
    """
    began_ns = 0

    def watch(phase: str, _: dict[str, int]) -> None:
        nonlocal began_ns
        if phase == "start":
            began_ns = time.perf_counter_ns()
        else:
            took_ns(time.perf_counter_ns() - began_ns)

    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    gc.callbacks.append(watch)
    try:
        yield
    finally:
        gc.callbacks.remove(watch)
        gc.set_threshold(*before)
        gc.unfreeze()


@dataclass(frozen=True, slots=True)
class SystemLimits:
    """What this process may open; None where the system does not tell."""

    descriptors: int | None
    ports: int | None  #: local ports for connections to one address


def limits() -> SystemLimits:
    """Return the limits of this process, descriptors raised to what the system allows without asking."""
    return SystemLimits(_descriptors(), _ports())


def _descriptors() -> int | None:
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (soft, resource.RLIM_INFINITY):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            return soft
        return hard
    return None if soft == resource.RLIM_INFINITY else soft


def _ports() -> int | None:
    try:
        low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split())
    except (OSError, ValueError):
        return None
    return high - low + 1


def check_room(connections: int, room: SystemLimits) -> None:
    """See to it that so many connections to one address can be open at once.

    Raises:
        GeneratorFault: there are too few descriptors or ports; the message says what to change.
    """
    if room.descriptors is not None and connections + _SPARE_DESCRIPTORS > room.descriptors:
        raise GeneratorFault(
            f"the load needs {connections:,} connections, and this process may open {room.descriptors:,} files",
            f"raise the limit with 'ulimit -n {connections + _SPARE_DESCRIPTORS}', use more workers, "
            "or lower the concurrency or target.connections",
        )
    if room.ports is not None and connections > room.ports:
        raise GeneratorFault(
            f"the load needs {connections:,} connections, and this machine has {room.ports:,} ports for one address",
            "widen net.ipv4.ip_local_port_range, or lower the concurrency or target.connections",
        )
