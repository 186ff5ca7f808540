"""When the engine sends: closed and open phases, users, limits and endings, all in virtual time."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_load import endpoint, feeder, scenario, virtual_run

from stressrunner.engine.sample import Sample
from stressrunner.http.exchange import Exchange, Failure, FailureKind
from stressrunner.http.fake import FakeAnswer
from stressrunner.plan.outcome import Outcome
from stressrunner.scenario.model import Closed, Open, Phase, Session


def slow(service_s, **changes):
    """Return a server that takes so long for everything."""
    return lambda number, request: FakeAnswer(service_s, **changes)


def test_fixed_work_is_sent_exactly():
    """A closed phase of 1,000 requests sends 1,000, never more at once than there are users."""
    ran = virtual_run(scenario(Phase("p", Closed(10, iterations=1000))))
    assert (ran.totals.planned, ran.totals.sent, ran.totals.ok) == (1000, 1000, 1000)
    assert ran.transports.max_in_flight == 10
    assert ran.summary.duration_s == pytest.approx(1.0)


def test_users_that_have_no_work_send_nothing():
    """More users than iterations is no reason to send more."""
    ran = virtual_run(scenario(Phase("p", Closed(50, iterations=3))))
    assert ran.totals.sent == 3


def test_fixed_time_ends_when_it_is_over():
    """A closed phase of ten minutes takes ten minutes, and nothing is planned beyond what was sent."""
    ran = virtual_run(scenario(Phase("p", Closed(10, duration_s=Fraction(600)))), slow(0.5))
    assert ran.summary.duration_s == pytest.approx(600)
    assert ran.totals.planned == ran.totals.sent == ran.totals.ok == 12_000
    assert ran.totals.throughput_per_s == pytest.approx(20)


def test_open_load_is_due_on_the_grid():
    """Arrival i of a constant rate is due at i / rate, released then, and there are rate x duration of them."""
    ran = virtual_run(scenario(Phase("p", Open(Fraction(100), Fraction(20)))))
    origin = min(sample.due_ns for sample in ran.samples)
    assert [s.due_ns - origin for s in ran.samples] == [i * 10_000_000 for i in range(2000)]
    assert all(s.released_ns == s.due_ns for s in ran.samples)


def test_open_load_does_not_wait_for_a_slow_target():
    """Arrivals come at their rate although the target takes five seconds: 500 are on their way at once."""
    ran = virtual_run(scenario(Phase("p", Open(Fraction(100), Fraction(20)))), slow(5))
    assert ran.transports.max_in_flight in (500, 501)
    assert ran.totals.sent == 2000


def test_waiting_for_max_in_flight_is_queue_and_not_lag():
    """Ten at a time of 0.2 s serve 50/s: the rest of 100/s waits, and response time says so from the moment due."""
    ran = virtual_run(scenario(Phase("p", Open(Fraction(100), Fraction(20), max_in_flight=10))), slow(0.2))
    assert ran.totals.sent == 2000
    assert ran.summary.lag.max_s == 0
    assert ran.summary.queue.max_s == pytest.approx(19.9, abs=0.2)
    assert ran.totals.service_time.max_s == pytest.approx(0.2)
    assert ran.totals.response_time.p50_s == pytest.approx(10.1, abs=0.1)


def test_the_first_free_user_serves():
    """Under a rate, a user that is free serves before a new one is made, and the lowest number first."""
    ran = virtual_run(
        scenario(Phase("p", Open(Fraction(10), Fraction(10))), endpoints=(endpoint(path="/{{ user.id }}"),)),
        slow(0.25),
    )
    assert ran.transports.opened == 3
    assert {target.rpartition("/")[2] for target in ran.sent} == {"0", "1", "2"}


def test_a_stall_is_measured_from_the_moment_due():
    """A freeze of two seconds under 100/s shows in the latencies of all that was due meanwhile, not of one request."""

    def freezing(number, request):
        return FakeAnswer(2.0 if number == 500 else 0.01)

    ran = virtual_run(scenario(Phase("p", Open(Fraction(100), Fraction(20), max_in_flight=1))), freezing)
    assert ran.totals.response_time.p99_s > 1.5
    assert ran.totals.service_time.p99_s < 0.02


def test_what_outlasts_graceful_stop_ranks_last():
    """Requests cut off at the end are unfinished and never ended; arrivals that waited in vain are dropped."""
    phase = Phase("p", Open(Fraction(100), Fraction(20), max_in_flight=10), graceful_stop_s=1)
    ran = virtual_run(scenario(phase), slow(29))
    totals = ran.totals
    assert (totals.sent, totals.unfinished, totals.dropped) == (10, 10, 1990)
    assert totals.response_time.never == 2000
    assert totals.response_time.p50_s is None
    assert ran.summary.duration_s == pytest.approx(21)


def test_an_interrupt_keeps_what_was_measured():
    """What was in flight at an interrupt is unfinished and left out of latencies; the rest stays."""
    ran = virtual_run(scenario(Phase("p", Closed(10, iterations=10_000))), slow(0.3), stop_at_s=2)
    totals = ran.totals
    assert totals.ok == 60
    assert totals.unfinished == 10
    assert totals.response_time.never == 0
    assert totals.not_reached == 10_000 - 70
    assert ran.summary.duration_s == pytest.approx(2.0)


def test_connections_are_closed_however_it_ends():
    """Every transport that was opened is closed again, after an interrupt too."""
    for stop_at_s in (None, 1):
        ran = virtual_run(scenario(Phase("p", Closed(10, iterations=100))), slow(0.3), stop_at_s=stop_at_s)
        assert ran.transports.opened == ran.transports.closed == 10


def test_phases_follow_without_a_gap():
    """A second phase begins when the first one's time is over; its users go on with what they have."""
    ran = virtual_run(
        scenario(
            Phase("warm", Closed(2, duration_s=Fraction(10)), warmup=True),
            Phase("hold", Open(Fraction(10), Fraction(10))),
            Phase("burst", Closed(20, iterations=100)),
        ),
        slow(0.5),
    )
    starts = [phase.started_at_s for phase in ran.summary.phases]
    assert starts == pytest.approx([0, 10, 20])
    assert [phase.totals.sent for phase in ran.summary.phases] == [40, 100, 100]


