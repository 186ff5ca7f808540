"""Which guards a scenario has without asking, and what takes their place: tables of thresholds and what is left."""

import pytest

from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

CLOSED = "load: {concurrency: 1, duration: 1s}"
OPEN = "load: {rate: 1/s, duration: 1s}"
TWO = "endpoints: {good: {get: /}, bad: {get: /bad}}"


def guards(thresholds="[]", load=CLOSED, endpoints=TWO, more=""):
    """Return the default thresholds of a scenario by their texts."""
    text = (
        "stressrunner: 1\nname: n\ntarget: {base_url: 'http://t'}\n"
        f"{endpoints}\n{load}\nthresholds: {thresholds}\n{more}\n"
    )
    scenario = build(load_text(text, environ={}))
    return {threshold.text: threshold for threshold in scenario.thresholds if threshold.is_default}


def left_out(thresholds, guard="errors < 1%", **scenario):
    """Return what the guard leaves to these thresholds, None when it is lifted."""
    found = guards(thresholds, **scenario).get(guard)
    return None if found is None else {tuple(one) for one in found.exempt}


@pytest.mark.parametrize(
    ("thresholds", "exempt"),
    [
        ("[]", set()),
        ("[p95 < 2s]", set()),
        ("[goodput > 5/s]", set()),
        ("[throughput > 5/s]", set()),
        ("[errors < 5%]", None),
        ("[errors < 5% over 1s]", None),
        ("[errors < 5% else warn]", None),
        ("[errors < 5% else abort]", None),
        ("[errors < 5% over 1s else abort after 10s]", set()),
        ("[good.errors < 5%]", {(None, "good")}),
        ("[good.errors < 5% else abort after 1s]", set()),
        ("[good.errors < 5%, bad.errors < 50%]", None),
        ('[{stat: errors, of: good, op: "<", value: 5%}]', {(None, "good")}),
        ('[{stat: errors, op: "<", value: 5%, no_data: pass}]', None),
        ('[{stat: errors, op: "<", value: 5%, over: 1s, no_data: pass}]', set()),
    ],
)
def test_what_lifts_the_guard_on_errors(thresholds, exempt):
    """An unnamed threshold on errors lifts it, one with a name for that alone, and nothing on another figure does."""
    assert left_out(thresholds) == exempt


@pytest.mark.parametrize("op", ["<", "<=", "==", ">", ">=", "!="])
@pytest.mark.parametrize(
    ("guard", "more"),
    [
        ("errors < 1%", ""),
        ("endpoints.errors < 50%", ""),
        ("iterations.errors < 1%", ""),
        ("dropped < 1%", ""),
        ("unfinished < 1%", ""),
        ("not_reached < 1%", "feeders: {users: {values: [a, b], on_end: stop}}"),
        ("user_setup.errors < 1%", "user_setup: [good]"),
        ("user_setup.count == 0", "user_setup: [good]"),
    ],
)
def test_only_a_limit_from_above_lifts_a_guard(guard, more, op):
    """`errors > 5%` and `errors != 2%` say nothing about how many errors are too many."""
    subject = guard.split(" ", 1)[0]
    limit = "7" if subject.endswith("count") else "7%"
    endpoints = "endpoints: {good: {get: '/{{ users }}'}, bad: {get: /bad}}" if "users:" in more else TWO
    found = guards(f"['{subject} {op} {limit}']", OPEN, endpoints, more)
    assert (guard in found) is (op in (">", ">=", "!="))


@pytest.mark.parametrize(
    ("thresholds", "remedy"),
    [
        ("[errors > 5%]", "lift it with 'errors <= 100%'"),
        ("[errors != 2% in peak]", "lift it with 'errors <= 100% in peak'"),
        ("[bad.errors > 5%]", "lift it with 'bad.errors <= 100%'"),
        ("[errors > 5% else warn]", ""),
        ("[iterations.errors > 5%]", ""),
        ("[walk.errors > 5%]", ""),
        ("[p95 > 5ms]", ""),
    ],
)
def test_a_guard_that_a_threshold_contradicts_says_how_to_lift_it(thresholds, remedy):
    """A lower limit on errors is meant, so the report of the guard has the line to write beside it."""
    flow = "flows: {walk: [good]}\nmix: {walk: 1, bad: 1}"
    text = guards(thresholds, PHASES, more=flow)["errors < 1%"].remedy
    assert text.endswith(remedy)
    assert bool(text) is bool(remedy)
    if remedy:
        line = remedy.split("'")[1]
        assert left_out(f"{thresholds[:-1]}, {line}]", load=PHASES, more=flow) != set()


def test_a_count_that_a_threshold_contradicts_is_lifted_by_a_warning():
    """Counts have no limit that all keep, so what lifts their guard is the guard itself with `else warn`."""
    contradicted = guards("[user_setup.count > 3]", more="user_setup: [good]")["user_setup.count == 0"]
    assert contradicted.remedy.endswith("lift it with 'user_setup.count == 0 else warn'")
    lifted = "[user_setup.count > 3, user_setup.count == 0 else warn]"
    assert "user_setup.count == 0" not in guards(lifted, more="user_setup: [good]")


