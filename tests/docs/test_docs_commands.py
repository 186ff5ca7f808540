"""What the documents tell people to type works as they say."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
import yaml
from cli.command import environment
from documents import DOCUMENTS, ROOT, Command, blocks, commands, table, write_files

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
}
SHELL = {
    document: [c for block in blocks(document, "bash", "sh") for c in commands(block.text)]
    for document in DOCUMENTS
}
#: Commands that end with another exit code than 0 for a reason that stands in the text around them: a single user
#: cannot reach the scenario's threshold on throughput.
EXPLAINED_IN_TEXT = {
    "stressrunner run scenarios/full_api.yaml --set load.concurrency=1 --set load.requests=20": 3,
    "stressrunner run scenarios/full_api.yaml --set load.concurrency=1 --set load.requests=100": 3,
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


@contextmanager
def serving() -> Iterator[str]:
    """Serve the embedded target by `stressrunner demo`; the value is its port."""
    words = [sys.executable, "-m", "stressrunner", "demo", "--port", "0"]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            assert found, line
            yield found[1]
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def port():
    """The port of an embedded target that stands for the reader's own server."""
    with serving() as number:
        yield number


@pytest.fixture
def tree(tmp_path):
    """A folder with what a clone has for those who run scenarios."""
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    return tmp_path


def run(command, folder, port):
    """Run a command of stressrunner in a folder, against the server at a port instead of 8000."""
    words = [re.sub(r"\b8000\b", port, word) for word in command.words]
    if words[1] == "demo":
        with serving():
            return
    variables = {name: re.sub(r"\b8000\b", port, value) for name, value in command.variables.items()}
    ended = started(words, folder, variables)
    if ended.returncode == 4 != command.code and "the generator was late" in ended.stdout:
        ended = started(
            words, folder, variables
        )  # this machine had other things to do, which the run has noticed
    assert ended.returncode == command.code, f"{command}\n{ended.stdout}"


def started(words, folder, variables):
    """Run stressrunner and return how it ended."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "document", [document for document in DOCUMENTS if any(map(is_ours, SHELL[document]))]
)
def test_documented_commands_end_as_promised(document, tree, port):
    """Every stressrunner command of a document, run in order, ends with 0 or the exit code beside it."""
    write_files(document, tree)
    for command in filter(is_ours, SHELL[document]):
        run(command._replace(code=EXPLAINED_IN_TEXT.get(str(command), command.code)), tree, port)


def test_explained_commands_are_there():
    """A command whose exit code is explained in the text still stands in a document."""
    assert EXPLAINED_IN_TEXT.keys() <= {str(command) for document in DOCUMENTS for command in SHELL[document]}


@pytest.mark.parametrize("job", JOBS)
def test_steps_of_jobs_end_as_promised(job, tree, port):
    """The steps of the example jobs work, with their variables, and leave the files that are kept."""
    for command in filter(is_ours, JOBS[job].commands):
        run(command._replace(variables={**JOBS[job].variables, "API_KEY": "demo-key"}), tree, port)
    assert {path.name for path in tree.iterdir()} >= {"result.json", "report.html", "junit.xml"}


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
def test_options_of_the_scripts_have_a_place(scenario, tree, port):
    """Every `--set` that replaces an option of the scripts is valid for its scenarios."""
    column = 2 if scenario == "session_queue" else 1
    examples = {"URL": f"http://localhost:{port}", "NAME": "simple_agent", "N": "7"}
    overrides = []
    for row in table("docs/from-scripts.md", "Options"):
        cell = row[1] if row[column] == "the same" else row[column]
        overrides += re.findall(r"--set ([\w.]+=\w+)", cell)
    assert len(overrides) >= 5
    words = ["stressrunner", "validate", f"scenarios/{scenario}.yaml"]
    for override in overrides:
        path, value = override.split("=")
        words += ["--set", f"{path}={examples.get(value, value)}"]
    run(Command({}, words, 0), tree, port)
