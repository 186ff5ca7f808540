"""Whether the generator or the target was measured: a table with a row for every rule, on both of its sides."""

from dataclasses import replace

import pytest
from made_figures import cell_of, point, process, sample, stats

from stressrunner.engine.loop_watch import Late
from stressrunner.metrics.summary import ErrorGroup, ErrorSampleRecord, stats_of
from stressrunner.plan.outcome import Outcome
from stressrunner.verdict.outcome import ThresholdOutcome
from stressrunner.verdict.validity import Lag, Observation, judge_validity

GOOD = Observation(
    totals=stats([100.0] * 200),
    errors=(),
    generators=(process(point(0.0), point(1.0, cpu=0.5)),),
    open_load=True,
    stopped_early=False,
)


def errors(kind, count, message="what went wrong"):
    """Return the errors of one kind."""
    return ErrorGroup(kind, count, 0.0, 1.0, (ErrorSampleRecord(0.0, "home", None, message, ""),))


def busy(*stretches):
    """Return a generator that is looked at every second, with so many looks at so much CPU one after the other."""
    cpus = [cpu for looks, cpu in stretches for _ in range(looks)]
    return process(*(point(float(second), cpu=cpu) for second, cpu in enumerate(cpus)))


def test_a_good_run_is_valid():
    """There is nothing to say about it."""
    assert judge_validity(GOOD).state == "valid"
    assert judge_validity(GOOD).reasons == ()


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({"totals": stats()}, "invalid", "nothing was measured: no request was sent"),
        ({"totals": stats(unfinished=5)}, "invalid", "no request was completed"),
        (
            {"totals": stats(failed=9), "errors": (errors("refused", 9, "nothing listens at 127.0.0.1:9"),)},
            "invalid",
            "the target was never reached: nothing listens at 127.0.0.1:9;",
        ),
        (
            {"totals": stats(failed=9), "errors": (errors("refused", 8), errors("dns", 1))},
            "invalid",
            "never reached",
        ),
        ({"totals": stats(failed=9), "errors": (errors("refused", 8), errors("timeout", 1))}, "valid", ""),
        ({"totals": stats([5.0], failed=9), "errors": (errors("refused", 9),)}, "valid", ""),
        ({"totals": stats(failed=9), "errors": ()}, "valid", ""),
        (
            {"totals": stats([100.0] * 98, failed=2), "errors": (errors("generator", 2),)},
            "invalid",
            "2 % of the requests failed because this machine ran out of descriptors or ports; raise 'ulimit -n'",
        ),
        ({"totals": stats([100.0] * 99, failed=1), "errors": (errors("generator", 1),)}, "valid", ""),
        ({"totals": stats([100.0] * 99, failed=1), "errors": (errors("generator", 50),)}, "valid", ""),
        (
            {"totals": stats([100.0] * 90, not_reached=10)},
            "invalid",
            "10 % of the planned requests were not sent before the load ended; lower the load",
        ),
        ({"totals": stats([100.0] * 99, not_reached=1)}, "valid", ""),
        ({"totals": stats([100.0] * 90, not_reached=10), "stopped_early": True}, "valid", ""),
        ({"totals": stats([100.0] * 90, skipped=10)}, "valid", ""),
        ({"totals": stats([100.0] * 90, dropped=10)}, "valid", ""),
        ({"generators": (busy((3, 0.2), (5, 0.9)),)}, "suspect", "more than 80 % of a core for 5 s"),
        ({"generators": (busy((3, 0.2), (4, 0.9)),)}, "valid", ""),
        ({"generators": (busy((3, 0.2), (4, 0.9), (1, 0.7), (4, 0.9)),)}, "valid", ""),
        ({"generators": (busy((3, 0.2), (9, 0.8)),)}, "valid", ""),
        ({"generators": (busy((3, 0.2), (9, 0.9)),), "open_load": False}, "valid", ""),
        ({"generators": (process(),)}, "valid", ""),
        ({"generators": (busy((9, 0.2)), busy((7, 0.9)))}, "suspect", "80 % of a core for 6 s"),
        ({"generators": (busy((9, 0.7)), busy((9, 0.7)))}, "valid", ""),
    ],
)
def test_each_rule_has_two_sides(changes, state, reason):
    """A run just beyond a limit has the reason, one just within does not."""
    validity = judge_validity(replace(GOOD, **changes))
    assert validity.state == state
    assert any(reason in said for said in validity.reasons) if reason else validity.reasons == ()


def test_all_reasons_are_given():
    """Faults of the generator are a sentence each."""
    both = replace(
        GOOD,
        totals=stats([100.0] * 80, failed=10, not_reached=10),
        errors=(errors("generator", 10),),
        lag=Lag(offered=0.9),
    )
    assert len(judge_validity(both).reasons) == 3
    assert judge_validity(both).cause == "generator"


def test_a_target_that_answers_badly_was_reached():
    """A response of any status is one of the target, whatever a warm-up had met before."""
    answered = replace(stats(failed=9), status={"503": 9})
    observation = replace(GOOD, totals=answered, errors=(errors("refused", 20),))
    assert judge_validity(observation).state == "valid"


MS = 1_000_000


def lagged(*parts):
    """Return the figures of requests in parts of (how many, ms as measured, ms of them the generator's own)."""
    samples = [
        sample(ms, late=Late(round(own * MS), round(own * MS)) if own else None)
        for count, ms, own in parts
        for _ in range(count)
    ]
    return stats_of([cell_of(samples)], planned=len(samples), duration_s=10.0)


FEW = lagged((180, 3, 0), (20, 50, 47))  # a tenth is late: p95 and p99 are off
MANY = lagged((140, 3, 0), (60, 50, 47))


