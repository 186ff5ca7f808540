"""A server made of a handler of the standard library, in a thread of the test's own process."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

__all__ = ["QuietHandler", "serving"]

JSON = MappingProxyType({"Content-Type": "application/json"})
_SEES_ITS_END_WITHIN_S = 0.01  # half a second unless told, which every test would wait for


class QuietHandler(BaseHTTPRequestHandler):
    """What handlers share: connections are kept, answers are whole, and nothing is logged."""

    protocol_version = "HTTP/1.1"

    def received(self) -> bytes:
        """Read the body of the request."""
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def reply(self, status: int, content: bytes = b"", headers: Mapping[str, str] = JSON) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    """Takes as many connections at once as a load opens, not five."""

    daemon_threads = True
    request_queue_size = 256


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a free loopback port until this is left; yields the base URL."""
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[_SEES_ITS_END_WITHIN_S])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
