"""`limits.requests` holds to the request, whatever the load says, in virtual time."""

from fractions import Fraction

import pytest
from virtual_load import endpoint, scenario, virtual_run

from stressrunner.http.fake import FakeAnswer
from stressrunner.scenario.model import Closed, Limits, Open, Phase, Session

LOADS = {
    "users for a time": ({}, Phase("p", Closed(7, duration_s=Fraction(60)))),
    "users with fixed work": ({}, Phase("p", Closed(7, iterations=1000))),
    "a rate": ({}, Phase("p", Open(Fraction(100), Fraction(60)))),
    "bursts of a session": ({"traffic": Session("one", 20, burst=20)}, Phase("p", Closed(3, iterations=50))),
}


@pytest.mark.parametrize("load", LOADS)
def test_no_request_is_sent_beyond_the_limit(load):
    """The load ends with the request that is one too many, which is not sent and was not reached."""
    changes, phase = LOADS[load]
    ran = virtual_run(scenario(phase, limits=Limits(requests=50), **changes))
    totals = ran.totals
    assert totals.sent == 50
    assert ran.transports.requests == 50
    assert totals.planned == totals.sent + totals.dropped + totals.skipped + totals.not_reached
    assert ran.limit_hit == "a hard limit was hit: limits.requests allows 50"


def test_what_is_in_flight_is_cut_off():
    """Requests that are on their way when the limit is hit are cut off and count as unfinished."""
    phase = Phase("p", Closed(5, iterations=100))
    ran = virtual_run(scenario(phase, limits=Limits(requests=8)), lambda number, _: FakeAnswer(1 + number))
    assert (ran.totals.sent, ran.totals.ok, ran.totals.unfinished) == (8, 4, 4)


def test_a_limit_that_suffices_is_not_hit():
    """A load that sends exactly what the limit allows is not cut off."""
    ran = virtual_run(scenario(Phase("p", Closed(4, iterations=50)), limits=Limits(requests=50)))
    assert (ran.totals.sent, ran.totals.ok, ran.limit_hit) == (50, 50, "")


@pytest.mark.parametrize("shards", [2, 3])
def test_generators_share_the_limit(shards):
    """All generators together send what the limit allows, each its share of it."""
    of = scenario(
        Phase("p", Closed(6, duration_s=Fraction(60))), endpoints=[endpoint()], limits=Limits(requests=50)
    )
    sent = [virtual_run(of, shard=(i, shards)).totals.sent for i in range(shards)]
    assert sum(sent) == 50
    assert max(sent) - min(sent) <= 1
