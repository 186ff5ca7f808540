"""Where a load stands, second by second: tables of what was counted and what is told; there is no clock."""

from dataclasses import replace

import pytest

from stressrunner.engine.sample import Sample
from stressrunner.fleet.snapshot import Snapshot
from stressrunner.masking import Masker
from stressrunner.metrics.delta import Delta
from stressrunner.monitor.figures import MonitorPoint
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.plan import compile_plan
from stressrunner.run.monitors import unwatched
from stressrunner.run.progress import ProgressTracker
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_document
from stressrunner.verdict.measure import Measurement

MS = 1_000_000
SCENARIO = """\
stressrunner: 1
name: Shop with s3cret-name
target: {base_url: "http://127.0.0.1:9"}
endpoints:
  login: {get: /login}
  search: {get: /search}
mix: {login: 1, search: 1}
load: %s
thresholds: [p95 < 100ms, errors < 1%%, "target.memory < 1GB"]
"""
OPEN = "[{name: ramp, rate: {from: 0/s, to: 20/s}, duration: 4s}, {name: hold, rate: 20/s, duration: 6s}]"
CLOSED = "{concurrency: 2, requests: 40}"


@pytest.fixture
def tracker(tmp_path):
    """Return a function that begins a load of some phases."""

    def begin(load):
        path = tmp_path / "shop.yaml"
        path.write_text(SCENARIO % load, encoding="utf-8")
        scenario = build(load_document(path, environ={}))
        begun = ProgressTracker(scenario, compile_plan(scenario, seed=1, run_id="r"), Masker(["s3cret-name"]))
        begun.thresholds = scenario.thresholds
        return begun

    return begin


class Seconds:
    """Feeds what was counted, one second after the other."""

    def __init__(self, tracker):
        self.tracker = tracker
        self.total = Delta()
        self.at_s = 0.0

    def next(self, times_ms, *, phase=0, failed=(), endpoint=0, latest=(), generators=()):
        """Let a second pass in which requests took so long; return what is told."""
        delta, phases = Delta(), frozenset() if phase is None else frozenset({phase})
        for took_ms in times_ms:
            delta.record(request(took_ms, endpoint))
        for kind in failed:
            problem = Problem(kind, f"{kind} of s3cret-name")
            delta.record(request(5, endpoint)._replace(outcome=Outcome.FAILED, problem=problem))
        delta.in_flight = 3
        delta.stalls.record(2 * MS)
        self.total.merge(delta)
        self.at_s += 1.0
        return self.tracker.after(
            Snapshot(self.at_s, 1.0, delta, phases), self.total, dict(latest), generators
        )


def request(took_ms, endpoint):
    """Return a request that was sent 1 ms later than due."""
    return Sample(
        endpoint=endpoint,
        phase=0,
        outcome=Outcome.OK,
        due_ns=0,
        released_ns=MS,
        acquired_ns=MS,
        sent_ns=MS,
        first_byte_ns=MS,
        completed_ns=took_ms * MS,
        status=200,
    )


def test_phases_tell_how_long_they_last_and_what_they_offer(tracker):
    """Within a ramp the rate rises; time left counts down, in the phase and beyond its end."""
    seconds = Seconds(tracker(OPEN))
    told = [seconds.next([10], phase=phase).phases[0] for phase in (0, 0, 0, 0, 1, 1, None)]
    assert [phase.name for phase in told] == ["ramp"] * 4 + ["hold"] * 2 + ["finishing"]
    assert [phase.number for phase in told] == [1, 1, 1, 1, 2, 2, 2]
    assert [phase.left_s for phase in told] == [3, 2, 1, 0, 5, 4, None]
    assert [phase.offered_per_s for phase in told] == [2.5, 7.5, 12.5, 17.5, 20, 20, None]


FLOW = "{rate: 10/s, duration: 4s}\nflow: [login, %s]"


@pytest.mark.parametrize(("step", "offered"), [("search", 20.0), ("{send: search, if: iteration > 5}", None)])
def test_what_is_offered_is_in_requests(tmp_path, step, offered):
    """An arrival of a flow is as many requests as it has; where that depends on what happens, nothing is said."""
    path = tmp_path / "shop.yaml"
    text = SCENARIO.replace("mix: {login: 1, search: 1}\n", "") % (FLOW % step)
    path.write_text(text, encoding="utf-8")
    scenario = build(load_document(path, environ={}))
    begun = ProgressTracker(scenario, compile_plan(scenario, seed=1, run_id="r"), Masker([]))
    assert Seconds(begun).next([10]).phases[0].offered_per_s == offered


