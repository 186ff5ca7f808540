"""What a coordinator keeps of a load does not grow with its length once its timeline is full."""

import gc
import json
import os
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace

import psutil
import pytest
from hosting.handler_server import QuietHandler, serving
from metrics.metrics_samples import sample

from stressrunner.fleet.snapshot import Snapshot, aggregator_of
from stressrunner.masking import Masker
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.timeline import MAX_POINTS
from stressrunner.metrics.wire import delta_from_wire, delta_to_wire
from stressrunner.monitor.figures import MonitorPoint, ProcessFigures
from stressrunner.monitor.series import PointSeries
from stressrunner.plan.plan import compile_plan
from stressrunner.run.listener import Silence
from stressrunner.run.watching import Watcher
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

S = 1_000_000_000
SCENARIO = """\
stressrunner: 1
name: long
target: {base_url: "http://127.0.0.1:9"}
endpoints: {a: {get: /a}, b: {get: /b}}
load: {rate: 300/s, duration: 10h}
thresholds: [p95 < 1s, "p99 < 2s over 30s", "errors < 5% over 10s else abort after 1m"]
"""


class Monitors:
    """Processes that are looked at once a second, as far as a watcher knows them."""

    def __init__(self):
        self.series = PointSeries()

    def look(self, at_s):
        """Look once."""
        self.series.add(MonitorPoint(at_s, 0.5, 10**8 + round(at_s), 20, 10))

    def figures(self, since_s=0.0):
        """Return the figures of the target."""
        return {"target": self.generator(since_s)}

    generators = figures

    def generator(self, _since_s=0.0):
        """Return the figures of a process."""
        return replace(ProcessFigures.unavailable("x", ""), available=True, points=self.series.points())


class Coordinator:
    """The part of a coordinator that takes in what a generator tells, second by second."""

    def __init__(self):
        document = load_text(SCENARIO, environ={})
        scenario = build(document)
        plan = compile_plan(scenario, seed=1, run_id="r")
        origin = SimpleNamespace(scenario=scenario, plan=plan, masker=Masker(()))
        self.monitors = Monitors()
        self.watcher = Watcher(origin, self.monitors, Silence())
        self.aggregator = aggregator_of(plan, 0)
        self.seconds = 0
        draw = Random(1)
        self.told = [json.dumps(delta_to_wire(self.delta(draw), 0)) for _ in range(8)]

    @staticmethod
    def delta(draw):
        """Return what a generator counts in a second."""
        delta = Delta()
        delta.extend([sample(k, draw.lognormvariate(3, 0.2), endpoint=k % 2) for k in range(10)])
        return delta

    def go_on(self, seconds):
        """Let a load go on for so long; return how much is allocated then."""
        for _ in range(seconds):
            begin_ns = self.seconds * S
            delta = delta_from_wire(json.loads(self.told[self.seconds % len(self.told)]), begin_ns)
            self.seconds += 1
            self.aggregator.add(delta, begin_ns, begin_ns + S)
            self.monitors.look(float(self.seconds))
            self.watcher.observe(
                Snapshot(float(self.seconds), 1.0, delta, frozenset({0}), 0), self.aggregator.total
            )
        gc.collect()
        return tracemalloc.get_traced_memory()[0]


def test_a_coordinator_does_not_grow_once_its_timeline_is_full():
    """Just before points are joined for the second time, it has what it had before the first: 20 minutes later."""
    coordinator = Coordinator()
    tracemalloc.start(1)
    try:
        full = coordinator.go_on(MAX_POINTS)
        again = coordinator.go_on(MAX_POINTS)
    finally:
        tracemalloc.stop()
    assert len(coordinator.aggregator.summary({0: (0, coordinator.seconds * S)}).timeline) == MAX_POINTS
    assert again - full < 0.05 * full


class Answering(QuietHandler):
    """Answers everything at once."""

    def answer(self):
        """Answer."""
        self.reply(200, b"{}")

    do_GET = answer  # noqa: N815  the name that the server looks for


@pytest.mark.soak
def test_a_coordinator_is_flat_after_twenty_minutes(tmp_path):
    """With two workers at 300/s: when its timeline is full, the command grows by less than 1 MB in ten minutes."""
    minutes = 31
    with serving(Answering) as url:
        path = tmp_path / "long.yaml"
        path.write_text(SCENARIO.replace("http://127.0.0.1:9", url).replace("10h", f"{minutes}m"), "utf-8")
        command = [sys.executable, "-m", "stressrunner", "run", str(path), "--workers", "2", "-q"]
        with subprocess.Popen(command, cwd=Path(__file__).parents[2], env=os.environ) as process:
            sizes = []
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                sizes.append(watched.memory_info().rss)
                time.sleep(10)
    assert len(sizes) > minutes * 6 - 6
    assert max(sizes[-9:-3]) - max(sizes[-66:-60]) < 1_000_000
