"""Credentials that only a run knows, and secrets on the way of a message: planted with the target, and looked for everywhere.

The target grants an access token for a client's secret, logs users in, repeats all of that in what it stores and answers,
loses a message and fails another one, and gives its backend each of them twice.
"""

import json
import urllib.parse
import urllib.request
from contextlib import suppress

import pytest
from command import stressrunner
from echoing import SECRET, leaked
from hosting.handler_server import QuietHandler, serving
from hosting.ports import free_port

from stressrunner.reports import REPORTS

CLIENT_SECRET = "cl1ent-s3cret/of+all"
GRANTED = "gr4nted/t0ken+f0r~all"  # by the token endpoint
LOGGED_IN = "l0gged-1n/as+somebody"  # captured from the reply to a login
SCENARIO = """\
stressrunner: 1
name: planted
target:
  base_url: "%(url)s"
  auth: {oauth2: {token_url: /token, client_id: me, client_secret: "${secret:CLIENT}"}}
variables: {key: "${secret:PLANT}"}
endpoints:
  login: {post: /login, auth: none, capture: {mine: body.token}}
  say:
    post: /say
    json: {text: "{{ key }} {{ message.token }}", session: "{{ session.name }} {{ key }}"}
    checks: [status == 200, "key not in text or message.index >= 0"]
  enter: {post: /enter, auth: {bearer: "{{ mine }}"}}
  history: {get: "/history/{{ session.id }}", query: {session: "{{ session.name }} {{ key }}"}}
session: {messages: 6, send: say, burst: 3, open: [login, enter]}
load: {sessions: 4, concurrency: 2}
thresholds: [errors < 1%%]
invariants:
  delivery:
    acknowledged: status == 200
    session_id: body.id
    read_back: {endpoint: history, messages: body.messages, pages: "1", quiet: 200ms, timeout: 5s}
    sink: {port: %(port)d}
"""
SOUGHT = [SECRET, CLIENT_SECRET, GRANTED, LOGGED_IN]
GIVEN = {"PLANT": SECRET, "CLIENT": CLIENT_SECRET}


class Service(QuietHandler):
    """Answers with all that it was told, and stores messages with the credentials that they came with."""

    sink = ""
    stored: dict = {}  # noqa: RUF012  shared by the handlers of one server on purpose

    def answer(self):
        """Do as the path says."""
        body = self.received().decode()
        url = urllib.parse.urlsplit(self.path)
        told = f"{self.headers.get('authorization')} {body} {SECRET} {CLIENT_SECRET} {GRANTED}"
        status, reply = 200, {"told": f"{told} {LOGGED_IN}", "id": f"id-{SECRET}"}
        if url.path == "/token":
            reply |= {"access_token": GRANTED, "token_type": "bearer", "expires_in": 3600}
        elif url.path == "/refuse":
            status, reply = 401, {"error": "invalid_client", "error_description": told}
        elif url.path == "/login":
            reply |= {"token": LOGGED_IN}
        elif url.path == "/say":
            status = self.said(json.loads(body), told)
        elif url.path.startswith("/history/"):
            reply |= {"messages": self.stored.get(urllib.parse.parse_qs(url.query)["session"][0], [])}
        self.reply(status, json.dumps(reply).encode())

    def said(self, message, told):
        """Store a message, unless it is the second one; fail the third one; have the backend work twice."""
        number = int(message["text"].rpartition(".")[2])
        for _ in range(2):
            request = urllib.request.Request(f"{self.sink}/echo", told.encode(), method="POST")
            with suppress(OSError):  # a trial has no sink
                urllib.request.urlopen(request, timeout=5).close()
        if number != 1:
            stored = f"{GRANTED} {message['text']} {told}"
            self.stored.setdefault(message["session"], []).append(stored)
        return 500 if number == 2 else 200

    do_GET = do_POST = answer  # noqa: N815  the names that the server looks for


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The folder of a run with every report, and the streams of it and of trials."""
    folder, port = tmp_path_factory.mktemp("delivery"), free_port()
    service = type("Planted", (Service,), {"sink": f"http://127.0.0.1:{port}", "stored": {}})
    with serving(service) as url:
        (folder / "planted.yaml").write_text(SCENARIO % {"url": url, "port": port}, "utf-8")
        reports = [f"--report={form}={form}.out" for form in (*REPORTS, "samples")]
        ran = stressrunner(
            "planted.yaml", *reports, "-v", "--seed", "1", "--workers", "2", cwd=folder, **GIVEN
        )
        assert ran.code == 3, ran.err
        tried = stressrunner("try", "planted.yaml", "--set", "session.burst=1", cwd=folder, **GIVEN)
        (folder / "unknown.yaml").write_text(
            (folder / "planted.yaml").read_text("utf-8").replace("token_url: /token", "token_url: /refuse"),
            "utf-8",
        )
        refused = stressrunner("unknown.yaml", "--report=json=refused.json", cwd=folder, **GIVEN)
        assert refused.code == 4, refused.err  # no history can be read
    return folder, [ran, tried]


def test_streams_show_no_credential(planted):
    """Neither a run with deliveries nor a trial prints a secret, a token that it fetched, or one that it captured."""
    for ended in planted[1]:
        assert "***" in ended.out + ended.err
        assert leaked(ended.out, SOUGHT) == []
        assert leaked(ended.err, SOUGHT) == []
        assert "Traceback" not in ended.err


def test_artifacts_hold_no_credential(planted):
    """Every report is free of them: with evidence of deliveries, what the sink saw, exchanges, errors."""
    folder, _ = planted
    for path in sorted(folder.glob("*.out")):
        assert leaked(path.read_text("utf-8"), SOUGHT) == [], path.name
    result = json.loads((folder / "json.out").read_text("utf-8"))
    delivery = result["invariants"][0]
    found = {each["fault"] for each in delivery["evidence"]}
    assert {"lost", "processed.twice"} <= found
    assert delivery["read_back"]["requests"] > 0
    assert "***" in json.dumps(delivery["evidence"])
    assert "***" in json.dumps(result["errors"])
    assert {each["endpoint"] for each in result["exchanges"]} >= {"login", "say", "enter"}


def test_a_refused_client_keeps_its_secret(planted):
    """The words in which a token endpoint refuses a client are told without the secrets that it repeats."""
    text = (planted[0] / "refused.json").read_text("utf-8")
    assert "invalid_client" in text
    assert leaked(text, [SECRET, CLIENT_SECRET]) == []


def test_tokens_for_reading_back_are_reported(planted):
    """Reading back fetches an access token of its own: it is among the requests for tokens, as two generators' are."""
    result = json.loads((planted[0] / "json.out").read_text("utf-8"))
    assert result["generator"]["token_requests"] == 3
    assert result["generator"]["token_failures"] == 0


@pytest.mark.parametrize("form", REPORTS)
def test_reports_of_an_earlier_result_show_no_credential(planted, form):
    """What is rendered again from the result file is as free of them."""
    ran = stressrunner("report", "json.out", "--format", form, cwd=planted[0], **GIVEN)
    assert leaked(ran.out + ran.err, SOUGHT) == []
