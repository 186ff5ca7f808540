"""Figures as Prometheus reads them: by its own parser, and by a real Prometheus that scrapes a run."""

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager

import anyio
import anyio.to_thread
import httpx
import pytest
from cli.command import stressrunner
from cli.made_progress import RUNNING
from hosting.ports import free_port
from metrics.metrics_samples import sample

pytest.importorskip("prometheus_client", reason="stressrunner[prometheus] is not installed")

from prometheus_client.parser import text_string_to_metric_families

from stressrunner.cli.exports import Exports
from stressrunner.errors import UsageError
from stressrunner.metrics.delta import Delta
from stressrunner.run.export.figures import BOUNDS_S, Buckets
from stressrunner.run.export.prometheus import serving_prometheus

PROMETHEUS = shutil.which("prometheus")
WITHIN_S = 30


def scraped(port):
    """Return the samples that are served, by name and labels."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_what_is_served_is_what_was_counted():
    """The parser of Prometheus reads counters, gauges and the distribution of times as they were counted."""
    total = Delta()
    total.extend([sample(took_ms=n + 1) for n in range(300)])
    total.series_of(0, 0).response_time.never = 4
    with serving_prometheus("127.0.0.1", 0, ["load"]) as (listener, port):
        assert scraped(port) == {}
        listener.progress(RUNNING, total)
        found = scraped(port)
    labels = (("endpoint", "agent_run"), ("phase", "load"))
    assert found["stressrunner_requests_total", (labels[0], ("outcome", "ok"), labels[1])] == 300
    assert found["stressrunner_in_flight", ()] == RUNNING.in_flight
    assert found["stressrunner_run", (("scenario", RUNNING.scenario), ("target", RUNNING.target))] == 1
    assert found["stressrunner_threshold_holds", (("threshold", "errors < 1%"),)] == 0
    buckets = Buckets.of(total.series_of(0, 0).response_time)
    name = "stressrunner_response_time_seconds"
    assert [
        found[f"{name}_bucket", (labels[0], ("le", end), labels[1])] for end in (*map(str, BOUNDS_S), "+Inf")
    ] == list(buckets.cumulative)
    assert found[f"{name}_count", labels] == 304
    assert found[f"{name}_sum", labels] == pytest.approx(buckets.sum_s)


@contextmanager
def held(linger_s):
    """Serve figures that nobody has seen yet; yields the exports, a function that scrapes and one that ends the load."""
    exports = Exports(linger_s, quiet=True)
    with serving_prometheus("127.0.0.1", 0, ["load"]) as (listener, port):
        exports.prometheus = listener

        def end():
            listener.progress(RUNNING, Delta())

        yield exports, lambda: scraped(port), end


def hold(exports, *, meanwhile=None, interrupted=False):
    """Hold the last figures while something happens; return how long that took."""

    async def main():
        event = anyio.Event()
        if interrupted:
            event.set()
        async with anyio.create_task_group() as tasks:
            if meanwhile is not None:
                tasks.start_soon(anyio.to_thread.run_sync, meanwhile)
            begin_s = anyio.current_time()
            await exports.hold(event)
            return anyio.current_time() - begin_s

    return anyio.run(main)


def test_the_last_figures_are_held_for_one_scrape():
    """Where somebody scrapes, the next one still finds them; then the command ends."""
    with held(None) as (exports, scrape, end):
        end()
        scrape()
        assert hold(exports) < 5  # the latest figures have been seen
        end()
        assert exports.prometheus.patience_s == 15
        assert hold(exports, meanwhile=scrape) < 10
        assert exports.prometheus.is_up_to_date
        assert 0 < exports.prometheus.patience_s < 60


def test_nobody_is_waited_for_who_never_scraped():
    """Unless that is asked for; and nobody at all when the run was interrupted, or it is now."""
    with held(None) as (exports, _, end):
        end()
        assert hold(exports) < 5
    with held(50.0) as (exports, scrape, end):
        end()
        assert hold(exports, interrupted=True) < 10
        assert hold(exports, meanwhile=scrape) < 10
        end()
        exports.hurry()
        assert hold(exports) < 10


@pytest.mark.parametrize("arguments", [("--prometheus-linger", "soon"), ("--prometheus-linger", "5")])
def test_how_long_to_hold_figures_has_a_unit(arguments):
    """What is no duration is an error of usage."""
    ran = stressrunner("scenarios/hello.yaml", "--prometheus", "0", *arguments)
    assert ran.code == 2
    assert "--prometheus-linger" in ran.err


def test_a_port_that_is_taken_is_refused():
    """Where somebody else listens already, that is said before anything is sent."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with (
            pytest.raises(UsageError, match=f"cannot listen at 127.0.0.1:{port}"),
            serving_prometheus("127.0.0.1", port, []),
        ):
            pass


def has_targets(url):
    """Return whether a Prometheus is up and has begun to scrape."""
    try:
        return bool(httpx.get(f"{url}/api/v1/targets").json()["data"]["activeTargets"])
    except (httpx.TransportError, ValueError, KeyError):
        return False


@pytest.fixture
def prometheus(tmp_path):
    """A real Prometheus that scrapes a port of loopback five times a second; yields its URL and that port."""
    target, own = free_port(), free_port()
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n"
        "  - job_name: load\n"
        "    scrape_interval: 200ms\n"
        "    scrape_timeout: 200ms\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{target}']}}]\n",
        "utf-8",
    )
    command = [
        PROMETHEUS,
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'series'}",
        f"--web.listen-address=127.0.0.1:{own}",
        "--log.level=error",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + WITHIN_S
            while not has_targets(f"http://127.0.0.1:{own}"):
                assert time.monotonic() < deadline
            yield f"http://127.0.0.1:{own}", target
        finally:
            process.terminate()
            process.wait(WITHIN_S)


@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed")
def test_a_real_prometheus_scrapes_a_run(prometheus, tmp_path):
    """A run of two seconds is in Prometheus afterwards, with its requests, times and phase."""
    url, port = prometheus
    ran = stressrunner(
        "scenarios/agent_run.yaml",
        *("--set", "load={concurrency: 4, duration: 2s}", "--prometheus", str(port), "-q"),
    )
    assert ran.code == 0, ran.err

    def value(query):
        found = httpx.get(f"{url}/api/v1/query", params={"query": query}).json()["data"]["result"]
        return float(found[0]["value"][1]) if found else 0.0

    assert value("sum(max_over_time(stressrunner_requests_total{outcome='ok'}[1m]))") > 10
    assert value("max_over_time(stressrunner_phase{phase='load'}[1m])") == 1
    p95 = (
        "histogram_quantile(0.95, sum by (le) (max_over_time(stressrunner_response_time_seconds_bucket[1m])))"
    )
    assert 0 < value(p95) < 10
