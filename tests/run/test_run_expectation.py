"""What is to be expected of a load is told before it is sent, and held against what the plan counts."""

import pytest

from stressrunner.run.expectation import expected_load
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

TOP = """\
stressrunner: 1
name: x
target: {base_url: "http://127.0.0.1:8080"}
"""
ENDPOINTS = "endpoints: {a: {get: /a}, b: {post: /b, body: '0123456789'}}\n"


def expected(text, top=TOP):
    """Return the figures of a scenario by name."""
    return dict(expected_load(build(load_text(top + text, environ={}))))


def test_fixed_work_is_counted():
    """Requests and their shares are exact; how long they take is not known."""
    told = expected(ENDPOINTS + "mix: {a: 3, b: 1}\nload: {concurrency: 8, requests: 100}\n")
    assert told["requests"] == "100: 75 a, 25 b"
    assert told["in flight"] == told["connections"] == "at most 8"
    assert told["duration"].startswith("unknown")


def test_flows_are_counted_as_far_as_they_are_certain():
    """Requests that depend on what happens are not counted, and the words say so."""
    load = "load: {concurrency: 2, iterations: 10}\n"
    assert expected(ENDPOINTS + "flow: [a, {repeat: 2, send: b}]\n" + load)["requests"] == "30: 10 a, 20 b"
    polled = "flow: [a, {send: b, repeat: {until: body.ok, times: 9}}, {if: body.more, send: a}]\n"
    assert expected(ENDPOINTS + polled + load)["requests"] == "at least 20: 10 a, 10 b"
    assert expected(ENDPOINTS + "flow: [{parallel: [a, b]}]\n" + load)["in flight"] == "at most 4"


def test_few_requests_leave_users_idle():
    """No more requests are in flight than there are."""
    assert expected(ENDPOINTS + "load: {concurrency: 8, requests: 5}\n")["in flight"] == "at most 5"


def test_fixed_time_is_measured():
    """How many requests users send in a time is unknown, and what is in flight at its end may finish."""
    told = expected(ENDPOINTS + "load: {concurrency: 8, duration: 90s, graceful_stop: 5s}\n")
    assert told["requests"].startswith("unknown, because users send as fast as they are answered")
    assert told["duration"] == "90 s, and up to 5 s for what is then in flight"


def test_arrivals_are_counted_and_their_overlap_is_not_known():
    """A rate fixes the requests, and what is in flight depends on the target; Poisson arrivals are about as many."""
    phases = (
        "load: [{rate: 5/s, duration: 10s, warmup: true}, {rate: {from: 0/s, to: 20/s}, duration: 10s}]\n"
    )
    told = expected("endpoints: {a: {get: /a}}\n" + phases)
    assert told["requests"] == "150; 50 of them warm up and are not counted"
    assert told["in flight"] == "unknown, at most 10,000: about 20 for every second that a response takes"
    poisson = expected(ENDPOINTS + "load: {rate: 50/s, duration: 10s, arrivals: poisson}\n")
    assert poisson["requests"].startswith("about ")


def test_sessions_send_bursts():
    """A session has its messages, a burst of which is in flight together, unless a pool is smaller."""
    session = "session: {send: a, messages: 20, burst: 5}\nload: {sessions: 10, concurrency: 4}\n"
    told = expected(ENDPOINTS + session)
    assert told["requests"] == "200"
    assert told["in flight"] == "at most 20"
    pooled = expected(ENDPOINTS + session, TOP.replace("8080", '8080", connections: 7').replace('"}', "}"))
    assert pooled["in flight"] == "at most 7"
    assert pooled["connections"] == "at most 7, shared by all users"


def test_work_and_time_together_are_unknown_but_longer_than_the_time():
    """Where one phase is work, the duration is more than that of the others."""
    phases = "load: [{concurrency: 1, requests: 5}, {rate: 1/s, duration: 10s}]\n"
    assert expected(ENDPOINTS + phases)["duration"].startswith("unknown, but more than 10 s")