def test_warm_up_is_reported_and_not_counted():
    """Traffic of a warm-up phase is in its phase and nowhere else."""
    ran = virtual_run(
        scenario(
            Phase("warm", Closed(2, duration_s=Fraction(1)), warmup=True),
            Phase("work", Closed(2, iterations=8)),
        )
    )
    assert ran.totals.sent == 8
    assert ran.summary.endpoints["one"].sent == 8
    assert ran.summary.phases[0].totals.sent == 200


def test_pauses_between_iterations_are_not_measured():
    """A user's pause delays its next request and is in no latency."""
    ran = virtual_run(scenario(Phase("p", Closed(1, iterations=10, think_min_s=1, think_max_s=1))))
    assert ran.summary.duration_s == pytest.approx(9 + 10 * 0.01)
    assert ran.totals.response_time.max_s == pytest.approx(0.01)


def test_a_pause_does_not_delay_the_end():
    """When the work is done, users that pause go home at once."""
    shape = Closed(2, iterations=3, think_min_s=0, think_max_s=1000)
    ran = virtual_run(scenario(Phase("p", shape)), slow(0.1))
    assert ran.totals.sent == 3
    assert ran.summary.duration_s < 1100
    last = max(s.completed_ns for s in ran.samples)
    first = min(s.due_ns for s in ran.samples)
    assert ran.summary.duration_s == pytest.approx((last - first) / 1e9)


def test_users_who_pause_when_a_phase_ends_work_in_the_next():
    """A user whose pause outlasts its phase takes part in the one after it."""
    pausing = Closed(2, duration_s=Fraction(1), think_min_s=0.7, think_max_s=0.7)
    ran = virtual_run(scenario(Phase("a", pausing), Phase("b", Closed(2, iterations=20))), slow(0.05))
    assert ran.totals.sent == 2 * 2 + 20


def test_a_burst_does_not_wait_for_replies():
    """The messages of a burst are due at their distances, whatever the target does."""
    session = Session("one", messages=20, burst=20, gap_s=0.001)
    ran = virtual_run(scenario(Phase("p", Closed(1, iterations=1)), traffic=session), slow(5))
    origin = min(s.due_ns for s in ran.samples)
    assert sorted(s.due_ns - origin for s in ran.samples) == [k * 1_000_000 for k in range(20)]
    assert ran.transports.max_in_flight == 20


