"""The parts of a report: pure functions from a Result to tables and facts, shared by every format."""

import shlex
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from stressrunner.metrics.summary import Latency, Stats
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.reports.table import Column, Fact, Row, Table, Tone
from stressrunner.reports.wording import NONE, count, duration, optional, percentile, ratio, size
from stressrunner.result.model import Result
from stressrunner.units import format_bytes, format_duration, format_quantity, format_rate, format_ratio
from stressrunner.verdict.outcome import ThresholdOutcome

__all__ = [
    "EMBEDDED",
    "MARKS",
    "TONES",
    "again",
    "doubts",
    "early_end",
    "generator",
    "processes",
    "reasons",
    "run_facts",
    "summary",
    "thresholds",
    "warnings",
]

EMBEDDED = (
    "Embedded demonstration target: these figures describe the agents API that comes with stressrunner, "
    "not a system of yours."
)

_MANY_RESENT = 0.01  #: part of the requests; what crosses the end of an idle connection is fewer
_NOTABLY_LATE = 0.05  #: part of a phase's duration after which the end of a request is told
MARKS: Mapping[str, str] = MappingProxyType(
    {
        "passed": "✓",
        "failed": "✗",
        "invalid": "✗",
        "aborted": "!",
        "unknown": "!",
        "turned": "!",
        "unproven": "!",
        "warned": "!",
        "skipped": "-",
        "valid": "✓",
        "suspect": "!",
    }
)
TONES: Mapping[str, Tone] = MappingProxyType(
    {
        "passed": "good",
        "failed": "bad",
        "invalid": "bad",
        "aborted": "warn",
        "unknown": "warn",
        "turned": "warn",
        "unproven": "warn",
        "warned": "warn",
        "skipped": "",
        "valid": "good",
        "suspect": "warn",
    }
)


def doubts(result: Result) -> tuple[str, ...]:
    """Return why the measurement is not simply valid, as far as the verdict does not say it already."""
    if result.validity.state == "valid":
        return ()
    return tuple(reason for reason in result.validity.reasons if reason not in result.verdict.reasons)


def early_end(result: Result) -> str:
    """Say why the load ended early; nothing when it did not."""
    why = result.run.ended_early
    if not why:
        return ""
    began = bool(result.totals.sent) or result.run.duration_s > 0
    when = (
        f"The load ended early, after {format_duration(result.run.duration_s)}"
        if began
        else "No load was sent"
    )
    return f"{when}: {why}"


def reasons(result: Result) -> tuple[str, ...]:
    """Return the reasons of the verdict, without the one that says why the load ended early."""
    return tuple(reason for reason in result.verdict.reasons if reason != result.run.ended_early)


def warnings(result: Result) -> tuple[str, ...]:
    """Return what deserves attention although it fails nothing: many requests that were sent again."""
    stats = result.totals
    if not stats.sent or stats.resent <= _MANY_RESENT * stats.sent:
        return ()
    return (
        (
            f"{format_ratio(stats.resent / stats.sent)} of the requests were sent again, as the server had closed their "
            "connections: its keep-alive timeout is about as long as users pause, or its workers end"
        ),
    )


def run_facts(result: Result) -> tuple[Fact, ...]:
    """What was run, against what and with how much load."""
    run = result.run
    facts = [
        Fact("Scenario", run.scenario.name, run.scenario.path),
        Fact("Target", run.target, "embedded demonstration target" if run.embedded else ""),
        Fact("Load", run.load),
    ]
    if run.environment is not None:
        facts.append(Fact("Environment", run.environment))
    facts += [Fact("Changed", override, "by --set") for override in run.scenario.overrides]
    workers = f"{run.workers} generator processes" if run.workers > 1 else ""
    return (
        *facts,
        Fact("Started", run.started_at),
        Fact("Seed", str(run.seed), workers),
        Fact("Run", run.id, f"stressrunner {run.version}"),
    )


def again(result: Result) -> tuple[str, ...]:
    """Return the command that repeats the run, option by option, quoted for a POSIX shell."""
    run = result.run
    options = [] if run.environment is None else [("--env", run.environment)]
    options += [("--set", override) for override in run.scenario.overrides]
    if run.workers != 1:
        options.append(("--workers", str(run.workers)))
    options.append(("--seed", str(run.seed)))
    return tuple(map(shlex.join, (("stressrunner", "run", run.scenario.path), *options)))


def summary(result: Result) -> tuple[Fact, ...]:
    """Totals of the run; what is nothing is left out where nothing is what everyone expects."""
    stats = result.totals
    facts = [
        Fact("Total requests", count(stats.sent), _not_sent(stats)),
        Fact("Successful", count(stats.ok)),
        Fact("Failed", count(stats.failed)),
        *_rare_outcomes(stats),
        Fact("Error ratio", ratio(stats.error_ratio)),
        Fact("Duration", format_duration(result.run.duration_s)),
        Fact("Throughput", format_rate(stats.throughput_per_s), _goodput(stats)),
        Fact("Bytes sent", format_bytes(stats.bytes_sent)),
        Fact("Bytes received", format_bytes(stats.bytes_received)),
        *_late_ends(result),
        *_sent_besides(stats),
    ]
    if stats.status:
        codes = ", ".join(f"{code}: {count(n)}" for code, n in stats.status.items())
        facts.append(Fact("Status codes", codes))
    return tuple(facts)


def _not_sent(stats: Stats) -> str:
    return "" if stats.sent == stats.planned else f"{count(stats.planned)} were planned"


def _goodput(stats: Stats) -> str:
    return "" if stats.ok == stats.completed else f"{format_rate(stats.goodput_per_s)} of them successful"


