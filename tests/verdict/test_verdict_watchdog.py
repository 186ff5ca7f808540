"""Live thresholds, second by second: tables of what was counted and what follows; there is no clock."""

from dataclasses import replace
from fractions import Fraction

import pytest
from made_figures import MS, figures, phase, point, process, sample, stats

from stressrunner.engine.loop_watch import Late
from stressrunner.fleet.snapshot import Snapshot
from stressrunner.metrics.delta import Delta
from stressrunner.plan.outcome import Outcome
from stressrunner.scenario.model import Mix, Open, Phase, Workload
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.verdict.thresholds import evaluate
from stressrunner.verdict.watchdog import Watchdog

SHAPE = Open(Fraction(100), Fraction(60))
PHASES = (Phase("warm", SHAPE, warmup=True), Phase("hold", SHAPE), Phase("peak", SHAPE))
WORKLOADS = (Workload("", Mix({"login": Fraction(1), "search": Fraction(1)}), PHASES),)
ENDPOINTS = ("login", "search")
FAST, SLOW = [sample(10)] * 100, [sample(10)] * 80 + [sample(3000)] * 20
FAILING = [sample(10)] * 50 + [sample(10, Outcome.FAILED)] * 50


class Load:
    """Feeds a watchdog with one second after the other."""

    def __init__(self, *texts, **changes):
        """Watch thresholds given as text; `changes` replace fields of them."""
        self.thresholds = [replace(parse_threshold(text), **changes) for text in texts]
        self.dog = Watchdog(self.thresholds, endpoints=ENDPOINTS, workloads=WORKLOADS)
        self.at_s = 0.0

    def second(self, samples, phase=1, *, running=..., monitors=None, dropped=0):
        """Let a second pass in which requests of a phase completed; return the text of what stops the load."""
        self.at_s += 1.0
        delta = Delta()
        for one in samples:
            delta.record(one._replace(phase=phase))
        delta.record_dropped(phase, 0, dropped)
        phases = {phase} if running is ... else {running} - {None}
        due = self.dog.feed(Snapshot(self.at_s, 1.0, delta, frozenset(phases)), monitors)
        return due and due.text

    def seconds(self, *many, **how):
        """Let several pass; return when which threshold stopped the load."""
        stops = {}
        for samples in many:
            if due := self.second(samples, **how):
                stops[self.at_s] = due
        return stops

    def outcome(self, number=0):
        """Judge a threshold at the end of a run whose requests were all fast."""
        fast = stats([10.0] * 500)
        held = [phase(p.name, fast) for p in PHASES]
        subject = figures(
            fast, endpoints=dict.fromkeys(ENDPOINTS, fast), phases=held, live=self.dog.records()
        )
        return evaluate(self.thresholds[number], subject)


def test_every_full_window_is_judged():
    """A bad spell that the whole run would hide breaks a window; the worst one is reported."""
    load = Load("p95 < 1s over 3s")
    assert load.seconds(*[FAST] * 10, *[SLOW] * 2, *[FAST] * 20) == {}
    outcome = load.outcome()
    assert outcome.state == "failed"
    assert outcome.measured == pytest.approx(3.0, rel=2e-3)
    assert outcome.samples == 300


def test_windows_that_hold_pass():
    """Without a bad spell the worst window is a good one."""
    load = Load("p95 < 1s over 3s", "throughput >= 95/s over 3s", "errors < 1% over 3s")
    load.seconds(*[FAST] * 10)
    assert [load.outcome(n).state for n in range(3)] == ["passed"] * 3
    assert [load.outcome(n).measured for n in (1, 2)] == [100.0, 0.0]


def test_a_run_shorter_than_the_window_has_no_figure():
    """Half a window proves nothing."""
    load = Load("p95 < 1s over 10s")
    load.seconds(*[FAST] * 9)
    assert load.outcome().note == "no full window of 10 s was measured"


def test_a_silent_target_breaks_throughput_windows():
    """A second without any response counts as one with none, not as one without a figure."""
    load = Load("throughput >= 60/s over 2s else abort")
    assert (
        load.seconds(FAST, FAST, [], []) == {4.0: "throughput >= 60/s over 2s else abort"} or load.at_s == 4.0
    )
    assert load.outcome().state == "failed"


