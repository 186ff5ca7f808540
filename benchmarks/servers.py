"""The two servers that the load goes to, both on loopback and on the servers' core."""

import http.client
import json
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.processes import Command, CommandFailed, background

#: 85 bytes of JSON, as an API may answer.
ANSWER = '{"success":true,"id":4711,"message":"Hello! What can I do for you today?","queue":[]}'
_CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 12000; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    default_type application/json;
    location / {{ return 200 '{answer}'; }}
    location = /status {{ stub_status; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """nginx with one worker, which answers everything at once."""

    url: str

    def counted(self) -> int:
        """Return how many requests it has answered so far, those for this number left out by the caller's difference.

        Each call adds one.
        """
        host, port = self.url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        try:
            connection.request("GET", "/status")
            text = connection.getresponse().read().decode("ascii")
        finally:
            connection.close()
        found = re.search(r"^ \d+ \d+ (\d+)", text, re.MULTILINE)
        if found is None:
            raise CommandFailed(f"nginx does not tell its counts: {text}")
        return int(found[1])


@contextmanager
def nginx(program: Path) -> Iterator[Nginx]:
    """Run nginx on a free loopback port.

    Raises:
        CommandFailed: it does not listen within five seconds.
    """
    with TemporaryDirectory(prefix="stressrunner-nginx-") as folder:
        Path(folder).chmod(0o755)  # its worker may be another user
        port = _free_port()
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, answer=ANSWER), "utf-8")
        with background([program, "-c", configuration, "-p", folder]):
            _await_listener(port)
            yield Nginx(f"http://127.0.0.1:{port}")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _await_listener(port: int) -> None:
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CommandFailed(f"nothing listens at port {port}")


class Queue:
    """A server of known service times: where it listens and, once it has ended, what it wrote down."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.arrived_s: list[float] = []  #: monotonic
        self.service_s: list[float] = []  #: in the order of arrival
        self.core = 0.0  #: share of its core that it used between its first and its last request


@contextmanager
def queue(*arguments: str) -> Iterator[Queue]:
    """Run `benchmarks.target` with these arguments; the record is filled in when the block ends."""
    with TemporaryDirectory(prefix="stressrunner-target-") as folder:
        record = Path(folder, "record.json")
        command: Command = [sys.executable, "-m", "benchmarks.target", *arguments, "--record", record]
        with background(command) as process:
            line = process.stdout.readline().decode("utf-8", "replace") if process.stdout else ""
            if not line.strip().isdigit():
                rest = process.stdout.read().decode("utf-8", "replace") if process.stdout else ""
                raise CommandFailed(f"the target did not start: {line}{rest}")
            served = Queue(f"http://127.0.0.1:{line.strip()}")
            yield served
        written: dict[str, Any] = json.loads(record.read_text("utf-8"))
        served.arrived_s, served.service_s, served.core = (
            written["arrived_s"],
            written["service_s"],
            written["core"],
        )