def test_a_feeder_that_stops_is_told():
    """Data that end the load are told beside what was planned."""
    feeder = "feeders: {rows: {values: [1, 2, 3], on_end: stop}}\nendpoints: {a: {get: '/{{ rows }}'}}\n"
    told = expected(feeder + "load: {concurrency: 2, requests: 10}\n")
    assert told["requests"] == "10; a feeder ends the load after at most 3"


def test_bytes_are_those_of_requests_as_they_are_written():
    """The size is that of request line, headers and body; what cannot be filled in is unknown."""
    told = expected("endpoints: {b: {post: /b, body: '0123456789'}}\nload: {concurrency: 1, requests: 10}\n")
    size = int(told["bytes sent"].split(", about ")[1].split()[0])
    assert told["bytes sent"] == f"about {size * 10 / 1000:.3g} kB, about {size} B a request"
    assert 10 + len("POST /b HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: 10\r\n\r\n") <= size < 300


@pytest.mark.parametrize("load", ["{concurrency: 2, requests: 10}", "{concurrency: 2, duration: 1s}"])
def test_requests_that_cannot_be_filled_in_are_unknown(load):
    """Nothing is guessed of requests that need something that only a run can give."""
    endpoints = "endpoints: {b: {post: /b, body: '{{ 1 // (iteration - iteration) }}'}}\n"
    assert expected(endpoints + f"load: {load}\n")["bytes sent"].startswith("unknown")


def test_hard_limits_are_told():
    """Hard limits stand beside the load, and it is said when they will certainly cut it off."""
    load = ENDPOINTS + "load: {concurrency: 8, requests: 100}\n"
    assert "hard limits" not in expected(load)
    told = expected(load + "limits: {requests: 100, duration: 10m, bytes: 5MB}\n")
    assert told["hard limits"] == "100 requests; 10 min; 5 MB sent and received"
    told = expected(load + "limits: {requests: 99}\n")
    assert told["hard limits"] == "99 requests, which will cut the load off"


WORKLOADS = """traffic:
  background: {mix: {a: 1, b: 1}, load: {rate: 20/s, duration: 10s, max_in_flight: 40}}
  probe: {flow: [a, b], load: {concurrency: 3, iterations: 5}}
"""


def test_workloads_add_up():
    """Requests and what is in flight are sums; the time is unknown where that of one workload is."""
    told = expected(ENDPOINTS + WORKLOADS)
    assert told["requests"] == "210: 105 a, 105 b"
    assert told["in flight"] == "unknown, at most 43: about 20 for every second that a response takes"
    assert told["duration"].startswith("unknown, but more than 10 s")
    timed = expected(ENDPOINTS + WORKLOADS.replace("iterations: 5", "duration: 12s, graceful_stop: 5s"))
    assert timed["duration"] == "12 s, and up to 60 s for what is then in flight"
    assert timed["requests"].startswith(
        "unknown, because users send as fast as they are answered until 'probe' is over"
    )
    rows = "feeders: {rows: {values: [1, 2], on_end: stop}}\n" + ENDPOINTS.replace("/a", "'/{{ rows }}'", 1)
    assert "a feeder ends the workload 'probe' after at most 4" in expected(rows + WORKLOADS)["requests"]


def test_logins_are_expected():
    """Requests that set users up are told beside the load, for as many users as there can be."""
    steps = "setup: [a]\nuser_setup: [a, {parallel: [b, b]}]\n"
    told = expected(ENDPOINTS + steps + "mix: {a: 1}\nload: {concurrency: 8, requests: 100}\n")
    assert (
        told["setting up"]
        == "1 request before the load; 3 for each of at most 8 users, 24 in all; not counted"
    )
    assert "setting up" not in expected(ENDPOINTS + "load: {concurrency: 8, requests: 100}\n")
