"""Figures that are pushed over OTLP arrive as they were counted; a collector that is not there harms nobody."""

from dataclasses import replace

import pytest
from cli.made_progress import RUNNING
from metrics.metrics_samples import sample

pytest.importorskip("opentelemetry.sdk", reason="stressrunner[otlp] is not installed")

from export.otlp_receiver import receiving

from stressrunner.errors import UsageError
from stressrunner.metrics.tally import Tally
from stressrunner.plan.outcome import Outcome
from stressrunner.run.export.figures import BOUNDS_S, Buckets
from stressrunner.run.export.otlp import pushing_otlp


def counted(requests):
    """Return the tally of so many requests, of which each took a millisecond longer than the one before."""
    total = Tally()
    total.extend([sample(took_ms=n + 1) for n in range(requests)])
    return total


def metrics_of(message):
    """Return the metrics of a message by name, and the attributes of what sent them."""
    (resource,) = message.resource_metrics
    (scope,) = resource.scope_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    return {metric.name: metric for metric in scope.metrics}, attributes


def test_pushed_figures_are_those_that_were_counted():
    """The last push has the last figures: counters that only grow, gauges, and the distribution of times."""
    with receiving() as (url, messages):
        with pushing_otlp(url, ["load"]) as listener:
            for n in range(1, 4):
                listener.progress(replace(RUNNING, at_s=10.0 * n), counted(100 * n))
        assert listener.failed == 0
    metrics, attributes = metrics_of(messages[-1])
    assert attributes["service.name"] == "stressrunner"
    requests = metrics["stressrunner_requests"].sum
    assert requests.is_monotonic
    values = {
        tuple(sorted((a.key, a.value.string_value) for a in point.attributes)): point.as_int
        for point in requests.data_points
    }
    ok = (("endpoint", "agent_run"), ("outcome", Outcome.OK.name.lower()), ("phase", "load"))
    assert values[ok] == 300
    (times,) = metrics["stressrunner_response_time_seconds"].histogram.data_points
    buckets = Buckets.of(counted(300).cell(0, 0).response_time)
    assert tuple(times.bucket_counts) == buckets.counts
    assert tuple(times.explicit_bounds) == BOUNDS_S
    assert (times.count, times.sum, times.max) == (300, buckets.sum_s, 0.3)
    (in_flight,) = metrics["stressrunner_in_flight"].gauge.data_points
    assert in_flight.as_int == RUNNING.in_flight


def test_figures_are_pushed_every_five_seconds_and_at_the_end():
    """Of a second after the other, every fifth is pushed, and the last when it is over."""
    with receiving() as (url, messages):
        with pushing_otlp(f"{url}/v1/metrics", ["load"]) as listener:
            for n in range(1, 9):
                listener.progress(replace(RUNNING, at_s=float(n)), counted(n))
        assert 1 <= len(messages) <= 3  # a push that is under way takes the next one along
    metrics, _ = metrics_of(messages[-1])
    (elapsed,) = metrics["stressrunner_elapsed_seconds"].gauge.data_points
    assert elapsed.as_double == 8.0


@pytest.mark.parametrize("path", [":1", "/elsewhere"])
def test_a_collector_that_does_not_take_them_is_counted(path):
    """Nobody there, or somebody who knows nothing of metrics: the run goes on, and the pushes are counted as failed."""
    with receiving() as (url, messages):
        address = f"http://127.0.0.1{path}" if path.startswith(":") else url + path
        with pushing_otlp(address, ["load"]) as listener:
            listener.progress(RUNNING, counted(1))
        assert listener.failed >= 1
        assert messages == []


def test_a_run_without_figures_pushes_nothing():
    """A run that ends before its load began has nothing to tell."""
    with receiving() as (url, messages), pushing_otlp(url, ["load"]):
        pass
    assert messages == []


@pytest.mark.parametrize("url", ["localhost:4318", "ftp://localhost", "http://"])
def test_an_address_that_makes_no_sense_is_refused(url):
    """What is no URL of HTTP is an error of usage with an example."""
    with pytest.raises(UsageError, match="write a URL such as http://localhost:4318"), pushing_otlp(url, []):
        pass
