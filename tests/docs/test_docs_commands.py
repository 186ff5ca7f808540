"""What the documents tell people to type works as they say."""

import re
import shutil
from itertools import pairwise
from typing import NamedTuple

import pytest
import yaml
from cli.command import SEND_NOTHING, as_typed, serving_demo, stressrunner
from documents import DOCUMENTS, ROOT, Command, blocks, commands, table, write_files
from export.otlp_receiver import receiving

#: Other programs that the documents call, exactly as they may call them. They are not run.
OTHER_PROGRAMS = {
    "python3 -m venv .venv",
    ". .venv/bin/activate",
    "pip install .",
    "pip install -e '.[dev]'",
    "pip install 'stressrunner[otlp]'",
    "pip install 'stressrunner[prometheus]'",
    "pytest",
    "curl --silent --fail --retry 30 --retry-connrefused --retry-delay 1 http://localhost:8000/health",
    # of CONTRIBUTING.md, which are what `.ci/run` calls, or parts of it
    "ruff check .",
    "ruff format --check .",
    "mypy",
    "pytest -q tests/house tests/verdict",
    "pytest -q -n 2 tests/errors tests/expressions tests/metrics tests/plan tests/reports tests/result tests/scenario tests/verdict",
    "pytest -q tests/net",
}
SHELL = {
    document: [c for block in blocks(document, "bash", "sh") for c in commands(block.text)]
    for document in DOCUMENTS
}
#: Commands that end with another exit code than 0 for a reason that stands in the text around them: a single user
#: cannot reach the scenario's threshold on throughput.
EXPLAINED_IN_TEXT = {
    "stressrunner run scenarios/full_api.yaml --set load.concurrency=1 --set load.requests=20": 3,
    "stressrunner run scenarios/full_api.yaml --set load.concurrency=1 --set load.requests=50": 3,
}


class Job(NamedTuple):
    """The example of a job in a pipeline."""

    commands: list[Command]
    variables: dict[str, str]


def github() -> Job:
    """Return the example for GitHub Actions."""
    job = yaml.safe_load((ROOT / "docs/examples/github-actions.yml").read_text("utf-8"))["jobs"]["load-test"]
    return Job([command for step in job["steps"] for command in commands(step.get("run", ""))], job["env"])


def gitlab() -> Job:
    """Return the example for GitLab."""
    job = yaml.safe_load((ROOT / "docs/examples/gitlab-ci.yml").read_text("utf-8"))["load-test"]
    lines = [*job["before_script"], *job["script"]]
    return Job([command for line in lines for command in commands(line)], job["variables"])


JOBS = {"github": github(), "gitlab": gitlab()}
EVERYWHERE = [
    *(command for job in JOBS.values() for command in job.commands),
    *(command for document in DOCUMENTS for command in SHELL[document]),
]


def is_ours(command: Command) -> bool:
    """Whether a command is one of stressrunner."""
    return command.words[0] == "stressrunner"


@pytest.fixture(scope="module")
def ports():
    """Where there is what stands for the reader's own: a server that is an embedded target, and a collector of OTLP."""
    with serving_demo() as server, receiving() as (collector, _):
        yield {"8000": server.rpartition(":")[2], "4318": collector.rpartition(":")[2]}


@pytest.fixture
def tree(tmp_path):
    """A folder with what a clone has for those who run scenarios."""
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    return tmp_path


def written(command):
    """Return the names of the files that a command writes."""
    asked = [word for before, word in pairwise(command.words) if before == "--report"]
    return [report.partition("=")[2] for report in asked if "=" in report]


@pytest.fixture(scope="module")
def run(ports):
    """Runs a command in a folder and holds its exit code; what reads nothing but shipped scenarios, once for all."""
    left = {}

    def run(command, folder):
        words = [word for word in command.words[1:] if word not in {"run", "validate"}]
        if not words[0].startswith("scenarios/"):
            hold(command, folder, ports)
            return
        if repr(command) not in left:
            hold(command, folder, ports)
            left[repr(command)] = {name: (folder / name).read_bytes() for name in written(command)}
        for name, content in left[repr(command)].items():
            (folder / name).write_bytes(content)

    return run


