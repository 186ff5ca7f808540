"""The recipes for reading histories do as they say: against APIs that list messages in their way, nothing else is missing."""

import json
import threading
import urllib.parse

import pytest
from cli.command import stressrunner
from documents import blocks, shown_file, write_files
from hosting.handler_server import QuietHandler, serving

DOCUMENT = "docs/delivery.md"
RECIPES = [name for block in blocks(DOCUMENT, "yaml") if (name := shown_file(block)) and "recipes/" in name]
PAGE = 4  #: rows, whatever is asked for: of 14 that a session has


class Chats(QuietHandler):
    """Stores what is said, but for one message of the first session, and lists it in four ways."""

    stored: dict = {}  # noqa: RUF012  shared by the handlers of one server on purpose
    lock = threading.Lock()
    url = ""

    def do_POST(self):  # noqa: N802
        """Store a message with its answer."""
        said = json.loads(self.received())
        name, text = said["session_name"], said["message_content"]
        with self.lock:
            rows = self.stored.setdefault(name, [])
            if not text.endswith(".0.5"):  # the sixth message of the first session is lost
                rows += [{"id": f"m{len(rows) + i}", "at": len(rows) + i, "role": role, "text": t}
                         for i, (role, t) in enumerate((("user", text), ("assistant", "yes")))]  # fmt: skip
        self.reply(200, json.dumps({"session_id": name}).encode())

    def do_GET(self):  # noqa: N802
        """List the rows of a session as the path wants it."""
        url = urllib.parse.urlsplit(self.path)
        _, kind, name, *_ = url.path.split("/")
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        self.reply(200, json.dumps(getattr(self, kind)(self.stored[name], name, query)).encode())

    def threads(self, rows, name, query):
        """Ascending, after an id."""
        ids = [row["id"] for row in rows]
        first = ids.index(query["after"]) + 1 if "after" in query else 0
        page = rows[first : first + PAGE]
        return {"data": page, "has_more": first + PAGE < len(rows), "last_id": page[-1]["id"]}

    def chats(self, rows, name, query):
        """Ascending, behind so many rows."""
        first = int(query["skip"])
        return {"items": rows[first : first + PAGE]}

    def rooms(self, rows, name, query):
        """Descending, with a link."""
        before = int(query.get("before", len(rows)))
        page = rows[max(0, before - PAGE) : before][::-1]
        more = before - PAGE > 0
        return {
            "results": page,
            "next": f"{self.url}/rooms/{name}/messages?before={before - PAGE}" if more else None,
        }

    def log(self, rows, name, query):
        """All of it, descending."""
        return rows[::-1]


def outcome(tmp_path, recipe, url, *more):
    """Run a recipe; return its exit code and the check of its deliveries."""
    write_files(DOCUMENT, tmp_path)
    scenario = tmp_path / "chats.yaml"
    scenario.write_text(scenario.read_text("utf-8").replace("numbered", recipe), "utf-8")
    quiet = (
        "--quiet",
        "--set",
        "invariants.delivery.read_back.quiet=200ms",
        "--set",
        f"target.base_url={url}",
    )
    ended = stressrunner("chats.yaml", *quiet, *more, "--report", "json=r.json", cwd=tmp_path)
    assert (tmp_path / "r.json").exists(), ended.err
    (checked,) = json.loads((tmp_path / "r.json").read_text("utf-8"))["invariants"]
    return ended.code, checked


def test_there_is_a_recipe_for_each_kind():
    """Numbered pages, a cursor, an offset, and the newest first with a link and without pages."""
    assert [f"recipes/{kind}.yaml" for kind in ("numbered", "cursor", "offset", "link", "latest")] == RECIPES


def test_numbered_pages(tmp_path):
    """The recipe for numbered pages reads what the embedded target has stored."""
    size = ("--set", f"endpoints.session_history.query.page_size={PAGE}")
    _, checked = outcome(tmp_path, "numbered", "demo://agents?latency=1ms", *size)
    assert (checked["outcome"], checked["reasons"]) == ("passed", [])
    assert checked["classes"]["delivered"] == 28
    assert checked["read_back"]["requests"] == 4 * 4 * 2  # pages of sessions, each read twice


@pytest.mark.parametrize(
    ("recipe", "change"),
    [
        ("cursor", ()),
        ("offset", ()),
        ("link", ()),
        ("latest", ()),
        # Four sessions of messages one after the other tell by themselves that they are listed newest first.
        ("link", ("--set", "invariants.delivery.read_back.order_by=null")),
    ],
)
def test_each_recipe_reads_all_of_it(tmp_path, recipe, change):
    """What the service lost is lost, and nothing else: every other message is found once and in its order."""
    service = type("Service", (Chats,), {"stored": {}, "lock": threading.Lock()})
    with serving(service) as url:
        service.url = url
        code, checked = outcome(tmp_path, recipe, url, *change)
    assert (code, checked["reasons"]) == (3, ["1 of 28 messages was acknowledged and lost"])
    assert checked["classes"]["delivered"] == 27
    assert checked["reordered"] == 0
    assert checked["newest_first"] == (recipe == "link")
