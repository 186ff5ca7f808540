"""Deltas: however samples are spread over them, merged they hold the same; and they stay small."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics_samples import MS, sample

from stressrunner.engine.attempt import Attempt
from stressrunner.engine.loop_watch import Late
from stressrunner.metrics.collector import Collector
from stressrunner.metrics.delta import MAX_ERROR_GROUPS, MAX_ERROR_SAMPLES, Delta
from stressrunner.metrics.error_key import ErrorKey
from stressrunner.metrics.summary import error_groups, stats_of
from stressrunner.metrics.wire import delta_from_wire, delta_to_wire
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.reply import Reply

KEYS = [
    ErrorKey(kind, rule, status)
    for kind, rule in (("check", "body.ok"), ("check", "body.n > 5"), ("capture", "token"), ("timeout", ""))
    for status in (0, 404, 500)
]
outcomes = st.sampled_from(Outcome)
problems = st.builds(Problem, st.sampled_from(["timeout", "check", "http 500"]), st.sampled_from(["a", "b"]))
own_times = st.sampled_from([0, MS, 3 * MS])
lates = st.builds(Late, own_times, own_times, own_times, own_times, st.booleans(), st.booleans())
samples = st.builds(
    sample,
    st.integers(0, 5000),
    st.integers(0, 40_000),
    outcomes,
    endpoint=st.integers(0, 2),
    phase=st.integers(0, 1),
    status=st.sampled_from([0, 200, 404, 500]),
    connect_ns=st.sampled_from([None, 5 * MS]),
    bytes_sent=st.integers(0, 1000),
    bytes_received=st.integers(0, 1000),
    redirects=st.integers(0, 3),
    resent=st.booleans(),
    never=st.booleans(),
    problem=st.none() | problems,
    late=st.none() | lates,
)


def delta_of(recorded):
    """Return a delta of samples."""
    delta = Delta()
    for one in recorded:
        delta.record(one)
    return delta


def late_figures_of(series):
    """Return the times of a series that were late."""
    return {
        name: (late.measured.encode(), late.without.encode(), late.wake.encode())
        for name, late in series.late_times.items()
    }


def figures_of(delta):
    """Return everything that is read from a delta, but for the examples of errors, which depend on the order."""
    all_series = {
        key: (
            stats_of([series], planned=series.sent, duration_s=1),
            series.lag.encode(),
            series.queue.encode(),
            series.last_ns,
            late_figures_of(series),
        )
        for key, series in delta.series.items()
    }
    errors = {key: (e.count, e.first_ns, e.last_ns) for key, e in delta.errors.items()}
    groups = {name: lengths.encode() for name, lengths in delta.groups.items()}
    return all_series, errors, groups


@given(st.lists(st.tuples(samples, st.integers(0, 3)), max_size=40), st.permutations(range(4)))
def test_it_does_not_matter_who_counts(spread, order):
    """Samples spread over several deltas in any way, merged in any order, make the same figures."""
    parts = [delta_of(one for one, where in spread if where == k) for k in range(4)]
    merged = Delta()
    for k in order:
        merged.merge(parts[k])
    assert figures_of(merged) == figures_of(delta_of(one for one, _ in spread))


@given(st.lists(samples, max_size=40))
def test_it_does_not_matter_how_many_are_counted_at_once(recorded):
    """Samples counted together make the figures of samples counted one by one, late times included."""
    together = Delta()
    together.extend(recorded)
    assert figures_of(together) == figures_of(delta_of(recorded))


@given(st.lists(samples, max_size=20), st.lists(samples, max_size=20))
def test_merging_leaves_the_other_alone(one, other):
    """What was merged in stays as it is when the sum goes on counting."""
    total, part = delta_of(one), delta_of(other)
    total.merge(part)
    for more in one:
        total.record(more)
    assert figures_of(part) == figures_of(delta_of(other))


@given(st.lists(samples, max_size=60))
def test_the_books_balance(recorded):
    """What was sent is what became of it, and each sample is in exactly the latencies where it belongs."""
    delta = delta_of(recorded)
    stats = stats_of(delta.series.values(), planned=len(recorded) + 5, duration_s=2)
    assert stats.sent == len(recorded) == stats.completed + stats.unfinished
    assert stats.completed == stats.ok + stats.failed + stats.refused + stats.superseded
    assert stats.not_reached == 5
    judged = stats.ok + stats.failed
    assert stats.error_ratio == (stats.failed / judged if judged else None)
    assert stats.throughput_per_s == stats.completed / 2
    assert stats.goodput_per_s == stats.ok / 2
    finished = [s for s in recorded if s.outcome is Outcome.OK and not s.never]
    assert stats.response_time.count == stats.service_time.count == len(finished)
    assert stats.response_time.never == sum(s.never for s in recorded)
    assert stats.response_time_failed.count == stats.failed
    assert stats.connect.count == sum(s.connect_ns is not None for s in recorded)
    assert sum(stats.status.values()) == sum(s.status > 0 for s in recorded)
    assert sum(e.count for e in delta.errors.values()) == sum(s.problem is not None for s in recorded)


def test_times_are_those_of_the_sample():
    """Each part of a request's way is in the latency of its name."""
    way = sample(
        due_ns=0,
        released_ns=1 * MS,
        acquired_ns=3 * MS,
        sent_ns=7 * MS,
        first_byte_ns=15 * MS,
        completed_ns=31 * MS,
        connect_ns=2 * MS,
    )
    series = delta_of([way]).series_of(0, 0)
    seconds = {
        name: getattr(series, name).max_ns / MS
        for name in ("lag", "queue", "connecting", "ttfb", "service_time", "response_time", "connect")
    }
    assert seconds == {
        "lag": 1,
        "queue": 2,
        "connecting": 4,
        "ttfb": 8,
        "service_time": 24,
        "response_time": 31,
        "connect": 2,
    }


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.REFUSED, Outcome.SUPERSEDED, Outcome.UNFINISHED])
def test_only_successes_are_in_the_latencies(outcome):
    """Whatever is no success is in no latency of successes, however fast it was."""
    series = delta_of([sample(outcome=outcome)]).series_of(0, 0)
    assert (series.response_time.count, series.service_time.count, series.ttfb.count, series.queue.count) == (
        0,
        0,
        0,
        0,
    )
    assert series.failed_time.count == (outcome is Outcome.FAILED)
    assert series.lag.count == 1


