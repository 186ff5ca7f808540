"""Names on the command line: of any length, of links that go round, of what is no file, and behind options."""

import os

import pytest
from command import stressrunner

SCENARIO = """\
stressrunner: 1
name: one
target: {base_url: "demo://agents?latency=0ms"}
endpoints: {list: {get: /api/v1/agent/list}}
load: {concurrency: 1, requests: 1}
"""


@pytest.mark.parametrize("name", ["n" * 300, "loop", "loop/a.yaml", "fifo", "d" * 300 + ".zip//a.yaml"])
@pytest.mark.parametrize("command", [("validate",), ("explain",), ("report", "--format", "text"), ("check",)])
def test_names_that_cannot_be_had(command, name, tmp_path):
    """A name that is too long, links that go round and a pipe are told, with exit code 2 and no traceback."""
    if command[0] in ("report", "check") and name == "fifo":
        pytest.skip("a result may come through a pipe")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    ended = stressrunner(command[0], name, *command[1:], cwd=tmp_path)
    assert ended.code == 2
    assert 0 < len(ended.err + ended.out) < 2_000


@pytest.mark.parametrize("option", [("-q",), ("--quiet", "--yes")])
def test_options_may_come_first(option, tmp_path):
    """`stressrunner -q x.yaml` is `stressrunner run -q x.yaml`."""
    (tmp_path / "one.yaml").write_text(SCENARIO, "utf-8")
    ended = stressrunner(*option, "one.yaml", cwd=tmp_path)
    assert ended.code in (0, 3, 4), ended.err  # it was run, whatever came of it on a machine that is busy
