"""Shards of a plan, each carried out in virtual time: together they are the plan, and they have nothing in common."""

from collections import Counter
from fractions import Fraction

import pytest
from engine.virtual_load import endpoint, feeder, scenario, virtual_run

from stressrunner.scenario.model import Closed, Mix, Open, Phase, Session

MIX = Mix({"one": Fraction(6), "two": Fraction(3), "three": Fraction(1)})
ROWS = feeder(*range(1000), order="shuffled")


def telling(name):
    """Return an endpoint whose path shows its iteration, its row and its draws."""
    return endpoint(name, path=f"/{name}/{{{{ iteration }}}}/{{{{ rows }}}}/{{{{ random_int(1, 999999) }}}}")


def telling_scenario(*shapes, traffic=MIX, rows=ROWS):
    """Return a scenario of these phases whose requests tell everything that is drawn for them."""
    phases = [Phase(f"p{number}", shape) for number, shape in enumerate(shapes)]
    endpoints = list(map(telling, MIX.weights))
    return scenario(*phases, traffic=traffic, endpoints=endpoints, feeders={"rows": rows})


def requests_of(ran):
    """Return every request that was sent, with its body, in no order."""
    return Counter((e.request.target, e.request.body) for e in ran.exchanges if e)


PLANS = {
    "fixed work": telling_scenario(Closed(4, iterations=31)),
    "a rate": telling_scenario(Open(Fraction(20), Fraction(2))),
    "a ramp": telling_scenario(Open(Fraction(20), Fraction(2), rate_from=Fraction(3))),
    "Poisson arrivals": telling_scenario(Open(Fraction(20), Fraction(2), arrivals="poisson")),
    "phases of uneven shares": telling_scenario(
        Closed(3, iterations=10), Open(Fraction(5), Fraction(1)), Closed(3, iterations=7)
    ),
    "sessions": telling_scenario(Closed(3, iterations=5), traffic=Session("one", messages=4, burst=2)),
    "rows that end": telling_scenario(
        Closed(3, iterations=10),
        Closed(3, iterations=10),
        rows=feeder(*range(17), order="shuffled", on_end="stop"),
    ),
    "rows per request that end": telling_scenario(
        Closed(3, iterations=10),
        traffic=Session("one", messages=4),
        rows=feeder(*range(31), per="request", on_end="stop"),
    ),
}


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("plan", PLANS)
def test_shards_send_the_plan_together(plan, count):
    """The requests of all shards are those of the whole plan, each of them once, to the last byte."""
    whole = requests_of(virtual_run(PLANS[plan]))
    parts = [requests_of(virtual_run(PLANS[plan], shard=(index, count))) for index in range(count)]
    assert sum(parts, Counter()) == whole
    assert all(parts)


def test_time_alone_shares_nothing():
    """Where time ends a phase, nobody knows how much there will be; still no two shards draw the same."""
    of = telling_scenario(
        Closed(3, iterations=10), Closed(3, duration_s=Fraction(1)), Open(Fraction(9), Fraction(1))
    )
    parts = [requests_of(virtual_run(of, shard=(index, 3))) for index in range(3)]
    iterations = [{target.split("/")[2] for target, _ in part} for part in parts]
    assert (
        sum(map(len, iterations)) == len(set.union(*iterations)) == sum(map(sum, map(Counter.values, parts)))
    )


def test_users_share_no_row():
    """With a row per user, two users never have the same one, whichever generators they are in."""
    one = endpoint("one", path="/{{ user.id }}/{{ rows }}")
    of = scenario(
        Phase("p", Open(Fraction(40), Fraction(1))),
        endpoints=[one],
        feeders={"rows": feeder("a", "b", "c", "d", "e", per="user", order="random")},
    )
    seen = set()
    for index in range(3):
        ran = virtual_run(of, shard=(index, 3))
        seen |= {tuple(e.request.target.split("/")[1:]) for e in ran.exchanges}
    assert len(seen) == len({user for user, _ in seen}) == len({row for _, row in seen})
