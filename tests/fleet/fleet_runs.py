"""Runs of fleets of real generator processes, and a generator that is spoken to by hand."""

import subprocess
import sys
from dataclasses import dataclass, field
from typing import Self

import anyio

from stressrunner.engine.clock import MonotonicClock
from stressrunner.fleet.launch import WorkerPool
from stressrunner.fleet.messages import HEADER_BYTES, Assignment, Ready, decoded, frame_of, length_of
from stressrunner.fleet.processes import ProcessFleet, Work
from stressrunner.metrics.aggregator import Summary
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

HEAD = "stressrunner: 1\nname: fleet\ntarget: {base_url: http://127.0.0.1:9}\n"
ONE = "endpoints:\n  one: {get: /one}\nmix: {one: 1}\n"


@dataclass
class Recording:
    """An observer that counts, and stops the load after so many snapshots."""

    snapshots_until_stop: int = 10**9
    snapshots: list = field(default_factory=list)

    def observe(self, snapshot, total) -> bool:
        """Keep the snapshot."""
        self.snapshots.append(snapshot)
        return len(self.snapshots) >= self.snapshots_until_stop


@dataclass
class FleetRun:
    """What is left of a run."""

    summary: Summary
    fleet: ProcessFleet
    snapshots: list


def run_fleet(
    text: str, url: str, workers: int, *, observer: Recording | None = None, overrides: tuple[str, ...] = ()
) -> FleetRun:
    """Carry out a scenario, given without its head, against a URL."""
    document = load_text(HEAD + text, environ={}, overrides=overrides)
    plan = compile_plan(build(document), seed=7, run_id="r")
    observer = observer or Recording()

    async def main() -> FleetRun:
        async with WorkerPool() as pool:
            channels = await pool.of_size(workers)
            work = Work(document.value, document.rows, url)
            fleet = ProcessFleet(plan, work, channels, MonotonicClock())
            with anyio.fail_after(30):
                return FleetRun(await fleet.execute(observer), fleet, observer.snapshots)

    return anyio.run(main)


def assignment(text: str, url: str, **changes) -> Assignment:
    """Return the whole of a scenario as a generator is given it."""
    document = load_text(HEAD + text, environ={})
    fields = {"seed": 1, "run_id": "r", "uuid_salt": "", "index": 0, "count": 1, "lease_s": 10.0}
    return Assignment(dict(document.value), dict(document.rows), url, **{**fields, **changes})


class Spoken:
    """A generator process that a test speaks to, frame by frame; to be used as a context."""

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        command = [sys.executable, "-P", "-m", "stressrunner.fleet.worker"]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        self.hello = self.receive()
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process.stderr.close()

    def send(self, message) -> None:
        """Send a message."""
        self.process.stdin.write(frame_of(message))
        self.process.stdin.flush()

    def receive(self):
        """Return the next message, None at the end."""
        header = self.process.stdout.read(HEADER_BYTES)
        return decoded(self.process.stdout.read(length_of(header))) if header else None

    def ask(self, message):
        """Send a message and return the next one."""
        self.send(message)
        return self.receive()

    def arm(self, given: Assignment) -> None:
        """Have the generator compile its plan."""
        assert isinstance(self.ask(given), Ready)

    def complaints(self) -> str:
        """Return what the process wrote to stderr, when it has ended."""
        self.process.wait(10)
        return self.process.stderr.read().decode()
