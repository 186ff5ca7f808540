"""Figures that are pushed over OTLP arrive as they were counted; a collector that is not there harms nobody."""

import json
import threading
import time
from dataclasses import replace

import pytest
from cli.command import stressrunner
from cli.made_progress import RUNNING
from hosting.handler_server import QuietHandler, serving
from metrics.metrics_samples import sample

pytest.importorskip("opentelemetry.sdk", reason="stressrunner[otlp] is not installed")

from export.otlp_receiver import receiving

from stressrunner.errors import UsageError
from stressrunner.metrics.delta import Delta
from stressrunner.plan.outcome import Outcome
from stressrunner.run.export.figures import BOUNDS_S, Buckets
from stressrunner.run.export.otlp import pushing_otlp


def counted(requests):
    """Return the delta of so many requests, of which each took a millisecond longer than the one before."""
    total = Delta()
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
    buckets = Buckets.of(counted(300).series_of(0, 0).response_time)
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


class Silent(QuietHandler):
    """A collector that takes a push and never answers, until its test is over."""

    over = threading.Event()

    def wait(self):
        """Wait."""
        self.over.wait(60)

    do_POST = wait  # noqa: N815  the name that the server looks for


class Busy(QuietHandler):
    """A collector that wants to be asked again later."""

    def refuse(self):
        """Refuse."""
        self.received()
        self.reply(503)

    do_POST = refuse  # noqa: N815


@pytest.mark.parametrize("collector", [Silent, Busy])
@pytest.mark.parametrize("is_in_haste", [False, True])
def test_the_end_of_a_run_does_not_wait_for_a_collector(collector, is_in_haste):
    """One that hangs, or answers 503 and is asked again, holds the end up for a second, and what is missing is told."""
    Silent.over = threading.Event()
    with serving(collector) as url:
        with pushing_otlp(url, ["load"]) as listener:
            listener.progress(RUNNING, counted(1))
            listener.is_in_haste = is_in_haste
            begin_s = time.monotonic()
        took_s = time.monotonic() - begin_s
        Silent.over.set()
    assert took_s < 4  # its own timeout is 5 s
    assert (listener.failed >= 1, listener.is_complete) == (True, False)


def test_a_refusal_has_its_reason():
    """What the collector, or the system, says of it is kept in one line."""
    with pushing_otlp("http://127.0.0.1:1", ["load"]) as listener:
        listener.progress(RUNNING, counted(1))
        listener.is_in_haste = False
    assert not listener.is_complete
    assert "\n" not in listener.reason


def test_a_run_says_which_it_is():
    """The resource has the run's id, an instance, and what the environment says; the last push is complete."""
    with receiving() as (url, messages):
        ran = stressrunner(
            "scenarios/hello.yaml",
            *("--set", "load={concurrency: 1, requests: 3}", "--otlp", url, "--report", "json"),
            OTEL_RESOURCE_ATTRIBUTES="team=shop,service.version=7",
        )
    assert ran.code == 0, ran.err
    _, attributes = metrics_of(messages[-1])
    assert attributes["stressrunner.run.id"] == json.loads(ran.out)["run"]["id"]
    assert len(attributes["service.instance.id"]) == 36
    assert (attributes["service.name"], attributes["service.version"], attributes["team"]) == (
        "stressrunner",
        "7",
        "shop",
    )


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
