"""Thresholds that lag turned, and failures that are certain: tables with both sides of each rule."""

from dataclasses import replace

import pytest
from made_figures import cell_of, figures, latency, phase, point, process, sample, stats
from test_verdict_watchdog import Load

from stressrunner.engine.loop_watch import Late
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.summary import SetupStats, stats_of
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.scenario.threshold import Exempt
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.verdict.certain import certain_deliveries
from stressrunner.verdict.delivery.outcome import Requirement
from stressrunner.verdict.outcome import ThresholdOutcome, Validity
from stressrunner.verdict.thresholds import evaluate
from stressrunner.verdict.verdict import is_doubt_of_generator, judge

MS = 1_000_000
VALID = Validity("valid")
LATE = Validity("invalid", ("the generator was late",), "generator")
ELSE = Validity("invalid", ("a hard limit was hit",), "else")


def late(ms, own, **fields):
    """Return a request that took so long, so much of it by the generator."""
    return sample(ms, late=Late(own * MS, own * MS, own * MS), **fields)


def counted(*samples):
    """Return the figures of requests."""
    return stats_of([cell_of(samples)], planned=len(samples), duration_s=10.0)


WRONG = Problem("http 500", "status was 500")
LAGGED = counted(*[sample(10)] * 90, *[late(100, 80)] * 10)  # 20 ms without lag


def judged(text, totals=LAGGED, **held):
    """Return the outcome of a threshold given as text."""
    return evaluate(parse_threshold(text), figures(totals, **held))


@pytest.mark.parametrize(
    ("text", "state", "without_lag"),
    [
        ("p95 < 50ms", "turned", 0.02),
        ("p95 < 15ms", "failed", 0.02),
        ("p95 < 200ms", "passed", 0.02),
        ("p50 < 5ms", "failed", None),
        ("p95 < 50ms else warn", "warned", 0.02),
        ("p95 > 50ms", "turned", 0.02),
        ("p95 > 15ms", "passed", 0.02),
        ("p95 > 200ms", "failed", 0.02),
        ("max < 50ms", "turned", 0.02),
        ("mean < 15ms", "turned", 0.011),
        ("p95(service_time) < 30ms", "turned", 0.02),
        ("p95(ttfb) < 30ms", "turned", 0.005),
        ("p95(ttfb) < 4ms", "failed", 0.005),
    ],
)
def test_what_only_lag_decides_has_no_answer(text, state, without_lag):
    """Upper limits that fail by lag alone, and lower ones that hold by it; all others are as measured."""
    outcome = judged(text)
    assert outcome.state == state
    assert outcome.without_lag == (None if without_lag is None else pytest.approx(without_lag, rel=0.01))
    if outcome.state == "turned":
        assert "without the generator's own lag" in outcome.note


def test_few_samples_are_enough_to_be_turned():
    """One request of three."""
    assert judged("max < 50ms", counted(sample(10), sample(10), late(100, 80))).state == "turned"


def test_timeouts_of_our_making_turn_what_they_break():
    """A percentile that falls among them is never as measured, and a time without them."""
    ours = sample(30_000, Outcome.FAILED, never=True, late=Late(0, is_ours=True))
    theirs = sample(30_000, Outcome.FAILED, never=True)
    assert judged("p95 < 1s", counted(*[sample(10)] * 90, *[ours] * 10)).state == "turned"
    assert judged("p95 < 1s", counted(*[sample(10)] * 90, *[theirs] * 10)).state == "failed"


OURS = {
    "ours": sample(30_000, Outcome.FAILED, never=True, late=Late(0, is_ours=True)),
    "wake": sample(5, Outcome.FAILED, problem=Problem("reset", "x"), late=Late(0, in_wake=True)),
}