def test_an_abort_is_due_as_soon_as_enough_samples_are_broken():
    """From 100 samples on, and once."""
    load = Load("errors < 10% else abort")
    assert load.second(FAILING[25:75]) is None
    assert load.second(FAILING[25:75]) == "errors < 10% else abort"
    assert load.second(FAILING) is None
    outcome = load.outcome()
    assert (outcome.state, outcome.note) == ("failed", "it stopped the load after 2 s")


def test_min_samples_decide_when_an_abort_may_act():
    """Fewer than 100 are enough for who says so, and more are waited for."""
    assert Load("errors < 10% else abort", min_samples=50).second(FAILING[25:75]) is not None
    patient = Load("errors < 10% else abort", min_samples=300)
    assert list(patient.seconds(*[FAILING] * 5)) == [3.0]


def test_an_abort_in_a_window_needs_its_samples_in_the_window():
    """Fifty samples in two seconds are too few, however many there have been."""
    load = Load("p95 < 1s over 2s else abort")
    few = [sample(3000)] * 25
    assert load.seconds(*[few] * 9) == {}
    assert load.outcome().state == "failed"
    assert load.second([sample(3000)] * 75) == "p95 < 1s over 2s else abort"


def test_after_wants_a_stretch_without_a_break():
    """Four seconds broken, a good one, four broken: `after 5s` is not reached; five in a row are."""
    load = Load("errors < 10% over 1s else abort after 5s")
    assert load.seconds(*[FAILING] * 5, FAST, *[FAILING] * 5, FAST) == {}
    outcome = load.outcome()
    assert (outcome.state, outcome.measured) == ("passed", 0.5)
    assert outcome.note == "broken for 4 s without a break, which is less than 5 s"
    assert load.seconds(*[FAILING] * 6) == {18.0: "errors < 10% over 1s else abort after 5s"}


@pytest.mark.parametrize(
    ("text", "samples", "state"),
    [
        ("count >= 1000", FAST, None),
        ("count < 150", FAST, "stops"),
        ("count == 1000", FAST, None),
        ("count == 150", FAST, "stops"),
        ("count != 100", FAST, None),
    ],
)
def test_counts_that_still_grow_stop_nothing_too_early(text, samples, state):
    """What may hold in the end is not broken yet; what can only get worse is."""
    load = Load(text, action="abort")
    load.second(samples)
    assert load.second(samples) == (text if state else None)


def test_dropped_arrivals_stop_the_load():
    """They are counted with those that were sent."""
    load = Load("dropped == 0", action="abort")
    assert load.second(FAST) is None
    assert load.second(FAST, dropped=1) is not None


def test_warm_up_is_not_judged():
    """Its seconds are neither in windows nor in what has been so far."""
    load = Load("errors < 10% else abort", "p95 < 1s over 2s")
    assert load.seconds(*[FAILING] * 5, *[SLOW] * 5, phase=0) == {}
    load.seconds(*[FAST] * 5)
    assert [load.outcome(n).state for n in (0, 1)] == ["passed", "passed"]


def test_a_named_phase_is_judged_alone():
    """Also a warm-up, when it is named; windows do not reach over its end."""
    load = Load("errors < 10% in peak else abort", "errors < 10% over 2s in warm")
    assert load.seconds(*[FAILING] * 3, phase=0) == {}
    assert load.seconds(*[FAILING] * 3, phase=1) == {}
    assert load.outcome(1).state == "failed"
    assert load.seconds(FAILING, phase=2) == {7.0: "errors < 10% in peak else abort"}


def test_an_endpoint_is_judged_alone():
    """The errors of another one do not count."""
    load = Load("search.errors < 10% else abort")
    assert load.second(FAILING) is None
    assert load.second([one._replace(endpoint=1) for one in FAILING]) is not None


def test_what_ends_after_its_phase_belongs_to_its_last_window():
    """Slow requests are not lost between phases, and no window of stragglers alone is made of them."""
    load = Load("p95 < 1s over 2s in hold", "throughput >= 99/s over 2s in hold")
    load.seconds(*[FAST] * 4)
    load.second(FAST, running=2)
    assert load.outcome(0).state == "passed"
    for _ in range(3):
        load.second([sample(3000)] * 7, running=2)
    outcome = load.outcome(0)
    assert (outcome.state, outcome.samples) == ("failed", 321)
    assert (load.outcome(1).state, load.outcome(1).measured) == ("passed", 100.0)