def _late_ends(result: Result) -> Iterable[Fact]:
    """Yield how many requests ended so late that rates leave out the time until they did."""
    late = [p for p in result.phases if not p.warmup and p.late and p.late_s > _NOTABLY_LATE * p.duration_s]
    if late:
        latest = format_duration(max(phase.late_s for phase in late))
        meaning = f"up to {latest} after the rest of their phase; rates leave that time out"
        yield Fact("Ended late", count(sum(phase.late for phase in late)), meaning)


def _sent_besides(stats: Stats) -> Iterable[Fact]:
    besides = (
        ("Redirects", stats.redirects, "followed, as parts of the requests that they belong to"),
        ("Resent", stats.resent, "the server had closed the connection that was kept"),
    )
    return (Fact(label, count(n), meaning) for label, n, meaning in besides if n)


def _rare_outcomes(stats: Stats) -> Iterable[Fact]:
    outcomes = (
        ("Refused", stats.refused, "replies that the scenario calls refused"),
        ("Superseded", stats.superseded, "a later message took over"),
        ("Unfinished", stats.unfinished, "in flight when the run was cut off"),
        ("Dropped", stats.dropped, "never sent: too much was in flight"),
        ("Skipped", stats.skipped, "never sent: an earlier step had failed"),
        ("Not reached", stats.not_reached, "never sent: the run ended before they were due"),
    )
    return (Fact(label, count(n), meaning) for label, n, meaning in outcomes if n)


def thresholds(result: Result) -> Table:
    """Every threshold: the measured value first, the limit beside it."""
    columns = (
        Column("state", "left", titled=False),
        Column("measured"),
        Column("limit"),
        Column("margin", "left", optional=True),
        Column("threshold", "left"),
        Column("samples", optional=True),
    )
    rows = tuple(_threshold(outcome) for outcome in result.thresholds)
    return Table("Thresholds", columns, rows, name_column=4)


def _threshold(outcome: ThresholdOutcome) -> Row:
    text = f"{outcome.text} (default)" if outcome.is_default else outcome.text
    note = outcome.note
    if outcome.state in ("turned", "unproven", "skipped"):
        note = f"{outcome.state}: {note}" if note else outcome.state
    cells = (
        MARKS[outcome.state],
        optional(outcome.measured, lambda value: format_quantity(value, outcome.dimension)),
        format_quantity(outcome.limit, outcome.dimension),
        _margin(outcome.measured, outcome.limit),
        text,
        count(outcome.samples),
    )
    return Row(cells, note, TONES[outcome.state])


def _margin(measured: float | None, limit: float) -> str:
    """Say how far a figure is from its limit, as a part of the limit; nothing where that has no meaning."""
    if measured is None or limit <= 0:
        return NONE
    times = measured / limit
    if times >= 10:
        return f"{times:.3g} times it" if times < 1000 else "over 1,000 times it"
    if abs(times - 1) < 0.0005:
        return "at it"
    return f"{abs(times - 1) * 100:.3g} % {'above' if times > 1 else 'below'}"


def processes(title: str, watched: Mapping[str, ProcessFigures]) -> Table:
    """A row for each watched process; CPU is in parts of one core."""
    columns = (
        Column("process", "left"),
        *map(Column, ("peak memory", "growth", "avg CPU", "peak CPU", "open files", "connections")),
    )
    rows = tuple(_process(name, figures) for name, figures in watched.items())
    return Table(title, columns, rows, ("CPU: 100 % is one core",))


def _process(name: str, figures: ProcessFigures) -> Row:
    note = f"not watched: {figures.reason}"
    if figures.available:
        note = f"{figures.label}: {figures.reason}" if figures.reason else figures.label
    cells = (
        name,
        size(figures.memory_max_bytes),
        size(figures.memory_growth_bytes),
        ratio(figures.cpu_mean),
        ratio(figures.cpu_max),
        count(figures.open_files_max),
        count(figures.connections_max),
    )
    return Row(cells, note, "warn" if figures.ended or not figures.available else "")


def generator(result: Result) -> tuple[Fact, ...]:
    """How well the generator itself kept up."""
    figures, process = result.generator, result.generator.process
    facts = [
        Fact("Transport", figures.transport, f"on {figures.loop}"),
        Fact("Lag", _late(figures.lag), "sent later than due by the generator"),
        Fact("Queue", _late(figures.queue), "waiting for a limit of the scenario"),
        Fact("Connecting", _late(figures.connecting), "until the first byte was written"),
        Fact("Stalls", _late(figures.stalls), "of its event loop"),
    ]
    if figures.offered_per_s is not None and figures.achieved_per_s is not None:
        offered = f"of {format_rate(figures.offered_per_s)} offered"
        facts.insert(1, Fact("Rate", format_rate(figures.achieved_per_s), offered))
    if figures.collections.count:
        facts.append(
            Fact("Collections", _late(figures.collections), f"{count(figures.collections.count)} of garbage")
        )
    if figures.token_requests:
        failed = (
            f"{count(figures.token_failures)} of them gave none" if figures.token_failures else "not counted"
        )
        facts.append(Fact("Access tokens", f"{count(figures.token_requests)} requests", failed))
    if not process.available:
        return (*facts, Fact("Process", "not watched", process.reason))
    return (
        *facts,
        Fact("CPU", f"{ratio(process.cpu_mean)} of a core", f"at most {ratio(process.cpu_max)}"),
        Fact("Memory", size(process.memory_max_bytes), "at most"),
        Fact("Open files", count(process.open_files_max), "at most"),
        Fact("Connections", count(process.connections_max), "at most"),
    )


def _late(latency: Latency) -> str:
    if not latency.count:
        return "-"
    return f"p99 {percentile(latency, latency.p99_s)}, max {duration(latency.max_s)}"