def test_dropped_and_skipped_requests():
    """Arrivals that were given up rank last; what an earlier failure prevented is counted and has no time."""
    delta = Delta()
    delta.record_dropped(0, 0, 3)
    delta.record_skipped(0, 0, 2)
    stats = stats_of(delta.series.values(), planned=7, duration_s=1)
    assert (stats.dropped, stats.skipped, stats.not_reached, stats.sent) == (3, 2, 2, 0)
    assert stats.response_time.never == 3
    assert stats.service_time.never == 0
    assert stats.error_ratio is None


def test_arrivals_that_the_generator_dropped_are_late():
    """They rank last as measured and are no times without lag; how late they were is the generator's own time."""
    delta = Delta()
    delta.record_dropped(0, 0, 3, Late(6 * MS, is_ours=True, in_wake=True))
    delta.record_dropped(0, 0, 2, Late(5 * MS, is_ours=True))
    delta.record_dropped(0, 0, 1)
    delta.merge(delta_from_wire(delta_to_wire(delta, 0), 0))  # of another process
    (series,) = delta.series.values()
    assert (series.dropped, series.late, series.own_ns) == (12, 6, 56 * MS)
    times = stats_of(delta.series.values(), planned=12, duration_s=1).response_time
    assert (times.never, [kept.never for kept in times.without_lag]) == (12, [2])


REPLY, TIMED_OUT, OVERLOADED = (
    (200, Problem("check", "m")),
    (0, Problem("timeout", "m")),
    (503, Problem("http 503", "m")),
)
SLOW, OWN = (200, Problem("check", "m", is_of_time=True)), (0, Problem("generator", "m"))
OURS, WAKE, BIT = Late(0, is_ours=True), Late(0, in_wake=True), Late(2 * MS)


@pytest.mark.parametrize(
    ("failure", "late", "certain", "certain_replies", "failed_by_lag"),
    [
        (REPLY, None, 1, 1, 0),
        (REPLY, WAKE, 1, 1, 0),
        (SLOW, None, 1, 0, 0),
        (SLOW, BIT, 0, 0, 0),
        (SLOW, WAKE, 0, 0, 1),
        (TIMED_OUT, None, 1, 0, 0),
        (TIMED_OUT, BIT, 0, 0, 0),
        (TIMED_OUT, OURS, 0, 0, 1),
        (OVERLOADED, None, 1, 0, 0),
        (OVERLOADED, WAKE, 0, 0, 1),
        (OWN, None, 0, 0, 0),
    ],
)
def test_failures_are_certain_or_of_lag(failure, late, certain, certain_replies, failed_by_lag):
    """A failure counts once: as certain by its reply or the generator's punctuality, as of lag, or as neither."""
    status, problem = failure
    failed = sample(outcome=Outcome.FAILED, status=status, problem=problem, late=late)
    delta = delta_of([failed] * 3)
    stats = stats_of([delta.series_of(0, 0)], planned=3, duration_s=1)
    counted = (stats.certain, stats.certain_replies, stats.failed_by_lag)
    assert counted == (3 * certain, 3 * certain_replies, 3 * failed_by_lag)


