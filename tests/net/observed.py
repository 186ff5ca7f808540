"""Commands as users start them, a server that keeps every byte, and files that hold what was seen."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GOLDEN = HERE / "golden"
#: What differs between runs whatever the seed: the run's id, and what has it within.
_RUN_ID = re.compile(rb"\d{8}-\d{6}-[0-9a-z]{4}")
_TOKEN = re.compile(rb"sr\.[0-9a-zA-Z-]+\.")
_SESSION = re.compile(rb"sr-[0-9a-f]{8}-")
_VERSION = re.compile(rb"stressrunner/[0-9.]+")


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


def command(*arguments: str | Path, **variables: str) -> Ended:
    """Run the command line in a process of its own, from the root of the tree."""
    read = {"BASE_URL", "API_KEY", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"}
    environ = {name: value for name, value in os.environ.items() if name not in read} | variables
    done = subprocess.run(
        [sys.executable, "-m", "stressrunner", *map(str, arguments)],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def is_as_kept(name: str, seen: str) -> None:
    """Fail unless a text is that of the kept file of a name."""
    kept = GOLDEN / name
    if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN"):
        kept.write_text(seen, "utf-8")
    assert seen == kept.read_text("utf-8")


def as_json(value: object) -> str:
    """Return a value as the text of a kept file."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


_REPLIES = {
    "/login": '{"token": "t-1", "id": 7}',
    "/token": '{"access_token": "tok", "token_type": "bearer", "expires_in": 3600}',
}
_ITEMS = '{"ok": true, "items": [{"id": 1}, {"id": "zwei"}], "session_id": "s1", "message": "done"}'


class Recorder:
    """Answers every request on loopback, and keeps the bytes of each connection."""

    def __init__(self) -> None:
        self._connections: list[bytearray] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"

    @contextmanager
    def serving(self) -> Iterator["Recorder"]:
        """Accept connections until the block is left."""
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self._connections.append(kept := bytearray())
            threading.Thread(target=self._talk, args=(connection, kept), daemon=True).start()

    def _talk(self, connection: socket.socket, kept: bytearray) -> None:
        begin = 0
        with connection:
            while True:
                while (end := _end_of_request(kept, begin)) is None:
                    if not (more := connection.recv(65536)):
                        return
                    kept += more
                connection.sendall(_reply(bytes(kept[begin:end])))
                begin = end

    def text(self) -> str:
        """Return what came, connection by connection, without what differs from run to run."""
        parts = []
        with self._lock:
            kept = [bytes(each) for each in self._connections if each]
        for number, octets in enumerate(kept, 1):
            masked = octets.replace(self.address.encode(), b"HOST:PORT")
            masked = _RUN_ID.sub(b"RUN", _TOKEN.sub(b"sr.RUN.", masked))
            masked = _VERSION.sub(b"stressrunner/VERSION", _SESSION.sub(b"sr-RUN-", masked))
            parts.append(f"=== connection {number}\n" + masked.decode("utf-8", "backslashreplace"))
        return "\n".join(parts).replace("\r\n", "\\r\n") + "\n"


def _end_of_request(kept: bytearray, begin: int) -> int | None:
    head = kept.find(b"\r\n\r\n", begin)
    if head < 0:
        return None
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", kept[begin : head + 2])
    end = head + 4 + (int(length[1]) if length else 0)
    return end if len(kept) >= end else None


def _reply(request: bytes) -> bytes:
    method, path = request.split(b" ", 2)[:2]
    if path == b"/old":
        return b"HTTP/1.1 302 Found\r\nLocation: /new?x=1\r\nContent-Length: 0\r\n\r\n"
    body = _REPLIES.get(path.decode(), _ITEMS).encode()
    cookie = b"Set-Cookie: sid=abc; Path=/\r\n" if path == b"/login" else b""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n"
    return head % (cookie, len(body)) + (b"" if method == b"HEAD" else body)
