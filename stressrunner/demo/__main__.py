"""The embedded target as a process of its own: `python -m stressrunner.demo --port 0 --options URL`.

When it answers, it writes one line to stdout: {"port": N, "pid": P}. It stops when stdin is closed, and
so never outlives the process that started it, however that one ended.
"""

import argparse
import json
import os
import sys
import threading

from stressrunner.demo.options import DemoOptionError, DemoOptions
from stressrunner.demo.server import DemoServer, listen


def main() -> None:
    """Serve until stdin ends or a signal comes; a reason not to begin goes to stderr, with status 1."""
    parser = argparse.ArgumentParser(prog="python -m stressrunner.demo")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--options", default="demo://agents", metavar="URL")
    arguments = parser.parse_args()
    try:
        options = DemoOptions.parse(arguments.options)
        listener = listen(arguments.port)
    except (DemoOptionError, OSError) as refusal:
        sys.exit(str(refusal))
    server = DemoServer(options, listener, _announce)
    threading.Thread(target=_stop_at_end_of_stdin, args=[server], daemon=True).start()
    server.serve_until_stopped()


def _announce(port: int) -> None:
    sys.stdout.write(json.dumps({"port": port, "pid": os.getpid()}) + "\n")
    sys.stdout.flush()


def _stop_at_end_of_stdin(server: DemoServer) -> None:
    # Not through sys.stdin: its lock, held by a thread that waits, is fatal at interpreter shutdown.
    while os.read(0, 4096):
        pass
    server.stop()


if __name__ == "__main__":
    main()
