"""Exit codes: a table of commands and situations."""

import json

import pytest

from .observed import HERE, ROOT, Recorder, command

RESULT = ROOT / "tests" / "golden" / "results" / "schema_1.json"
GOOD = HERE / "scenarios" / "requests.yaml"
HAR = ROOT / "tests" / "golden" / "authoring" / "har" / "shop.har"
SHORT = ("--set", "load.requests=5", "--quiet", "--seed", "7")

#: Arguments, variables, and the code; `{address}` is that of a server, `{folder}` an empty folder.
TABLE = [
    ("run", ["run", GOOD, *SHORT], {0}),
    ("run, short for", [GOOD, *SHORT], {0}),
    (
        "a threshold fails",
        [
            "scenarios/hello.yaml",
            "--quiet",
            "--set",
            "thresholds=[p50 < 1us]",
            "--set",
            "load.duration=300ms",
        ],
        {3, 4},
    ),
    (
        "errors",
        [GOOD, *SHORT, "--set", "endpoints.post.checks=[status == 201]"],
        {3},
    ),
    ("nobody there", ["run", GOOD, *SHORT, "--set", "target.base_url=http://127.0.0.1:9"], {4}),
    ("no such file", ["run", "{folder}/none.yaml"], {2}),
    ("a mistake", ["run", "tests/golden/scenario/five_mistakes.yaml"], {2}),
    ("a value that is none", ["run", GOOD, "--set", "load.requests=many"], {2}),
    ("an option that is none", ["run", GOOD, "--no-such-option"], {2}),
    ("no command that is one", ["no-such-command"], {2}),
    ("no arguments", [], {0, 2}),
    ("version", ["--version"], {0}),
    ("help", ["--help"], {0}),
    ("help of a command", ["run", "--help"], {0}),
    ("a page of the documentation", ["help", "verdicts"], {0}),
    ("a page that is none", ["help", "no-such-page"], {2}),
    ("validate", ["validate", GOOD], {0}),
    ("validate a mistake", ["validate", GOOD, "tests/golden/scenario/five_mistakes.yaml"], {2}),
    ("try", ["try", HERE / "scenarios" / "flows.yaml"], {0}),
    (
        "try what fails",
        ["try", HERE / "scenarios" / "flows.yaml", "--set", "endpoints.list.checks=[status == 201]"],
        {3},
    ),
    ("explain", ["explain", GOOD], {0}),
    ("explain a path", ["explain", GOOD, "load.requests"], {0}),
    ("explain a path that is none", ["explain", GOOD, "load.nothing"], {2}),
    ("schema", ["schema"], {0}),
    ("report", ["report", RESULT, "--format", "markdown"], {0}),
    ("report in a format that is none", ["report", RESULT, "--format", "none"], {2}),
    ("report what is no result", ["report", GOOD, "--format", "text"], {2}),
    ("check", ["check", RESULT, "count > 0"], {0}),
    ("check what fails", ["check", RESULT, "count < 1"], {3}),
    ("check what is none", ["check", RESULT, "no threshold"], {2}),
    ("compare what is none", ["compare", "{folder}/none.yaml", RESULT], {2}),
    ("compare two results", ["compare", RESULT, RESULT], {0}),
    ("import a HAR", ["import", "har", HAR, "-o", "{folder}/shop.yaml"], {0}),
    ("import what is none", ["import", "har", GOOD, "-o", "{folder}/shop.yaml"], {2}),
    ("import a curl command", ["import", "curl", "{folder}/line.sh"], {0}),
    ("init", ["init", "{folder}/new.yaml"], {0}),
    ("init over a file", ["init", "pyproject.toml"], {2}),
    ("pack build", ["pack", "build", "scenarios", "-o", "{folder}/p.zip"], {0}),
    ("pack verify what is none", ["pack", "verify", GOOD], {2}),
    ("demo on a port that is none", ["demo", "--port", "99999"], {2}),
    ("a worker count that is none", ["run", GOOD, "--workers", "-1"], {2}),
]


@pytest.fixture(scope="module")
def address():
    """The address of a server that answers everything."""
    with Recorder().serving() as recorder:
        yield recorder.address


@pytest.mark.parametrize(("arguments", "codes"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_exit_code_is_the_same(arguments, codes, address, tmp_path):
    """Scripts and CI jobs depend on it."""
    (tmp_path / "line.sh").write_text("curl http://h/x", "utf-8")
    filled = [str(each).format(folder=tmp_path, address=address) for each in arguments]
    ended = command(*filled, BASE_URL=f"http://{address}")
    assert ended.code in codes, ended.err + ended.out
    assert "Traceback" not in ended.err


def test_an_older_result_has_the_same_counts(tmp_path):
    """A result of every version so far is read, and written in the present version with the counts it had."""
    for path in sorted((ROOT / "tests" / "golden" / "results").glob("schema_*.json")):
        written = json.loads(path.read_text("utf-8"))
        now = command("report", path, "--format", "json")
        assert now.code == 0, now.err
        read = json.loads(now.out)
        for part in ("totals", "verdict", "validity"):
            for name, value in written[part].items():
                if isinstance(value, int | str | list):
                    assert read[part][name] == value, (path.name, part, name)
        assert list(read["endpoints"]) == list(written["endpoints"])
        assert [phase["name"] for phase in read["phases"]] == [phase["name"] for phase in written["phases"]]
        assert read["schema"] >= written["schema"]
