"""Figures of a run as a whole, and defaults that leave something to other thresholds: tables."""

from dataclasses import replace

import pytest
from made_figures import cell_of, figures, latency, phase, point, process, sample, stats

from stressrunner.engine.loop_watch import Late
from stressrunner.metrics.summary import IterationStats, SetupFailure, SetupStats, stats_of
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.scenario.threshold import Exempt
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.verdict.thresholds import evaluate
from stressrunner.verdict.verdict import sentence_of

FINE, SPOILT = stats([10] * 1000), stats(failed=5)


def judged(text, *exempt, **all_series):
    """Judge a default on requests, given by endpoint in the one phase that counts, beside a warm-up that failed."""
    threshold = replace(
        parse_threshold(text),
        is_default=True,
        no_data="pass",
        exempt=frozenset(Exempt(*one) for one in exempt),
    )
    held = {("hold", name): counted for name, counted in all_series.items()}
    return evaluate(
        threshold,
        figures(
            stats([10]),
            endpoints=all_series,
            phases=[phase("warm", SPOILT, warmup=True), phase("hold", FINE)],
            phase_endpoints={**held, ("warm", "good"): stats(failed=500)},
        ),
    )


@pytest.mark.parametrize(
    ("rare", "state", "measured"),
    [
        (stats(failed=5), "failed", 1.0),
        (stats(failed=4), "passed", 0.0),
        (stats([10], failed=5), "passed", 0.0),
        (stats([10] * 10, failed=10), "failed", 0.5),
        (stats([10] * 11, failed=10), "passed", pytest.approx(10 / 21)),
        (stats([10] * 9, failed=10), "passed", 0.0),
        (stats(failed=10, refused=10), "failed", 1.0),
        (stats(refused=50), "passed", 0.0),
    ],
)
def test_an_endpoint_that_fails_is_not_hidden_by_the_others(rare, state, measured):
    """Of endpoints with 20 completed requests, or 5 that all failed, the one with most errors is judged."""
    outcome = judged("endpoints.errors < 50%", good=FINE, rare=rare)
    assert (outcome.state, outcome.measured) == (state, measured)


def of_workloads(text="workloads.errors < 50%", exempt=(), **workloads):
    """Judge the guard on workloads, each of which has one phase, called as it is, of one endpoint."""
    threshold = replace(
        parse_threshold(text),
        is_default=True,
        no_data="pass",
        exempt=frozenset(Exempt(*one) for one in exempt),
    )
    held = {
        "workloads": workloads,
        "phases": [phase(name, counted) for name, counted in workloads.items()],
        "phase_endpoints": {(name, f"of {name}"): counted for name, counted in workloads.items()},
        "phase_streams": {name: name for name in workloads},
    }
    return evaluate(threshold, figures(FINE, **held))


@pytest.mark.parametrize(
    ("rare", "state", "note"),
    [
        (stats(failed=3), "failed", "'rare': 3 of 3 failed or did not finish"),
        (stats(failed=1), "failed", "'rare': 1 of 1 failed or did not finish"),
        (stats(unfinished=3), "failed", "'rare': 3 of 3 failed or did not finish"),
        (stats(failed=1, unfinished=2), "failed", "'rare': 3 of 3 failed or did not finish"),
        (stats([10], failed=18), "passed", ""),
        (stats([10], failed=19), "failed", "'rare': 19 of 20 failed or did not finish"),
        (stats([10] * 10, failed=5, unfinished=5), "failed", "'rare': 10 of 20 failed or did not finish"),
        (stats([10] * 11, failed=5, unfinished=5), "passed", "'rare': 10 of 21 failed or did not finish"),
        (stats(refused=3), "passed", ""),
        (stats(refused=1, failed=2), "passed", ""),
        (stats(skipped=3), "failed", "'rare': 3 of 3 planned requests were not sent"),
        (stats(dropped=2, not_reached=1), "failed", "'rare': 3 of 3 planned requests were not sent"),
        (stats(), "passed", ""),
    ],
)
@pytest.mark.parametrize("exempt", [(), [(None, "other")]])
def test_a_workload_of_which_nothing_succeeded_is_not_hidden_by_the_others(rare, state, note, exempt):
    """However small it is; with 20 requests or more, half of them are enough. What hangs counts as what fails."""
    outcome = of_workloads(fine=FINE, rare=rare, exempt=exempt)
    assert outcome.state == state
    assert outcome.note == "; ".join(
        filter(None, (note, "without 'other', which another threshold judges" if exempt else ""))
    )


