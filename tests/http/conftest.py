"""A server on loopback that plays a script of bytes, for transports to be tried on real sockets."""

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

PATIENCE_S = 5.0


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock, number, stopped):
        self.sock = sock
        self.stopped = stopped  # an event to wait with instead of sleeping
        self.number = number  # of the connection, from 0
        self._surplus = b""

    def request(self):
        """Read one request and return it, or b"" when the client has closed."""
        received = self._surplus
        while b"\r\n\r\n" not in received:
            more = self.sock.recv(65536)
            if not more:
                return b""
            received += more
        head, _, rest = received.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(rest) < length:
            rest += self.sock.recv(65536)
        self._surplus = rest[length:]
        return head + b"\r\n\r\n" + rest[:length]

    def send(self, *pieces):
        """Send pieces of bytes, each in a segment of its own where the network lets it."""
        for piece in pieces:
            self.sock.sendall(piece)

    def reset(self):
        """End the connection by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def until_closed(self):
        """Read to the end of what the client sends."""
        while self.sock.recv(65536):
            pass


class ScriptedServer:
    """Accepts connections and plays `script(peer)` on each, then closes it."""

    def __init__(self, script, *, tls=None, host="127.0.0.1", port=0, path=None):
        if path is None:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.create_server((host, port), family=family)
            self.port = self._listener.getsockname()[1]
            name = f"[{host}]" if ":" in host else host
            self.url = f"{'https' if tls else 'http'}://{name}:{self.port}"
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen()
            self.url = f"http+unix://{quote(str(path), safe='')}"
        self.connections = 0
        self._script = script
        self._tls = tls
        self._stopped = threading.Event()
        self._ended = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(PATIENCE_S)
                if sock.family != socket.AF_UNIX:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                thread = threading.Thread(target=self._play, args=(sock, self.connections))
                self.connections += 1
                self._threads.append(thread)
                thread.start()

    def _play(self, sock, number):
        with contextlib.suppress(OSError), sock:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with sock:
                self._script(Peer(sock, number, self._stopped))
        self._ended.release()

    def wait_for_end(self):
        """Wait, blocking the thread, until one more connection was closed by its script."""
        assert self._ended.acquire(timeout=PATIENCE_S)

    def close(self):
        """Stop listening and wait for the scripts to end."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


@pytest.fixture
def serve() -> Callable[..., ScriptedServer]:
    """Start scripted servers; they are stopped after the test."""
    with contextlib.ExitStack() as stack:

        def start(script, **options):
            return stack.enter_context(contextlib.closing(ScriptedServer(script, **options)))

        yield start


class Authority(NamedTuple):
    """Certificates of a test's own authority."""

    ca: Path
    key: Path  # of the certificate in `ca`
    server: ssl.SSLContext  # for localhost and 127.0.0.1, signed by `ca`


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    """Make a self-signed certificate that is its own authority, with the openssl command."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("the openssl command makes the certificates")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return Authority(cert, key, server)


@pytest.fixture
def unused_port() -> int:
    """Return a port of loopback at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