@pytest.mark.parametrize("failure", OURS)
@pytest.mark.parametrize(
    ("text", "others", "state"),
    [
        ("errors < 5%", 0, "turned"),
        ("errors < 5%", 5, "failed"),  # 5 of 95 without those
        ("errors < 6%", 5, "turned"),
        ("errors < 50%", 0, "passed"),
        ("errors > 5%", 0, "turned"),  # that held by lag alone
        ("errors > 5%", 40, "passed"),
        ("errors < 5% else warn", 0, "warned"),
    ],
)
@pytest.mark.parametrize("subject", ["", "endpoints."])
def test_errors_that_lag_made_turn_what_they_decide(subject, text, others, state, failure):
    """Timeouts while nobody read, and failures in the wake of a freeze, are left out of errors without lag."""
    failures = [sample(5, Outcome.FAILED)] * others
    totals = counted(*[sample(10)] * (90 - others), *failures, *[OURS[failure]] * 10)
    assert (
        evaluate(parse_threshold(subject + text), figures(totals, endpoints={"one": totals})).state == state
    )


def test_wrong_replies_in_a_wake_are_nobody_elses():
    """A target that answers 500 does so whatever the generator did."""
    wrong = sample(5, Outcome.FAILED, problem=WRONG, status=500, late=Late(3 * MS, in_wake=True))
    assert judged("errors < 5%", counted(*[sample(10)] * 90, *[wrong] * 10)).state == "failed"


def test_defaults_without_what_others_judge_are_turned_too():
    """The guard on errors sums what is left of phases and endpoints, and what lag did of it."""
    totals = counted(*[sample(10)] * 90, *[OURS["ours"]] * 10)
    threshold = replace(parse_threshold("errors < 1%"), exempt=frozenset([Exempt("p", "other")]))
    held = {"phases": [phase("p", totals)], "phase_endpoints": {("p", "one"): totals}}
    assert evaluate(threshold, figures(totals, **held)).state == "turned"


def dropping(by_lag, late, others=0):
    """Return figures of 1,000 arrivals of which some were dropped, so many of them by lag."""
    delta = Delta()
    delta.extend([sample(10)] * (1000 - by_lag - others))
    delta.record_dropped(0, 0, others)
    delta.record_dropped(0, 0, by_lag, late)
    return stats_of(delta.series.values(), planned=1000, duration_s=10.0)


@pytest.mark.parametrize("late", [Late(50 * MS, is_ours=True), Late(0, in_wake=True)])
@pytest.mark.parametrize(
    ("text", "others", "state"),
    [
        ("dropped < 1%", 0, "turned"),
        ("dropped < 1%", 10, "failed"),
        ("dropped < 1%", 9, "failed"),  # of 900 that lag had no part in
        ("dropped < 1%", 8, "turned"),
        ("dropped == 0", 0, "turned"),
        ("dropped < 5", 4, "turned"),
        ("dropped < 5", 5, "failed"),
        ("dropped < 20%", 0, "passed"),
    ],
)
def test_drops_of_our_making_turn_what_they_break(text, others, state, late):
    """An arrival that was released late, or after a freeze, is dropped for what the generator did."""
    outcome = judged(text, dropping(100, late, others))
    assert outcome.state == state
    verdict = judge([outcome], Validity("suspect", ("the generator was late for some time",)))
    assert verdict.exit_code == {"turned": 4, "failed": 3, "passed": 0}[state]


@pytest.mark.parametrize("text", ["errors < 5% over 2s", "errors < 5% over 2s else abort"])
def test_windows_of_errors_are_turned_too(text):
    """Windows leave out what lag did, as the whole run does, also when it has left them."""
    bad = [sample(10)] * 80 + [OURS["ours"]] * 20
    load = Load(text)
    load.seconds([sample(10)] * 100, bad, bad, *[[sample(10)] * 100] * 3)
    assert load.outcome().state == "turned"
    load = Load(text)
    load.seconds(bad, bad, *[[sample(10)] * 80 + [sample(5, Outcome.FAILED)] * 20] * 3)
    assert load.outcome().state == "failed"