def test_without_bursts_each_reply_is_awaited():
    """A session with burst 1 has one message on its way at a time, and pauses between them."""
    session = Session("one", messages=5, think_min_s=2, think_max_s=2)
    ran = virtual_run(scenario(Phase("p", Closed(1, iterations=1)), traffic=session))
    assert ran.transports.max_in_flight == 1
    assert ran.summary.duration_s == pytest.approx(5 * 0.01 + 4 * 2)


def test_shared_connections_cap_what_is_in_flight():
    """Ten bursts of 20 over 50 connections: 50 on their way, the rest in `queue`."""
    session = Session("one", messages=20, burst=20, gap_s=0.001)
    ran = virtual_run(
        scenario(Phase("p", Closed(10, iterations=10)), traffic=session, connections=50), slow(0.3)
    )
    assert ran.transports.max_in_flight == 50
    assert ran.totals.sent == 200
    assert ran.summary.queue.max_s == pytest.approx(0.9, abs=0.05)
    assert ran.totals.service_time.max_s == pytest.approx(0.3)


def test_a_failure_ends_the_session():
    """After a burst with a failure the rest of the session is skipped and counted as such."""
    session = Session("one", messages=20, burst=5)

    def failing(number, request):
        return FakeAnswer(0.01, status=500 if number == 7 else 200)

    ran = virtual_run(scenario(Phase("p", Closed(1, iterations=1)), traffic=session), failing)
    assert (ran.totals.planned, ran.totals.sent, ran.totals.skipped) == (20, 10, 10)
    assert ran.totals.failed == 1


def test_a_feeder_that_stops_ends_the_load():
    """With rows for seven iterations seven are run, and the other planned ones were not reached."""
    rows = feeder(*({"n": i} for i in range(7)), on_end="stop")
    ran = virtual_run(
        scenario(
            Phase("p", Closed(3, iterations=100)),
            endpoints=(endpoint(path="/{{ rows.n }}"),),
            feeders={"rows": rows},
        )
    )
    assert sorted(ran.sent) == [f"POST /{i}" for i in range(7)]
    assert ran.totals.not_reached == 93


def test_a_request_that_cannot_be_filled_is_an_error():
    """A placeholder without a value sends nothing, so nothing counts as sent: the iteration is in error; time goes on."""
    for direct in (True, False):
        of = scenario(
            Phase("p", Closed(1, iterations=5)), endpoints=(endpoint(path="/{{ 1 // message.index }}"),)
        )
        ran = virtual_run(of, direct=direct)
        assert (ran.totals.planned, ran.totals.sent, ran.totals.skipped) == (5, 0, 5)
        assert (ran.summary.iterations.ended, ran.summary.iterations.in_error) == (5, 5)
        assert ran.transports.requests == 0
        assert [(error.kind, error.count) for error in ran.summary.errors] == [("template", 5)]


def test_timeouts_rank_last_and_are_errors():
    """A request that times out is failed, and beyond every percentile it reaches."""

    def answer(number, request):
        return FakeAnswer(60 if number % 10 == 0 else 0.01)

    ran = virtual_run(scenario(Phase("p", Closed(5, iterations=100))), answer)
    assert ran.totals.failed == 10
    assert ran.totals.response_time.never == 10
    assert ran.totals.response_time.p90_s is not None
    assert ran.totals.response_time.p95_s is None


@pytest.mark.parametrize(
    ("kind", "never"),
    [(kind, kind in (FailureKind.TIMEOUT, FailureKind.RESET)) for kind in FailureKind],
)
def test_failures_never_enter_the_latency_of_successes(kind, never):
    """A failure of any kind is counted under its name, apart from the latencies of what succeeded."""
    ran = virtual_run(
        scenario(Phase("p", Closed(1, iterations=4))), slow(0.2, failure=Failure(kind, "because"))
    )
    assert ran.totals.response_time.count == 0
    assert ran.totals.response_time.never == (4 if never else 0)
    assert ran.totals.response_time_failed.count == 4
    assert [(group.kind, group.count) for group in ran.summary.errors] == [(kind.value, 4)]


def test_a_sample_takes_over_what_was_measured():
    """The fields of an exchange that `Sender.conclude` takes over in one piece are those that a sample has there."""
    assert Exchange._fields[1:9] == Sample._fields[5:13]


