"""An agents API of its own: a server with a database, which shares nothing with the embedded target but the API.

Its history pages, sorts and limits as the real one: 50 rows a page, at most 100, the newest first unless
`sort_desc=false`, in either of the two shapes that versions of it have. What it stored is asked of the database.
"""

import json
import sqlite3
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hosting.handler_server import QuietHandler, serving

__all__ = ["API_KEY", "AgentsApi", "running"]

API_KEY = "the-key-of-the-test"
_KNOWN = {"message_content", "message_type", "session_name", "session_id", "user"}
_WORK_S = 0.005
_TABLES = """
CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT UNIQUE);
CREATE TABLE sessions (id TEXT PRIMARY KEY, name TEXT, user_id TEXT);
CREATE TABLE messages (id TEXT PRIMARY KEY, session_id TEXT, role TEXT, text_content TEXT, number INTEGER);
"""


class AgentsApi:
    """The database, and what is done with it: one message of a session after the other."""

    def __init__(self, *, says_current_page: bool) -> None:
        self._database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._access = threading.Lock()
        self._says_current_page = says_current_page
        self._turn = threading.Lock()  # of those who find or make users and sessions
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # of sessions
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def query(self, sql: str, *values: Any) -> list[Any]:
        """Return the rows of a query."""
        with self._access:
            return self._database.execute(sql, values).fetchall()

    def run(self, body: Any) -> tuple[int, Any]:
        """Answer a message."""
        if (
            not isinstance(body, dict)
            or set(body) - _KNOWN
            or not isinstance(body.get("message_content"), str)
        ):
            return 422, {"detail": [{"type": "extra_forbidden"}]}
        with self._turn:
            user_id = self._user((body.get("user") or {}).get("email"))
            session_id = self._session(body.get("session_name"), user_id)
            turn = self._turns[session_id]
        with turn:
            time.sleep(_WORK_S)
            text = body["message_content"]
            for role, content in (("user", text), ("assistant", f"You said: {text}")):
                self.query(
                    "INSERT INTO messages SELECT ?, ?, ?, ?, COUNT(*) FROM messages",
                    *(str(uuid.uuid4()), session_id, role, content),
                )
        return 200, {"message": f"You said: {text}", "session_id": session_id, "success": True}

    def _user(self, email: str | None) -> str | None:
        if email is None:
            return None
        self.query("INSERT OR IGNORE INTO users VALUES (?, ?)", str(uuid.uuid4()), email)
        return self.query("SELECT id FROM users WHERE email = ?", email)[0][0]

    def _session(self, name: str | None, user_id: str | None) -> str:
        found = self.query("SELECT id FROM sessions WHERE name = ?", name)
        if found:
            return found[0][0]
        session_id = str(uuid.uuid4())
        self.query("INSERT INTO sessions VALUES (?, ?, ?)", session_id, name, user_id)
        return session_id

    def history(self, key: str, query: dict[str, str]) -> tuple[int, Any]:
        """Answer who asks for the messages of a session."""
        page, size = query.get("page", "1"), query.get("page_size", "50")
        order = query.get("sort_desc", "true")
        if not (page.isdigit() and int(page) >= 1 and size.isdigit() and 1 <= int(size) <= 100):
            return 422, {"detail": [{"type": "less_than_equal", "loc": ["query", "page_size"]}]}
        if order not in ("true", "false"):
            return 422, {"detail": [{"type": "bool_parsing", "loc": ["query", "sort_desc"]}]}
        sessions = self.query("SELECT id FROM sessions WHERE name = ? OR id = ?", key, key)
        if not sessions:
            return 404, {"detail": f"Session not found: {key}"}
        session_id = sessions[0][0]
        direction = "DESC" if order == "true" else "ASC"
        rows = self.query(
            f"SELECT role, text_content FROM messages WHERE session_id = ? ORDER BY number {direction} LIMIT ? OFFSET ?",
            *(session_id, int(size), (int(page) - 1) * int(size)),
        )
        ((total,),) = self.query("SELECT COUNT(*) FROM messages WHERE session_id = ?", session_id)
        return 200, self._shown(
            [{"role": role, "content": content} for role, content in rows],
            *(total, int(page), int(size), -(-total // int(size))),
        )

    def _shown(self, messages: list[Any], total: int, page: int, size: int, pages: int) -> dict[str, Any]:
        if self._says_current_page:
            where = {"exists": True, "total_messages": total, "current_page": page, "total_pages": pages}
        else:
            where = {"total": total, "page": page, "page_size": size, "total_pages": pages}
        return {"messages": messages, **where}


@contextmanager
def running(*, says_current_page: bool = False) -> Iterator[tuple[str, AgentsApi]]:
    """Serve an API with an empty database; yields its base URL and itself."""
    api = AgentsApi(says_current_page=says_current_page)

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802  called so by the base class
            content = self.received()
            self._answer(lambda path, _: api.run(json.loads(content)) if path.endswith("/run") else None)

        def do_GET(self) -> None:  # noqa: N802  as above
            prefix = "/api/v1/sessions/"

            def history(path: str, query: dict[str, str]) -> tuple[int, Any] | None:
                return (
                    api.history(unquote(path.removeprefix(prefix)), query)
                    if path.startswith(prefix)
                    else None
                )

            self._answer(history)

        def _answer(self, act: Any) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            if self.headers.get("x-api-key") != API_KEY:
                status, body = 401, {"detail": "Invalid API key"}
            else:
                status, body = act(parts.path, query) or (404, {"detail": "Not Found"})
            self.reply(status, json.dumps(body).encode())

    with closing(api), serving(Handler) as url:
        yield url, api
