"""Rows on truth: what stressrunner reports against what its plan and the target's own record say it must be."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from benchmarks.peers import SCENARIOS, command_line, run_stressrunner
from benchmarks.processes import CommandFailed
from benchmarks.row import Bench, Finding, Met, Row, tell, worst
from benchmarks.servers import Queue, queue
from benchmarks.theory import percentile, response_times_s
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_document

_SEED = 20_240_601
_SERVICE_S = 0.02


def due_times_s(scenario: str, overrides: Mapping[str, Any], seed: int) -> list[float]:
    """Return when the arrivals of a scenario of the benchmark are due, in seconds after its beginning.

    Raises:
        ValueError: its load is not open.
    """
    document = load_document(
        SCENARIOS / f"{scenario}.yaml",
        environ={"BASE_URL": "http://127.0.0.1:1"},
        overrides=tuple(f"{path}={value}" for path, value in overrides.items()),
    )
    pacing = compile_plan(build(document), seed=seed, run_id="benchmark").phases[0].pacing
    if pacing is None:
        raise ValueError(f"{scenario} has no arrivals")
    return [pacing.due_ns(i) / 1e9 for i in range(pacing.count)]


def deviations(
    reported: Mapping[str, Any], true_s: Sequence[float], stats: Sequence[str]
) -> dict[str, list[float]]:
    """Return of each statistic what was reported and what is true, in seconds.

    Statistics are named as in the result file without their unit: `mean`, `p50`.
    """
    return {
        stat: [
            reported[f"{stat}_s"],
            fmean(true_s) if stat == "mean" else percentile(true_s, float(stat.removeprefix("p"))),
        ]
        for stat in stats
    }


def close(pair: Sequence[float], relative: float, absolute_s: float = 0.0) -> Met:
    """Return whether a reported value is near the true one: by a part of it, or by an absolute difference."""
    reported, true = pair
    return "yes" if abs(reported - true) <= max(relative * true, absolute_s) else "no"


def _text(pair: Sequence[float]) -> str:
    reported, true = pair
    return f"{reported * 1e3:.2f} for {true * 1e3:.2f} ms ({(reported - true) / true:+.1%})"


def _texts(pairs: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{stat} {_text(pair)}" for stat, pair in pairs.items())


def _matched(target: Queue, arrivals: int) -> list[float]:
    """Return the service times, of which there must be one for each arrival.

    Raises:
        CommandFailed: the target was asked another number of times.
    """
    if len(target.service_s) != arrivals:
        raise CommandFailed(f"{arrivals} arrivals, but {len(target.service_s)} requests at the target")
    return target.service_s


def _poisson(bench: Bench) -> Finding:
    pairs = {}
    for load in (0.5, 0.8):
        overrides = {"load.rate": f"{load / _SERVICE_S:g}/s", "load.duration": f"{bench.length(60)}s"}
        due_s = due_times_s("arrivals", overrides, _SEED)
        with queue("--service-s", str(_SERVICE_S), "--alone", "--awake") as target:
            _, result = run_stressrunner(command_line(), "arrivals", target.url, overrides, seed=_SEED)
        true_s = response_times_s(due_s, _matched(target, len(due_s)))
        reported = result["totals"]["response_time"]
        pairs[f"{load:.0%}"] = deviations(reported, true_s, ("mean", "p50", "p99"))
        tell(f"  {load:.0%}: {_texts(pairs[f'{load:.0%}'])}")
    text = "; ".join(f"{load}: {_texts(stats)}" for load, stats in pairs.items())
    return Finding(text, worst([close(pair, 0.03) for s in pairs.values() for pair in s.values()]), pairs)


def _stall(bench: Bench) -> Finding:
    duration_s = bench.length(20)
    overrides = {"load.duration": f"{duration_s}s"}
    freeze = ("0.5", "1") if bench.quick else ("8", "10")
    due_s = due_times_s("stall", overrides, _SEED)
    with queue("--service-s", "0.01", "--freeze", *freeze) as target:
        _, result = run_stressrunner(command_line(), "stall", target.url, overrides, seed=_SEED)
    true_s = response_times_s(due_s, _matched(target, len(due_s)), servers=10)
    pairs = deviations(result["totals"]["response_time"], true_s, ("p50", "p95", "p99"))
    met = worst([close(pair, 0.02, 0.002) for pair in pairs.values()])
    return Finding(_texts(pairs), met, dict(pairs))


def _counted(bench: Bench) -> Finding:
    loads: dict[str, dict[str, Any]] = {
        "static": {"load.requests": bench.length(100_000)},
        "templated": {"load.requests": bench.length(50_000)},
        "users": {"load.concurrency": 500, "load.duration": f"{bench.length(5)}s"},
        "arrivals": {"load.duration": f"{bench.length(10)}s"},
    }
    counts = {}
    with bench.nginx() as server:
        for scenario, overrides in loads.items():
            before = server.counted()
            _, result = run_stressrunner(command_line(), scenario, server.url, overrides)
            counts[scenario] = [result["totals"]["sent"], server.counted() - before - 1]
    wrong = {name: pair for name, pair in counts.items() if pair[0] != pair[1]}
    text = f"{sum(sent for sent, _ in counts.values()):,} sent, {sum(seen for _, seen in counts.values()):,} counted"
    return Finding(text, "no" if wrong else "yes", dict(counts))


def _worst_case(bench: Bench) -> Finding:
    """Find out what a request costs the target, then send with as many users as keep it under half of its core."""
    few = 10
    _, target = _closed(few, 2)
    users = max(few, min(900, int(few * 0.42 / target.core)))
    result, target = _closed(users, bench.length(15))
    reported, true = result["totals"]["response_time"]["mean_s"], fmean(target.service_s)
    figures = {"users": users, "core": round(target.core, 3), "reported_s": reported, "measured_s": true}
    text = f"{users} users, target at {target.core:.0%} of its core: mean {_text((reported, true))}"
    met = close((reported, true), 0, 0.002) if target.core < 0.5 else "unknown"
    return Finding(text, met, figures)


def _closed(users: int, duration_s: int) -> tuple[dict[str, Any], Queue]:
    load = {"load.concurrency": users, "load.duration": f"{duration_s}s"}
    with queue("--service-s", "0.01") as target:
        _, result = run_stressrunner(command_line(), "worst_case", target.url, load)
    return result, target


ROWS = (
    Row(
        "theory",
        "accuracy against theory: Poisson arrivals into one server of fixed service time at 50 and 80 % load, "
        "compared with Lindley's recursion over the plan's own arrival times and the service times that the "
        "target measured",
        "mean, p50 and p99 of response time within 3 %",
        _poisson,
    ),
    Row(
        "stall",
        "accuracy in a stall: 100/s for 20 s, 10 ms service, a freeze of 2 s, `max_in_flight: 10`",
        "p50, p95, p99 within 2 % or 2 ms of the values computed from the schedule and the measured service times",
        _stall,
    ),
    Row("counted", "requests that the server counted", "exactly `sent`", _counted),
    Row(
        "worst_case",
        "many users against a 10 ms server, as many as keep the target under half of its core",
        "the mean reported within 2 ms of what the server measured",
        _worst_case,
    ),
)