def test_the_wake_of_a_freeze_is_left_out_where_enough_remain():
    """Requests in a wake count as measured when they are most of all."""
    wake = sample(100, late=Late(0, in_wake=True))
    assert judged("p95 < 50ms", counted(*[sample(10)] * 110, *[wake] * 100)).state == "turned"
    assert judged("p95 < 50ms", counted(*[sample(10)] * 100, *[wake] * 100)).state == "turned"
    assert judged("p95 < 50ms", counted(*[sample(10)] * 100, *[wake] * 101)).state == "failed"
    assert judged("p95 < 50ms", counted(*[sample(10)] * 99, *[wake] * 50)).state == "failed"


@pytest.mark.parametrize(
    ("text", "off", "state"),
    [
        ("p95 < 15ms", {None}, "turned"),
        ("p95 < 15ms", {"other"}, "failed"),
        ("p95 < 200ms", {None}, "passed"),
        ("errors < 0.1%", {None}, "failed"),
    ],
)
def test_times_that_fail_while_all_are_off_have_no_answer(text, off, state):
    """Also when they fail without lag, as a target that is behind through lag is slow in earnest."""
    totals = counted(*[sample(10)] * 90, *[late(100, 80)] * 10, sample(5, Outcome.FAILED))
    assert judged(text, totals, off=off).state == state


@pytest.mark.parametrize(
    ("text", "present", "state"),
    [
        ("throughput > 12/s", 0.8, "turned"),  # 10/s, and 12.5/s over the time in which it was there
        ("throughput > 13/s", 0.8, "failed"),
        ("throughput > 12/s", 1.0, "failed"),
        ("goodput < 12/s", 0.8, "turned"),
        ("goodput < 13/s", 0.8, "passed"),
        ("throughput > 9/s", 0.8, "passed"),
    ],
)
def test_rates_of_closed_loads_have_the_time_in_which_the_loop_was_there(text, present, state):
    """Whoever is away sends less."""
    assert judged(text, present=present).state == state


def test_windows_are_turned_too():
    """Those that break a limit by lag alone, also where the load was stopped for it."""
    slow = [sample(10)] * 80 + [late(3000, 2990)] * 20
    for text in ("p95 < 1s over 2s", "p95 < 1s over 2s else abort"):
        load = Load(text)
        load.seconds([sample(10)] * 100, slow, slow, [sample(10)] * 100)
        assert load.outcome().state == "turned"
        load = Load(text)
        load.seconds([sample(10)] * 100, *[[sample(10)] * 80 + [sample(3000)] * 20] * 2)
        assert load.outcome().state == "failed"


FAILURES = {
    "reply": sample(5, Outcome.FAILED, problem=WRONG, status=500, late=Late(3 * MS)),
    "of time": sample(
        5, Outcome.FAILED, problem=Problem("check", "x", is_of_time=True), status=200, late=Late(3 * MS)
    ),
    "check": sample(5, Outcome.FAILED, problem=Problem("check", "x"), status=200, late=Late(3 * MS)),
    "busy": sample(5, Outcome.FAILED, problem=Problem("http 503", "x"), status=503, late=Late(3 * MS)),
    "wake": sample(5, Outcome.FAILED, problem=Problem("reset", "x"), late=Late(0, in_wake=True)),
    "punctual": sample(5, Outcome.FAILED, problem=Problem("reset", "x")),
    "ours": sample(5, Outcome.FAILED, problem=Problem("generator", "too many open files")),
}


@pytest.mark.parametrize(
    ("failure", "certain"),
    [
        ("reply", "replies"),
        ("check", "replies"),
        ("of time", ""),
        ("busy", ""),
        ("punctual", "punctual"),
        ("ours", ""),
    ],
)
@pytest.mark.parametrize("text", ["errors < 1%", "endpoints.errors < 1%"])
def test_failures_are_certain_where_lag_explains_none(text, failure, certain):
    """Wrong replies, and whatever failed of requests that the generator had no part in."""
    totals = counted(*[sample(10)] * 90, *[FAILURES[failure]] * 10)
    threshold = parse_threshold("errors < 1%")
    if text != "errors < 1%":
        threshold = replace(threshold, of="endpoints", text=text)
    outcome = evaluate(threshold, figures(totals, endpoints={"one": totals}))
    assert (outcome.state, outcome.certain) == ("failed", certain)


