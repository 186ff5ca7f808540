"""Runs the command line as a user does: a run in a process of its own, and what sends nothing in this one."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from stressrunner.cli import main

ROOT = Path(__file__).parents[2]
#: Commands that leave nothing behind in a process and have no business with others, so that this one will do. That
#: each of them can be started by itself is held by tests/docs, which starts the commands of the documents.
SEND_NOTHING = {"check", "explain", "help", "import", "init", "pack", "report", "schema", "validate"}


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
    """Run a command to its end, in a process of its own if it could send something."""
    if args[0] in SEND_NOTHING:
        return in_this_process(*args, cwd=cwd, **variables)
    return _started(args, cwd, variables, subprocess.PIPE)


def as_typed(*args, cwd: Path, **variables: str) -> Ended:
    """Run any command to its end in a process of its own; all that a terminal would show is in `out`."""
    return _started(args, cwd, variables, subprocess.STDOUT)


def _started(args: Sequence[str | Path], cwd: Path, variables: dict[str, str], err: int) -> Ended:
    done = subprocess.run(
        [sys.executable, "-m", "stressrunner", *map(str, args)],
        cwd=cwd,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=err,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr or "")


@contextmanager
def serving_demo(options: str = "") -> Iterator[str]:
    """Serve the embedded target by `stressrunner demo` until this is left; yields the base URL that it tells."""
    words = [sys.executable, "-m", "stressrunner", "demo", "--port", "0", "--options", options]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            told = server.stdout.readline()
            yield told[told.index("http://") : told.index(";")]
        finally:
            server.kill()


def in_this_process(*args, cwd: Path = ROOT, **variables: str) -> Ended:
    """Run a command to its end in this process, because it sends nothing or is refused before it comes to that."""
    out, err = io.StringIO(), io.StringIO()
    words = [str(arg) for arg in args]
    if words[0] not in {*SEND_NOTHING, "compare"}:
        words += ["--workers", "0"]  # others are forked from this process before the scenario is looked at
    with (
        chdir(cwd),
        _environ(environment(**variables)),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main(words)
    assert isinstance(ended.value.code, int)
    return Ended(ended.value.code, out.getvalue(), err.getvalue())


@contextmanager
def _environ(variables: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
