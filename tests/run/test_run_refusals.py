"""Replies that are refusals, all of them: no times to be in doubt about, and no pass."""

import json

import pytest
from cli.command import stressrunner

SCENARIO = """\
stressrunner: 1
name: all 422
target: {base_url: "demo://agents", headers: {x-api-key: demo-key}}
endpoints: {run: {post: /api/v1/agent/simple/run, json: {}}}
load: {concurrency: 5, requests: 150}
"""


@pytest.mark.parametrize(
    ("setting", "figures"),
    [([], ["errors", "endpoints.errors"]), (["endpoints.run.refused=status == 422"], ["errors"])],
)
def test_a_target_that_refuses_everything_fails(tmp_path, setting, figures):
    """All replies are 422: the run fails and is not in doubt; where they are wanted refusals, for want of any other."""
    path, result = tmp_path / "refused.yaml", tmp_path / "r.json"
    path.write_text(SCENARIO, "utf-8")
    settings = [part for one in setting for part in ("--set", one)]
    ran = stressrunner("run", path, "--quiet", "--report", f"json={result}", *settings)
    assert ran.code == 3, ran.err
    read = json.loads(result.read_text("utf-8"))
    assert read["totals"]["status"] == {"422": 150}
    broken = [one["text"].split(" ")[0] for one in read["thresholds"] if one["state"] == "failed"]
    assert broken == figures
    assert not any("late" in reason for reason in read["validity"]["reasons"] if "p99" in reason)
