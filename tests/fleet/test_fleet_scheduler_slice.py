"""Short slices on a core: asked for by a thread of its own, as there is no way back to what it had before."""

import os
import sys
import threading
from pathlib import Path

import pytest

from stressrunner.fleet.scheduler_slice import ask_for_short_slices

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")


def in_a_thread(work):
    """Return what some work returns in a thread that ends with it."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join(10)
    return found[0]


def test_a_thread_gets_short_slices_and_keeps_the_rest():
    """The system takes the wish, and policy and niceness are what they were before."""

    def asked():
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 3)
        taken = ask_for_short_slices()
        shown = Path(f"/proc/self/task/{threading.get_native_id()}/sched")
        figures = shown.read_text("ascii") if shown.exists() else ""
        return taken, os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0), figures

    taken, policy, nice, figures = in_a_thread(asked)
    assert (policy, nice) == (os.SCHED_OTHER, 3)
    if not taken:
        pytest.skip("this system does not let it")
    slices = [line.split(":")[1].strip() for line in figures.splitlines() if line.startswith("se.slice")]
    assert slices in ([], ["100000"])  # kernels before 6.12, and those without figures, do not tell


def test_another_policy_is_kept():
    """A thread that somebody gave another policy is left alone."""

    def asked():
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        return ask_for_short_slices(), os.sched_getscheduler(0)

    assert in_a_thread(asked) == (False, os.SCHED_BATCH)
