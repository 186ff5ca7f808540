"""The arithmetic that benchmarks compare with: slopes, queues, percentiles and freezes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.memory import growth_bytes, thinned
from benchmarks.theory import Cost, percentile, response_times_s, slope_s, thawed_s

moments = st.lists(st.floats(0, 1000), min_size=1, max_size=60).map(sorted)
short_times = st.floats(0.001, 10)


@given(st.floats(0, 10), st.floats(1e-6, 1e-2), st.integers(1, 10_000), st.integers(1, 10_000))
def test_starting_up_falls_out_of_a_slope(start_s, each_s, short, more):
    """Whatever starting up costs, the slope is what one more request costs."""
    costs = [Cost(n, start_s + n * each_s) for n in (short, short + more)]
    assert slope_s(*costs) == pytest.approx(each_s, abs=1e-9)


@pytest.mark.parametrize("requests", [99, 100])
def test_a_slope_needs_a_longer_run(requests):
    """A long run that was not longer has no slope."""
    with pytest.raises(ValueError, match=f"{requests} requests are not more than 100"):
        slope_s(Cost(100, 1.0), Cost(requests, 2.0))


def test_one_server_serves_in_turn():
    """Three requests for one server: the second waits for the first, the third finds it free."""
    assert response_times_s([0, 1, 10], [3, 2, 1]) == [3, 4, 1]


def test_two_servers_serve_side_by_side():
    """With two servers the third request waits for whichever is free first."""
    assert response_times_s([0, 0, 0], [3, 5, 1], servers=2) == [3, 5, 4]


@given(moments, st.data())
def test_waiting_follows_lindley(due_s, data):
    """The waits of one server are those of Lindley's recursion: w' = max(0, w + service - distance)."""
    service_s = data.draw(st.lists(short_times, min_size=len(due_s), max_size=len(due_s)))
    wait = 0.0
    for i, response in enumerate(response_times_s(due_s, service_s)):
        if i:
            wait = max(0.0, wait + service_s[i - 1] - (due_s[i] - due_s[i - 1]))
        assert response == pytest.approx(wait + service_s[i], abs=1e-6)


@given(moments, short_times)
def test_enough_servers_let_nobody_wait(due_s, service_s):
    """With as many servers as requests, a response takes as long as its service."""
    times_s = response_times_s(due_s, [service_s] * len(due_s), servers=len(due_s))
    assert times_s == pytest.approx([service_s] * len(due_s), abs=1e-6)


def test_each_arrival_has_a_service_time():
    """A service time too few is a mistake and not a shorter answer."""
    with pytest.raises(ValueError, match="shorter"):
        response_times_s([0.0, 1.0], [0.5])


def test_percentiles_are_nearest_rank():
    """A percentile is a value that was there: of 1 to 200, p50 is 100, p99 is 198 and p99.9 the last."""
    values = list(range(200, 0, -1))
    assert [percentile(values, p) for p in (50, 99, 99.9)] == [100, 198, 200]


@pytest.mark.parametrize(
    ("arrived_s", "answered_s"),
    [(5.0, 5.5), (7.5, 8.0), (7.75, 10.25), (8.0, 10.5), (9.9, 10.5), (10.0, 10.5), (12.0, 12.5)],
)
def test_a_freeze_stops_and_resumes_work(arrived_s, answered_s):
    """Work of half a second that meets a freeze from 8 to 10 pauses or begins late; other work does not notice."""
    assert thawed_s(arrived_s, 0.5, (8.0, 10.0)) == answered_s


@given(st.lists(short_times, min_size=1, max_size=50), short_times, short_times)
def test_a_freeze_delays_by_no_more_than_itself(arrivals, begins_s, length_s):
    """Nobody is answered before the service time, nor later than the freeze's length after it."""
    for arrived_s in arrivals:
        delay = thawed_s(arrived_s, 0.01, (begins_s, begins_s + length_s)) - arrived_s - 0.01
        assert -1e-9 <= delay <= length_s + 1e-9


def test_growth_is_between_two_counts():
    """What a process takes before the first count and after the last one is not growth."""
    samples = [(0, 40), (90, 90), (110, 100), (300, 130), (499, 104), (500, 900)]
    assert growth_bytes(samples, 100, 500) == 4


def test_growth_needs_two_samples():
    """One sample shows no growth."""
    with pytest.raises(ValueError, match="1 samples between 100 and 500"):
        growth_bytes([(90, 1), (200, 2), (600, 3)], 100, 500)


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (40, 40), (41, 21), (1000, 40)])
def test_samples_that_are_kept_are_few(count, kept):
    """However long a run is, about forty samples of it stay, the first among them."""
    samples = [(i, i) for i in range(count)]
    assert len(thinned(samples)) == kept
    assert thinned(samples)[:1] == samples[:1]
