"""Loads that end before their plan is carried out: rows that come to their end, and what is said of them."""

from dataclasses import replace

import pytest
from engine.virtual_load import scenario_of, virtual_run

from stressrunner.http.fake import FakeAnswer
from stressrunner.masking import Masker
from stressrunner.plan.plan import compile_plan
from stressrunner.run.early_end import why_ended_early
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.verdict.figures import Figures
from stressrunner.verdict.thresholds import evaluate

ROWS = "feeders: {w: {values: [1, 2, 3, 4, 5, 6], on_end: stop%s}}\nendpoints: {a: {get: '/{{ w }}'}, b: {get: /b}}\n"
ONE = ROWS % "" + "mix: {a: 1}\n"


def ended(text, **how):
    """Run a scenario; return it, what was measured, and why it ended early."""
    scenario = scenario_of(text)
    ran = virtual_run(scenario, lambda *_: FakeAnswer(0.1), **how)
    plan = compile_plan(scenario, seed=1, run_id="r")
    return scenario, ran, why_ended_early(plan, ran.summary, Masker(()))


def guard(scenario, ran):
    """Return what became of the guard on what was not reached; None where the scenario has none."""
    summary = ran.summary
    figures = Figures(
        summary.totals, summary.endpoints, {p.name: p for p in summary.phases}, {}, summary.workloads
    )
    found = [t for t in scenario.thresholds if t.stat == "not_reached"]
    return evaluate(found[0], figures) if found else None


@pytest.mark.parametrize(
    ("load", "planned", "sent"),
    [
        ("{concurrency: 2}", 6, 6),
        ("{rate: 5/s}", 6, 6),
        ("{rate: 7/s, arrivals: poisson}", 6, 6),
        ("[{concurrency: 1, requests: 2, warmup: true}, {rate: 5/s}]", 4, 4),
    ],
)
def test_rows_are_the_plan_where_nothing_else_ends_a_load(load, planned, sent):
    """Each row is taken once, and a load that has come to the end of them has not ended early."""
    scenario, ran, why = ended(f"{ONE}load: {load}")
    assert (ran.totals.planned, ran.totals.sent, ran.totals.not_reached) == (planned, sent, 0)
    assert why == ""
    judged = guard(scenario, ran)
    assert judged is None or judged.state == "passed"
    assert sorted(ran.sent) == [f"GET /{n}" for n in range(1, 7)]


def test_what_timed_phases_leave_of_the_rows_is_not_known_beforehand():
    """Users take as many rows as they come to; the rest is for the phase without an end."""
    text = f"{ONE}load: [{{concurrency: 1, duration: 0.25s}}, {{name: rest, rate: 5/s}}]"
    scenario, ran, why = ended(text)
    rest = ran.summary.phases[1]
    assert (ran.totals.planned, ran.totals.sent, rest.totals.sent) == (6, 6, 3)
    assert (why, guard(scenario, ran).state) == ("", "passed")
    assert ran.summary.timeline[0].offered is None


@pytest.mark.parametrize("part", [(0, 2), (1, 2)])
def test_generators_share_the_rows(part):
    """Two generators take three rows each, with a rate and without."""
    for load in ("{concurrency: 2}", "{rate: 5/s}"):
        _, ran, _ = ended(f"{ONE}load: {load}", shard=part)
        assert ran.totals.sent == 3


@pytest.mark.parametrize(
    ("load", "ratio", "why"),
    [
        ("{concurrency: 2, requests: 100}", 0.94, "the feeder 'w' came to its end after 6 of 100 iterations"),
        ("{rate: 10/s, duration: 10s}", 0.94, "the feeder 'w' came to its end after 6 of 100 iterations"),
        ("{concurrency: 2, duration: 10s}", 0.98, "the feeder 'w' came to its end after 6 iterations"),
    ],
)
def test_a_load_that_its_rows_ended_too_early_has_not_passed(load, ratio, why):
    """Of the requests or of the time less than one percent may be missing; what ended the load is told."""
    scenario, ran, told = ended(f"{ONE}load: {load}")
    judged = guard(scenario, ran)
    assert (judged.text, judged.state, judged.is_default) == ("not_reached < 1%", "failed", True)
    assert judged.measured == pytest.approx(ratio, abs=0.001)
    assert told == why