def test_a_workload_that_another_threshold_judges_is_left_out():
    """By the endpoint that it sends, or by its phases."""
    for exempt in ([("rare", None)], [(None, "of rare")]):
        assert of_workloads(fine=FINE, rare=SPOILT, exempt=exempt).state == "passed"
    assert of_workloads(fine=FINE, rare=SPOILT, exempt=[("fine", None)]).state == "failed"
    assert of_workloads("workloads.errors < 50% in fine", fine=FINE, rare=SPOILT).state == "passed"
    assert of_workloads("workloads.errors < 50% in rare", fine=FINE, rare=SPOILT).state == "failed"


def test_a_workload_has_its_own_lag_and_certainty():
    """Timeouts while nobody read turn the guard; wrong replies make it certain."""
    ours = sample(30_000, Outcome.FAILED, never=True, late=Late(0, is_ours=True))
    wrong = sample(5, Outcome.FAILED, problem=Problem("http 500", "x"), status=500)
    made = [stats_of([cell_of([each] * 3)], planned=3, duration_s=1.0) for each in (ours, wrong)]
    turned, certain = (of_workloads(fine=FINE, rare=each) for each in made)
    assert (turned.state, turned.without_lag) == ("turned", 0)
    assert (certain.state, certain.certain) == ("failed", "replies")


def test_the_endpoint_that_fails_is_named():
    """The note says which endpoint it is, and how many of its requests failed."""
    outcome = judged("endpoints.errors < 50%", good=FINE, rare=stats([10], failed=39))
    assert outcome.note == "'rare': 39 of 40 failed"


@pytest.mark.parametrize("text", ["errors < 1%", "errors < 2%"])
def test_a_default_that_fails_says_how_to_lift_it(text):
    """Where another threshold contradicts it, and only where it has failed."""
    threshold = replace(parse_threshold(text), is_default=True, remedy="lift it with 'errors <= 100%'")
    outcome = evaluate(threshold, figures(stats([10] * 985, failed=15)))
    is_failed = text == "errors < 1%"
    assert outcome.state == ("failed" if is_failed else "passed")
    assert outcome.note == (threshold.remedy if is_failed else "")


def test_few_requests_are_no_failure():
    """Where nothing was sent often enough to be judged, the guard has no figure and passes."""
    outcome = judged("endpoints.errors < 50%", good=stats([10], failed=2))
    assert (outcome.state, outcome.measured) == ("passed", None)
    assert outcome.note == "no endpoint completed 20 requests"


@pytest.mark.parametrize(
    ("exempt", "state", "measured"),
    [
        (("hold", "bad"), "passed", 0.0),
        ((None, "bad"), "passed", 0.0),
        (("warm", None), "failed", 0.5),
        ((None, "good"), "failed", 1.0),
    ],
)
@pytest.mark.parametrize("text", ["errors < 1%", "endpoints.errors < 50%"])
def test_what_another_threshold_judges_is_left_out(text, exempt, state, measured):
    """A default judges only what no other threshold does, and warm-ups never."""
    outcome = judged(text, exempt, good=stats([10] * 100), bad=stats(failed=100))
    if text.startswith("endpoints") and exempt == ("warm", None):
        measured = 1.0
    assert (outcome.state, outcome.measured) == (state, measured)
    name = exempt[1] if exempt[0] is None else f"{exempt[1]}' in '{exempt[0]}" if exempt[1] else exempt[0]
    assert outcome.note.endswith(f"without '{name}', which another threshold judges")


SETUP_FAILED = SetupStats(2, (SetupFailure("login", "http 401", 29), SetupFailure("profile", "timeout", 1)))


