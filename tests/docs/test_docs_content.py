"""What the documents show and point to is there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cli.command import stressrunner
from documents import DOCUMENTS, ROOT, anchors, blocks, links, read, shown_file, table, write_files

from stressrunner.authoring.packing import draft_of
from stressrunner.scenario.document import load_document

FIGURE = re.compile(r"[\d,.]+ ?(?:[µm]?s|[kM]?B|%|/s)?(?!\w)")


@pytest.fixture(scope="module")
def full_api(tmp_path_factory):
    """The result file of a run of `full_api.yaml`, and its report as text."""
    path = tmp_path_factory.mktemp("full_api") / "result.json"
    ran = stressrunner("scenarios/full_api.yaml", "-q", "--report", f"json={path}", "--report", "text")
    assert ran.code == 0, ran.err
    return path, ran.out


def labels(report: str) -> set[str]:
    """Return the lines of a report without their figures and the blanks that align them."""
    return {" ".join(FIGURE.sub("#", line).split()) for line in report.splitlines()}


def test_readme_shows_a_report_as_it_is(full_api):
    """Every line of the report in the README is one of a fresh report, its figures apart."""
    (shown,) = blocks("README.md", "text")
    assert len(shown.text.splitlines()) > 20
    assert labels(shown.text) <= labels(full_api[1])


def test_metrics_of_the_scripts_have_a_place(full_api):
    """Each metric of the scripts is in the report, a threshold can be set on it, and the result file has it."""
    path, report = full_api
    result = json.loads(path.read_text("utf-8"))
    thresholds = []
    for _, shown, threshold, place in table("docs/from-scripts.md", "Metrics"):
        section, label = shown.split(": ")
        if section != "Errors":  # which a run without errors does not have
            below = report[report.index(f"\n{section}") :]
            assert label in below.split("\n\n", 1)[0], shown
        value: Any = result
        for key in place.strip("`").split("."):
            value = value[key]
        if threshold:
            thresholds.append(threshold.strip("`"))
    judged = stressrunner("check", path, *thresholds)
    assert judged.code == 3, judged.err  # of 1,000 requests, `count == 500` does not hold
    for threshold in thresholds:
        mark = "✗" if threshold == "count == 500" else "✓"
        assert re.search(rf"^  {mark} .*  {re.escape(threshold)} ", judged.out, re.MULTILINE), threshold


#: The parts that the reference shows are the schema's own examples, which other tests look after.
YAML = [
    block
    for document in DOCUMENTS
    for block in blocks(document, "yaml", "yml")
    if document != "docs/language.md" or "\nname:" in block.text
]


def check_pack(folder):
    """A pack that a document shows can be built, and all its scenarios are valid in all its environments."""
    manifest = draft_of(folder).manifest
    for scenario in manifest.scenarios:
        for chosen in (None, *manifest.environments):
            given = {need.name: "any-value" for need in manifest.needs(chosen)}
            load_document(folder / scenario, environ=given, environment=chosen)


@pytest.mark.parametrize("block", YAML, ids=lambda block: f"{block.document}-{block.text.splitlines()[0]}")
def test_yaml_of_the_documents_is_valid(block, tmp_path):
    """A whole scenario is valid; a part of one is valid in `agent_run.yaml`; a job is that of an example.

    A scenario has the other files of its document beside it; what is no scenario by itself is valid in one of those.
    """
    shown = yaml.safe_load(block.text)
    if "jobs" in shown or "load-test" in shown:
        assert block.text in [path.read_text("utf-8") for path in (ROOT / "docs/examples").glob("*.yml")]
        return
    pack = tmp_path / "scenarios"
    pack.mkdir()
    files = write_files(block.document, pack)
    name = shown_file(block)
    if name is not None and f"{name.partition('/')[0]}/pack.yaml" in files:
        check_pack(pack / name.partition("/")[0])
        return
    if name is not None and "name" not in shown:
        environment = Path(name).stem if name.startswith("environments/") else None
        users = [file for file in files if "uses:" in (pack / file).read_text("utf-8")]
        assert users
        for user in users:
            document = load_document(pack / user, environ={}, environment=environment)
            assert set(shown.get("endpoints", {})) <= set(document.value["endpoints"])
        return
    text = block.text
    if "stressrunner" not in shown:
        (pack / "data").mkdir()
        (pack / "data" / "prompts.csv").write_text(read("scenarios/data/prompts.csv"), "utf-8")
        text = yaml.safe_dump(yaml.safe_load(read("scenarios/agent_run.yaml")) | shown)
    scenario = pack / "shown.yaml"
    scenario.write_text(text, "utf-8")
    assert load_document(scenario, environ={}, overrides=()).value["stressrunner"] == 1


def test_the_origin_that_is_shown_is_the_one_told():
    """What `explain` says of a value stands in the document as it is printed."""
    command = "explain scenarios/full_api.yaml target.timeout --env local --set target.timeout=20s"
    text = read("docs/composition.md")
    assert f"stressrunner {command}\n" in text
    assert f"\n    {stressrunner(*command.split()).out}\n" in text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_resolve(document):
    """Every link into the tree leads to a file that is there, and to a heading that it has."""
    for link in links(document):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(str(target.resolve().relative_to(ROOT))), link


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document):
    """A path of the tree that a document names is there."""
    for path in re.findall(r"`((?:stressrunner|tests|scenarios|schemas|docs)/[\w./-]+)`", read(document)):
        assert (ROOT / path).exists(), path


def test_architecture_is_short_and_names_every_room():
    """The architecture fits a page, and its house has exactly the rooms that the package has."""
    text = read("ARCHITECTURE.md")
    assert len(text.splitlines()) <= 60
    house = text[text.index("## The house") : text.index("## Where to add")]
    floors = re.findall(r"^    (\w+(?:, \w+)*)", house, re.MULTILINE)
    rooms = {path.name for path in (ROOT / "stressrunner").iterdir() if (path / "__init__.py").exists()}
    modules = {"errors", "scratch", "spelling", "units"}
    assert {room for floor in floors for room in floor.split(", ")} == rooms | modules
