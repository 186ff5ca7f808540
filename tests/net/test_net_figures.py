"""Seeded figures: what is sent, when it is due and what is counted is the same at a seed."""

import json

import pytest

from .observed import HERE, Recorder, as_json, command, is_as_kept

LOADS = sorted(path.stem for path in (HERE / "loads").glob("*.yaml"))
#: Loads whose requests are due when the clock says so, and not when an answer has come.
OPEN = {"constant", "poisson", "ramp", "phases"}
#: Counts whose names are promised.
COUNTS = ("planned", "sent", "completed", "ok", "failed", "refused", "superseded", "unfinished", "dropped")
COUNTS += ("skipped", "not_reached", "bytes_sent", "bytes_received")
#: Queues of the embedded target, with a class of messages that each is sure to bring about.
QUEUES = {
    "merge": ["merged"],
    "latest": ["superseded"],
    "hang": ["recovered"],
    "overlap": ["phantom"],
    "duplicate": ["duplicated"],
    "misroute": ["misrouted"],
}


def counts(stats):
    """Return what became of requests: counts that neither a busy machine nor the clock has a part in."""
    return {name: stats[name] for name in COUNTS} | {"statuses": stats["status"]}


def due(requests, is_exact):
    """Return the requests by phase, each with how long after the first one of its phase it was due."""
    phases = {}
    for one in requests:
        phases.setdefault(one["phase"], []).append(one)
    return {
        phase: sorted(
            (
                f"{one['due_s'] - min(each['due_s'] for each in sent):.6f}" if is_exact else "",
                one["endpoint"],
                one["status"],
                one["redirects"],
            )
            for one in sent
        )
        for phase, sent in phases.items()
    }


@pytest.mark.parametrize("name", LOADS)
@pytest.mark.parametrize("workers", [0, 2])
def test_the_figures_are_the_same(name, workers, tmp_path):
    """Counts of each endpoint and phase, and of open loads when each request was due, to the microsecond."""
    samples, result = tmp_path / "samples.ndjson", tmp_path / "result.json"
    with Recorder().serving() as recorder:
        ended = command(
            HERE / "loads" / f"{name}.yaml",
            *("--seed", "7", "--quiet", "--workers", str(workers)),
            *("--report", f"samples={samples}", "--report", f"json={result}"),
            BASE_URL=f"http://{recorder.address}",
        )
    assert ended.code in (0, 4), ended.err  # a busy machine may make the generator late
    is_exact = name in OPEN and not workers  # the clocks of two workers differ by some microseconds
    read = json.loads(result.read_text("utf-8"))
    sent = [json.loads(line) for line in samples.read_text("utf-8").splitlines()]
    seen = {
        "totals": counts(read["totals"]),
        "endpoints": {endpoint: counts(stats) for endpoint, stats in read["endpoints"].items()},
        "phases": {phase["name"]: counts(phase["totals"]) for phase in read["phases"]},
        "requests": due(sent, is_exact),
    }
    is_as_kept(f"{name}.{'exact' if is_exact else 'figures'}.json", as_json(seen))


@pytest.mark.parametrize("queue", QUEUES)
def test_the_classes_of_a_queue_are_the_same(queue, tmp_path):
    """The exit code on a queue of the embedded target, and which classes of messages were found."""
    result = tmp_path / "result.json"
    ended = command(
        "scenarios/session_queue.yaml",
        *(
            "--quiet",
            "--set",
            "session.gap=5ms",
            "--set",
            "target.timeout=3s",
            "--set",
            "load.graceful_stop=3s",
        ),
        *("--report", f"json={result}"),
        BASE_URL=f"demo://agents?queue={queue}",
    )
    (delivery,) = json.loads(result.read_text("utf-8"))["invariants"]
    assert ended.code == (0 if queue == "merge" else 3), ended.err
    assert delivery["outcome"] == ("passed" if queue == "merge" else "failed")
    assert {*QUEUES[queue]} <= {name for name, count in delivery["classes"].items() if count}


def test_what_is_expected_is_the_same():
    """The numbers that `explain` expects of a load."""
    ended = command("explain", HERE / "loads" / "phases.yaml", BASE_URL="http://h")
    numbers = [part for part in ended.out.replace("\n", " ").split(" ") if any(map(str.isdigit, part))]
    assert ended.code == 0
    is_as_kept("explain.json", as_json(numbers))