PHASES = """load:
  - {name: warm, warmup: true, concurrency: 1, duration: 1s}
  - {name: hold, concurrency: 1, duration: 1s}
  - {name: peak, concurrency: 2, duration: 1s}
"""


@pytest.mark.parametrize(
    ("thresholds", "exempt"),
    [
        ("[errors < 5% in peak]", {("peak", None)}),
        ("[errors < 5% in warm]", set()),
        ("[errors < 5% in peak, errors < 5% in hold]", None),
        ("[good.errors < 5% in peak]", {("peak", "good")}),
        ("[good.errors < 5% in peak, bad.errors < 5%, good.errors < 9% in hold]", None),
    ],
)
def test_a_phase_lifts_the_guard_on_errors_for_itself(thresholds, exempt):
    """`in PHASE` takes that phase out of the guard, or that phase of one endpoint."""
    assert left_out(thresholds, load=PHASES) == exempt


WORKLOADS = """
flows: {both: [good, bad]}
traffic:
  buyers: {flow: [{send: both, name: basket}], load: [{name: slow, concurrency: 1, duration: 1s}, {name: quick, concurrency: 1, duration: 1s}]}
  readers: {mix: {good: 1}, load: {concurrency: 1, duration: 1s}}
"""


@pytest.mark.parametrize(
    ("thresholds", "exempt"),
    [
        ("[buyers.errors < 5%]", {("slow", None), ("quick", None)}),
        ("[buyers.errors < 5% in quick]", {("quick", None)}),
        ("[buyers.errors < 5%, readers.errors < 5%]", None),
        ("[both.errors < 5%, basket.errors < 5%, flow.errors < 5%]", set()),
        ("[bad.errors < 5%]", {(None, "bad")}),
    ],
)
def test_a_workload_lifts_the_guard_on_errors_for_itself(thresholds, exempt):
    """The name of a workload takes its phases out of the guard; flows and named steps cover no requests."""
    assert left_out(thresholds, load="", more=WORKLOADS) == exempt


@pytest.mark.parametrize(
    ("thresholds", "exempt"),
    [
        ("[]", set()),
        ("[errors < 5%]", set()),
        ("[errors <= 100%]", None),
        ("[endpoints.errors <= 100%]", set()),
        ("[workloads.errors < 90%]", None),
        ("[errors < 5% in quick]", {("quick", None)}),
        ("[readers.errors <= 100%]", {("readers", None)}),
        ("[buyers.errors <= 100%, readers.errors <= 100%]", None),
        ("[bad.errors <= 100%]", {(None, "bad")}),
    ],
)
def test_what_lifts_the_guard_on_workloads(thresholds, exempt):
    """A threshold on its errors takes a workload out; one on all requests does when it lets half of them fail."""
    assert left_out(thresholds, "workloads.errors < 50%", load="", more=WORKLOADS) == exempt


def test_a_load_without_workloads_has_no_guard_on_them():
    """Without `traffic` everything is one load, which the guard on errors judges."""
    assert "workloads.errors < 50%" not in guards()


@pytest.mark.parametrize(
    ("thresholds", "exempt"),
    [
        ("[]", set()),
        ("[errors < 5%]", set()),
        ("[throughput > 5/s, goodput > 5/s]", set()),
        ("[dropped == 0]", None),
        ("[dropped < 5 else warn]", None),
        ("[good.dropped < 5]", {(None, "good")}),
    ],
)
def test_what_lifts_the_guard_on_dropped_arrivals(thresholds, exempt):
    """With a rate, only a threshold on dropped lifts the guard on what could not be sent."""
    assert left_out(thresholds, "dropped < 1%", load=OPEN) == exempt


def test_users_drop_nothing():
    """Without a rate there are no arrivals to drop, and no guard on them."""
    assert "dropped < 1%" not in guards()


@pytest.mark.parametrize(
    ("thresholds", "exempt"),
    [
        ("[]", set()),
        ("[errors < 1%]", set()),
        ("[errors < 50%]", set()),
        ("[errors < 60%]", None),
        ("[errors > 40%]", set()),
        ("[errors <= 100% in hold]", set()),
        ("[errors < 1% else warn]", None),
        ("[endpoints.errors < 5%]", None),
        ("[endpoints.errors < 5% in hold]", set()),
        ("[bad.errors <= 100%]", {(None, "bad")}),
        ("[bad.errors <= 100% in peak]", {("peak", "bad")}),
        ("[good.errors < 1%, bad.errors < 1%]", None),
    ],
)
def test_what_lifts_the_guard_on_single_endpoints(thresholds, exempt):
    """A limit on all errors leaves it, unless that lets half of all fail; one on an endpoint takes its place there."""
    assert left_out(thresholds, "endpoints.errors < 50%", load=PHASES) == exempt
