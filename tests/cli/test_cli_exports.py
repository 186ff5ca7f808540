"""`--prometheus` and `--otlp` of `run`."""

import json

import pytest
from command import in_this_process, stressrunner

pytest.importorskip("opentelemetry.sdk", reason="stressrunner[otlp] is not installed")
pytest.importorskip("prometheus_client", reason="stressrunner[prometheus] is not installed")

from export.otlp_receiver import receiving


def test_a_run_is_pushed_to_its_end(tmp_path):
    """The last push of a run has the very counts of its result; where it is served for Prometheus is told."""
    result_file = tmp_path / "r.json"
    with receiving() as (url, messages):
        ran = stressrunner(
            "scenarios/full_api.yaml", "--otlp", url, "--prometheus", "0", "--report", f"json={result_file}"
        )
    assert ran.code == 0, ran.err
    assert "serving figures at http://127.0.0.1:" in ran.err
    assert "pushes" not in ran.err
    metrics = messages[-1].resource_metrics[0].scope_metrics[0].metrics
    (requests,) = (metric.sum.data_points for metric in metrics if metric.name == "stressrunner_requests")
    counted = {}
    for point in requests:
        labels = {one.key: one.value.string_value for one in point.attributes}
        if labels["outcome"] == "ok":
            counted[labels["endpoint"]] = point.as_int
    totals = json.loads(result_file.read_text("utf-8"))["endpoints"]
    assert counted == {name: stats["ok"] for name, stats in totals.items()}


def test_a_collector_that_does_not_take_them_is_told_and_changes_nothing():
    """A run passes although nobody takes its figures, and says so at its end."""
    few = ("--set", "load={concurrency: 1, requests: 20}")
    with receiving() as (url, _):
        ran = stressrunner("scenarios/hello.yaml", *few, "-q", "--otlp", f"{url}/elsewhere")
    assert ran.code == 0
    assert "of the pushes were not taken" in ran.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--prometheus", "nowhere"], "write a port such as 9464, or HOST:PORT"),
        (["--prometheus-linger", "5s"], "add --prometheus PORT, or leave it out"),
        (["--prometheus", "70000"], "write a port such as 9464, or HOST:PORT"),
        (["--prometheus", "192.0.2.1:9464"], "cannot listen at 192.0.2.1:9464"),
        (["--otlp", "localhost:4318"], "write a URL such as http://localhost:4318"),
    ],
)
def test_wrong_addresses_are_told_before_anything_is_sent(words, says):
    """An address that makes no sense, or that is not this machine's: exit code 2."""
    ran = in_this_process("scenarios/hello.yaml", *words)
    assert ran.code == 2
    assert says in ran.err
    assert "Traceback" not in ran.err
