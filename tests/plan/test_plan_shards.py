"""The plan of a run: what is planned, where data ends, and how it is split between generators."""

from fractions import Fraction

import pytest
from engine.virtual_load import scenario_of
from hypothesis import given
from hypothesis import strategies as st
from plan_scenarios import endpoint, plan

from stressrunner.expressions import ExpressionError
from stressrunner.plan.plan import MAX_SHARDS, Shard, compile_plan
from stressrunner.scenario.model import Closed, Feeder, Mix, Open, Phase, Session


@given(st.integers(1, 9), st.integers(0, 200))
def test_shards_partition_the_work(count, total):
    """The iterations of all shards are all iterations, each exactly once."""
    shards = [Shard(index, count) for index in range(count)]
    numbers = [shard.number(local) for shard in shards for local in range(shard.share(total))]
    assert sorted(numbers) == list(range(total))


def test_a_plan_is_split_without_change():
    """A shard is the same plan with a part of its own: every process picks and draws alike."""
    whole = plan(phases=(Phase("p", Closed(3, iterations=10)),))
    part = whole.shard(1, 3)
    assert (part.part, whole.part) == (Shard(1, 3), Shard(0, 1))
    assert part.phases is whole.phases
    assert part.planned(0) == whole.planned(0)


@pytest.mark.parametrize(("index", "count"), [(-1, 2), (2, 2), (0, 0), (0, 4), (0, MAX_SHARDS + 1)])
def test_there_are_no_other_shards(index, count):
    """A shard that does not exist, or would have no user, is refused."""
    with pytest.raises(ValueError, match=r"^there is no shard"):
        plan(phases=(Phase("p", Closed(3, iterations=10)),)).shard(index, count)


@pytest.mark.parametrize(
    ("phases", "iterations"),
    [
        ([Closed(1)], [10]),
        ([Closed(1, iterations=4), Closed(1)], [4, 6]),
        ([Closed(1, iterations=4), Closed(1, iterations=3), Closed(1)], [4, 3, 3]),
        ([Closed(1, iterations=4), Closed(1, iterations=9), Closed(1)], [4, 9, 0]),
        ([Closed(1, iterations=4), Closed(1, duration_s=Fraction(9))], [4, None]),
    ],
)
def test_rows_end_a_last_phase_that_nothing_else_ends(phases, iterations):
    """What those before it leave of the rows is its work."""
    rows = Feeder("rows", tuple(range(10)), on_end="stop")
    made = plan(
        endpoint(path="/{{ rows }}"),
        feeders={"rows": rows},
        phases=tuple(Phase(f"p{n}", shape) for n, shape in enumerate(phases)),
    )
    assert [phase.iterations for phase in made.phases] == iterations


def test_connections_are_split_between_generators():
    """Those that all share; and without such a limit, one for each user."""
    phases = (Phase("p", Closed(7, iterations=70)),)
    for whole in (plan(phases=phases, connections=7), plan(phases=phases)):
        assert [whole.shard(i, 3).most_connections for i in range(3)] == [3, 2, 2]


def test_open_load_is_split_as_far_as_generators_go():
    """A phase without users of its own limits nothing."""
    whole = plan(phases=(Phase("p", Open(Fraction(1), Fraction(1))),))
    assert whole.most_shards == MAX_SHARDS


@pytest.mark.parametrize(
    ("shape", "traffic", "planned"),
    [
        (Closed(2, iterations=10), Mix({"one": Fraction(1), "two": Fraction(4)}), {0: 2, 1: 8}),
        (Open(Fraction(10), Fraction(1)), Mix({"one": Fraction(1), "two": Fraction(4)}), {0: 2, 1: 8}),
        (Closed(2, duration_s=Fraction(1)), Mix({"one": Fraction(1)}), None),
        (Closed(2, iterations=10), Session("two", messages=20), {0: 200}),
        (Closed(2, iterations=10), Mix({"one": Fraction(0), "two": Fraction(4)}), {0: 10}),
    ],
)
def test_planned_requests_are_known_beforehand(shape, traffic, planned):
    """How many requests of each endpoint a phase has is exact, unless time alone ends it."""
    made = plan(endpoint("one"), endpoint("two"), phases=(Phase("p", shape),), traffic=traffic)
    assert made.planned(0) == planned


