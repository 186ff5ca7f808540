"""Workloads of traffic run side by side, in virtual time: each as if it were alone, all of them within the same limits."""

import re
from collections import Counter

import pytest
from virtual_load import scenario_of, virtual_run

from stressrunner.http.fake import FakeAnswer
from stressrunner.plan.plan import compile_plan

ENDPOINTS = """
endpoints:
  list: {get: "/list/{{ iteration }}/{{ random_int(1, 99999) }}/{{ rows }}"}
  item: {get: "/item/{{ iteration }}/{{ user.id }}/{{ random_int(1, 99999) }}"}
  note: {post: /notes, body: "{{ message.token }} {{ session.name }} {{ session.index }}"}
feeders: {rows: {values: [1, 2, 3, 4, 5, 6, 7], order: shuffled}}
"""
BACKGROUND = "background: {mix: {list: 3, item: 1}, load: {rate: 8/s, duration: 5s, arrivals: poisson}}"
PROBE = "probe: {flow: [item, {think: 1s}, item], load: {concurrency: 2, duration: 4s}}"
CHAT = "chat: {session: {send: note, messages: 3}, load: {concurrency: 2, sessions: 4}}"


def workloads_of(*workloads, more=""):
    """Return a scenario of these workloads."""
    return scenario_of(
        ENDPOINTS + "traffic:\n" + "\n".join(f"  {workload}" for workload in workloads) + "\n" + more
    )


def told(ran, prefix):
    """Return the targets of some requests with how long after the first of them they were due, in no order."""
    pairs = zip(ran.samples, ran.exchanges, strict=True)
    found = [(s.due_ns, e.request.target) for s, e in pairs if e and e.request.target.startswith(prefix)]
    begin_ns = min(due_ns for due_ns, _ in found)
    return Counter((due_ns - begin_ns, target) for due_ns, target in found)


def test_workloads_run_at_the_same_time():
    """All begin with the load; each has its phases, its counts and its time, and the totals are of all of them."""
    ran = virtual_run(workloads_of(BACKGROUND, PROBE, CHAT))
    summary = ran.summary
    assert [(p.name, p.started_at_s) for p in summary.phases] == [
        ("background", 0),
        ("probe", 0),
        ("chat", 0),
    ]
    assert {name: stats.sent for name, stats in summary.workloads.items()} == {
        phase.name: phase.totals.sent for phase in summary.phases
    }
    assert summary.workloads["chat"].sent == 12
    assert summary.workloads["probe"].sent == 2 * 4 * 2
    assert summary.totals.sent == sum(stats.sent for stats in summary.workloads.values())
    assert 5 <= summary.duration_s < 6
    assert summary.totals.throughput_per_s == pytest.approx(summary.totals.completed / summary.duration_s)


def test_phases_that_time_ends_leave_no_number_to_the_next():
    """Iterations have numbers of their own through all phases, whatever ends these, and draw by them."""
    load = "[{concurrency: 2, duration: 3s}, {concurrency: 2, iterations: 5}, {concurrency: 1, duration: 2s}]"
    ran = virtual_run(scenario_of(f"{ENDPOINTS}mix: {{item: 1}}\nload: {load}\n"), lambda *_: FakeAnswer(0.4))
    numbers = [int(target.split("/")[2]) for _, target in map(str.split, ran.sent)]
    assert len(numbers) > 16 + 5
    assert sorted(numbers) == list(range(len(numbers)))


@pytest.mark.parametrize("others", [[PROBE], [CHAT, PROBE], [PROBE.replace("probe", "another")]])
def test_what_a_workload_draws_is_no_others_concern(others):
    """Arrivals, picks, rows and draws of a workload are the same whatever runs beside it; only the seed changes them."""
    alone = told(virtual_run(workloads_of(BACKGROUND)), "/list")
    beside = told(virtual_run(workloads_of(*others, BACKGROUND)), "/list")
    assert beside == alone
    assert told(virtual_run(workloads_of(BACKGROUND), seed=2), "/list") != alone


