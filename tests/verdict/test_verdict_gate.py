"""A gate on several runs: right as often as it claims, and not moved by what is no difference."""

import random
from math import exp, inf, log, log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.scenario.threshold_grammar import parse_figure
from stressrunner.verdict.gate import Gate, decide, is_candidate, judge_gates

P50, P95 = Gate(parse_figure("p50"), 0.10), Gate(parse_figure("p95"), 0.10)
ERRORS = Gate(parse_figure("errors"), 0.01)
THROUGHPUT = Gate(parse_figure("throughput"), 0.10)
DEFAULT_RUNS = 10
NOISE = 0.08
NEITHER = (1.0, 1.3, 0.8, 1.1, 0.9, 1.2, 0.95, 1.05)  # runs that vary, of no side in particular


def series(base, candidate, noise, *, runs=DEFAULT_RUNS, drift=0.0, draw=random.Random(1)):  # noqa: B008
    """Return figures of alternating runs with log-normal noise, on a machine that gets slower by `drift` a run."""
    return [
        (candidate if is_candidate(i) else base) * exp(draw.gauss(0, noise) + drift * i)
        for i in range(2 * runs)
    ]


def outcomes(simulations, ratio, *, noise=NOISE, runs=DEFAULT_RUNS, drift=0.0):
    """Return how often each outcome came of the default gates, of a candidate slower by a ratio."""
    draw = random.Random(f"{ratio} {noise} {runs} {drift}")
    counts = {"regressed": 0, "passed": 0, "inconclusive": 0}
    for _ in range(simulations):
        figures = {
            P95: series(0.2, 0.2 * ratio, noise, runs=runs, drift=drift, draw=draw),
            ERRORS: [0.0] * 2 * runs,
        }
        counts[decide(list(judge_gates(figures).values()))] += 1
    return {outcome: count / simulations for outcome, count in counts.items()}


def test_false_alarms_are_rare():
    """At 8 % noise from run to run, a candidate that is the same is hardly ever called slower: at most in 5 %."""
    assert outcomes(1000, 1.0)["regressed"] <= 0.05
    assert outcomes(500, 1.0, runs=3)["regressed"] <= 0.05
    assert outcomes(500, 1.0, drift=0.02)["regressed"] <= 0.05


def test_a_quarter_more_is_found():
    """At 8 % noise the default number of runs finds 25 % more in at least 90 % of all comparisons."""
    assert outcomes(1000, 1.25)["regressed"] >= 0.90
    assert outcomes(500, 1.25, drift=0.02)["regressed"] >= 0.90


def test_what_is_at_the_tolerance_is_told_wrongly_in_one_of_twenty():
    """A candidate that is slower by exactly what is allowed is called regressed, or passed, in about 5 % each."""
    at_tolerance = outcomes(1000, 1.10)
    assert at_tolerance["regressed"] <= 0.05 + 0.02
    assert at_tolerance["passed"] <= 0.05 + 0.02


def test_less_noise_or_more_runs_pass_what_is_the_same():
    """Inconclusive is what too much noise for too few runs is called, and less of it or more of them tell."""
    assert outcomes(300, 1.0, noise=0.03)["passed"] >= 0.99
    assert outcomes(300, 1.0, runs=24)["passed"] >= 0.98


def test_several_figures_do_not_raise_more_false_alarms():
    """With twenty figures at the tolerance, the chance that any is called regressed stays near 5 % by Holm."""
    draw = random.Random(5)
    gates = [Gate(parse_figure(f"e{i}.p95"), 0.10) for i in range(20)]
    alarms = 0
    for _ in range(150):
        changes = judge_gates({gate: series(1.0, 1.10, NOISE, draw=draw) for gate in gates})
        alarms += decide(list(changes.values())) == "regressed"
    assert alarms / 150 <= 0.05 + 0.04


@pytest.mark.soak
def test_rates_of_error_hold_over_many_simulations():
    """The same rates, measured closely: 5 % false alarms at most, 90 % power at least, 5 % at the tolerance."""
    assert outcomes(20_000, 1.0)["regressed"] <= 0.05
    assert outcomes(20_000, 1.25)["regressed"] >= 0.90
    at_tolerance = outcomes(20_000, 1.10)
    assert at_tolerance["regressed"] <= 0.055
    assert at_tolerance["passed"] <= 0.055


