"""Wplaceholder runs against services whose histories are hard to read: each is told as what it is, soon, and without secrets."""

import json
import threading
import urllib.parse

from cli.command import stressrunner
from hosting.handler_server import QuietHandler, serving

SCENARIO = """\
stressrunner: 1
name: reading
target: {base_url: "%(url)s"}
endpoints:
  say: {post: /say, json: {text: "{{ message.token }}", session: "{{ session.name }}"}}
  history: {get: "/history/{{ %(key)s }}", query: {key: "${secret:KEY}"}, auth: %(auth)s}
session: {messages: 6, send: say}
load: {sessions: 3, concurrency: 3}
invariants:
  delivery:
    session_id: body.id
    read_back: {endpoint: history, messages: body, pages: "1", quiet: 200ms, timeout: 20s}
"""
KEY = "k3y-of/all+doors"


class Service(QuietHandler):
    """Keeps two histories for each session; which of them its replies name, and how they are shown, is the service's."""

    stored: dict = {}  # noqa: RUF012  shared by the handlers of one server on purpose
    grants: list = []  # noqa: RUF012  likewise
    lock = threading.Lock()

    def do_POST(self):  # noqa: N802
        """Store a message, or grant an access token."""
        said = self.received()
        if self.path == "/token":
            self.grants.append(len(self.grants))
            reply = {"access_token": f"granted{len(self.grants)}", "token_type": "bearer"}
        else:
            reply = self.said(**json.loads(said))
        self.reply(200, json.dumps(reply).encode())

    def said(self, text, session):
        """Store messages in turn under two ids, of which the reply names the right one."""
        with self.lock:
            home = f"{session}-{'ab'[int(text[-1]) % 2]}"
            self.stored.setdefault(home, []).append(text)
        return {"id": home}

    def do_GET(self):  # noqa: N802
        """Show a history."""
        name = urllib.parse.urlsplit(self.path).path.rpartition("/")[2]
        self.reply(200, json.dumps(self.stored.get(name, [])).encode())


class Misplacing(Service):
    """Names the other id than the one that a message is stored under, once in every session."""

    def said(self, text, session):
        """Store a message, and name another id for the fourth."""
        reply = super().said(text, session)
        return {"id": f"{session}-a"} if text.endswith(".3") else reply


class OneNamed(Service):
    """Shows one of two histories under a session's name."""

    def do_GET(self):  # noqa: N802
        """Show the first history."""
        self.path = self.path.replace("?", "-a?")
        super().do_GET()


class Forbidding(Service):
    """Forbids everything, and repeats the key that it was given."""

    def said(self, text, session):
        """Name one id."""
        return {"id": session}

    def do_GET(self):  # noqa: N802
        """Refuse."""
        self.reply(403, f'{{"detail":\n "no access with {self.path} {"x" * 300}"}}'.encode())


class Expiring(Service):
    """Takes every access token but the first one that it is shown."""

    shown: list = []  # noqa: RUF012  likewise

    def do_GET(self):  # noqa: N802
        """Show a history to who has another token."""
        with self.lock:
            self.shown.append(self.headers["authorization"])
        if self.shown[0] == self.headers["authorization"]:
            self.reply(401, b'{"detail": "expired"}')
        else:
            super().do_GET()


class Luring(Service):
    """Says that the next page is elsewhere."""

    def said(self, text, session):
        """Name one id."""
        return {"id": session}

    def do_GET(self):  # noqa: N802
        """Show nothing, and a link to another host."""
        self.reply(200, b'{"next": "http://elsewhere.invalid/history/x", "m": []}')


