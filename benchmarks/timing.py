"""Rows on time that is stressrunner's own: lag, and starting up."""

from statistics import median

from benchmarks.peers import command_line, run_stressrunner
from benchmarks.processes import ROOT, Command, run
from benchmarks.row import Bench, Finding, Row, within, worst
from benchmarks.servers import queue


def _lag(bench: Bench) -> Finding:
    p99s_ms = []
    with bench.nginx() as server:
        for _ in range(bench.rounds(5)):
            load = {"load.duration": f"{bench.length(20)}s"}
            _, result = run_stressrunner(command_line(), "arrivals", server.url, load)
            p99s_ms.append(result["generator"]["lag"]["p99_s"] * 1e3)
    middle = median(p99s_ms)
    text = f"p99 {middle:.2f} ms (of {len(p99s_ms)} runs {min(p99s_ms):.2f} to {max(p99s_ms):.2f})"
    return Finding(text, within(middle, 0.5), {"lag_p99_ms": [round(p99, 4) for p99 in p99s_ms]})


def _start(bench: Bench) -> Finding:
    rounds = bench.rounds(11)
    validate: Command = [command_line(), "validate", ROOT / "scenarios" / "hello.yaml"]
    run(validate).checked()  # the first one may have to compile the bytecode
    validated_s = [run(validate).checked().wall_s for _ in range(rounds)]
    first_s = [_first_request_s() for _ in range(rounds)]
    started, first = median(validated_s), median(first_s)
    figures = {
        "validate_s": [round(value, 4) for value in validated_s],
        "first_request_s": [round(value, 4) for value in first_s],
    }
    met = worst([within(started, 0.35), within(first, 0.6)])
    return Finding(f"{started:.2f} s; first request within {first:.2f} s", met, figures)


def _first_request_s() -> float:
    """Return the time from starting the process until its first request has come to the target."""
    with queue("--service-s", "0.001") as target:
        load = {"load.concurrency": 1, "load.duration": "100ms"}
        ran, _ = run_stressrunner(command_line(), "worst_case", target.url, load)
    return target.arrived_s[0] - ran.started_s


ROWS = (
    Row(
        "lag",
        "lag at 1,000 arrivals/s, Poisson, one otherwise idle core",
        "p99 at most 0.5 ms",
        _lag,
    ),
    Row(
        "start",
        "import and start with compiled bytecode, `stressrunner validate scenarios/hello.yaml`",
        "at most 0.35 s; first request within 0.6 s",
        _start,
    ),
)