@pytest.mark.parametrize(
    ("limit", "certain"),
    [("== 0%", "replies"), ("== 9%", "replies"), ("== 11%", ""), ("> 50%", ""), ("!= 10%", "")],
)
def test_only_what_is_above_a_limit_is_certain(limit, certain):
    """That there were so many failures at least says nothing about a lower limit."""
    outcome = judged(f"errors {limit}", counted(*[sample(10)] * 90, *[FAILURES["reply"]] * 10))
    assert (outcome.state, outcome.certain) == ("failed", certain)


@pytest.mark.parametrize(
    ("failures", "attempts", "certain"),
    [
        (["reply"] * 5, (95, 5), "replies"),
        (["punctual"] * 5, (95, 5), "punctual"),
        (["busy"] * 5, (95, 5), ""),
        (["reply"] * 2 + ["busy"] * 3, (95, 5), "replies"),
        (["reply"] + ["busy"] * 4, (95, 5), ""),  # 1 % is over no limit of 1 %, but for `<`
        (["reply"] * 5 + ["busy"] * 5, (95, 5), ""),  # the same five attempts, perhaps
        (["reply"] * 7, (195, 5), "replies"),  # some forgiven, or two of one attempt
        (["reply"] * 9, (95, 0), ""),
    ],
)
def test_attempts_to_set_users_up_fail_for_certain_by_their_requests(failures, attempts, certain):
    """A 403 at every login is the target's answer; of several in one attempt the least is taken."""
    passed, failed_attempts = attempts
    held = {
        "groups": {"user_setup": latency([10] * passed)},
        "groups_failed": {"user_setup": failed_attempts},
        "user_setup": SetupStats(0, ()),
        "setup_requests": counted(*[sample(10)] * 90, *[FAILURES[name] for name in failures]),
    }
    outcome = judged("user_setup.errors <= 1%", **held)
    assert (outcome.state, outcome.certain) == ("failed" if failed_attempts else "passed", certain)


def test_attempts_that_lag_made_fail_turn_what_they_break():
    """Timeouts at the login while nobody read are left out of attempts, too."""
    held = {
        "groups": {"user_setup": latency([10] * 95)},
        "groups_failed": {"user_setup": 5},
        "user_setup": SetupStats(0, ()),
    }
    ours, theirs = ([sample(10), *[failure] * 5] for failure in (OURS["ours"], FAILURES["busy"]))
    assert judged("user_setup.errors < 1%", **held, setup_requests=counted(*ours)).state == "turned"
    assert judged("user_setup.errors < 1%", **held, setup_requests=counted(*theirs)).state == "failed"


def test_what_is_certain_counts_over_all_that_completed():
    """Too few of many are none."""
    some = counted(*[sample(10)] * 890, *[FAILURES["reply"]] * 9, *[FAILURES["wake"]] * 101)
    assert judged("errors < 5%", some).certain == ""
    assert judged("errors < 0.8%", some).certain == "replies"


@pytest.mark.parametrize(("freezes", "certain"), [(0, "punctual"), (1, "")])
def test_memory_is_certain_unless_the_generator_stood_still(freezes, certain):
    """Nobody made a process grow while the whole machine may have stood still."""
    server = process(point(0.0, memory=1_000_000), point(1.0, memory=900_000_000))
    outcome = judged("server.memory < 10MB", stats([10.0]), monitors={"server": server}, freezes=freezes)
    assert (outcome.state, outcome.certain) == ("failed", certain)


