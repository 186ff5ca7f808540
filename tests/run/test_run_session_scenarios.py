"""The scenarios about first messages, anonymous callers and capacity: they pass on a right target and see a wrong one."""

import json

import pytest
from cli.command import stressrunner


def run(tmp_path, scenario, query, *more):
    """Run a shipped scenario against the embedded target; return its exit code and the check of its deliveries."""
    path = tmp_path / "r.json"
    quiet = "invariants.delivery.read_back.quiet=300ms"
    ended = stressrunner(
        f"scenarios/{scenario}.yaml", "--quiet", "--set", quiet, *more, "--report", f"json={path}",
        BASE_URL=f"demo://agents?{query}",
    )  # fmt: skip
    (checked,) = json.loads(path.read_text("utf-8"))["invariants"]
    return ended.code, checked


def broken(checked):
    """Return the requirements that do not hold."""
    return {each["name"] for each in checked["requirements"] if each["state"] == "failed"}


@pytest.mark.parametrize(
    ("scenario", "query", "workers", "faults"),
    [
        # One generator with a target that is right is what test_cli_run runs.
        ("session_race", "race=0", 2, set()),
        ("session_race", "race=1", 1, {"session_ids"}),
        ("session_race", "race=1", 2, {"session_ids"}),
        ("session_new_user", "race=user", 1, {"lost"}),
        ("session_new_user", "race=user", 2, {"lost"}),
        ("session_anonymous", "anonymous=own", 2, set()),
        ("session_anonymous", "anonymous=shared", 1, {"misrouted"}),
        ("session_anonymous", "anonymous=shared", 2, {"misrouted"}),
    ],
)
def test_first_messages_and_anonymous_callers(tmp_path, scenario, query, workers, faults):
    """A target that is right passes; one that is wrong fails with the fault that it has, and no other."""
    code, checked = run(tmp_path, scenario, query, "--workers", workers)
    assert (code, broken(checked)) == (3 if faults else 0, faults), checked["reasons"]
    assert checked["messages"] == (100 if scenario == "session_new_user" else 200)


def lost(checked):
    """Return how many messages were lost, phase by phase, without the rests between."""
    return {
        phase["name"]: phase["classes"]["lost"]
        for phase in checked["phases"]
        if phase["name"].startswith("at_")
    }


def test_capacity_is_found(tmp_path):
    """Messages are lost from the first phase on that has more at once than there is room for, and not before."""
    code, checked = run(tmp_path, "session_capacity", "latency=40ms&capacity=24")
    assert (code, broken(checked)) == (3, {"lost"})
    found = lost(checked)
    assert found.pop("at_32") > 0
    assert found == {"at_4": 0, "at_8": 0, "at_16": 0}


def test_without_a_bound_nothing_is_lost(tmp_path):
    """A target that takes them all passes."""
    code, checked = run(tmp_path, "session_capacity", "latency=20ms&jitter=0s")
    assert (code, broken(checked)) == (0, set()), checked["reasons"]
    assert set(lost(checked).values()) == {0}
