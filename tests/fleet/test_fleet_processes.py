"""Fleets of real generator processes: they send the plan and nothing else, and their figures add up."""

import pytest
from fleet.fleet_runs import ONE, Recording, run_fleet
from fleet.recording_server import recording_server

MIX = """
endpoints:
  a: {post: '/a/{{ rows.n }}', json: {token: '{{ message.token }}', id: '{{ uuid() }}'}}
  b: {get: '/b/{{ iteration }}/{{ random_int(1, 999999) }}'}
  c: {get: '/c/{{ rows.n }}'}
mix: {a: 6, b: 3, c: 1}
feeders:
  rows: {values: [{n: one}, {n: two}, {n: three}, {n: four}, {n: five}], order: shuffled}
"""
SESSIONS = """
endpoints:
  a: {post: '/a', json: {token: '{{ message.token }}', session: '{{ session.name }}', n: '{{ rows.n }}'}}
session: {send: a, messages: 4, burst: 2}
feeders:
  rows: {values: [{n: one}, {n: two}, {n: three}], per: request}
"""
LOADS = {
    "fixed work": MIX + "load: {concurrency: 6, requests: 101}",
    "a rate": MIX + "load: {rate: 150/s, duration: 500ms}",
    "phases": MIX + "load: [{concurrency: 4, requests: 41}, {rate: 100/s, duration: 300ms}]",
    "sessions": SESSIONS + "load: {concurrency: 3, sessions: 10}",
}


@pytest.mark.parametrize("load", LOADS)
def test_any_number_of_workers_sends_the_plan(load):
    """One, two and three processes send the same requests, each of them once, and count all of them."""
    sent = []
    for workers in (1, 2, 3):
        with recording_server() as server:
            ran = run_fleet(LOADS[load], server.url, workers)
        totals = ran.summary.totals
        assert totals.sent == totals.ok == totals.planned == server.requests.total()
        assert ran.fleet.losses == ()
        assert ran.fleet.failure == ""
        sent.append(server.requests)
    assert sent[0] == sent[1] == sent[2]


def test_connections_are_shared_out():
    """A pool of five connections is one of five, whichever number of processes has it."""
    with recording_server(0.02) as server:
        load = "load: {concurrency: 12, requests: 120}"
        run_fleet(f"{ONE}{load}", server.url, 3, overrides=("target.connections=5",))
    assert server.requests.total() == 120
    assert server.most_connections == 5


def test_an_ear_stops_the_load():
    """What the observer cuts off ends within a moment in every process, and stays in the figures."""
    with recording_server() as server:
        ran = run_fleet(f"{ONE}load: {{concurrency: 4, duration: 60s}}", server.url, 2, observer=Recording(1))
    totals = ran.summary.totals
    assert 1.0 <= ran.summary.duration_s < 5.0
    assert 0 < totals.ok <= server.requests.total() <= totals.sent
    assert totals.unfinished <= 4
    assert ran.fleet.losses == ()


def test_beats_tell_what_was_counted():
    """Each snapshot has what came since the one before; together they are the totals."""
    with recording_server() as server:
        ran = run_fleet(f"{ONE}load: {{rate: 100/s, duration: 1500ms}}", server.url, 2)
    sent = [sum(series.sent for series in snapshot.delta.series.values()) for snapshot in ran.snapshots]
    assert sum(sent) == ran.summary.totals.sent == 150
    assert 80 <= sent[0] <= 110
    assert [snapshot.phases for snapshot in ran.snapshots] == [{0}, frozenset()]


def test_overflow_that_aborts_ends_all():
    """When one process finds its share of max_in_flight reached, the others stop too, and the reason names it."""
    with recording_server(30.0) as server:
        load = "load: {rate: 50/s, duration: 60s, max_in_flight: 4, overflow: abort}"
        ran = run_fleet(f"{ONE}{load}", server.url, 2)
    assert ran.fleet.failure.startswith(
        ("generator 1 of 2: max_in_flight", "generator 2 of 2: max_in_flight")
    )
    assert ran.summary.duration_s < 10


def test_what_has_no_room_is_told_before_anything_is_sent():
    """A shard that needs more connections than its process may open is a loss, with what to do about it."""
    with recording_server() as server:
        ran = run_fleet(f"{ONE}load: {{concurrency: 900000, requests: 1000000}}", server.url, 2)
    assert len(ran.fleet.losses) >= 1
    assert "connections" in ran.fleet.losses[0]
    assert "generator " in ran.fleet.losses[0]
    assert ran.summary.totals.sent == server.requests.total() == 0
    assert ran.summary.totals.planned == 1_000_000
