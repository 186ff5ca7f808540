"""The table of hostile responses, over real sockets: both transports judge alike, and curl is the referee."""

import re
import shutil
import socket
import ssl
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hostile import LIMITS, NEXT, ROWS, WITH_CURL, Answer

from stressrunner.http.exchange import FailureKind, Request
from stressrunner.http.h1 import H1Transports
from stressrunner.http.httpx_transport import HttpxTransports

TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # made in no time
NAMES = [row.name for row in ROWS]


@pytest.fixture
def anyio_backend():
    """Both transports run under asyncio."""
    return "asyncio"


def plays(row):
    """Return the script of a server: the row's response, then proper ones."""

    def script(peer):
        peer.request()
        if peer.number == 0:
            peer.send(row.octets)
            if row.closes:
                return
            peer.request()
        peer.send(NEXT)

    return script


def test_table_is_large_and_its_names_are_unique():
    """A name says one row, what differs is in the table, and that does not shrink unnoticed."""
    assert len(set(NAMES)) == len(NAMES) >= 250
    assert set(NAMES) >= WITH_CURL.keys()


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
@pytest.mark.parametrize("factory", [H1Transports, HttpxTransports], ids=["h1", "httpx"])
@pytest.mark.anyio
async def test_outcome_of_a_response(serve, factory, row):
    """A response is what the table says, and the next request never gets anything of it for an answer."""
    server = serve(plays(row))
    async with factory(server.url, limits=LIMITS, tls=TRUSTS_NOBODY).open() as transport:
        exchange = await transport.exchange(Request(row.method, "/", timeout_s=3))
        following = await transport.exchange(Request("GET", "/next", timeout_s=3))
    assert (following.status, following.body, following.failure) == (203, b"next", None)
    if isinstance(row.expected, Answer):
        assert (exchange.failure, exchange.status, exchange.body) == (
            None,
            row.expected.status,
            row.expected.body,
        )
        assert [line for line in exchange.headers if line in row.expected.headers] == list(
            row.expected.headers
        )
        assert server.connections == (1 if row.expected.kept else 2)
    else:
        assert exchange.failure is not None
        assert exchange.failure.kind is row.expected, exchange.failure
        assert row.words in exchange.failure.message
        assert (exchange.body, server.connections) == (b"", 1 if row.keeps else 2)


class Site(threading.Thread):
    """Serves the rows by their number in the path, a connection each."""

    def __init__(self):
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self._listener.getsockname()[1]
        self._pool = ThreadPoolExecutor(8)

    def run(self):
        """Accept until closed."""
        try:
            while True:
                self._pool.submit(self.play, self._listener.accept()[0])
        except OSError:
            self._pool.shutdown()

    def play(self, sock):
        """Serve one connection."""
        with sock:
            sock.settimeout(5)
            received = b""
            while b"\r\n\r\n" not in received:
                received += sock.recv(65536)
            row = ROWS[int(received.split()[1][1:])]
            try:
                sock.sendall(row.octets)
                if not row.closes:
                    sock.recv(1)  # until curl closes
            except OSError:
                pass

    def close(self):
        """Stop."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join()


def outcome_of_curl(port, number):
    """Return what curl makes of a row: status and body, or "refused"."""
    command = ["curl", "-q", "-sS", "--compressed", "--max-time", "1.5", "-w", "%{stderr}%{http_code}"]
    if ROWS[number].method == "HEAD":
        command += ["-I", "-o", "/dev/null"]
    ended = subprocess.run([*command, f"http://127.0.0.1:{port}/{number}"], capture_output=True, check=False)
    if ended.returncode:
        return "refused"
    status = int(re.search(rb"(\d+)$", ended.stderr)[1])
    return status, ended.stdout


def test_curl_agrees():
    """Curl takes and refuses the same, but where the table says so; newer versions may have become stricter there."""
    if shutil.which("curl") is None:
        pytest.skip("curl is the referee")
    judged = [i for i, row in enumerate(ROWS) if row.expected is not FailureKind.TOO_LARGE]
    site = Site()
    site.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda number: outcome_of_curl(site.port, number), judged))
    finally:
        site.close()
    otherwise = {}
    for number, outcome in zip(judged, said, strict=True):
        expected = ROWS[number].expected
        same = outcome == (expected[1::-1] if isinstance(expected, Answer) else "refused")
        if not same and ROWS[number].name not in WITH_CURL:
            otherwise[ROWS[number].name] = outcome
    assert otherwise == {}