def run(tmp_path, service, key="session.id", auth="none", changes=()):
    """Run against a service; return the exit code, and the check of the deliveries."""
    kind = type("Kind", (service,), {"stored": {}, "grants": [], "shown": [], "lock": threading.Lock()})
    with serving(kind) as url:
        (tmp_path / "s.yaml").write_text(SCENARIO % {"url": url, "key": key, "auth": auth}, "utf-8")
        changed = [word for change in changes for word in ("--set", change)]
        ended = stressrunner("s.yaml", "--quiet", *changed, "--report", "json=r.json", cwd=tmp_path, KEY=KEY)
    assert (tmp_path / "r.json").exists(), ended.err
    assert KEY not in ended.err + (tmp_path / "r.json").read_text("utf-8")
    (checked,) = json.loads((tmp_path / "r.json").read_text("utf-8"))["invariants"]
    return ended.code, checked


def test_a_message_under_another_id_is_elsewhere(tmp_path):
    """Read under every id that replies named, a message is found where its own reply says, or is elsewhere."""
    code, checked = run(tmp_path, Misplacing)
    assert code == 3
    assert checked["reasons"] == [
        "3 of 18 messages were found under another id of the session",
        "3 of 3 sessions got ids that differ",
    ]
    assert (checked["classes"]["delivered"], checked["classes"]["elsewhere"]) == (15, 3)
    session = next(each for each in checked["evidence"] if each["fault"] == "elsewhere")["sessions"][0]
    wrong = next(message for message in session["messages"] if message["became"] == "elsewhere")
    assert wrong["session_id"].endswith("-a")
    assert [session["stored"][i]["ids"] for i in wrong["found"]] == [[wrong["session_id"][:-1] + "b"]]


def test_several_ids_read_by_one_name_leave_doubt(tmp_path):
    """Where replies named several ids and the history is read by name, what is not found there is not lost."""
    code, checked = run(tmp_path, OneNamed, key="session.name")
    assert code == 3  # ids that differ are a fault
    assert (checked["classes"]["delivered"], checked["classes"]["lost"], checked["unread"]) == (9, 0, 9)
    assert "use 'session.id' in the endpoint of 'read_back'" in checked["reasons"][1]


def test_sessions_without_an_id_are_not_waited_for(tmp_path):
    """Where no reply names the id by which a session is to be read, nothing is read, and that is said at once."""
    code, checked = run(tmp_path, Misplacing, changes=("invariants.delivery.session_id=body.nothing",))
    assert code == 4
    assert (checked["read_back"]["requests"], checked["unread"]) == (0, 18)
    assert checked["reasons"] == ["the history of 3 of 3 sessions is not known: no reply returned its id"]
    assert checked["read_back"]["duration_s"] < 10


def test_what_is_forbidden_is_said_at_once(tmp_path):
    """A 403 is not waited for, and told with its URL and the beginning of what it says, without secrets."""
    code, checked = run(tmp_path, Forbidding)
    assert code == 4
    assert checked["read_back"]["duration_s"] < 10
    (reason,) = checked["read_back"]["reasons"]
    assert reason.startswith("status was 403; http://127.0.0.1:")
    assert '-0?key=*** answered 403: {"detail": "no access with /history/sr-' in reason
    assert reason.endswith("xxx")
    assert len(reason.partition("answered 403: ")[2]) == 200


def test_an_access_token_that_expired_is_renewed(tmp_path):
    """When the history is refused to an access token, another one is fetched and the history read."""
    auth = "{oauth2: {token_url: /token, client_id: me, client_secret: '${secret:KEY}'}}"
    code, checked = run(tmp_path, Expiring, auth=auth)
    assert (code, checked["unread"], checked["classes"]["delivered"]) == (3, 0, 18)  # with ids that differ
    assert checked["read_back"]["failed"] > 0


def test_a_link_to_another_host_is_not_followed(tmp_path):
    """What a response gives as the next page gets no request, and no key, at another host; that is said at once."""
    changes = (
        "invariants.delivery.read_back={pages: null, next: body.next, messages: body.m, endpoint: history}",
        "endpoints.history.get={{ page or '/history/' ~ session.id }}",
    )
    code, checked = run(tmp_path, Luring, changes=changes)
    assert code == 4
    assert checked["read_back"]["reasons"] == [
        "elsewhere.invalid is neither the target's host nor among target.allow_hosts"
    ]
    assert checked["read_back"]["duration_s"] < 10