def test_the_end_of_a_process_is_certain():
    """A process that ended under load has ended, whatever the generator did meanwhile."""
    server = replace(process(point(0.0), point(1.0)), ended="it ended under load")
    outcome = judged("server.memory < 10GB", stats([10.0]), monitors={"server": server}, freezes=1)
    assert (outcome.state, outcome.certain) == ("failed", "punctual")


def failed(certain, text="errors < 1%"):
    """Return a threshold that has failed."""
    return ThresholdOutcome(text, "failed", 0.5, 0.01, "ratio", 100, certain=certain)


TURNED = ThresholdOutcome(
    "p95 < 1s", "turned", 2.0, 1.0, "duration", 100, "4 ms without the generator's own lag"
)


@pytest.mark.parametrize(
    ("thresholds", "validity", "outcome", "code"),
    [
        ([failed("punctual")], LATE, "failed", 3),
        ([failed("replies")], LATE, "failed", 3),
        ([failed("")], LATE, "invalid", 4),
        ([failed("punctual")], ELSE, "invalid", 4),
        ([failed("replies")], ELSE, "failed", 3),
        ([TURNED], VALID, "invalid", 4),
        ([TURNED, failed("")], VALID, "failed", 3),
        ([TURNED], LATE, "invalid", 4),
    ],
)
def test_certain_failures_come_before_doubts_and_doubts_before_others(thresholds, validity, outcome, code):
    """Turned thresholds decide when nothing else has failed."""
    verdict = judge(thresholds, validity)
    assert (verdict.outcome, verdict.exit_code) == (outcome, code)


def test_the_doubt_is_the_second_reason():
    """Behind the first certain failure, before the others."""
    verdict = judge([failed("replies"), failed("replies", "one.errors < 1%")], LATE)
    assert verdict.reasons[1] == "the generator was late"
    assert len(verdict.reasons) == 3
    (turned,) = judge([TURNED], VALID).reasons
    assert "p95 has no answer, as the generator was late: 2 s as measured, 4 ms without" in turned


def test_an_interrupt_comes_first():
    """Whatever is certain."""
    assert judge([failed("replies")], LATE, interrupted="interrupted by the user").exit_code == 130


@pytest.mark.parametrize(
    ("thresholds", "validity", "is_of_generator"),
    [
        ([failed("")], LATE, True),
        ([failed("")], ELSE, False),
        ([TURNED], VALID, True),
        ([failed("")], VALID, False),
        ([], VALID, False),
    ],
)
def test_only_doubts_of_the_generator_are_worth_another_run(thresholds, validity, is_of_generator):
    """A target that is not reached is not reached again."""
    verdict = judge(thresholds, validity)
    assert is_doubt_of_generator(verdict, validity, thresholds) is is_of_generator


class Delivered:
    """What of a delivery the question is about."""

    def __init__(self, *requirements, unanswered=0):
        """`unanswered` messages got no reply."""
        self.requirements = requirements
        self.replies = {"unanswered": unanswered}


@pytest.mark.parametrize(
    ("name", "found", "unanswered", "is_certain"),
    [
        *[(name, 1, 0, True) for name in ("lost", "duplicated", "misrouted", "elsewhere", "fabricated")],
        *[(name, 1, 0, True) for name in ("phantom", "superseded", "order", "splits", "session_ids")],
        *[(name, 1, 1, False) for name in ("reply.unanswered", "reply.unknown", "bursts_without_answer")],
        *[(name, 1, 0, False) for name in ("delivered", "merged", "recovered", "refused")],
        ("dropped", 2, 2, False),
        ("dropped", 3, 2, True),
    ],
)
def test_what_histories_show_is_certain(name, found, unanswered, is_certain):
    """A late generator loses no message; one that was dropped may have got no reply through it."""
    delivery = Delivered(Requirement(name, "0", "failed", found, 10), unanswered=unanswered)
    assert bool(certain_deliveries([delivery])) is is_certain
    passed = Delivered(Requirement(name, "0", "passed", 0, 10))
    assert certain_deliveries([passed]) == []
