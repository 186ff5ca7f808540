"""The sink as a process of its own: `python -m stressrunner.sink --port 9099 --latency-s 0.05`."""

import sys

from stressrunner.hosting.standalone import CannotServe, serve_child
from stressrunner.sink.app import build_app
from stressrunner.sink.options import SinkOptions


def main() -> None:
    """Serve until stdin ends or a signal comes; a reason not to begin goes to stderr, with status 1."""
    options = SinkOptions.parse()
    try:
        serve_child(build_app(options), options.port)
    except (OSError, CannotServe) as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
