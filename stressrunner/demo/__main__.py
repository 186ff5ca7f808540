"""The embedded target as a process of its own: `python -m stressrunner.demo --port 0 --options URL`."""

import argparse
import sys

from stressrunner.demo.app import build_app
from stressrunner.demo.options import DemoOptionError, DemoOptions
from stressrunner.hosting.standalone import CannotServe, serve_child


def main() -> None:
    """Serve until stdin ends or a signal comes; a reason not to begin goes to stderr, with status 1."""
    parser = argparse.ArgumentParser(prog="python -m stressrunner.demo")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--options", default="demo://agents", metavar="URL")
    arguments = parser.parse_args()
    try:
        serve_child(build_app(DemoOptions.parse(arguments.options)), arguments.port)
    except (DemoOptionError, OSError, CannotServe) as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
