"""Whether the generator or the target was measured: a table with a row for every rule, on both of its sides."""

from dataclasses import replace

import pytest
from made_figures import latency, point, process, stats

from stressrunner.metrics.summary import ErrorGroup, ErrorSampleRecord
from stressrunner.verdict.validity import Observation, judge_validity

GOOD = Observation(
    totals=stats([100.0] * 200),
    errors=(),
    lag=latency([0.5] * 200),
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
        (
            {"lag": latency([26.0] * 200)},
            "invalid",
            "p99 of its lag is 26 ms, more than a quarter of the response",
        ),
        (
            {"lag": latency([24.0] * 200)},
            "suspect",
            "p99 of its lag is 24 ms, more than 5 % of the service times",
        ),
        ({"lag": latency([4.9] * 200), "totals": stats([10.0] * 200)}, "valid", ""),
        ({"lag": latency([5.5] * 200), "totals": stats([1000.0] * 200)}, "valid", ""),
        ({"lag": latency([26.0] * 200), "totals": stats([100.0], never=99)}, "valid", ""),
        ({"lag": latency([3.0] * 200), "totals": stats(failed=200)}, "valid", ""),
        ({"lag": latency([26.0] * 200), "totals": stats(failed=200)}, "invalid", "the generator was late"),
        ({"lag": latency([0.1] * 197 + [90.0] * 3)}, "invalid", "the generator was late"),
        ({"lag": latency([0.1] * 198 + [90.0] * 2)}, "valid", ""),
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
    """Two faults of the generator are two sentences."""
    both = replace(
        GOOD,
        totals=stats([100.0] * 80, failed=10, not_reached=10),
        errors=(errors("generator", 10),),
        lag=latency([90.0] * 90),
    )
    assert len(judge_validity(both).reasons) == 3


def test_a_target_that_answers_badly_was_reached():
    """A response of any status is one of the target, whatever a warm-up had met before."""
    answered = replace(stats(failed=9), status={"503": 9})
    observation = replace(GOOD, totals=answered, errors=(errors("refused", 20),))
    assert judge_validity(observation).state == "valid"
