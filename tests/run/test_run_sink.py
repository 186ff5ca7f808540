"""The sink in whole runs: what the model was given is seen, whoever starts the service, and never taken for granted."""

import json
import socket
from contextlib import closing

import jsonschema
import pytest
from cli.command import ROOT, serving_demo, stressrunner
from hosting.ports import free_port

SCHEMA = json.loads((ROOT / "schemas" / "result.schema.json").read_text("utf-8"))
QUICK = (
    "--set", "invariants.delivery.read_back.quiet=300ms", "--set", "session.gap=5ms",
    "--set", "load.sessions=5", "--set", "session.messages=10", "--set", "session.burst=10",
    "--set", "thresholds=[errors < 100%]", "--quiet",
)  # fmt: skip


def run(tmp_path, *args, url):
    """Run the session test; return its exit code and what is said of its deliveries."""
    path = tmp_path / "r.json"
    ended = stressrunner(
        "scenarios/session_queue.yaml", *QUICK, *args, "--report", f"json={path}", BASE_URL=url
    )
    result = json.loads(path.read_text("utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    assert result["invariants"], (ended.err, result["verdict"])
    return ended.code, result["invariants"][0]


def broken(checked):
    """Return the requirements that do not hold."""
    return {each["name"] for each in checked["requirements"] if each["state"] == "failed"}


@pytest.mark.parametrize(
    ("queue", "gap", "faults", "twice", "not_stored"),
    [
        ("merge", "5ms", set(), False, False),
        # Long enough for the sink to have answered a message before the next one takes its place.
        ("latest", "40ms", {"superseded", "reply.superseded"}, False, True),
        ("duplicate", "5ms", {"duplicated", "processed.twice"}, True, False),
    ],
)
def test_the_embedded_target_is_seen_processing(tmp_path, queue, gap, faults, twice, not_stored):
    """A target that comes with the run asks its sink: what it did twice, and did and threw away, shows."""
    code, checked = run(
        tmp_path,
        "--set",
        "invariants.delivery.sink.latency=0s",
        "--set",
        f"session.gap={gap}",
        url=f"demo://agents?queue={queue}&latency=100ms",
    )
    sink = checked["sink"]
    assert (code, broken(checked)) == (3 if faults else 0, faults)
    assert sink["requests"] > 0
    assert (sink["twice"] > 0, sink["not_stored"] > 0, sink["refused"]) == (twice, not_stored, 0)
    if queue != "latest":
        assert sink["messages"] == 50
    for evidence in checked["evidence"]:
        for message in evidence["sessions"][0]["messages"]:
            assert message["processed"] is not None


def test_a_service_that_knows_its_address_is_seen_too(tmp_path):
    """A sink at a port of one's choice sees what a service that runs already sends there."""
    port = free_port()
    with serving_demo(f"latency=20ms&backend=http://127.0.0.1:{port}/v1") as url:
        code, checked = run(tmp_path, "--set", f"invariants.delivery.sink.port={port}", url=url)
    assert (code, checked["outcome"], checked["sink"]["messages"]) == (0, "passed", 50)


def test_a_service_that_asks_another_model_proves_nothing(tmp_path):
    """When none of the messages came to the sink, the verdict is unknown and says what to do."""
    with serving_demo("latency=20ms") as url:
        code, checked = run(tmp_path, "--set", "invariants.delivery.sink.port=0", url=url)
    assert (code, checked["outcome"]) == (4, "unknown")
    assert "give its address to the service as its model backend" in checked["reasons"][0]


def test_a_model_that_fails_is_the_services_to_answer_for(tmp_path):
    """With a sink that fails every call, nothing was processed, acknowledged or stored."""
    code, checked = run(
        tmp_path,
        "--set", "invariants.delivery.sink.error_rate=100%",
        "--set", "invariants.delivery.sink.latency=100ms",  # beside which a busy machine is not late
        url="demo://agents?latency=5ms",
    )  # fmt: skip
    assert checked["sink"]["messages"] == 0
    assert checked["replies"]["acknowledged"] == 0
    assert (code, checked["classes"]["dropped"]) == (3, checked["messages"])
    assert checked["messages"] > 0  # a session ends at its first failure


def test_a_port_that_is_taken_is_told(tmp_path):
    """A sink that cannot be hosted ends the run before anything is sent, with a sentence."""
    path = tmp_path / "r.json"
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        ended = stressrunner(
            "scenarios/session_queue.yaml", "--quiet", "--set", f"invariants.delivery.sink.port={port}",
            "--report", f"json={path}", "--report", "text",
        )  # fmt: skip
    assert ended.code == 4
    assert f"the sink did not start: cannot listen on port {port}" in " ".join(ended.out.split())
    assert json.loads(path.read_text("utf-8"))["totals"]["sent"] == 0