def test_workloads_do_not_draw_the_same():
    """Two workloads that are written the same still have different draws."""
    one, other = BACKGROUND, BACKGROUND.replace("background", "foreground")
    together, alone = (
        told(virtual_run(workloads_of(*workloads)), "/") for workloads in ([one, other], [one])
    )
    assert max(together.values()) == 1
    assert len(together) > 1.5 * len(alone)


@pytest.mark.parametrize("count", [2, 3])
def test_shards_send_all_workloads_together(count):
    """The requests of all shards are those of the whole plan, each of them once, when they are due."""
    of = workloads_of(
        BACKGROUND,
        "fixed: {flow: [item, list], load: [{concurrency: 3, iterations: 10}, {concurrency: 3, iterations: 7}]}",
        CHAT.replace("concurrency: 2", "concurrency: 3"),
    )

    def sent(ran):
        # Which user runs an iteration depends on who is free, and nothing else does.
        targets = [
            (re.sub("(/item/[0-9]+)/[0-9]+", r"\1", e.request.target), e.request.body) for e in ran.exchanges
        ]
        return Counter(targets)

    parts = [virtual_run(of, shard=(index, count)) for index in range(count)]
    assert sum(map(sent, parts), Counter()) == sent(virtual_run(of))


def test_users_and_sessions_are_told_apart():
    """No two workloads have a user or a session with the same number, and no two messages the same token."""
    ran = virtual_run(workloads_of(CHAT, CHAT.replace("chat", "other"), PROBE))
    bodies = [e.request.body.decode().split() for e in ran.exchanges if e and e.request.body]
    assert len({token for token, _, _ in bodies}) == len(bodies) == 24
    assert {int(index) for _, _, index in bodies} == {3 * i + k for i in range(4) for k in (0, 1)}
    users = {target.split("/")[3] for _, target in told(ran, "/item")}
    assert users == {"4", "5"}


def test_no_two_users_of_workloads_share_a_row():
    """Rows per user are dealt over all workloads; those with a rate are capped by what the others leave."""
    of = scenario_of(
        """
        endpoints: {home: {get: "/{{ user.id }}/{{ rows }}"}}
        feeders: {rows: {values: [a, b, c, d, e], per: user, order: shuffled}}
        traffic:
          arriving: {mix: {home: 1}, load: {rate: 50/s, duration: 1s}}
          working: {mix: {home: 1}, load: {concurrency: 3, iterations: 30}}
        """
    )
    seen = {tuple(e.request.target.split("/")[1:]) for e in virtual_run(of, slow).exchanges if e}
    assert len(seen) == len({user for user, _ in seen}) == len({row for _, row in seen}) == 5


def slow(number, request):
    """Answer in half a second."""
    return FakeAnswer(0.5)


def test_a_feeder_ends_the_workloads_that_draw_from_it():
    """Rows that are used up end the workload whose templates name them, and no other one."""
    ended = workloads_of(
        "rows_end: {mix: {list: 1}, load: {concurrency: 1, iterations: 50}}",
        "goes_on: {mix: {item: 1}, load: {concurrency: 1, iterations: 50}}",
    )
    text = ENDPOINTS.replace("order: shuffled", "on_end: stop")
    stopping = scenario_of(
        text + "traffic:\n  rows_end: {mix: {list: 1}, load: {concurrency: 1, iterations: 50}}\n"
        "  goes_on: {mix: {item: 1}, load: {concurrency: 1, iterations: 50}}\n"
    )
    assert {name: s.sent for name, s in virtual_run(ended).summary.workloads.items()} == {
        "rows_end": 50,
        "goes_on": 50,
    }
    assert {name: s.sent for name, s in virtual_run(stopping).summary.workloads.items()} == {
        "rows_end": 7,
        "goes_on": 50,
    }


def test_each_workload_has_its_own_graceful_stop():
    """What outlasts the graceful stop of its workload is cut off, and the other workloads go on."""
    of = workloads_of(
        "short: {mix: {item: 1}, load: {concurrency: 1, duration: 1s, graceful_stop: 2s}}",
        "long: {mix: {item: 1}, load: {concurrency: 1, iterations: 3}}",
    )
    ran = virtual_run(of, lambda number, request: FakeAnswer(10))
    short, long = ran.summary.workloads["short"], ran.summary.workloads["long"]
    assert (short.sent, short.unfinished, short.response_time.never) == (1, 1, 1)
    assert (long.sent, long.ok) == (3, 3)


