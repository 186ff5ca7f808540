"""What follows from whole loads, run in virtual time: outcome, exit code and the first reason."""

from datetime import UTC, datetime

import pytest
from engine.virtual_load import virtual_run
from verdict.made_figures import point, process

from stressrunner.http.fake import FakeAnswer
from stressrunner.masking import Masker
from stressrunner.plan.plan import compile_plan
from stressrunner.run.judgement import Ending, Measured, RunOrigin, result_of
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

ONE = "endpoints: {one: {get: /one%s}, login: {post: /login}}\nmix: {one: 1}\n"


def result(text, answer, **how):
    """Run a scenario and judge it."""
    head = "stressrunner: 1\nname: test\ntarget: {base_url: 'http://target'}\n"
    document = load_text(head + text, environ={})
    scenario = build(document)
    ran = virtual_run(scenario, answer, **how)
    plan = compile_plan(scenario, seed=1, run_id="r")
    origin = RunOrigin(document, scenario, plan, (), datetime.now(UTC), Masker(()), 0)
    measured = Measured(ran.summary, process(point(0.0), point(1.0)), failure=ran.failure)
    return result_of(origin, measured, Ending())


def failed(judged):
    """Return the thresholds that have failed."""
    return [outcome.text for outcome in judged.thresholds if outcome.state == "failed"]


@pytest.mark.parametrize("load", ["{rate: 100/s, duration: 2s}", "{concurrency: 3, iterations: 200}"])
@pytest.mark.parametrize("freezes", [(), ((0.5, 0.4),)])
def test_a_target_that_refuses_everything_fails(load, freezes):
    """All 422 is the target's answer, also where the generator stood still: wrong replies are certain."""
    judged = result(ONE % "" + f"load: {load}", lambda *_: FakeAnswer(0.01, status=422), freezes=freezes)
    assert judged.totals.status == {"422": 200}
    assert judged.verdict.exit_code == 3
    assert "errors < 1%" in failed(judged)
    if not freezes:
        assert judged.validity.state == "valid"


def test_a_target_whose_refusals_are_expected_has_no_data_on_errors():
    """All 422 that the scenario calls refused is neither a success nor an error, which is no pass."""
    refused = ONE % ", refused: status == 422"
    judged = result(refused + "load: {rate: 100/s, duration: 2s}", lambda *_: FakeAnswer(0.01, status=422))
    assert (judged.totals.refused, judged.totals.failed) == (200, 0)
    assert judged.validity.state == "valid"
    assert judged.verdict.exit_code == 3
    assert failed(judged) == ["errors < 1%"]
    assert judged.verdict.reasons == ("errors: nothing was measured; limit 1 %",)


OVERFLOW = "load: {rate: 100/s, duration: 60s, max_in_flight: 10, overflow: abort}"


def test_a_target_that_answers_nothing_fails_a_load_that_ends_for_that():
    """The scenario says how much may be in flight; that nothing was completed then is what the target did."""
    judged = result(ONE % "" + OVERFLOW, lambda *_: FakeAnswer(20))
    assert (judged.totals.completed, judged.totals.sent) == (0, 10)
    assert judged.verdict.exit_code == 3
    assert judged.verdict.reasons[0] == "max_in_flight of 10 iterations was reached, and overflow is abort"
    assert judged.validity.state == "valid"


def test_an_overflow_of_our_making_is_no_failure_of_the_target():
    """What was released late all at once finds too much in flight, whatever the target does."""
    judged = result(ONE % "" + OVERFLOW, lambda *_: FakeAnswer(0.01), freezes=((0.5, 0.4),))
    assert judged.verdict.exit_code == 4
    assert judged.validity.cause == "generator"
    assert "what it released late found too much in flight, which ended the load" in judged.verdict.reasons[0]


@pytest.mark.parametrize(("service_s", "code", "state"), [(0.01, 4, "turned"), (0.3, 3, "failed")])
def test_drops_of_a_freeze_alone_are_no_failure_of_the_target(service_s, code, state):
    """A run that is suspect at most has no answer where only the generator's freeze drops; a slow target has one."""
    load = "load: {rate: 100/s, duration: 60s, max_in_flight: 20, overflow: drop}"
    judged = result(ONE % "" + load, lambda *_: FakeAnswer(service_s), freezes=((5.0, 0.9),))
    (guard,) = (outcome for outcome in judged.thresholds if outcome.text == "dropped < 1%")
    assert guard.measured > 0.01
    assert (guard.state, judged.verdict.exit_code) == (state, code)
    assert judged.validity.state != "invalid"


SETUP = ONE % "" + "user_setup: [login]\n"


def test_who_cannot_be_set_up_is_the_first_reason():
    """The request, its status and its count stand before the figures that follow from it."""
    judged = result(SETUP + "load: {concurrency: 3, duration: 2s}", lambda *_: FakeAnswer(0.01, status=403))
    assert judged.totals.sent == 0
    assert judged.verdict.exit_code == 3
    count = judged.excluded["user_setup"].failed
    assert f"('login' failed {count} times: http 403)" in judged.verdict.reasons[0]
    assert failed(judged)[0] == "errors < 1%"  # reports keep their order
    assert judged.verdict.reasons[-1] == "errors: nothing was measured; limit 1 %"


def test_logins_that_are_refused_are_certain():
    """A generator in doubt makes no 403; the doubt is the second reason."""

    def answer(number, request):
        is_refused = request.target == "/login" and number % 2
        return FakeAnswer(0.01, status=403 if is_refused else 200)

    load = "load: {concurrency: 20, duration: 3s}"
    judged = result(SETUP + load, answer, freezes=((0.3, 1.5),))
    assert judged.validity.state == "invalid"
    assert judged.verdict.exit_code == 3
    assert judged.verdict.reasons[0].startswith("user_setup.errors are")
    assert judged.verdict.reasons[1] == judged.validity.reasons[0]