@pytest.mark.parametrize(
    ("totals", "lag", "state", "reason"),
    [
        (lagged((200, 50, 0)), Lag(), "valid", ""),
        (FEW, Lag(), "suspect", "for some time: p95 is 50 ms as measured and 3 ms without it"),
        (lagged((89, 3, 0), (10, 50, 47)), Lag(), "valid", ""),  # fewer than 100
        (lagged((90, 3, 0), (10, 50, 47)), Lag(), "suspect", "p95"),
        (lagged((199, 3, 0), (1, 50, 47)), Lag(), "valid", ""),  # above all percentiles
        (lagged((180, 3, 0), (20, 8, 4.9)), Lag(), "valid", ""),  # by less than 5 ms
        (lagged((180, 3, 0), (20, 8.2, 5.1)), Lag(), "suspect", "p95"),
        (lagged((180, 100, 0), (20, 125, 24)), Lag(), "valid", ""),  # by less than a quarter
        (lagged((180, 100, 0), (20, 134, 33)), Lag(), "valid", ""),
        (lagged((180, 100, 0), (20, 136, 35)), Lag(), "suspect", "p95"),
        (lagged((180, 100, 0), (20, 140, 39)), Lag(), "suspect", "p95"),
        (lagged((80, 3, 0), (60, 50, 47), (60, 900, 0)), Lag(), "invalid", "p50 is 50 ms as measured"),
        (FEW, Lag(max_lag_s=0.05), "valid", ""),
        (FEW, Lag(max_lag_s=0.04), "suspect", "p95"),
        (FEW, Lag(rest=FEW.response_time), "invalid", "it was late again and again"),
        (FEW, Lag(rest=lagged((200, 3, 0)).response_time), "suspect", ""),
        (FEW, Lag(longest_s=0.25, late_in_spell=10), "invalid", "it was away for 250 ms"),
        (FEW, Lag(longest_s=0.24, late_in_spell=10), "suspect", ""),
        (FEW, Lag(longest_s=0.25, late_in_spell=9), "suspect", ""),
        (MANY, Lag(), "invalid", "30 % of the requests were late by more than 5 ms"),
        (lagged((150, 3, 0), (50, 50, 47)), Lag(), "invalid", "25 %"),
        (lagged((151, 3, 0), (49, 50, 47)), Lag(), "suspect", ""),
        (replace(lagged((150, 3, 0), (50, 50, 47)), dropped=1), Lag(), "suspect", ""),  # of what arrived
        (replace(FEW, dropped=1), Lag(longest_s=0.25, late_in_spell=10), "suspect", ""),
        (replace(FEW, dropped=1), Lag(longest_s=0.25, late_in_spell=11), "invalid", "it was away for 250 ms"),
        (lagged((200, 3, 0)), Lag(offered=0.98), "invalid", "it released 2 % of the arrivals too late"),
        (lagged((200, 3, 0)), Lag(offered=0.99), "valid", ""),
        (
            lagged((200, 3, 0)),
            Lag(idle_s=1.3, duration_s=5),
            "invalid",
            "kept from running for 26 % of the time",
        ),
        (lagged((200, 3, 0)), Lag(idle_s=1.25, duration_s=5), "valid", ""),
        (lagged((200, 3, 0)), Lag(idle_s=0.9, duration_s=1), "valid", ""),
    ],
)
def test_lag_makes_a_run_suspect_or_invalid(totals, lag, state, reason):
    """Figures that are off are a warning; off by habit, or in a long spell that many felt, they are none."""
    validity = judge_validity(replace(GOOD, totals=totals, lag=lag))
    assert validity.state == state
    assert any(reason in said for said in validity.reasons) if reason else True
    assert (validity.state == "valid") is (validity.reasons == ())


def test_what_never_ended_is_no_excuse_for_lag():
    """Timeouts of the generator's making are off against times that are none."""
    ours = [sample(30_000, Outcome.FAILED, never=True, late=Late(0, is_ours=True))] * 20
    series = cell_of([sample(3)] * 180 + ours)
    totals = stats_of([series], planned=200, duration_s=10.0)
    assert totals.response_time.p95_s is None
    validity = judge_validity(replace(GOOD, totals=totals, lag=Lag(longest_s=2.0, late_in_spell=20)))
    assert validity.state == "invalid"
    assert "p95 is never as measured and 3 ms without it" in validity.reasons[0]


def test_an_endpoint_that_is_off_is_named():
    """It is a warning, and invalid where the generator was late by habit."""
    slow, fast = lagged((600, 900, 0)), lagged((180, 3, 0), (20, 50, 47))
    validity = judge_validity(replace(GOOD, totals=slow, endpoints={"slow": slow, "fast": fast}))
    assert validity.state == "suspect"
    assert "of 'fast' p95 is 50 ms" in validity.reasons[0]
    late = replace(slow, late=200)
    assert judge_validity(replace(GOOD, totals=late, endpoints={"fast": fast})).state == "invalid"


@pytest.mark.parametrize(("without", "state"), [(0.004, "suspect"), (0.3, "valid"), (None, "valid")])
def test_a_judged_figure_in_our_own_stall_is_suspect(without, state):
    """Also above the percentiles that make a run off, and whether or not the threshold holds."""
    judged = ThresholdOutcome("p99.9 < 500ms", "passed", 0.385, 0.5, "duration", 4500, without_lag=without)
    validity = judge_validity(replace(GOOD, thresholds=(judged,)))
    assert validity.state == state
    if without == 0.004:
        assert "385 ms as measured, and 4 ms without it" in validity.reasons[0]