def test_an_interrupt_ends_all_workloads():
    """What is in flight anywhere is cut off, and ranks nowhere."""
    ran = virtual_run(workloads_of(BACKGROUND, PROBE), lambda number, request: FakeAnswer(60), stop_at_s=2)
    assert all(stats.sent == stats.unfinished for stats in ran.summary.workloads.values())
    assert ran.totals.response_time.never == 0
    assert ran.summary.duration_s == pytest.approx(2, abs=0.1)


def test_a_hard_limit_is_of_all_workloads():
    """They share the requests that are allowed, and end together with the first one too many."""
    ran = virtual_run(workloads_of(BACKGROUND, PROBE, more="limits: {requests: 20}"))
    assert ran.totals.sent == ran.transports.requests == 20
    assert ran.limit_hit == "a hard limit was hit: limits.requests allows 20"


def test_an_overflow_that_aborts_ends_all_workloads():
    """A workload that may not have more in flight ends the load, not itself alone."""
    of = workloads_of(
        "full: {mix: {item: 1}, load: {rate: 10/s, duration: 60s, max_in_flight: 2, overflow: abort}}",
        "beside: {mix: {item: 1}, load: {concurrency: 1, duration: 60s}}",
    )
    ran = virtual_run(of, lambda number, request: FakeAnswer(5))
    assert ran.summary.duration_s < 1


def test_warmup_is_of_its_workload():
    """A phase that warms up is left out of its workload and of the totals, while others count beside it."""
    load = "[{name: warm, rate: 10/s, duration: 2s, warmup: true}, {name: hold, rate: 10/s, duration: 3s}]"
    ran = virtual_run(workloads_of(f"background: {{mix: {{item: 1}}, load: {load}}}", PROBE))
    workloads = ran.summary.workloads
    assert (workloads["background"].sent, workloads["probe"].sent) == (30, 16)
    assert workloads["background"].throughput_per_s == pytest.approx(10, rel=0.02)
    assert ran.totals.sent == 46
    assert ran.summary.duration_s == pytest.approx(5, abs=0.1)


def test_every_user_of_every_workload_is_set_up():
    """`user_setup` runs once for each user, and what it draws differs between all of them."""
    of = workloads_of(
        "one: {mix: {item: 1}, load: {concurrency: 2, iterations: 6}}",
        "two: {mix: {item: 1}, load: {concurrency: 3, iterations: 6}}",
        more='user_setup: [{post: /users, body: "{{ random_int(1, 1000000) }}"}]\n',
    )
    ran = virtual_run(of)
    assert ran.summary.excluded["user_setup"].sent == 5


def test_groups_belong_to_the_phase_in_which_they_began():
    """A flow that runs on into the next phase is one of its own phase, and those that warm up are in none."""
    load = "[{name: warm, rate: 1/s, duration: 2s, warmup: true}, {name: hold, rate: 1/s, duration: 3s}, {name: rest, rate: 1/s, duration: 2s}]"
    ran = virtual_run(
        workloads_of(f"walk: {{flow: [item, item], load: {load}}}"), lambda number, request: FakeAnswer(1)
    )
    held = {key: (lengths.count, failed) for key, (lengths, failed) in ran.summary.phase_groups.items()}
    assert held == {("hold", "flow"): (3, 0), ("rest", "flow"): (2, 0)}
    assert ran.summary.groups["flow"].count == 5


def test_a_session_is_found_again_by_its_number():
    """What read back has of a session, its number, tells the workload and the iteration that it was."""
    plan = compile_plan(workloads_of(CHAT, CHAT.replace("chat", "other"), PROBE), seed=1, run_id="r")
    for workload in plan.workloads:
        for iteration in range(5):
            part, found = plan.of_session(workload.sessions.number(iteration))
            assert (part.workload.name, part.seed, found) == (workload.name, workload.seed, iteration)