@pytest.mark.parametrize("status", range(400, 600))
def test_statuses_of_load_and_of_credentials_are_not_certain_by_themselves(status):
    """What a target answers that has too much to do, or to a credential that ran out, may be the generator's doing."""
    failed = sample(outcome=Outcome.FAILED, status=status, problem=Problem(f"http {status}", "m"), late=WAKE)
    series = delta_of([failed]).series_of(0, 0)
    may_be_ours = status in (401, 408, 425, 429, 502, 503, 504)
    stats = stats_of([series], planned=1, duration_s=1)
    assert (stats.certain_replies, stats.failed_by_lag) == (not may_be_ours, may_be_ours)


def test_every_count_of_a_tally_is_merged():
    """Each adds up, also those that are added one day; only what is in flight is as the latest says."""
    part = Delta()
    numbers = [name for name, value in vars(part).items() if type(value) is int]
    counters = [name for name, value in vars(part).items() if isinstance(value, Counter)]
    for number, name in enumerate(numbers, start=1):
        setattr(part, name, number)
    for number, name in enumerate(counters, start=1):
        getattr(part, name)[number] = number
    total = Delta()
    total.merge(part)
    total.merge(part)
    expected = {name: 2 * number for number, name in enumerate(numbers, start=1)}
    expected["in_flight"] = part.in_flight
    assert {name: getattr(total, name) for name in numbers} == expected
    assert [getattr(total, name) for name in counters] == [
        {number: 2 * number} for number, _ in enumerate(counters, start=1)
    ]


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 99)), max_size=30), st.integers(1, 3))
def test_errors_are_grouped_by_kind_rule_and_status(errors, parts):
    """The same kind with another check or another status is another group, whichever generators counted it."""
    recorded = [
        sample(at_ms, outcome=Outcome.FAILED, status=status, problem=Problem(kind, "m", rule=rule))
        for (kind, rule, status), at_ms in errors
    ]
    merged = Delta()
    for k in range(parts):
        merged.merge(delta_from_wire(delta_to_wire(delta_of(recorded[k::parts]), 0), 0))
    groups = {group.key: group.count for group in error_groups(merged, ("zero",), 0)}
    assert groups == Counter(key for key, _ in errors)
    assert merged.errors_by_kind == Counter(key.kind for key, _ in errors)


def test_errors_beside_the_load_are_grouped_likewise():
    """A check of `setup` that fails with 404 and with 500 is two groups, apart from those of the load."""
    delta = Delta()
    for status in (404, 500):
        failed = sample(outcome=Outcome.FAILED, status=status, problem=Problem("check", "m", rule="body.ok"))
        delta.record_excluded("setup", failed)
        delta.record(failed)
    assert list(delta.errors) == [
        ErrorKey(kind, "body.ok", status) for status in (404, 500) for kind in ("setup: check", "check")
    ]


@given(st.integers(0, 3 * MAX_ERROR_GROUPS), st.integers(1, 3))
def test_many_checks_are_joined_by_kind(checks, parts):
    """With more groups than there is room for, what is over is told by kind, so that kinds are never mixed up."""
    recorded = [
        sample(
            k, outcome=Outcome.FAILED, problem=Problem(("check", "capture")[k % 2], "m", rule=f"body.n > {k}")
        )
        for k in range(checks)
    ]
    merged = Delta()
    for k in range(parts):
        merged.merge(delta_of(recorded[k::parts]))
    assert len(merged.errors) <= MAX_ERROR_GROUPS + 2
    assert merged.errors_by_kind == Counter(one.problem.kind for one in recorded)


def test_the_key_of_a_long_check_is_short():
    """A check of any length has a key of bounded size, which says where it was cut."""
    key = ErrorKey.of(Problem("check", "m", rule="body.n > 1 and " * 1000), 200)
    assert (len(key.rule), key.rule[-3:]) == (300, "...")
    assert ErrorKey.of(Problem("check", "m", rule="x" * 300), 200).rule == "x" * 300
    assert len(key.title) < 100


