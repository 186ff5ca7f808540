"""How soon a generator gets a core that others are at: on Linux a process that asks for short slices has them earlier.

From Linux 6.12 on the scheduler lets a process choose the length of its slices, and the one with the shorter slice is let
before the other when it wakes (`sched_runtime` of an ordinary process in sched_setattr(2)). A generator works for a tenth of
a millisecond and sleeps, so short slices cost nobody anything, and nobody gets less of a core than before.
"""

import ctypes
import os
import sys

__all__ = ["ask_for_short_slices"]

_TURN_NS = 100_000  #: the shortest that there is; without being asked the system gives some milliseconds
_CALLS = {"x86_64": 314, "aarch64": 274}  #: the numbers of sched_setattr, which C libraries do not offer


class _Attributes(ctypes.Structure):
    """`struct sched_attr` in its first version."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def ask_for_short_slices() -> bool:
    """Ask for the calling thread, and those that it starts from then on; return whether the system took it.

    Older systems take it and do nothing. A thread that was given another policy than the ordinary one keeps that.
    """
    if sys.platform != "linux":
        return False
    call = _CALLS.get(os.uname().machine)
    if call is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    wanted = _Attributes(
        size=ctypes.sizeof(_Attributes),
        policy=os.SCHED_OTHER,
        nice=os.getpriority(os.PRIO_PROCESS, 0),
        runtime=_TURN_NS,
    )
    return bool(ctypes.CDLL(None).syscall(call, 0, ctypes.byref(wanted), 0) == 0)
