"""The verdict on each queue of the embedded target is the same, however often it is asked for."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from cli.command import ROOT, stressrunner

from stressrunner.demo.queues import QUEUES

RUNS = 20
AT_ONCE = 3  #: runs, so that none of them has the machine for itself
#: Messages that are told to wait no longer than the load itself does.
TIMES = ["--set", "target.timeout=3s", "--set", "load.graceful_stop=3s", "--set", "session.gap=5ms"]
#: Queues whose faults callers cannot see: without a look at the histories they pass.
SILENT = {"merge", "duplicate", "misroute"}

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def unchecked(tmp_path_factory):
    """The session queue scenario without its invariants."""
    folder = tmp_path_factory.mktemp("unchecked")
    text = (ROOT / "scenarios" / "session_queue.yaml").read_text("utf-8")
    begin, end = text.index("invariants:"), text.index("thresholds:")
    (folder / "data").mkdir()
    (folder / "data" / "prompts.csv").write_bytes((ROOT / "scenarios" / "data" / "prompts.csv").read_bytes())
    path = folder / "unchecked.yaml"
    path.write_text(text[:begin] + text[end:], "utf-8")
    return path


def codes(scenario, queue):
    """Return the exit codes of many runs, with how often each came."""

    def run(_number):
        return stressrunner(scenario, "--quiet", *TIMES, BASE_URL=f"demo://agents?queue={queue}").code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(run, range(RUNS)))


@pytest.mark.parametrize("queue", QUEUES)
def test_with_invariants_the_verdict_never_flips(queue):
    """The queue that merges passes every time, and every other one fails every time."""
    assert codes("scenarios/session_queue.yaml", queue) == {0 if queue == "merge" else 3: RUNS}


@pytest.mark.parametrize("queue", QUEUES)
def test_without_invariants_the_verdict_never_flips(unchecked, queue):
    """Errors and silence fail every time, and what callers cannot see passes every time."""
    assert codes(unchecked, queue) == {0 if queue in SILENT else 3: RUNS}
