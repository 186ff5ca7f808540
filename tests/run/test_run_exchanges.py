"""Exchanges in the result: masked, and sent again by the command beside each, as curl sends it."""

import shutil
import subprocess
from dataclasses import replace
from urllib.parse import quote

import pytest
from hosting.handler_server import QuietHandler, serving

from stressrunner.http.origin import origin_of
from stressrunner.masking import Masker
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.exemplars import Exemplar, ExemplarMessage
from stressrunner.metrics.summary import stats_of
from stressrunner.plan.plan import compile_plan
from stressrunner.plan.requests import _KEPT_IN_PATHS
from stressrunner.run.curl_line import curl_line
from stressrunner.run.exchanges import check_records, exchange_records
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

SECRET = "sesame/open it's"
SCENARIO = """
stressrunner: 1
name: kept
target: {{base_url: "{base_url}"}}
endpoints:
  login: {{post: /login, checks: [status == 200, body.token, "body.token != ''"]}}
  home: {{get: /}}
load: {{concurrency: 1, requests: 1}}
"""


def exemplar(method="POST", target="/login?a=1", headers=(), body="", **changes):
    """Return an exchange that was kept."""
    sent = ExemplarMessage(headers, body, len(body.encode()), "all")
    came = ExemplarMessage((("set-cookie", "sid=42"), ("x-echo", SECRET)), f"hello {SECRET}", 22, "all")
    fields = {
        "kind": "check",
        "message": f"body.token: there is no {SECRET}",
        "endpoint": 0,
        "at_ns": 1_500_000_000,
        "response_time_ns": 250_000_000,
        "service_time_ns": 200_000_000,
        "method": method,
        "target": target,
        "request": sent,
        "status": 200,
        "response": came,
    }
    return Exemplar(**{**fields, **changes})


def plan_at(base_url):
    """Return the plan of a scenario whose target is there."""
    return compile_plan(build(load_text(SCENARIO.format(base_url=base_url), environ={})), seed=1, run_id="r")


def recorded(one, base_url="http://127.0.0.1:8080"):
    """Return an exchange as it stands in the result."""
    plan = plan_at(base_url)
    (record,) = exchange_records([one], plan, {SECRET: "API_KEY"}, Masker([SECRET]))
    return record


def test_what_was_withheld_has_no_command():
    """A request to a host that is not allowed was not sent, and nobody is told to send it; a redirect there was sent."""
    target = "http://stranger.example/steal"
    withheld = {"kind": "not_allowed", "message": "stranger.example is neither", "service_time_ns": None}
    assert recorded(exemplar(target=target, status=0, **withheld)).curl == ""
    redirect = recorded(exemplar(status=302, **withheld))
    assert "stranger" not in redirect.curl
    assert redirect.curl.startswith("curl ")


def test_secrets_are_masked_everywhere():
    """A secret shows in no part of an exchange: not in the URL, the headers, the bodies, the message or the command."""
    one = exemplar(
        target=f"/{quote(SECRET, safe=_KEPT_IN_PATHS)}?key=1",
        headers=(("x-api-key", SECRET), ("authorization", f"Bearer {SECRET}")),
        body=f'{{"key": "{SECRET}"}}',
        rule=f"body.{SECRET} == 1",
    )
    record = recorded(one)
    assert "sesame" not in repr(record)
    assert [header.value for header in record.response.headers] == ["***", "***"]
    assert record.request.url == "http://127.0.0.1:8080/***?key=1"
    assert record.message == "body.token: there is no ***"
    assert record.rule == "body.*** == 1"
    assert '"$API_KEY"' in record.curl


def test_credentials_that_are_no_secrets_of_the_scenario_are_masked():
    """A token that a login returned, and cookies, are credentials of somebody all the same."""
    headers = (("Authorization", "Bearer eyJhbGciOiJI"), ("Cookie", "sid=4711"), ("accept", "text/html"))
    record = recorded(exemplar(headers=headers))
    assert [(h.name, h.value) for h in record.request.headers] == [
        ("Authorization", "***"),
        ("Cookie", "***"),
        ("accept", "text/html"),
    ]
    assert "eyJ" not in repr(record)
    assert "4711" not in repr(record)
    assert "'Authorization: '\"$AUTHORIZATION\"" in record.curl
    assert "'Cookie: '\"$COOKIE\"" in record.curl


def test_an_exchange_without_an_answer_has_none():
    """A timeout has a request and no response; one that was never written has no service time."""
    record = recorded(exemplar(status=0, service_time_ns=None))
    assert record.response is None
    assert record.service_time_s is None
    assert (record.endpoint, record.at_s, record.response_time_s) == ("login", 1.5, 0.25)