def test_where_work_ends_the_load_no_time_is_told(tracker):
    """What is planned is told instead, and nothing is offered."""
    told = Seconds(tracker(CLOSED)).next([10])
    assert (told.planned, told.planned_s) == (40, None)
    assert (told.phases[0].left_s, told.phases[0].offered_per_s) == (None, None)


def test_percentiles_are_of_the_last_seconds(tracker):
    """A slow second is forgotten when five others have passed; counts are of everything."""
    seconds = Seconds(tracker(CLOSED))
    slow = seconds.next([500] * 10)
    assert slow.recent_p50_s == pytest.approx(0.5, rel=1e-3)
    for _ in range(5):
        told = seconds.next([10] * 10)
    assert told.recent_p99_s == pytest.approx(0.01, rel=1e-3)
    assert (told.completed, told.sent, told.recent_per_s, told.in_flight) == (60, 60, 10, 3)


def test_endpoints_are_told_apart(tracker):
    """Each has its counts, its rate and its times."""
    seconds = Seconds(tracker(CLOSED))
    seconds.next([10] * 4, endpoint=0, failed=["http 500"])
    login, search = seconds.next([70] * 6, endpoint=1).endpoints
    assert (login.name, login.completed, login.failed, login.recent_per_s) == ("login", 5, 1, 2.5)
    assert (search.name, search.completed, search.failed, search.recent_per_s) == ("search", 6, 0, 3.0)
    assert search.p95_s == pytest.approx(0.07, rel=1e-3)
    assert login.p50_s == pytest.approx(0.01, rel=1e-3)


def test_thresholds_tell_how_they_would_be_judged(tracker):
    """Broken, holding, or open; what never ended is beyond every limit and has no figure."""
    begun = tracker(CLOSED)
    p95, errors, memory = begun.thresholds[:3]  # the guards come after them
    latest = {p95: Measurement(float("inf"), 5), errors: Measurement(0.001, 5), memory: None}
    told = Seconds(begun).next([10], latest=latest).thresholds
    assert [(one.text, one.state, one.measured) for one in told] == [
        ("p95 < 100ms", "broken", None),
        ("errors < 1%", "holds", 0.001),
        ("target.memory < 1GB", "open", None),
    ]


def test_secrets_are_masked(tracker):
    """Names and messages are shown on a screen, which others may see."""
    told = Seconds(tracker(CLOSED)).next([10], failed=["reset", "timeout", "timeout"])
    assert told.scenario == "Shop with ***"
    assert [(error.kind, error.count, error.message) for error in told.errors] == [
        ("timeout", 2, "timeout of ***"),
        ("reset", 1, "reset of ***"),
    ]


def test_the_generator_is_told_of(tracker):
    """Its lag and its stalls of the last second, and the CPU of the process that is busiest."""
    seconds = Seconds(tracker(CLOSED))
    idle = unwatched("not looked at")
    busy = [replace(idle, points=(MonitorPoint(1.0, cores, 1, None, None),)) for cores in (0.2, 0.7)]
    told = seconds.next([10], generators=busy).generator
    assert (told.lag_p99_s, told.stall_max_s, told.cpu) == (pytest.approx(0.001), pytest.approx(0.002), 0.7)
    told = seconds.next([], generators=[idle]).generator
    assert (told.lag_p99_s, told.cpu) == (None, None)


WORKLOADS = """\
traffic:
  steady: {mix: {login: 1}, load: [{name: warm, rate: 10/s, duration: 2s, warmup: true}, {name: hold, rate: 20/s, duration: 4s}]}
  probe: {mix: {search: 1}, load: {concurrency: 1, duration: 5s}}
"""


def test_workloads_tell_where_each_of_them_is(tmp_path):
    """Each workload has its phase, and its time left; the load lasts as long as the longest."""
    path = tmp_path / "shop.yaml"
    text = SCENARIO.replace("mix: {login: 1, search: 1}\nload: %s\n", WORKLOADS).replace("%%", "%")
    path.write_text(text, encoding="utf-8")
    scenario = build(load_document(path, environ={}))
    tracker = ProgressTracker(scenario, compile_plan(scenario, seed=1, run_id="r"), Masker([]))
    told = [
        tracker.after(Snapshot(at_s, 1.0, Delta(), frozenset(phases)), Delta(), {}, ())
        for at_s, phases in ((1.0, {0, 2}), (3.0, {1, 2}), (6.0, {1}), (6.5, set()))
    ]
    assert [[(p.name, p.number, p.count, p.left_s) for p in one.phases] for one in told] == [
        [("warm", 1, 2, 1.0), ("probe", 1, 1, 4.0)],
        [("hold", 2, 2, 3.0), ("probe", 1, 1, 2.0)],
        [("hold", 2, 2, 0.0)],
        [("finishing", 2, 2, None, None)[:4]],
    ]
    assert told[0].planned_s == 6.0
