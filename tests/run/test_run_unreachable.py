"""Thresholds that ask for more than is sent: warned of before the load, and only where it is certain."""

import pytest

from stressrunner.run.unreachable import unreachable
from stressrunner.scenario.document import load_text

SCENARIO = """\
stressrunner: 1
name: shop
target: {{base_url: "http://h"}}
endpoints:
  a: {{get: /a}}
  b: {{get: /b}}
{traffic}
thresholds:
  - errors < 5%
  - {threshold}
"""
MIX = "mix: {a: 3, b: 1}\n"
RATE = MIX + "load: {rate: 100/s, duration: 10s}"
PHASES = (
    MIX
    + "load: [{name: warm, warmup: true, rate: 500/s, duration: 1s}, {name: hold, rate: 20/s, duration: 5s}]"
)
POISSON = MIX + "load: {rate: 100/s, duration: 10s, arrivals: poisson}"
USERS = MIX + "load: {concurrency: 5, requests: 40}"
TIMED = MIX + "load: {concurrency: 5, duration: 10s}"
TRAFFIC = """\
traffic:
  probe: {mix: {a: 1}, load: {rate: 10/s, duration: 5s}}
  crowd: {mix: {b: 1}, load: {concurrency: 5, duration: 5s}}"""
BOTH = """\
traffic:
  probe: {mix: {a: 1}, load: {rate: 10/s, duration: 5s}}
  crowd: {mix: {b: 1}, load: {rate: 20/s, duration: 3s}}"""
UNSURE = "flow: [{send: a}, {send: b, if: 'random_int(1, 2) == 1'}]\nload: {rate: 10/s, duration: 5s}"


def warnings(traffic, threshold):
    """Return the warnings about a scenario."""
    return unreachable(load_text(SCENARIO.format(traffic=traffic, threshold=threshold), environ={}))


@pytest.mark.parametrize(
    ("traffic", "threshold", "most"),
    [
        (RATE, "throughput > 200/s", "at most 100/s"),
        (RATE, "throughput > 100/s", "at most 100/s"),
        (RATE, "goodput >= 101/s", "at most 100/s"),
        (RATE, "a.throughput > 80/s", "at most 75/s"),
        (RATE, "count >= 1001", "at most 1,000"),
        (RATE, "b.count == 251", "at most 250"),
        (PHASES, "throughput > 20/s in hold", "at most 20/s"),
        (PHASES, "throughput > 20/s", "at most 20/s"),  # what warms up does not count
        (PHASES, "throughput > 500/s in warm", "at most 500/s"),
        (POISSON, "throughput > 130/s", "at most 119/s"),
        (USERS, "count > 40", "at most 40"),
        (TRAFFIC, "probe.throughput > 10/s", "at most 10/s"),
        (TRAFFIC, "probe.count > 50", "at most 50"),
        (BOTH, "throughput > 30/s", "at most 30/s"),
        (BOTH, "b.throughput > 20/s", "at most 20/s"),
    ],
)
def test_what_the_load_cannot_satisfy_is_warned_of(traffic, threshold, most):
    """The warning stands at the threshold, and says what is sent."""
    (warning,) = warnings(traffic, threshold)
    assert warning.is_warning
    assert warning.message == f"the load cannot satisfy this: it sends {most}"
    assert threshold in warning.source_line


@pytest.mark.parametrize(
    ("traffic", "threshold"),
    [
        (RATE, "throughput >= 100/s"),
        (RATE, "throughput < 200/s"),
        (RATE, "throughput != 200/s"),
        (RATE, "throughput > 200/s over 1s"),
        (RATE, "count > 999"),
        (RATE, "p95 > 200ms"),
        (PHASES, "throughput > 300/s in warm"),
        (POISSON, "throughput > 110/s"),
        (USERS, "throughput > 1000/s"),
        (TIMED, "throughput > 1000/s"),
        (TIMED, "count > 1000000"),
        (TRAFFIC, "crowd.throughput > 10000/s"),
        (TRAFFIC, "throughput > 10000/s"),
        (BOTH, "throughput > 25/s"),
        (UNSURE, "throughput > 100/s"),
    ],
)
def test_what_may_be_is_not_warned_of(traffic, threshold):
    """A limit that the load may satisfy, or of which nobody knows, is nobody's mistake."""
    assert warnings(traffic, threshold) == ()