def test_an_embedded_target_is_where_demo_serves_it():
    """The embedded target is gone after its run: commands go to where `stressrunner demo` serves it."""
    assert recorded(exemplar(target="/health"), "demo://agents").request.url == "http://127.0.0.1:8000/health"


@pytest.mark.parametrize(
    ("base_url", "target", "words"),
    [
        ("http://127.0.0.1:8080", "https://cdn.example.com/a", ["https://cdn.example.com/a"]),
        ("http+unix://%2Ftmp%2Fa.sock", "/x", ["--unix-socket", "/tmp/a.sock", "http://localhost/x"]),
        ("http://127.0.0.1:8080", "/x?a[]=1", ["--globoff", "'http://127.0.0.1:8080/x?a[]=1'"]),
    ],
)
def test_where_a_request_goes(base_url, target, words):
    """Other origins, Unix sockets and signs that curl would take for its own are respected."""
    plan = plan_at(base_url)
    line = curl_line(exemplar("GET", target), origin_of(base_url), plan.target, {}, Masker())
    assert line == " ".join(["curl", *words])


@pytest.mark.parametrize(
    ("base_url", "word"),
    [("http://127.0.0.1:8080", "--http2-prior-knowledge"), ("https://example.org", "--http2")],
)
def test_how_http2_is_spoken(base_url, word):
    """HTTP/2 is negotiated over https, and over http spoken without asking, by curl too."""
    target = replace(plan_at(base_url).target, http="2")
    line = curl_line(exemplar("GET", "/"), origin_of(base_url), target, {}, Masker())
    assert line == f"curl {word} {base_url}/"


def test_a_body_that_was_not_kept_is_to_be_filled_in():
    """The command says that a file with the body is needed, and how large it was."""
    request = ExemplarMessage((), "x" * 1000, 5_000_000, "start")
    line = recorded(exemplar()._replace(request=request)).curl
    assert line.endswith("--data-binary @BODY  # a file with the body of 5,000,000 bytes")


class Recorder(QuietHandler):
    """Keeps every request and answers with nothing."""

    seen: list  # by the handlers of one server

    def keep(self):
        """Take a request."""
        self.seen.append((self.command, self.path, dict(self.headers), self.received().decode()))
        self.reply(204)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = keep  # noqa: N815  the names that the server looks for


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    "one",
    [
        exemplar("GET", "/search?q=it%27s&x=%7B%7D"),
        exemplar(
            "POST",
            headers=(("content-type", "text/plain"),),
            body="two\nlines, 'quotes' and \"$HOME\" `x` \\",
        ),
        exemplar("POST", headers=(("x-api-key", SECRET),), body=f"key={SECRET}&x=ä"),
        exemplar("POST"),
        exemplar("PUT", headers=(("content-type", "application/json"),), body="@file"),
        exemplar("DELETE", headers=(("x-empty", ""),)),
        exemplar("HEAD", "/"),
        exemplar("POST", headers=(("authorization", f"Bearer {SECRET}"),), body="-"),
        exemplar("GET", headers=(("Authorization", "Basic dXNlcjpzZXNhbWUvb3BlbiBpdCdz"),)),
    ],
    ids=lambda one: f"{one.method} {one.request.body[:9]!r}",
)
def test_curl_sends_the_same_request_again(one):
    """A shell that has the secrets as variables sends the same method, path, headers and body."""
    seen = []
    with serving(type("Recording", (Recorder,), {"seen": seen})) as base_url:
        line = recorded(one, base_url).curl
        subprocess.run(
            ["sh", "-c", line], env={"API_KEY": SECRET, "PATH": "/usr/bin:/bin"}, check=True, timeout=20
        )
    ((method, path, headers, body),) = seen
    assert (method, path, body) == (one.method, one.target, one.request.body)
    lowered = {name.lower(): value for name, value in headers.items()}
    assert lowered | {name.lower(): value for name, value in one.request.headers} == lowered


def test_checks_say_what_became_of_them():
    """A check that failed has its count; one that no response was held against was skipped."""
    scenario = build(load_text(SCENARIO.format(base_url="http://h"), environ={}))
    nothing = stats_of(Delta().series.values(), planned=0, duration_s=1.0)
    failed = {("login", "body.token"): 3, ("login", f"added == '{SECRET}'"): 1}
    records = check_records(scenario, {"login": nothing, "home": nothing}, failed, Masker([SECRET]))
    assert [(one.endpoint, one.text, one.state, one.failed) for one in records] == [
        ("login", "status == 200", "passed", 0),
        ("login", "body.token", "failed", 3),
        ("login", "body.token != ''", "passed", 0),
        ("login", "added == '***'", "failed", 1),
    ]
    nobody = check_records(scenario, {"login": nothing}, {}, Masker())
    assert {one.state for one in nobody} == {"skipped"}