def parts(sample: Sample) -> int:
    """Return lag, queue, connecting and service time, added up."""
    lag = sample.released_ns - sample.due_ns
    queue = sample.acquired_ns - sample.released_ns
    return lag + queue + (sample.sent_ns - sample.acquired_ns) + (sample.completed_ns - sample.sent_ns)


shapes = st.one_of(
    st.builds(Closed, st.integers(1, 8), iterations=st.integers(1, 30)),
    st.builds(Closed, st.integers(1, 8), duration_s=st.fractions(1, 3, max_denominator=4)),
    st.builds(
        Open, st.fractions(1, 40, max_denominator=7), st.fractions(1, 3, max_denominator=4), st.integers(1, 6)
    ),
)
answers = st.lists(
    st.builds(
        FakeAnswer,
        service_s=st.floats(0.001, 3),
        status=st.sampled_from([200, 200, 200, 500]),
        failure=st.sampled_from([None, None, None, Failure(FailureKind.RESET, "lost")]),
        connect_s=st.sampled_from([None, 0.002]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(
    phases=st.lists(
        st.builds(Phase, st.just("p"), shapes, graceful_stop_s=st.floats(0, 2)), min_size=1, max_size=3
    ),
    answers=answers,
    messages=st.integers(0, 5),
    burst=st.integers(1, 3),
    stop_at_s=st.sampled_from([None, None, 1.0, 2.0]),
)
def test_identities_hold(phases, answers, messages, burst, stop_at_s):
    """Whatever the load and the target do, the books balance and the parts of each response time add up."""
    phases = [Phase(f"p{i}", p.shape, graceful_stop_s=p.graceful_stop_s) for i, p in enumerate(phases)]
    traffic = Session("one", messages, burst) if messages else None
    of = scenario(*phases, traffic=traffic, endpoints=(endpoint(),))
    ran = virtual_run(of, lambda n, r: answers[n % len(answers)], stop_at_s=stop_at_s)
    for stats in [ran.totals, *ran.summary.endpoints.values(), *(p.totals for p in ran.summary.phases)]:
        assert stats.planned == stats.sent + stats.dropped + stats.skipped + stats.not_reached
        assert stats.sent == stats.completed + stats.unfinished
        assert stats.completed == stats.ok + stats.failed + stats.refused + stats.superseded
        assert min(stats.dropped, stats.skipped, stats.not_reached, stats.unfinished) >= 0
        if stats.ok + stats.failed:
            assert stats.error_ratio == stats.failed / (stats.ok + stats.failed)
        else:
            assert stats.error_ratio is None
    assert ran.transports.requests == ran.totals.sent
    assert len(ran.samples) == ran.totals.sent
    for sample in ran.samples:
        assert sample.due_ns <= sample.released_ns <= sample.acquired_ns <= sample.completed_ns
        if sample.sent_ns is not None and sample.outcome is not Outcome.UNFINISHED:
            assert parts(sample) == sample.completed_ns - sample.due_ns


def test_the_length_of_a_session_leaves_pauses_out():
    """A session is measured from its first message due to its last reply, without the pauses between bursts."""
    session = Session("one", messages=6, burst=2, gap_s=0.05, think_min_s=3, think_max_s=3)
    ran = virtual_run(scenario(Phase("p", Closed(1, iterations=1)), traffic=session), slow(0.2))
    lengths = ran.summary.groups["session"]
    assert lengths.count == 1
    assert lengths.max_s == pytest.approx(3 * (0.05 + 0.2))


def in_flight_at(ran, second):
    """Return how many requests were on their way at a moment after the first was due."""
    moment = min(s.due_ns for s in ran.samples) + round(second * 1e9)
    return sum(s.sent_ns <= moment < s.completed_ns for s in ran.samples if s.sent_ns is not None)


def test_users_are_ramped_in_a_straight_line():
    """From 0 to 100 users in 100 s there are about as many users as seconds have passed."""
    shape = Closed(100, duration_s=Fraction(100), concurrency_from=0)
    ran = virtual_run(scenario(Phase("p", shape)), slow(0.5))
    for second in (10, 35, 60, 95):
        assert in_flight_at(ran, second) == pytest.approx(second, abs=1)
    assert ran.totals.unfinished == 0


def test_users_are_ramped_down():
    """From 50 to 0 users: each leaves when its time has come, and nobody is cut off who ends in time."""
    shape = Closed(0, duration_s=Fraction(50), concurrency_from=50)
    ran = virtual_run(scenario(Phase("p", shape)), slow(0.5))
    for second in (5, 25, 45):
        assert in_flight_at(ran, second) == pytest.approx(50 - second, abs=1)
    assert ran.totals.unfinished == 0


def test_falling_concurrency_cuts_off_after_graceful_stop():
    """Users that are taken away have graceful_stop to end what they do; what outlasts it ranks last."""
    ran = virtual_run(
        scenario(
            Phase("many", Closed(10, duration_s=Fraction(5))),
            Phase("few", Closed(2, duration_s=Fraction(20)), graceful_stop_s=1),
        ),
        slow(12),
    )
    assert ran.totals.unfinished >= 8
    assert ran.totals.response_time.never == ran.totals.unfinished
    cut = [s.completed_ns for s in ran.samples if s.outcome is Outcome.UNFINISHED]
    assert sum(at_ns - min(s.due_ns for s in ran.samples) == 6_000_000_000 for at_ns in cut) == 8


def test_a_rate_is_ramped():
    """From 0/s to 100/s in 10 s: 500 arrivals, the n-th due when the area under the line reaches n."""
    ran = virtual_run(scenario(Phase("p", Open(Fraction(100), Fraction(10), rate_from=Fraction(0)))))
    origin = min(s.due_ns for s in ran.samples)
    assert ran.totals.sent == 500
    due_s = sorted((s.due_ns - origin) / 1e9 for s in ran.samples)
    assert due_s[200] == pytest.approx((2 * 200 * 10 / 100) ** 0.5)


def test_poisson_arrivals_repeat_with_the_seed():
    """Arrivals are random, the same for the same seed, and others for another."""
    of = scenario(Phase("p", Open(Fraction(100), Fraction(10), arrivals="poisson")))
    first, again, other = (
        sorted(s.due_ns - s.phase for s in virtual_run(of, seed=seed).samples) for seed in (1, 1, 2)
    )
    assert [a - first[0] for a in first] == [a - again[0] for a in again]
    assert len(first) == pytest.approx(1000, abs=150)
    assert [a - first[0] for a in first] != [a - other[0] for a in other]


def test_overflow_drops_what_finds_no_place():
    """With overflow drop, arrivals that find max_in_flight reached are not sent, and rank last."""
    shape = Open(Fraction(100), Fraction(10), max_in_flight=10, overflow="drop")
    ran = virtual_run(scenario(Phase("p", shape)), slow(0.2))
    assert ran.totals.planned == 1000
    assert ran.totals.sent == pytest.approx(490, abs=20)
    assert ran.totals.dropped == 1000 - ran.totals.sent
    assert ran.totals.response_time.never == ran.totals.dropped
    assert ran.totals.response_time.max_s == pytest.approx(0.2)


def test_overflow_aborts_when_it_is_told_to():
    """With overflow abort, the first arrival that finds no place ends the load."""
    shape = Open(Fraction(100), Fraction(10), max_in_flight=10, overflow="abort")
    ran = virtual_run(scenario(Phase("p", shape)), slow(5))
    assert ran.totals.sent == 10
    assert ran.totals.not_reached == 1000 - 10 - ran.totals.dropped
    assert ran.summary.duration_s == pytest.approx(0.1)


@pytest.mark.parametrize(
    "shape",
    [
        Closed(7, iterations=100),
        Open(Fraction(50), Fraction(3)),
        Open(Fraction(50), Fraction(3), arrivals="poisson"),
        Open(Fraction(70), Fraction(3), rate_from=Fraction(3)),
    ],
)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_shards_add_up_to_the_plan(shape, count):
    """What several generators send together is what one sends, request for request."""
    of = scenario(
        Phase("p", shape),
        endpoints=(endpoint("a", path="/a/{{ iteration }}"), endpoint("b", path="/b/{{ iteration }}")),
    )
    whole = sorted(virtual_run(of).sent)
    parts = [virtual_run(of, shard=(i, count)).sent for i in range(count)]
    assert sorted(request for part in parts for request in part) == whole