def hold(command, folder, ports):
    """Run a command in a folder, with other ports for those of the reader's own, and hold its exit code."""

    def here(word):
        return re.sub(r"\b(?:8000|4318)\b", lambda number: ports[number[0]], word)

    _, *words = map(here, command.words)
    if words[0] == "demo":
        with serving_demo():
            return
    variables = {name: here(value) for name, value in command.variables.items()}
    for _ in range(3):
        ended = as_typed(*words, cwd=folder, **variables)
        if ended.code != 4 or command.code == 4 or not re.search("the generator (was|released)", ended.out):
            break  # else this machine had other things to do, which the run has noticed
    assert ended.code == command.code, f"{command}\n{ended.out}"


@pytest.mark.parametrize(
    "document", [document for document in DOCUMENTS if any(map(is_ours, SHELL[document]))]
)
def test_documented_commands_end_as_promised(document, tree, run):
    """Every stressrunner command of a document, run in order, ends with 0 or the exit code beside it."""
    shown = write_files(document, tree)
    assert not [name for name in shown if name.startswith("scenarios/")]  # which are as they are shipped
    for command in filter(is_ours, SHELL[document]):
        run(command._replace(code=EXPLAINED_IN_TEXT.get(str(command), command.code)), tree)


def test_explained_commands_are_there():
    """A command whose exit code is explained in the text still stands in a document."""
    assert EXPLAINED_IN_TEXT.keys() <= {str(command) for document in DOCUMENTS for command in SHELL[document]}


@pytest.mark.parametrize("job", JOBS)
def test_steps_of_jobs_end_as_promised(job, tree, run):
    """The steps of the example jobs work, with their variables, and leave the files that are kept."""
    for command in filter(is_ours, JOBS[job].commands):
        run(command._replace(variables={**JOBS[job].variables, "API_KEY": "demo-key"}), tree)
    assert {path.name for path in tree.iterdir()} >= {"result.json", "report.html", "junit.xml"}


def test_commands_start_by_themselves():
    """The commands that other tests run in their own process are started here; an import is by tests/authoring."""
    assert {command.words[1] for command in EVERYWHERE if is_ours(command)} >= SEND_NOTHING - {"import"}


def test_other_programs_are_known():
    """The documents call no other program than these, and each of these somewhere."""
    assert {str(command) for command in EVERYWHERE if not is_ours(command)} == OTHER_PROGRAMS


def test_commands_stay_on_this_machine():
    """No documented command sends anything to another machine."""
    for command in EVERYWHERE:
        for word in [*command.words, *command.variables.values()]:
            assert (
                re.fullmatch(r"(?:[\w.]+=)?(?:https?://localhost:\d+(?:/.*)?|demo://.*)", word)
                or "://" not in word
            ), command


@pytest.mark.parametrize("scenario", ["agent_run", "full_api", "session_queue"])
def test_options_of_the_scripts_have_a_place(scenario):
    """Every `--set` that replaces an option of the scripts is valid for its scenarios."""
    column = 2 if scenario == "session_queue" else 1
    examples = {"URL": "http://localhost:8000", "NAME": "simple_agent", "N": "7"}
    overrides = []
    for row in table("docs/from-scripts.md", "Options"):
        cell = row[1] if row[column] == "the same" else row[column]
        overrides += re.findall(r"--set ([\w.]+=\w+)", cell)
    assert len(overrides) >= 5
    words = ["validate", f"scenarios/{scenario}.yaml"]
    for override in overrides:
        path, value = override.split("=")
        words += ["--set", f"{path}={examples.get(value, value)}"]
    assert stressrunner(*words).code == 0