def test_windows_do_not_span_a_pause():
    """Between two judged phases with another one in between, a new window begins."""
    load = Load("throughput >= 99/s over 2s")
    load.seconds(FAST, phase=1)
    load.seconds([], [], phase=0)
    load.seconds(FAST, phase=2)
    assert load.outcome().note == "no full window of 2 s was measured"
    load.seconds(FAST, phase=2)
    assert load.outcome().state == "passed"


@pytest.mark.parametrize(
    "text", ["errors < 10% else abort after 3s", "errors < 10% over 1s else abort after 3s"]
)
def test_a_broken_streak_does_not_span_a_pause(text):
    """What was broken before another phase in between, and is again after it, was not broken without a break."""
    load = Load(text)
    assert load.seconds(FAILING, FAILING, phase=1) == {}
    assert load.seconds(*[FAILING] * 5, phase=0) == {}
    assert load.seconds(*[FAILING] * 5, phase=2) == {11.0: text}
    assert next(iter(load.dog.records().values())).broken_s == 4


def test_a_broken_streak_without_lag_does_not_span_a_pause():
    """What is broken without lag, too, was so in each phase for its own time."""
    late = [sample(3000, late=Late(5 * MS, in_wake=False))] * 100
    load = Load("p95 < 1s else abort after 3s")
    assert load.seconds(late, late, phase=1) == {}
    assert load.seconds(*[late] * 5, phase=0) == {}
    assert load.seconds(*[late] * 3, phase=2) == {}
    record = next(iter(load.dog.records().values()))
    assert (record.broken_s, record.without_lag.broken_s) == (2, 2)


def test_a_broken_streak_of_a_process_does_not_span_a_pause():
    """Nor does one of what a process used."""
    text = "server.memory < 1GB else abort after 3s"
    load, large = Load(text), {"server": process(*[point(t + 0.5, memory=2 * 10**9) for t in range(20)])}
    assert load.seconds([], [], phase=1, monitors=large) == {}
    assert load.seconds(*[[]] * 5, phase=0, monitors=large) == {}
    assert load.seconds(*[[]] * 5, phase=2, monitors=large) == {11.0: text}


def test_before_its_phase_nothing_is_judged():
    """Requests of a phase that has not begun cannot complete, and snapshots before it change nothing."""
    load = Load("throughput >= 99/s else abort")
    assert load.seconds([], [], phase=0) == {}
    assert next(iter(load.dog.records().values())).broken_s is None


def test_a_process_stops_the_load():
    """Its figures are handed over with every second; a process that is not there stops nothing."""
    text = "server.memory < 1GB else abort"
    load = Load(text)
    small, large = point(0.5, memory=10**8), point(1.5, memory=2 * 10**9)
    assert load.second(FAST, monitors={"server": process(small)}) is None
    assert load.second(FAST) is None
    assert load.second(FAST, monitors={"server": process()}) is None
    load = Load(text)
    assert load.second(FAST, monitors={"server": process(small)}) is None
    assert load.second(FAST, monitors={"server": process(small, large)}) == text


def test_a_process_in_a_window_that_aborts_after_a_while():
    """Windows of its looks begin with the phase, and a stretch counts as for requests."""
    text = "server.cpu < 90% over 2s in peak else abort after 2s"
    load = Load(text)
    looks = [point(t + 0.5, cpu=1.0) for t in range(9)]
    for second in range(3):
        assert load.second([], phase=1, monitors={"server": process(*looks[: second + 1])}) is None
    due = [
        load.second([], phase=2, monitors={"server": process(*looks[: second + 1])}) for second in range(3, 9)
    ]
    assert due == [None, None, None, text, None, None]


def test_only_what_is_live_is_watched():
    """Thresholds without a window or an abort wait for the end, and processes are looked at then."""
    load = Load("p95 < 1s", "errors < 1% else warn", "session.p95 < 1s", "server.cpu < 90% over 9s")
    load.second(FAST)
    assert load.dog.records() == {}


def test_of_several_aborts_the_first_has_stopped_the_load():
    """The others are judged as if they had not been there to stop it."""
    load = Load("errors < 10% else abort", "p95 < 1s else abort")
    assert load.second(FAILING) == "errors < 10% else abort"
    load.second([sample(3000)] * 200)
    stopped = [record.aborted_at_s for record in load.dog.records().values()]
    assert stopped == [1.0, None]


