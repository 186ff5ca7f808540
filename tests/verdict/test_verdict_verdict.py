"""The verdict: the order of outcomes, their exit codes, and the sentences that give the reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_figures import figures, phase, process, stats

from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.verdict.outcome import ThresholdOutcome, Validity
from stressrunner.verdict.thresholds import evaluate
from stressrunner.verdict.verdict import judge

VALID, SUSPECT = Validity("valid"), Validity("suspect", ("the generator was late",))
INVALID = Validity("invalid", ("nothing was measured",))


def outcome(state):
    """Return a threshold in a state."""
    return ThresholdOutcome("p95 < 1s", state, 0.9, 1.0, "duration", 20, "only 20 samples; p95 needs 59")


@pytest.mark.parametrize(
    ("states", "validity", "how", "expected", "code"),
    [
        ([], VALID, {}, "passed", 0),
        (["passed", "warned", "skipped", "unproven"], VALID, {}, "passed", 0),
        (["passed"], SUSPECT, {}, "passed", 0),
        (["passed", "failed"], VALID, {}, "failed", 3),
        (["passed", "failed"], SUSPECT, {}, "failed", 3),
        (["failed"], INVALID, {}, "invalid", 4),
        (["passed"], INVALID, {}, "invalid", 4),
        (["failed"], INVALID, {"interrupted": "interrupted by the user"}, "aborted", 130),
        (["passed"], VALID, {"interrupted": "interrupted by the user"}, "aborted", 130),
        (["unproven"], VALID, {"strict": True}, "failed", 3),
        (["warned", "skipped"], VALID, {"strict": True}, "passed", 0),
    ],
)
def test_the_first_that_applies(states, validity, how, expected, code):
    """Aborted before invalid before failed before passed."""
    verdict = judge([outcome(state) for state in states], validity, **how)
    assert (verdict.outcome, verdict.exit_code) == (expected, code)
    assert bool(verdict.reasons) == (expected != "passed")


def test_reasons_of_an_end_before_its_time():
    """They are those of the validity, or the interrupt itself."""
    assert judge([outcome("failed")], INVALID).reasons == INVALID.reasons
    assert judge([], VALID, interrupted="interrupted by the user").reasons == ("interrupted by the user",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("p95 < 1s", "p95 is 1.2 s, limit 1 s"),
        (
            "login.p95(service_time) <= 500ms in hold else abort",
            "login.p95(service_time) in hold is 1.2 s, limit 500 ms",
        ),
        ("p95 < 1.1999s", "p95 is just over 1.2 s, limit 1.2 s"),
        ("p99.5 < 1s", "p99.5: never: more than 0.5 % did not finish; limit 1 s"),
        ("errors < 1%", "errors are 1.64 %, limit 1 %"),
        ("throughput >= 95/s", "throughput is 61/s, limit 95/s"),
        ("dropped == 0", "dropped is 3, limit 0"),
        ("count >= 1000", "count is 610, limit 1,000"),
        ("max < 1s", "max is 1.2 s, limit 1 s (13 that never ended are left out)"),
        ("server.memory < 1GB", "server.memory: pid 4711: there is no process 4711; limit 1 GB"),
        (
            "p95 < 1s in hlod",
            "p95 in hlod: no phase named 'hlod' was measured; did you mean 'hold'?; limit 1 s",
        ),
    ],
)
def test_a_failed_threshold_in_one_sentence(text, reason):
    """What was measured beside the limit, or why there is no figure."""
    slow = stats([1200.0] * 600, never=10, dropped=3)
    subject = figures(
        slow,
        endpoints={"login": slow},
        phases=[phase("hold", slow)],
        monitors={"server": process(reason="there is no process 4711")},
        phase_endpoints={("hold", "login"): slow},
    )
    verdict = judge([evaluate(parse_threshold(text), subject)], VALID)
    assert verdict.reasons == (reason,)


def test_an_unproven_threshold_in_one_sentence():
    """Under --strict it says how many samples it takes."""
    verdict = judge([outcome("unproven")], VALID, strict=True)
    assert verdict.reasons == ("p95 is not proven: only 20 samples; p95 needs 59",)


@given(st.floats(1e-6, 1e4), st.sampled_from([-1, 1]))
def test_what_was_measured_never_reads_as_the_limit(limit, side):
    """Rounding must not make a failure look like an equality."""
    measured = limit * (1 + side * 1e-7)
    failed = ThresholdOutcome("p95 < x", "failed", measured, limit, "duration", 99)
    (reason,) = judge([failed], VALID).reasons
    if measured != limit:
        shown, _, shown_limit = reason.removeprefix("p95 is ").partition(", limit ")
        assert shown != shown_limit