def test_rows_that_suffice_are_no_early_end():
    """A phase that comes to its own end first has reached all of it."""
    scenario, ran, why = ended(f"{ONE}load: {{concurrency: 1, duration: 0.45s}}")
    assert (guard(scenario, ran).measured, why) == (0, "")


def test_requests_that_draw_rows_share_them():
    """With a row for each request, iterations of two requests are half as many as rows."""
    text = ROWS % ", per: request" + "load: {concurrency: 1}\nflow: [a, {get: '/second/{{ w }}'}]"
    _, ran, why = ended(text)
    assert (ran.totals.planned, ran.totals.sent, why) == (6, 6, "")


def test_a_workload_ends_by_its_own_rows():
    """Another workload beside it goes on, and which one ended is said."""
    text = ROWS % "" + (
        "traffic:\n  feeding: {mix: {a: 1}, load: {concurrency: 1, requests: 10}}\n"
        "  other: {mix: {b: 1}, load: {concurrency: 1, requests: 10}}\n"
    )
    _, ran, why = ended(text)
    assert {name: stats.sent for name, stats in ran.summary.workloads.items()} == {"feeding": 6, "other": 10}
    assert why == "the workload 'feeding' ended: the feeder 'w' came to its end after 6 of 10 iterations"


def test_there_is_no_guard_without_rows_that_end():
    """Feeders that repeat, and users' own rows, end no load."""
    for more in (", order: random", ", per: user"):
        scenario = scenario_of(ROWS % more + "load: {concurrency: 1, requests: 9}\nmix: {a: 1}")
        assert "not_reached < 1%" not in {threshold.text for threshold in scenario.thresholds}


def test_what_cut_a_load_off_comes_before_rows():
    """An interrupt is named first, then what the load ran into, then a threshold."""
    scenario, ran, _ = ended(f"{ONE}load: {{concurrency: 2, requests: 100}}")
    plan, broken = compile_plan(scenario, seed=1, run_id="r"), parse_threshold("errors < 5%")
    masker = Masker(["limits.s3cret"])
    told = why_ended_early(plan, ran.summary, masker, cut_off=("limits.s3cret was hit",), broken=broken)
    assert told == "*** was hit"
    assert why_ended_early(plan, ran.summary, masker, broken=broken) == "'errors < 5%' was broken"
    assert (
        why_ended_early(plan, ran.summary, masker, cut_off=("x",), interrupted="by the user") == "by the user"
    )


def test_not_reached_is_a_figure_of_thresholds():
    """As a count and as a part; a phase, and an endpoint alone; over a window it means nothing."""
    _, ran, _ = ended(
        f"{ONE}load: [{{name: one, concurrency: 2, requests: 4}}, {{name: two, rate: 1/s, duration: 8s}}]"
    )
    summary = ran.summary
    figures = Figures(
        summary.totals,
        summary.endpoints,
        {p.name: p for p in summary.phases},
        {},
        summary.workloads,
        phase_endpoints=summary.phase_endpoints,
    )
    measured = {
        text: evaluate(parse_threshold(text), figures).measured
        for text in (
            "not_reached == 0",
            "not_reached < 50%",
            "not_reached < 1% in one",
            "a.not_reached == 6 in two",
        )
    }
    assert list(measured.values()) == [6, 0.5, 0, 6]
    with pytest.raises(ValueError, match="known at the end alone"):
        parse_threshold("not_reached < 1% over 5s")


def test_results_of_before_it_was_kept_have_the_part_of_the_requests():
    """`check` on an older file reads what it says of requests."""
    _, ran, _ = ended(f"{ONE}load: {{concurrency: 2, requests: 100}}")
    older = replace(ran.totals, not_reached_ratio=None)
    judged = evaluate(parse_threshold("not_reached < 1%"), Figures(older, {}, {}, {}))
    assert judged.measured == 0.94


def test_a_guard_on_the_end_can_be_lifted():
    """A threshold on the same figure takes its place."""
    described = scenario_of(
        f"{ONE}load: {{concurrency: 2, requests: 100}}\nthresholds: [not_reached < 95%, unfinished < 5%]"
    )
    texts = [threshold.text for threshold in described.thresholds]
    assert not {"not_reached < 1%", "unfinished < 1%"} & set(texts)
    ran = virtual_run(described, lambda *_: FakeAnswer(0.1))
    assert guard(described, ran).state == "passed"