def test_a_drift_is_no_difference():
    """A machine that gets slower by 30 % from run to run changes nothing about what is the same."""
    (change,) = judge_gates({P95: series(0.2, 0.2, 0.0, drift=log(1.3))}).values()
    assert change.state == "passed"
    assert change.change == pytest.approx(0, abs=1e-9)


@given(st.floats(0.5, 2), st.floats(-0.1, 0.1), st.integers(3, 12))
def test_without_noise_the_ratio_is_found_exactly(ratio, drift, runs):
    """Whatever ratio and drift there is, without noise the change is that ratio and the interval is a point."""
    (change,) = judge_gates({P50: series(1.0, ratio, 0.0, runs=runs, drift=drift)}).values()
    assert change.change == pytest.approx(ratio - 1, abs=1e-9)
    assert change.high - change.low == pytest.approx(0, abs=1e-9)
    if abs(log(ratio) - log1p(0.10)) > 1e-9:
        assert change.state == ("regressed" if ratio > 1.10 else "passed")


def test_sides_alternate_so_that_both_come_first_equally_often():
    """The order is A B B A A B B A, with as many runs of each side whatever their number."""
    assert "".join("AB"[is_candidate(i)] for i in range(10)) == "ABBAABBAAB"
    for runs in range(1, 30):
        assert sum(is_candidate(i) for i in range(2 * runs)) == runs


def test_of_throughput_less_is_worse():
    """A candidate that does less a second has regressed, one that does more has not."""
    states = [
        judge_gates({THROUGHPUT: series(100, 100 * ratio, 0.01)})[THROUGHPUT].state
        for ratio in (0.8, 0.95, 1.3)
    ]
    assert states == ["regressed", "passed", "passed"]


def test_ratios_are_compared_by_their_difference():
    """Errors may be none at all: one point more is allowed, three points more are not."""

    def errors(more):
        values = [0.001 * (i % 3) + (more if is_candidate(i) else 0) for i in range(20)]
        return judge_gates({ERRORS: values})[ERRORS]

    assert errors(0.0).state == errors(0.005).state == "passed"
    assert errors(0.03).state == "regressed"
    assert errors(0.03).change == pytest.approx(0.03, abs=0.001)
    assert judge_gates({ERRORS: [0.0] * 20})[ERRORS].state == "passed"


def test_times_that_never_end_are_judged_by_how_often():
    """When the percentile of most candidates is infinite it has regressed; one of ten may be chance."""

    def with_endless(count):
        values = series(0.2, 0.2, 0.01)
        candidates = [i for i in range(20) if is_candidate(i)][:count]
        return judge_gates({P95: [inf if i in candidates else value for i, value in enumerate(values)]})[P95]

    assert with_endless(8).state == "regressed"
    assert with_endless(1).state == "inconclusive"
    assert with_endless(8).change is None
    assert "8 of 10 runs" in with_endless(8).note


def test_inconclusive_says_how_many_runs_would_tell():
    """The note names a number of runs with which the same difference and noise are told."""
    draw = random.Random(3)
    figures = series(0.2, 0.2, 0.12, runs=4, draw=draw)
    change = judge_gates({P95: figures})[P95]
    assert change.state == "inconclusive"
    assert change.note.startswith("about ")
    at_limit = judge_gates({P95: [v * (1.1 if is_candidate(i) else 1) for i, v in enumerate(NEITHER)]})[P95]
    assert at_limit.state == "inconclusive"


def test_one_regression_decides_and_all_have_to_pass():
    """The outcome of several figures is the worst of them."""

    def outcome(*ratios):
        gates = [Gate(parse_figure(f"e{i}.p95"), 0.10) for i in range(len(ratios))]
        noise = [1.0, 1.01, 0.99, 1.0, 1.01, 0.99, 1.0, 1.0, 1.0, 1.0]
        return decide(
            list(
                judge_gates(
                    {
                        gate: [n * (ratio if is_candidate(i) else 1) for i, n in enumerate(noise)]
                        for gate, ratio in zip(gates, ratios, strict=True)
                    }
                ).values()
            )
        )

    assert outcome(1.0, 1.0) == "passed"
    assert outcome(1.0, 1.1) == "inconclusive"
    assert outcome(1.5, 1.1) == "regressed"
