"""Names on the command line: of any length, of links that go round, of what is no file, and behind options."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command import environment, in_this_process, stressrunner

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


READ = {
    "report": ("report", "{}", "--format", "text"),
    "check": ("check", "{}"),
    "compare": ("compare", "{}", "{}", "--runs", "1"),
    "template": ("run", "one.yaml", "-q", "--template", "{}"),
    "import": ("import", "har", "{}"),
    "validate": ("validate", "{}"),
    "pack verify": ("pack", "verify", "{}"),
    "pack list": ("pack", "list", "{}"),
    "pack build": ("pack", "build", "{}"),
    "environment": ("validate", "one.yaml", "--env", "{}"),
    "uses": ("validate", "using.yaml"),
    "body": ("validate", "one.yaml", "--set", 'endpoints.list={post: /, body_file: "{}"}'),
    "feeder": ("validate", "one.yaml", "--set", 'feeders.f={file: "{}"}'),
    "certificates": ("validate", "one.yaml", "--set", 'target.tls.ca="{}"'),
}
WRITTEN = {
    "import": ("import", "curl", "curl.txt", "--force", "-o", "{}"),
    "report": ("run", "one.yaml", "-q", "--report", "json={}"),
    "samples": ("run", "one.yaml", "-q", "--report", "samples={}"),
    "init": ("init", "{}"),
}
FORMS = [
    "missing",
    "folder",
    "n" * 300,
    "loop",
    "loop/x",
    "plain/x",
    "bad",
    "empty",
    "/dev/zero",
    "/dev/full",
]
#: A template may say nothing, and a body be of any bytes and of none.
FINE = {("template", "empty"), ("body", "empty"), ("body", "bad")}


@pytest.fixture
def odd(tmp_path):
    """Return a folder with names that are none of a file with anything in it."""
    (tmp_path / "one.yaml").write_text(SCENARIO, "utf-8")
    (tmp_path / "curl.txt").write_text("curl http://127.0.0.1:9/", "utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "plain").write_bytes(b"x")
    (tmp_path / "bad").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "empty").touch()
    return tmp_path


def in_words(words, name):
    """Return a command with a name in its place."""
    return [word.replace("{}", name) for word in words]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", READ)
def test_what_cannot_be_read_is_told(place, form, odd):
    """Wherever a file is named that is not there, is no file, has no end or is none of that kind: a line and exit code 2."""
    if (place, form) in FINE:
        pytest.skip("there is nothing wrong with it")
    (odd / "using.yaml").write_text(f'{SCENARIO}uses: ["{form}"]\n', "utf-8")
    ended = in_this_process(*in_words(READ[place], form), cwd=odd)
    assert ended.code == 2, ended
    assert 0 < len(ended.err + ended.out) < 2_000


@pytest.mark.parametrize("form", ["folder", "n" * 300, "loop", "loop/x", "plain/x"])
@pytest.mark.parametrize("place", WRITTEN)
def test_what_cannot_be_written_is_told(place, form, odd):
    """The same of what is written, before anything is sent; nothing is left of it."""
    if (place, form) == ("init", "folder"):
        pytest.skip("a folder is what it makes its files in")
    before = sorted(odd.rglob("*"))
    ended = in_this_process(*in_words(WRITTEN[place], form), cwd=odd)
    assert ended.code == 2, ended
    assert 0 < len(ended.err + ended.out) < 2_000
    assert sorted(odd.rglob("*")) == before


def test_a_pack_is_no_pipe(tmp_path):
    """A zip file is read from its end, which a pipe has not: it is refused, and not waited for."""
    os.mkfifo(tmp_path / "fifo")
    ended = in_this_process("pack", "verify", "fifo", cwd=tmp_path)
    assert ended.code == 2
    assert "pipe" in ended.err


def test_what_is_imported_may_come_through_a_pipe(tmp_path):
    """`stressrunner import curl <(...)` reads what the other command writes."""
    ended = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m stressrunner import curl <(echo curl http://127.0.0.1:9/piped)"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "/piped" in ended.stdout


@pytest.mark.parametrize(
    "option",
    [
        *(("-q",), ("--quiet", "--yes"), ("--report", "text"), ("-q", "--workers", "1")),
        *(("--set", "load.concurrency=1"), ("--set=load.concurrency=1",), ("--seed", "7", "-q")),
    ],
)
def test_options_may_come_first(option, tmp_path):
    """`stressrunner -q x.yaml` is `stressrunner run -q x.yaml`; so it is with options that have a value."""
    (tmp_path / "one.yaml").write_text(SCENARIO, "utf-8")
    ended = stressrunner(*option, "one.yaml", cwd=tmp_path)
    assert ended.code in (0, 3, 4), ended.err  # it was run, whatever came of it on a machine that is busy


def test_a_value_may_be_named_like_a_command(tmp_path):
    """An environment called `demo` is no command: what is told is that there is none of that name."""
    (tmp_path / "one.yaml").write_text(SCENARIO, "utf-8")
    ended = stressrunner("--env", "demo", "one.yaml", cwd=tmp_path)
    assert ended.code == 2
    assert "'demo'" in ended.err
    assert "No such option" not in ended.err


def test_an_option_before_a_command_is_told(tmp_path):
    """Options of `run` belong to no other command, wherever they stand."""
    ended = stressrunner("--report", "text", "schema", cwd=tmp_path)
    assert (ended.code, "No such option" in ended.err) == (2, True)
