"""Environments and settings from the command line, and where every value of a scenario comes from."""

import json

import pytest
from command import ROOT, in_this_process, stressrunner

SCENARIO = """\
stressrunner: 1
name: shop
uses: [common.yaml]
target: {base_url: "demo://agents?latency=1ms"}
endpoints: {health: {get: /health}}
load: {concurrency: 1, requests: 3}
environments:
  lab: {load: {requests: 5}}
"""
COMMON = (
    'stressrunner: 1\nendpoints: {gone: {get: "/gone/{{ key }}"}}\nvariables: {key: "${secret:KEY:-none}"}\n'
)


@pytest.fixture
def folder(tmp_path):
    """A folder with a scenario that has an environment, and a file that it uses."""
    (tmp_path / "shop.yaml").write_text(SCENARIO, "utf-8")
    (tmp_path / "common.yaml").write_text(COMMON, "utf-8")
    return tmp_path


def test_a_run_takes_an_environment(folder):
    """`--env` changes what is sent, and the result says which one it was."""
    ran = stressrunner(
        "shop.yaml", "--env", "lab", "--workers", "0", "-q", "--report", "json=r.json", cwd=folder
    )
    assert ran.code == 0, ran.err
    result = json.loads((folder / "r.json").read_text("utf-8"))
    assert result["run"]["environment"] == "lab"
    assert result["totals"]["planned"] == 5
    assert list(result["endpoints"]) == ["health"]


@pytest.mark.parametrize("command", ["run", "validate"])
def test_an_unknown_environment_sends_nothing(folder, command):
    """An environment that is not there is exit code 2, with those that are."""
    ran = in_this_process(command, "shop.yaml", "--env", "lob", cwd=folder)
    assert ran.code == 2
    assert "there is no environment 'lob'; did you mean 'lab'? there are lab" in ran.err


SHIPPED = sorted(path.name for path in (ROOT / "scenarios").glob("*.yaml") if path.name != "pack.yaml")


@pytest.mark.parametrize("scenario", SHIPPED)
def test_shipped_environments_fit_every_scenario(scenario):
    """The shipped environments can be laid over every shipped scenario; production wants an address and a key."""
    path = f"scenarios/{scenario}"
    assert stressrunner("validate", path, "--env", "local").code == 0
    given = {"BASE_URL": "https://example.org", "API_KEY": "sesame-open"}
    assert stressrunner("validate", path, "--env", "production", **given).code == 0
    refused = stressrunner("validate", path, "--env", "production")
    assert refused.code == 2
    assert "needs what is not set: BASE_URL (where the API is), API_KEY" in refused.err


def test_explain_shows_a_scenario_that_can_be_run(folder):
    """The composed text stands for all layers, names secrets without showing them, and tells the load to expect."""
    key = {"KEY": "sesame-open"}
    ran = stressrunner(
        "explain", "shop.yaml", "--env", "lab", "--set", "load.concurrency=2", cwd=folder, **key
    )
    assert ran.code == 0, ran.err
    assert "sesame-open" not in ran.out
    assert 'key: "${secret:KEY:-none}"' in ran.out
    assert "#   requests         5\n#   in flight        at most 2\n" in ran.out
    (folder / "alone.yaml").write_text(ran.out, "utf-8")
    assert stressrunner("explain", "alone.yaml", cwd=folder, **key).out == ran.out


def test_explain_says_where_a_value_comes_from(folder):
    """With a path: the value, the text that set it, and what it took the place of."""
    ran = stressrunner(
        "explain", "shop.yaml", "load", "--env", "lab", "--set", "load.concurrency=2", cwd=folder
    )
    assert ran.out == (
        "load.concurrency = 2   --set load.concurrency=2   overrides shop.yaml:6: 1\n"
        "load.requests = 5      shop.yaml:8 (--env lab)    overrides shop.yaml:6: 3\n"
    )


def test_explain_masks_secrets_in_what_was_given(folder):
    """A secret that shows up somewhere else is masked there too."""
    ran = stressrunner(
        "explain", "shop.yaml", "name", "--set", "name=sesame-open", cwd=folder, KEY="sesame-open"
    )
    assert ran.out == "name = ***   --set name=***   overrides shop.yaml:2: shop\n"


def test_explain_of_nothing_is_a_usage_error(folder):
    """A path that leads nowhere is exit code 2, with a suggestion."""
    ran = stressrunner("explain", "shop.yaml", "laod", cwd=folder)
    assert ran.code == 2
    assert ran.err == "the scenario has no 'laod'; did you mean 'load'?\n"