def latest(load):
    """Return what each threshold would be judged by now, by its text."""
    return {threshold.text: found and found.value for threshold, found in load.dog.latest().items()}


def test_every_threshold_shows_how_it_would_be_judged_now():
    """Without a window it is judged by everything so far, with one by the latest, and in its phase alone."""
    load = Load(
        "errors < 10%", "login.p95 < 1s", "throughput > 10/s over 2s", "errors < 10% in peak", "count > 150"
    )
    load.second(FAST)
    assert latest(load) == {
        "errors < 10%": 0,
        "login.p95 < 1s": pytest.approx(0.01),
        "throughput > 10/s over 2s": None,
        "errors < 10% in peak": None,
        "count > 150": None,
    }
    load.second(FAILING)
    assert latest(load)["errors < 10%"] == 0.25
    assert latest(load)["throughput > 10/s over 2s"] == 100
    assert load.dog.records().keys() == {load.thresholds[2]}


def test_sessions_and_processes_show_theirs_too():
    """What is measured as a whole counts from the first that ended; a process is looked at while a phase counts."""
    load = Load("session.p95 < 1s", "target.memory < 100MB")
    watched = {"target": process(point(1, memory=50_000_000))}
    load.second(FAST, monitors=watched)
    assert latest(load) == {"session.p95 < 1s": None, "target.memory < 100MB": 50_000_000}
    delta = Delta()
    delta.record_group(1, "session", 2_000_000_000)
    assert load.dog.feed(Snapshot(2.0, 1.0, delta, frozenset({1})), watched) is None
    assert latest(load)["session.p95 < 1s"] == pytest.approx(2.0)
    assert load.dog.records() == {}


def session_seconds(load, *many, phase=1):
    """Let seconds pass in which sessions ended, given by their lengths, None for one that failed; return the stops."""
    stops = {}
    for lengths_s in many:
        load.at_s += 1.0
        delta = Delta()
        for length_s in lengths_s:
            delta.record_group(phase, "session", None if length_s is None else round(length_s * 1e9))
        due = load.dog.feed(Snapshot(load.at_s, 1.0, delta, frozenset({phase})))
        if due is not None:
            stops[load.at_s] = due.text
    return stops


def test_sessions_are_judged_in_windows():
    """Every full window of a session's length must satisfy its limit; the worst one is told, and warm-up is left out."""
    load = Load("session.max < 3s over 2s", "session.errors < 50% over 2s")
    session_seconds(load, [9.0, None], [9.0, None], phase=0)
    session_seconds(load, [1.0], [2.0, None], [4.0], [1.0, 1.0])
    outcome = load.outcome(0)
    assert (outcome.state, outcome.measured) == ("failed", pytest.approx(4.0))
    assert (load.outcome(1).state, load.outcome(1).measured) == ("passed", pytest.approx(1 / 3))


def test_sessions_stop_the_load():
    """Failed sessions stop a load as failed requests do, in the phase that is named alone."""
    load = Load("session.errors < 10% in peak else abort", min_samples=4)
    assert session_seconds(load, [None] * 9) == {}
    assert session_seconds(load, [None, None, 1.0], [None, 1.0], phase=2) == {
        3.0: "session.errors < 10% in peak else abort"
    }


SIDE_BY_SIDE = (
    Workload("background", WORKLOADS[0].traffic, (Phase("warm", SHAPE, warmup=True), Phase("hold", SHAPE))),
    Workload("probe", WORKLOADS[0].traffic, (Phase("probe", SHAPE),)),
)


def test_workloads_are_watched_apart():
    """Errors of one workload stop the load by a threshold on it, and never by one on another that runs beside it."""
    texts = ("probe.errors < 10% over 2s else abort", "background.errors < 10% over 2s else abort")
    for failing, due in ((2, [None, texts[0]]), (1, [None, texts[1]]), (0, [None, None])):
        dog = Watchdog(map(parse_threshold, texts), endpoints=ENDPOINTS, workloads=SIDE_BY_SIDE)
        told = []
        for at_s in (1.0, 2.0):
            delta = Delta()
            for one in FAILING:
                delta.record(one._replace(phase=failing))
            told.append(dog.feed(Snapshot(at_s, 1.0, delta, frozenset({1, 2}))))
        assert [one and one.text for one in told] == due
