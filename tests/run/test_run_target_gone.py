"""An embedded target that is gone before the end of a run is named as the cause."""

import subprocess
import sys

import psutil
from cli.command import ROOT, environment


def test_a_target_that_was_killed_is_the_first_reason():
    """The refused connections that follow are its consequence, and stand below it."""
    command = [sys.executable, "-m", "stressrunner", "scenarios/hello.yaml", "--set", "load.duration=2s"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        line = ""
        while " load " not in line:  # the first sign that requests are sent
            line = run.stderr.readline()
            assert line, "the run ended without a word"
        for child in psutil.Process(run.pid).children(recursive=True):
            if "stressrunner.demo" in child.cmdline():
                child.kill()
        out, _ = run.communicate(timeout=60)
    assert run.returncode == 3, out
    told = " ".join(out.split())
    cause = "the embedded target was gone before the end of the load: it was killed by signal 9"
    assert 0 < told.index(cause) < told.index("errors are")
