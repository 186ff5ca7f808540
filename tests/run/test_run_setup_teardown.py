"""Setup, user_setup and teardown of whole runs, against the embedded target."""

import json

import anyio
import pytest
from cli.command import stressrunner

from stressrunner.fleet.launch import WorkerPool
from stressrunner.run.listener import Silence
from stressrunner.run.run import Options
from stressrunner.run.run import run as run_scenario
from stressrunner.scenario.document import load_text

SHOP = """\
stressrunner: 1
name: shop
target: {base_url: demo://agents}
endpoints:
  login:
    post: /shop/login
    json: {user: ada, password: "${PASSWORD:-demo-password}"}
    capture: {token: body.token}
  me: {get: /shop/me, headers: {authorization: "Bearer {{ token }}"}, checks: body.user == 'ada'}
  items: {get: /shop/items}
setup: [login]
teardown: [items, {get: "/shop/items?page={{ token | length }}"}]
mix: {me: 1}
load: {concurrency: 4, requests: 40}
"""


@pytest.fixture
def run(tmp_path):
    """Run a scenario; return how it ended, and its result."""

    def run(text, *options, **variables):
        scenario, result = tmp_path / "shop.yaml", tmp_path / "r.json"
        scenario.write_text(text, "utf-8")
        ran = stressrunner("run", scenario, "--report", f"json={result}", *options, **variables)
        return ran, json.loads(result.read_text("utf-8"))

    return run


def counts(result):
    """Return the requests beside the load by kind."""
    return {kind: stats["sent"] for kind, stats in result["excluded"].items()}


def test_generators_have_what_setup_captured(run):
    """One login serves all generators; what is sent beside the load is reported and not counted."""
    ran, result = run(SHOP, "--workers", "2")
    assert ran.code == 0, ran.err
    assert (result["totals"]["sent"], result["totals"]["ok"]) == (40, 40)
    assert counts(result) == {"setup": 1, "teardown": 2}
    assert list(result["endpoints"]) == ["me"]
    assert "Setup and teardown (excluded from totals)" in ran.out


def test_cookies_of_setup_reach_every_generator(run):
    """The cookies that setup was given go with the requests of the load."""
    text = SHOP.replace('headers: {authorization: "Bearer {{ token }}"}, ', "")
    ran, result = run(text, "--workers", "2")
    assert (ran.code, result["totals"]["ok"]) == (0, 40)


def test_a_failed_setup_sends_no_load(run):
    """When setup fails the run is invalid and says why; teardown runs all the same."""
    ran, result = run(SHOP, PASSWORD="wrong")
    assert ran.code == 4
    assert result["verdict"]["reasons"] == ["setup failed, so no load was sent: status was 401"]
    assert result["totals"]["sent"] == 0
    assert counts(result) == {"setup": 1, "teardown": 1}
    assert "setup: http 401" in [error["kind"] for error in result["errors"]]


def test_users_log_in_for_themselves(run):
    """In generator processes too every user is set up once."""
    ran, result = run(
        SHOP.replace("setup: [login]", "user_setup: [login]").replace("{{ token | length }}", "1"),
        "--workers",
        "2",
    )
    assert (ran.code, result["totals"]["ok"]) == (0, 40)
    assert counts(result) == {"user_setup": 4, "teardown": 2}


class Interrupting(Silence):
    """A listener that interrupts the run as soon as there is progress."""

    def __init__(self, interrupted: anyio.Event) -> None:
        self._interrupted = interrupted

    def progress(self, progress, total) -> None:
        """Interrupt."""
        self._interrupted.set()


def test_teardown_follows_an_interrupt():
    """An interrupted run is torn down too, and is aborted all the same."""
    text = SHOP.replace("concurrency: 4, requests: 40", "concurrency: 1, duration: 1h")

    async def main():
        interrupted = anyio.Event()
        async with WorkerPool() as pool:
            document = load_text(text, environ={})
            return await run_scenario(
                document, Options(workers=0), Interrupting(interrupted), interrupted, pool
            )

    result = anyio.run(main)
    assert result.verdict.outcome == "aborted"
    assert {kind: stats.sent for kind, stats in result.excluded.items()} == {"setup": 1, "teardown": 2}


LOCKED = """\
stressrunner: 1
name: locked out
target: {base_url: demo://agents}
endpoints:
  login: {post: /shop/login, json: {user: ada, password: "{{ 'wrong' if user.id % 2 else 'demo-password' }}"}}
  items: {get: /shop/items}
user_setup: [login]
mix: {items: 1}
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_users_who_cannot_log_in_fail_the_run(run, workers):
    """Half of the users are locked out, and all that is sent is fine: the run fails, and says by which request."""
    ran, result = run(LOCKED + "load: {concurrency: 8, duration: 1s}", "--workers", str(workers))
    assert ran.code == 3, ran.out
    assert result["totals"]["failed"] == 0
    assert result["user_setup"]["users_failed"] == 4
    headline = "\n".join(ran.out.splitlines()[:8])
    assert "user_setup.errors" in headline
    assert "'login' failed" in headline
    assert "http 401" in headline
    states = {t["text"]: t["state"] for t in result["thresholds"] if t["is_default"]}
    assert states["user_setup.errors < 1%"] == states["user_setup.count == 0"] == "failed"
    assert states["errors < 1%"] == states["iterations.errors < 1%"] == "passed"


def test_nobody_who_can_log_in_is_a_failure_and_no_doubt(run):
    """No request of the load was sent, and the target said why: that is its failure, not an invalid run."""
    ran, result = run(LOCKED.replace("user.id % 2", "true") + "load: {concurrency: 4, duration: 1s}")
    assert (ran.code, result["totals"]["sent"]) == (3, 0)
    assert "'login' failed" in result["verdict"]["reasons"][0] + result["verdict"]["reasons"][1]
