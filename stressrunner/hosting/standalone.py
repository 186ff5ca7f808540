"""The child's side: serve, say so in one line, and stop when stdin ends."""

import json
import os
import sys
import threading

from starlette.types import ASGIApp

from stressrunner.hosting.server import CannotServe, LoopbackServer, listen

__all__ = ["CannotServe", "serve_child"]


def serve_child(app: ASGIApp, port: int) -> None:
    """Serve on a loopback port, 0 for a free one, until stdin ends or a signal comes; for the main thread.

    When it answers, it writes one line to stdout: {"port": N, "pid": P}. As it stops when stdin is closed, it
    never outlives the process that started it, however that one ended.

    Raises:
        OSError: the port is taken or not to be had.
        CannotServe: the application did not start.
    """
    server = LoopbackServer(app, listen(port), _announce)
    threading.Thread(target=_stop_at_end_of_stdin, args=[server], daemon=True).start()
    server.serve_until_stopped()


def _announce(port: int) -> None:
    sys.stdout.write(json.dumps({"port": port, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def _stop_at_end_of_stdin(server: LoopbackServer) -> None:
    # Not through sys.stdin: its lock, held by a thread that waits, is fatal at interpreter shutdown.
    while os.read(0, 4096):
        pass
    server.stop()
