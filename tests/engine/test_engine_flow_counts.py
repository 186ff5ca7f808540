"""Flows made up at random: whatever happens in them, every planned request is accounted for."""

import json
from collections import Counter
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_load import endpoint, feeder, scenario, virtual_run

from stressrunner.http.fake import FakeAnswer
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.model import Closed, Open, Phase
from stressrunner.scenario.steps import Flow, Group, Parallel, Repeat, Send, Step, Think

CONDITIONS = (None, None, None, "iteration % 2 == 0", "always()", "failure()", "status == 200")
EACH = (None, None, None, "[1, 2]", "nothing")
REPEATS = (None, None, Repeat(2), Repeat(3, "status == 200"), Repeat(None, "status == 200", "1s", 2.5))


def steps(depth):
    """Return a strategy for a step with any modifiers."""
    actions = [
        st.sampled_from("abc").map(lambda name: Send(name, (), {})),
        st.just(Think(0.5, 1.5)),
    ]
    if depth:
        inner = st.lists(steps(depth - 1), min_size=1, max_size=3).map(tuple)
        actions += [inner.map(Group), inner.map(Parallel)]
    return st.builds(
        Step,
        action=st.one_of(actions),
        name=st.sampled_from([None, "whole"]),
        condition=st.sampled_from(CONDITIONS),
        each=st.sampled_from(EACH),
        repeat=st.sampled_from(REPEATS),
        continue_on_error=st.booleans(),
    )


flows = st.lists(steps(2), min_size=1, max_size=4).map(
    lambda listed: Flow((Step(Send("a", (), {})), *listed))
)


def of(flow, users=2, iterations=3, graceful_stop_s=10_000, *, shape=None, **changes):
    """Return a scenario of a flow."""
    endpoints = [endpoint(name, path=f"/{name}/{{{{ random_int(0, 10**9) }}}}") for name in "abc"]
    # Pauses of a flow may add up to more than iterations usually get to finish in.
    shape = shape or Closed(users, iterations=iterations)
    phase = Phase("p", shape, graceful_stop_s=graceful_stop_s)
    return scenario(phase, traffic=Flow(flow.steps), endpoints=endpoints, **changes)


@settings(max_examples=50)
@given(flows, st.integers(0, 2**32))
def test_planned_requests_are_all_accounted_for(flow, failures):
    """Sent and skipped requests add up to the planned ones, of every endpoint; no two messages have one token."""

    def answer(number, request):
        return FakeAnswer(0.01, status=500 if failures >> number % 32 & 1 else 200)

    ran = virtual_run(of(flow), answer)
    for stats in ran.summary.endpoints.values():
        assert stats.planned == stats.sent + stats.skipped
        assert stats.not_reached == stats.dropped == stats.unfinished == 0
    assert len(ran.samples) == ran.totals.sent
    tokens = [json.loads(exchange.request.body)["token"] for exchange in ran.exchanges if exchange]
    assert len(set(tokens)) == len(tokens)


@settings(max_examples=20)
@given(
    flows,
    st.integers(1, 40) | st.none(),
    st.sampled_from([None, 0.0, 0.3, 3.0]),
    st.sampled_from([0.01, 0.7, 50]),
    st.sampled_from([None, 1, 7, 40]),
    st.sampled_from(
        [
            Closed(3, iterations=30),
            Open(Fraction(10), Fraction(3), 4),
            Open(Fraction(10), Fraction(3), 4, overflow="drop"),
        ]
    ),
)
def test_what_a_cut_prevents_is_skipped(flow, stop_at_s, graceful_stop_s, service_s, rows, shape):
    """Whatever ends a load, its plan is accounted for; only iterations that were never begun are not reached."""
    feeders = {"rows": feeder(*range(rows), on_end="stop")} if rows else {}
    described = of(flow, graceful_stop_s=graceful_stop_s, shape=shape, feeders=feeders)
    each = compile_plan(described, seed=1, run_id="r").planned(0)
    ran = virtual_run(described, lambda *_: FakeAnswer(service_s), stop_at_s=stop_at_s)
    missing = set()
    for index, stats in enumerate(ran.summary.endpoints.values()):
        assert stats.planned == stats.sent + stats.skipped + stats.dropped + stats.not_reached
        assert stats.sent == stats.completed + stats.unfinished
        assert stats.completed == stats.ok + stats.failed + stats.refused + stats.superseded
        if of_each := each.get(index, 0) // 30:
            missing.add(stats.not_reached / of_each)
        else:
            assert stats.not_reached == 0
    assert len(missing) == 1
    assert (never_begun := missing.pop()).is_integer()
    assert never_begun >= 30 - (rows or 30)
    if stop_at_s is None:
        assert never_begun == max(0, 30 - (rows or 30))


@settings(max_examples=20)
@given(flows, st.integers(0, 2**32))
def test_generators_draw_what_one_draws(flow, failures):
    """Shards send together what one generator sends, whatever fails in it, to the last random number."""

    def answer(number, request):
        return FakeAnswer(0.01, status=500 if failures >> sum(request.target.encode()) % 32 & 1 else 200)

    def sent(shard):
        ran = virtual_run(of(flow, users=3, iterations=6), answer, shard=shard)
        return Counter(exchange.request.target for exchange in ran.exchanges if exchange)

    assert sum((sent((index, 3)) for index in range(3)), Counter()) == sent((0, 1))