def overall(text, **held):
    """Judge a default on figures of the run as a whole."""
    threshold = replace(parse_threshold(text), is_default=True, no_data="pass")
    return evaluate(threshold, figures(stats([10]), **held))


@pytest.mark.parametrize(
    ("counts", "state", "measured"),
    [
        ((0, 0), "passed", None),
        ((60, 0), "passed", 0.0),
        ((60, 60), "failed", 1.0),
        ((200, 1), "passed", 0.005),
    ],
)
def test_iterations_in_error_are_judged(counts, state, measured):
    """Iterations that failed by none of their requests have a limit of their own; without any it passes."""
    outcome = overall("iterations.errors < 1%", iterations=IterationStats(*counts))
    assert (outcome.state, outcome.measured) == (state, measured)


def test_iterations_of_a_phase_are_judged():
    """`in PHASE` judges the iterations that began there."""
    of = {"hold": IterationStats(10, 0), "peak": IterationStats(10, 5)}
    held = {"iterations": IterationStats(20, 5), "phase_iterations": of}
    assert overall("iterations.errors < 1% in hold", **held).measured == 0
    assert overall("iterations.errors < 1% in peak", **held).measured == 0.5
    assert overall("iterations.count == 20", **held).state == "passed"


def test_how_users_are_set_up_is_judged_by_attempts_and_by_users():
    """Of all attempts some failed, and some users were never set up; both name the request, its status, its count."""
    held = {
        "groups": {"user_setup": latency([10] * 70)},
        "groups_failed": {"user_setup": 30},
        "user_setup": SETUP_FAILED,
    }
    errors, users = overall("user_setup.errors < 1%", **held), overall("user_setup.count == 0", **held)
    assert (errors.state, errors.measured, errors.samples) == ("failed", 0.3, 100)
    assert (users.state, users.measured) == ("failed", 2)
    for outcome in (errors, users):
        assert outcome.note == "'login' failed 29 times: http 401, and 1 other failure"
    assert sentence_of(errors) == f"user_setup.errors are 30 %, limit 1 % ({errors.note})"


def test_nobody_is_blamed_where_all_users_were_set_up_in_the_end():
    """Attempts that failed are the attempts' matter: no user was lost, so the count of users names no request."""
    setup = SetupStats(0, (SetupFailure("login", "http 401", 1),))
    held = {"groups": {"user_setup": latency([10])}, "groups_failed": {"user_setup": 1}, "user_setup": setup}
    users = overall("user_setup.count == 0", **held)
    assert (users.state, users.note) == ("passed", "")
    assert overall("user_setup.errors < 1%", **held).note == "'login' failed once: http 401"


def test_users_that_nobody_sets_up_are_no_failure():
    """Without an attempt there is no figure, and the guards pass."""
    held = {"groups": {}, "user_setup": SetupStats(0, ())}
    assert overall("user_setup.errors < 1%", **held).state == "passed"
    assert overall("user_setup.count == 0", **held).state == "passed"


@pytest.mark.parametrize(
    "text", ["srv.memory_growth < 50MB", "srv.memory < 1GB over 2s", "srv.cpu < 900% in hold"]
)
@pytest.mark.parametrize("ended", ["", "it ended under load, noticed after 3.0 s"])
def test_a_process_that_ended_fails_every_threshold_on_it(text, ended):
    """What is measured of a process up to its end satisfies nothing, whatever the figure is."""
    watched = replace(process(*(point(float(at), memory=100) for at in range(8))), ended=ended)
    outcome = evaluate(
        parse_threshold(text),
        figures(stats([10]), phases=[phase("hold", FINE)], monitors={"srv": watched}, live={}),
    )
    assert outcome.state == ("failed" if ended else "passed")
    assert ended in outcome.note


def test_a_target_that_is_not_watched_says_why():
    """A threshold on a target that nobody asked to watch is skipped, with what is known."""
    outcome = evaluate(
        parse_threshold("target.memory < 1GB"), figures(stats([10]), target_unwatched="it is hidden")
    )
    assert (outcome.state, outcome.note) == ("skipped", "it is hidden")