@given(st.integers(0, 50), st.integers(1, 5))
def test_planned_requests_are_those_of_the_iterations(iterations, messages):
    """The plan's sum is that of what each iteration sends."""
    for traffic in (Mix({"one": Fraction(1), "two": Fraction(2)}), Session("one", messages=messages)):
        made = plan(endpoint("one"), endpoint("two"), traffic=traffic).phases[0].traffic
        summed: dict[int, int] = {}
        for i in range(iterations):
            for index, n in made.requests_of(i).items():
                summed[index] = summed.get(index, 0) + n
        assert {i: n for i, n in made.planned(iterations).items() if n} == summed


def test_endpoints_without_weight_are_not_compiled():
    """Only what the traffic sends is in the plan, in the order of the file."""
    made = plan(*map(endpoint, "abc"), traffic=Mix({"c": Fraction(1), "b": Fraction(0), "a": Fraction(1)}))
    assert made.endpoint_names == ("a", "c")
    assert plan(*map(endpoint, "abc"), traffic=Session("b", messages=1)).endpoint_names == ("b",)


@pytest.mark.parametrize(
    ("fields", "messages", "limit"),
    [
        ({"on_end": "stop"}, 4, 10),
        ({"on_end": "stop", "per": "request"}, 4, 2),
        ({"on_end": "stop", "per": "user"}, 4, None),
        ({"on_end": "repeat"}, 4, None),
    ],
)
def test_the_load_ends_with_its_data(fields, messages, limit):
    """Iterations have data while there are rows for all of their requests."""
    feeders = {"rows": Feeder("rows", tuple(range(10)), **fields)}
    assert plan(feeders=feeders, traffic=Session("one", messages=messages)).workload.iteration_limit == limit


def test_the_shortest_feeder_is_the_limit():
    """Of several feeders the one that ends first ends the load, and caps the users."""
    feeders = {
        name: Feeder(name, tuple(range(size)), per=per, on_end="stop")
        for name, size, per in [
            ("a", 7, "iteration"),
            ("b", 5, "iteration"),
            ("c", 9, "user"),
            ("d", 3, "user"),
        ]
    }
    made = plan(feeders=feeders)
    assert (made.workload.iteration_limit, made.workload.user_limit) == (5, 3)
    assert plan().workload.user_limit is None


def test_variables_without_placeholders_are_constants():
    """A variable with a placeholder is kept apart, to be evaluated once per iteration."""
    made = plan(variables={"agent": "simple", "key": "{{ uuid() }}", "deep": {"a": ["{{ iteration }}"]}})
    assert made.variables.constants == {"agent": "simple"}
    assert made.variables.evaluated.keys() == {"key", "deep"}


def test_what_makes_no_sense_fails_before_the_first_request():
    """A template that cannot be compiled is an error of the plan."""
    with pytest.raises(ExpressionError):
        plan(endpoint(path="/{{ a b }}"))


@pytest.mark.parametrize(
    ("steps", "is_fixed"),
    [
        ("[a, b, {think: 1s}]", True),
        ("[{parallel: [a, {steps: [b], repeat: 3}]}]", True),
        ("[a, {if: status == 200, send: b}]", False),
        ("[a, {each: body.ids, as: id, get: '/x/{{ id }}'}]", False),
        ("[{send: a, repeat: {until: body.done, times: 3}}]", False),
        ("[{steps: [a, {if: failure(), send: b}]}]", False),
    ],
)
def test_the_requests_of_a_flow_are_fixed_where_nothing_decides(steps, is_fixed):
    """A condition, elements of a response and a loop that ends when something holds may send more than is sure."""
    of = scenario_of(f"endpoints: {{a: {{get: /a}}, b: {{get: /b}}}}\nflow: {steps}\n")
    (phase,) = compile_plan(of, seed=1, run_id="r").phases
    assert phase.traffic.is_fixed is is_fixed


def test_a_closed_phase_has_no_arrivals():
    """Nothing of it is due at a moment that is known beforehand."""
    (phase,) = plan(phases=(Phase("p", Closed(2, iterations=10)),)).phases
    assert phase.arrivals == 0
    with pytest.raises(IndexError):
        phase.due_ns(0)
