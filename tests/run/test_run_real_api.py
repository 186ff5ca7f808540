"""The shipped session scenarios against servers of their own, with nothing but BASE_URL and API_KEY set."""

import json
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest
from agents_api import API_KEY, running
from cli.command import environment, stressrunner

#: Also on a machine that is too busy to say anything of times, which is no fault of the target.
SEEN_TO_PASS = (0, 4)
SOON = ["--set", "invariants.delivery.read_back.quiet=300ms"]


def checked(tmp_path, scenario, base_url, *more, key=API_KEY):
    """Run a scenario against a base URL; return how it ended and the check of its deliveries."""
    path = tmp_path / "r.json"
    ended = stressrunner(
        f"scenarios/session_{scenario}.yaml", "--quiet", *more, "--report", f"json={path}",
        BASE_URL=base_url, API_KEY=key,
    )  # fmt: skip
    (delivery,) = json.loads(path.read_text("utf-8"))["invariants"]
    return ended, delivery


def none_but(delivery, *classes):
    """Whether every message has one of these classes."""
    return delivery["messages"] == sum(delivery["classes"][name] for name in classes)


@pytest.mark.parametrize(
    ("scenario", "says_current_page"),
    [("queue", False), ("race", False), ("new_user", False), ("anonymous", False), ("queue", True)],
)
def test_they_run_unchanged(tmp_path, scenario, says_current_page):
    """Every message is found once, as the database has it, in either shape of the history."""
    with running(says_current_page=says_current_page) as (url, api):
        # Nothing but the two variables for one of them; to be quiet for 2 s takes the others as long.
        ended, delivery = checked(
            tmp_path, scenario, url, *([] if (scenario, says_current_page) == ("queue", False) else SOON)
        )
        stored = [text for (text,) in api.query("SELECT text_content FROM messages WHERE role = 'user'")]
    assert delivery["outcome"] == "passed", (delivery["reasons"], ended.out, ended.err)
    assert ended.code in SEEN_TO_PASS, ended.out + ended.err
    assert none_but(delivery, "delivered")
    tokens = [re.search(r"sr\.\w+\.\d+\.\d+", text)[0] for text in stored]
    assert len(set(tokens)) == len(tokens) == delivery["messages"]


def test_long_histories_are_read_to_the_end(tmp_path):
    """Sessions of 120 messages stand on three pages of 100 rows, and all of them are found."""
    more = ["--set", "session.messages=120", "--set", "session.burst=120", "--set", "load.sessions=2", *SOON]
    with running(says_current_page=True) as (url, _):
        _, delivery = checked(tmp_path, "queue", url, *more, "--set", "thresholds=[]")
    assert delivery["outcome"] == "passed", delivery["reasons"]
    assert none_but(delivery, "delivered")
    assert delivery["read_back"]["requests"] >= 2 * 2 * 3


def test_a_wrong_key_is_told(tmp_path):
    """With a key that the server does not take nothing is taken on, and the status is named."""
    with running() as (url, _):
        ended, delivery = checked(
            tmp_path, "queue", url, *SOON, "--set", "load.sessions=2", key="a-wrong-key"
        )
    assert ended.code != 0
    assert delivery["outcome"] != "passed"
    assert delivery["replies"]["refused"] + delivery["replies"]["unknown"] == delivery["messages"]


@contextmanager
def demo():
    """Serve the embedded target in a process of its own, as the command does; yields its base URL."""
    command = [sys.executable, "-m", "stressrunner", "demo", "--port", "0"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            yield re.search(r"http://\S+?(?=;)", server.stdout.readline())[0]
        finally:
            server.terminate()


def test_the_served_target_is_such_an_api(tmp_path):
    """Served by `stressrunner demo`, the embedded target is a server like another."""
    with demo() as url:
        for scenario in ("queue", "capacity"):
            ended, delivery = checked(tmp_path, scenario, url, *SOON)
            assert delivery["outcome"] == "passed", (scenario, delivery["reasons"])
            assert ended.code in SEEN_TO_PASS, ended.out + ended.err
            assert none_but(delivery, "delivered", "merged")
