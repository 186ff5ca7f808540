"""Runs the command line as a user does: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def environment(**variables: str) -> dict[str, str]:
    """Return the environment without what scenarios and commands read, and these variables."""
    read = {"BASE_URL", "API_KEY", "AGENT_NAME", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"}
    kept = {k: v for k, v in os.environ.items() if k not in read}
    return {**kept, **variables}


def stressrunner(*args, cwd: Path = ROOT, **variables: str) -> Ended:
    """Run the command to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "stressrunner", *map(str, args)],
        cwd=cwd,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