@given(st.integers(0, 3 * MAX_ERROR_GROUPS), st.integers(1, 3))
def test_kinds_of_errors_are_bounded(kinds, parts):
    """However many kinds of errors there are, a bounded number is kept apart and none is lost."""
    recorded = [sample(k, outcome=Outcome.FAILED, problem=Problem(f"kind {k}", "m")) for k in range(kinds)]
    merged = Delta()
    for k in range(parts):
        merged.merge(delta_of(recorded[k::parts]))
    for delta in (merged, delta_of(recorded)):
        assert len(delta.errors) <= 2 * MAX_ERROR_GROUPS + 1
        assert sum(e.count for e in delta.errors.values()) == kinds


def test_examples_of_errors_are_bounded_and_differ():
    """Of a thousand errors of a kind the first few that differ are kept, with when they began and ended."""
    recorded = [
        sample(
            k, 0, Outcome.FAILED, endpoint=k % 2, status=500, problem=Problem("check", f"m{k // 4}", "body")
        )
        for k in range(1000)
    ]
    (group,) = error_groups(delta_of(recorded), ("zero", "one"), 0)
    assert (group.kind, group.count, group.first_at_s, group.last_at_s) == ("check", 1000, 0, 0.999)
    assert len(group.samples) == MAX_ERROR_SAMPLES
    assert [(s.endpoint, s.message) for s in group.samples] == [
        ("zero", "m0"),
        ("one", "m0"),
        ("zero", "m1"),
        ("one", "m1"),
        ("zero", "m2"),
    ]
    assert group.samples[0].excerpt == "body"


def test_the_most_frequent_errors_come_first():
    """Groups of errors are in the order of their counts, those of equal count by name; times are from the beginning."""
    recorded = [
        sample(1000 + k, 0, Outcome.FAILED, status=0, problem=Problem(kind, "m"))
        for k, kind in enumerate(["c", "b", "b", "a"])
    ]
    groups = error_groups(delta_of(recorded), ("one",), 1000 * MS)
    assert [(g.kind, g.count, g.first_at_s) for g in groups] == [
        ("b", 2, 0.001),
        ("a", 1, 0.003),
        ("c", 1, 0),
    ]
    assert groups[0].samples[0].status is None


def test_collectors_hand_over_what_is_new():
    """Each delta holds what came since the one before, and listeners see every sample when it comes."""
    seen = []
    collector = Collector((lambda one, exchange: seen.append(one),))
    collector.emit(sample(1), None)
    collector.in_flight = 2
    first = collector.drain()
    collector.skipped(0, 0, 1)
    collector.dropped(0, 0, 2)
    collector.group(0, "session", 5 * MS)
    second = collector.drain()
    assert (first.series_of(0, 0).sent, first.in_flight) == (1, 2)
    assert (second.series_of(0, 0).sent, second.series_of(0, 0).skipped, second.series_of(0, 0).dropped) == (
        0,
        1,
        2,
    )
    assert second.groups[0, "session"].max_ns == 5 * MS
    assert seen == [sample(1)]


@pytest.mark.parametrize(
    ("most", "parts"), [(None, [5, 0]), (3, [3, 2]), (5, [5, 0]), (9, [5, 0]), (0, [0, 0])]
)
def test_messages_are_handed_over_in_parts(most, parts):
    """No more than are asked for at once, in the order in which they were sent; the others come later."""
    collector = Collector()
    sent = [Attempt(0, number, number, 0, 0, 1, Reply.ACKNOWLEDGED, 200, "") for number in range(5)]
    for one in sent:
        collector.attempted(one)
    handed = [collector.drain(most).attempts for _ in parts]
    assert [len(some) for some in handed] == parts
    assert [one for some in handed for one in some] == sent[: sum(parts)]


def test_collectors_keep_few_samples_and_lose_none():
    """However many samples come between two times, all are counted, and a bounded number is left to be."""
    collector = Collector()
    for n in range(10_000):
        collector.emit(sample(n), None)
    delta, batches = collector.hand_over()
    left = sum(map(len, batches))
    assert 0 < left < 3_000
    assert delta.series_of(0, 0).sent + left == 10_000
    assert collector.drain().series == {}


@given(st.lists(samples, max_size=20))
def test_redirects_and_resends_are_counted_apart(recorded):
    """A request that was redirected or sent again is one request, and its further sends have counts of their own."""
    stats = stats_of(delta_of(recorded).series.values(), planned=len(recorded), duration_s=1)
    assert stats.sent == len(recorded)
    assert stats.redirects == sum(one.redirects for one in recorded)
    assert stats.resent == sum(one.resent for one in recorded)
