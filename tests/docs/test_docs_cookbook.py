"""The scenarios of the cookbook are run against the embedded target, with less load."""

import re
from pathlib import Path

import anyio
import pytest
from documents import blocks, shown_file, write_files

from stressrunner.demo import DemoOptions
from stressrunner.demo.process import running_demo
from stressrunner.fleet.launch import WorkerPool
from stressrunner.run.listener import Silence
from stressrunner.run.run import Options, run
from stressrunner.scenario.document import load_document

PAGE = "docs/cookbook.md"
RECIPES = [name for block in blocks(PAGE, "yaml") if "\nname:" in block.text and (name := shown_file(block))]
#: How a recipe that takes its time is cut short.
SHORTENED = {
    "browse.yaml": ["load={concurrency: 5, requests: 60}"],
    "ramp.yaml": [
        "load=[{rate: 20/s, duration: 200ms, warmup: true}, {rate: {from: 20/s, to: 60/s}, duration: 400ms}]"
    ],
    "logins.yaml": ["load.requests=9"],
    "token.yaml": ["load={concurrency: 3, requests: 12}"],
    "item.yaml": ["load={concurrency: 2, iterations: 4}"],
    "upload.yaml": ["load={concurrency: 2, requests: 4}"],
    "pages.yaml": ["load={concurrency: 2, iterations: 4}"],
    "job.yaml": ["load={concurrency: 2, iterations: 4}"],
    "patient.yaml": ["load={concurrency: 1, iterations: 6}"],
    "personas.yaml": ["load={concurrency: 2, iterations: 20}"],
    "probe.yaml": [
        "traffic.background.load={rate: 40/s, duration: 500ms}",
        "traffic.probe.load={concurrency: 1, iterations: 2}",
    ],
    "graphql.yaml": ["load={concurrency: 2, requests: 10}"],
    "client.yaml": ["load={concurrency: 2, requests: 10}"],
    "soak.yaml": ["load={concurrency: 2, requests: 20}"],
    "chat.yaml": ["load={concurrency: 2, sessions: 2}", "session.think=1ms"],
    "everywhere.yaml": ["load.duration=500ms"],
}


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """The folder with all files of the page, and the address of an embedded target that all recipes share."""
    folder = tmp_path_factory.mktemp("cookbook")
    write_files(PAGE, folder)
    with anyio.from_thread.start_blocking_portal() as portal:
        target = running_demo(DemoOptions(latency_s=0.02, jitter_s=0))
        with portal.wrap_async_context_manager(target) as hosted:
            yield folder, {"BASE_URL": hosted.base_url}


def result_of(path: Path, environ, overrides):
    """Run a scenario from this process."""
    document = load_document(path, environ=environ, overrides=overrides)

    async def ran():
        async with WorkerPool() as pool:
            return await run(document, Options(seed=1, workers=0), Silence(), anyio.Event(), pool)

    return anyio.run(ran)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_works(name, kitchen):
    """Every response of a recipe is as it expects, and every endpoint of its traffic is sent.

    How fast that is on a busy machine is no business of a recipe.
    """
    folder, environ = kitchen
    result = result_of(folder / name, environ, [*SHORTENED[name], "thresholds=[errors < 1%]"])
    assert result.errors == ()
    assert result.totals.sent == result.totals.ok + result.totals.refused
    assert result.totals.ok > 0
    assert [endpoint for endpoint, stats in result.endpoints.items() if not stats.sent] == []


def test_there_are_recipes_enough():
    """The page has a scenario below each of its headings."""
    text = "\n".join(block.text for block in blocks(PAGE, "yaml"))
    headings = re.findall(
        r"^## (.+)$", Path(__file__).parents[2].joinpath(PAGE).read_text("utf-8"), re.MULTILINE
    )
    assert len(headings) == len(RECIPES) == text.count("\nname:")
