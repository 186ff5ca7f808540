"""Secrets while a run is under way: in live exports, and in the environment of the processes that it starts."""

import subprocess
import sys
import threading
from pathlib import Path

import httpx
import psutil
import pytest

pytest.importorskip("prometheus_client", reason="stressrunner[prometheus] is not installed")
pytest.importorskip("opentelemetry.sdk", reason="stressrunner[otlp] is not installed")

from command import environment
from echoing import SECRET, Echo, leaked
from export.otlp_receiver import receiving
from hosting.handler_server import serving
from hosting.ports import free_port

BARE = "an-unrelated-variable-with-a-s3cret"
SCENARIO = """\
stressrunner: 1
name: "planted ${secret:PLANT}"
target: {base_url: "%(url)s", headers: {x-key: "${secret:PLANT}"}}
endpoints:
  say: {post: /say, json: {text: "${secret:PLANT} {{ message.token }}"}, checks: ["body.told == '1'"]}
  history: {get: /history}
session: {messages: 1, send: say}
load: {sessions: 4, concurrency: 4}
invariants:
  delivery:
    session_id: body.told
    read_back: {endpoint: history, messages: body.nothing, quiet: 100ms, timeout: 300ms}
    sink: {port: 0}
"""


class Holding(Echo):
    """Answers when it is told to."""

    asked = threading.Event()
    released = threading.Event()

    def do_POST(self):  # noqa: N802  the name that the server looks for
        """Hold the request."""
        self.asked.set()
        self.released.wait(30)
        self.answer()


def test_nothing_of_a_run_under_way_shows_a_secret(tmp_path):
    """Prometheus and a collector are given none, and no child process is started with one or with what it has no use for."""
    port = free_port()
    with serving(Holding) as url, receiving() as (collector, messages):
        (tmp_path / "live.yaml").write_text(SCENARIO % {"url": url}, "utf-8")
        words = ["run", "live.yaml", "-q", "--workers=2", f"--prometheus={port}", f"--otlp={collector}"]
        run = subprocess.Popen(
            [sys.executable, "-m", "stressrunner", *words],
            cwd=tmp_path,
            env=environment(PLANT=SECRET, UNRELATED=BARE),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        with run:
            assert Holding.asked.wait(10), run.communicate()
            children = psutil.Process(run.pid).children(recursive=True)
            environments = {child.pid: Path(f"/proc/{child.pid}/environ") for child in children}
            found = {pid: path.read_text("utf-8") for pid, path in environments.items() if path.exists()}
            served = httpx.get(f"http://127.0.0.1:{port}/metrics").text
            Holding.released.set()
            _, err = run.communicate(timeout=30)
    assert len(children) >= 3  # two generators and the sink
    assert not [pid for pid, text in found.items() if leaked(text, [SECRET, BARE])]
    assert leaked(served, [SECRET]) == []
    assert "planted ***" in "".join(map(str, messages))
    assert leaked("".join(map(str, messages)), [SECRET]) == []
    assert leaked(err, [SECRET]) == []
    assert "Traceback" not in err


def test_what_looks_for_secrets_finds_them():
    """Each of the encodings in which the server repeats a secret is seen through, so that an empty finding means something."""
    nested = Echo.nested(Echo.__new__(Echo))
    for way, text in nested.items():
        assert leaked(f"before {text} after", [SECRET]) == [SECRET], way
