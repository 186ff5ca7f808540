"""`python -m benchmarks`: measure, and write the figures as JSON and Markdown."""

import argparse
import json
import os
import signal
import sys
from pathlib import Path

from benchmarks import accuracy, memory, processor_time, timing
from benchmarks.peers import DEFAULT_TOOLS, NGINX, TOOLS, versions
from benchmarks.processes import ROOT, SERVER_CORE, CommandFailed, OtherWork
from benchmarks.report import markdown, measurement, placed
from benchmarks.row import Bench, Finding, Row, tell

ROWS = (*processor_time.ROWS, *memory.ROWS, *timing.ROWS, *accuracy.ROWS)
LATEST = ROOT / "benchmarks" / "latest.json"
DOCUMENT = ROOT / "docs" / "performance.md"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [row.name for row in ROWS]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="ROW", help=f"one of {', '.join(names)}"
    )
    parser.add_argument("--quick", action="store_true", help="short runs, to see that everything works")
    parser.add_argument("--tools", type=Path, default=DEFAULT_TOOLS, help="where peers are installed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables there instead of to stdout"
    )
    parser.add_argument(
        "--publish",
        action="store_true",
        help="keep the figures as the latest ones, and put them into the document",
    )
    parser.add_argument(
        "--from", type=Path, metavar="FILE", dest="source", help="measure nothing, read figures"
    )
    return parser.parse_args()


def _measure(rows: list[Row], bench: Bench) -> dict[Row, Finding]:
    """Measure row after row; one that cannot be measured says why and does not keep the others from it."""
    found = {}
    for row in rows:
        tell(f"{row.name}: {row.what}")
        try:
            found[row] = row.measure(bench)
        except (CommandFailed, ValueError, OSError) as error:
            found[row] = Finding(str(error).splitlines()[0], "unknown")
            tell(f"  {error}")
        tell(f"  {found[row].measured}: {found[row].met}")
    return found


def main() -> int:
    """Do what the arguments say; return the exit code: 1 when a row missed its limit."""
    arguments = _arguments()
    tools = arguments.tools.resolve()
    if arguments.source is not None:
        measured = json.loads(arguments.source.read_text("utf-8"))
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended on the way out
        os.sched_setaffinity(0, {SERVER_CORE})  # what it does itself is nothing that the clients should feel
        for tool in [NGINX, *TOOLS.values()]:
            if tool.locate(tools) is None:
                tell(tool.advice(tools))
        rows = [row for row in ROWS if not arguments.only or row.name in arguments.only]
        others = OtherWork()
        found = _measure(rows, Bench(tools, quick=arguments.quick))
        measured = measurement(found, versions(tools), others.share(), quick=arguments.quick)
    text = json.dumps(measured, indent=1, ensure_ascii=False) + "\n"
    if arguments.json is not None:
        arguments.json.write_text(text, "utf-8")
    if arguments.publish:
        LATEST.write_text(text, "utf-8")
        DOCUMENT.write_text(placed(DOCUMENT.read_text("utf-8"), markdown(measured)), "utf-8")
    if arguments.markdown is not None:
        arguments.markdown.write_text(markdown(measured), "utf-8")
    else:
        sys.stdout.write(markdown(measured))
    return 1 if any(row["met"] == "no" for row in measured["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
