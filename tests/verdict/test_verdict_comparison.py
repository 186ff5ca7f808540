"""What is refused to be compared, with what to do about it; and what follows from a comparison."""

from dataclasses import replace

import pytest
from reports.example_results import EXAMPLES

from stressrunner.errors import NotComparable
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.summary import Latency
from stressrunner.result.figures import figures_of
from stressrunner.scenario.threshold_grammar import parse_figure
from stressrunner.verdict.comparison import Side, can_be_told, compare_pair, compare_runs
from stressrunner.verdict.gate import Gate

SIDE = Side("a.yaml", "A", "http://127.0.0.1:8000", "200 requests, 20 at once", 3)
GOOD = EXAMPLES["passed"]()


def times(*ms):
    """Return a distribution of times in milliseconds; None is one that never ended."""
    histogram = Histogram()
    for one in ms:
        if one is None:
            histogram.record_never()
        else:
            histogram.record(one * 1_000_000)
    return Latency.of(histogram)


def figures(*ms, result=GOOD):
    """Return the figures of a run with these response times."""
    return figures_of(replace(result, totals=replace(result.totals, response_time=times(*ms))))


def gate(text):
    """Return a gate of 10 %."""
    return Gate(parse_figure(text), 0.10)


def runs(base, candidate, count=3):
    """Return the figures of alternating runs: A B B A A B."""
    return [(base, candidate, candidate, base)[i % 4] for i in range(2 * count)]


def test_the_outcome_has_its_exit_code():
    """Regressed is 3, passed is 0, and the figures of both sides stand beside each other."""
    fast, slow = figures(*[20] * 60), figures(*[30] * 60)
    worse = compare_runs(SIDE, SIDE, runs(fast, slow), [gate("p95"), gate("errors")])
    assert (worse.outcome, worse.exit_code) == ("regressed", 3)
    assert [figure.state for figure in worse.figures] == ["regressed", "passed"]
    assert (worse.figures[0].base, worse.figures[0].candidate) == pytest.approx((0.02, 0.03), rel=1e-3)
    assert worse.figures[0].change == pytest.approx(0.5, rel=1e-2)
    same = compare_runs(SIDE, SIDE, runs(fast, fast), [gate("p95")])
    assert (same.outcome, same.exit_code) == ("passed", 0)


def test_an_inconclusive_comparison_is_no_pass():
    """What the runs cannot tell is exit code 5, with how many would."""
    ragged = [figures(*[ms] * 60) for ms in (20, 23, 20, 27, 18, 21)]
    comparison = compare_runs(SIDE, SIDE, ragged, [gate("p95")])
    assert (comparison.outcome, comparison.exit_code) == ("inconclusive", 5)
    assert "runs of each side would tell" in comparison.figures[0].note


def test_a_pair_is_advisory():
    """One run of each side has differences, no interval, exit code 0, and says that nothing follows."""
    pair = compare_pair(
        SIDE, SIDE, (figures(*[20] * 60), figures(*[30] * 60)), [parse_figure("p95"), parse_figure("errors")]
    )
    assert (pair.outcome, pair.exit_code) == ("advisory", 0)
    assert pair.figures[0].change == pytest.approx(0.5, rel=1e-2)
    assert pair.figures[0].low is pair.figures[0].tolerance is None
    assert "chance" in pair.notes[0]


ENDLESS = figures(*[20] * 50, *[None] * 10)


@pytest.mark.parametrize(
    ("listed", "text", "reason"),
    [
        (runs(figures(*[20] * 60), figures(*[20] * 60), 2), "p95", "2 runs of each side are too few"),
        (
            runs(figures(*[20] * 58), figures(*[20] * 60)),
            "p95",
            "run 1, of the base, has only 58 samples, and 59",
        ),
        (
            runs(figures(*[20] * 9), figures(*[20] * 9)),
            "p5",
            "run 1, of the base, has only 9 samples, and 59",
        ),
        (
            runs(figures(*[20] * 60), figures()),
            "p95",
            "run 2, of the candidate, has no such figure: no request",
        ),
        (runs(figures(*[20] * 60), figures(*[20] * 60)), "agent_rum.p95", "did you mean 'agent_run'?"),
        (runs(figures(*[20] * 60), figures(*[20] * 60)), "p95 in hold", "no phase named 'hold' was measured"),
        (runs(ENDLESS, figures(*[20] * 60)), "p95", "in base run 1 too many requests never ended"),
        (runs(figures(*[20] * 60), figures(*[0] * 60)), "p95", "p95 is 0 in run 2, of the candidate"),
    ],
)
def test_what_cannot_be_compared_is_refused(listed, text, reason):
    """Too few runs or samples, a figure that is missing, endless or nothing: exit code 4, why, and what to do."""
    with pytest.raises(NotComparable) as caught:
        compare_runs(SIDE, SIDE, listed, [gate(text)])
    assert reason in str(caught.value)
    assert caught.value.remedy in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_candidate_that_hangs_has_regressed():
    """When the percentile of the candidate never ends and the base's does, that is no reason to refuse."""
    comparison = compare_runs(SIDE, SIDE, runs(figures(*[20] * 60), ENDLESS, 5), [gate("p95")])
    assert comparison.outcome == "regressed"
    assert comparison.figures[0].candidate is None


def test_a_figure_that_a_run_does_not_have_can_be_left_out():
    """Figures that are shown without being asked for are those that rest on enough samples."""
    few = figures(*[20] * 60)
    assert can_be_told(parse_figure("p95"), few)
    assert not can_be_told(parse_figure("p99"), few)
    assert not can_be_told(parse_figure("nobody.p50"), few)


def test_what_never_ended_has_no_difference():
    """Beside a time that never ended stands no change."""
    never = figures_of(replace(GOOD, totals=replace(GOOD.totals, response_time=times(*[None] * 60))))
    (compared,) = compare_pair(SIDE, SIDE, (figures(*[20] * 60), never), [parse_figure("p95")]).figures
    assert (compared.candidate, compared.change) == (None, None)
