"""All that a run leaves behind, frozen: the content of the result file and the input of every report."""

from collections.abc import Mapping
from dataclasses import dataclass

from stressrunner.metrics.summary import ErrorGroup, IterationStats, Latency, PhaseStats, SetupStats, Stats
from stressrunner.metrics.timeline import TimelinePoint
from stressrunner.monitor.figures import ProcessFigures
from stressrunner.result.exchanges import CheckRecord, ExchangeRecord
from stressrunner.verdict.delivery.outcome import DeliveryOutcome
from stressrunner.verdict.outcome import ThresholdOutcome, Validity, Verdict

__all__ = ["SCHEMA", "GeneratorFigures", "Result", "RunRecord", "ScenarioRecord"]

SCHEMA = 3  #: version of the result file; see schemas/result.schema.json


@dataclass(frozen=True, slots=True)
class ScenarioRecord:
    """Which scenario was run."""

    name: str
    description: str
    path: str  #: as it was given
    sha256: str  #: of the file's bytes
    composed: str  #: the scenario as YAML with everything filled in and secrets masked
    overrides: tuple[str, ...]  #: the values of --set, secrets masked


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Which run it was."""

    id: str
    started_at: str  #: ISO 8601 in UTC
    duration_s: float  #: of the load, from its beginning until the last request ended
    version: str  #: of stressrunner
    scenario: ScenarioRecord
    environment: str | None  #: the name given with --env
    target: str  #: base URL, credentials masked
    embedded: bool  #: the target is the project's own demonstration API
    seed: int
    workers: int
    load: str  #: the planned load in one line for people, e.g. `10 sessions of 20 messages, 10 at once`
    ended_early: str = ""  #: why the load ended before all of that was carried out; empty when it did not


@dataclass(frozen=True, slots=True)
class GeneratorFigures:
    """The generator's own health: what it used and how late it was."""

    transport: str  #: `h1` or `httpx`
    loop: str  #: event loop, e.g. `uvloop`
    lag: Latency  #: due until released: the generator's fault
    queue: Latency  #: released until given a user and connection: waiting for a limit of the scenario
    connecting: Latency  #: given a connection until the first byte written: connecting
    stalls: Latency  #: how much later than asked timers of the event loop fired
    collections: Latency  #: pauses of garbage collection
    offered_per_s: (
        float | None
    )  #: requests that the phases with a rate were to send; None without such a phase
    achieved_per_s: float | None  #: requests that they sent, over the durations of those phases
    process: ProcessFigures  #: all of its processes together
    processes: Mapping[str, ProcessFigures]  #: those that send the load, each able to use one core
    token_requests: int  #: sent for access tokens, and counted nowhere else
    token_failures: int  #: of them, that gave no token
    absent_s: float = 0.0  #: how long event loops were late in all, on the average of the processes
    freezes: int = 0  #: how often one was away for 50 ms or more and did not work
    offered: float | None = (
        None  #: part of the arrivals of a rate that was released in time; None without one
    )


@dataclass(frozen=True, slots=True)
class Result:
    """A run: what was asked, what was measured, and what follows from it."""

    run: RunRecord
    verdict: Verdict
    validity: Validity
    totals: Stats
    endpoints: Mapping[str, Stats]
    groups: Mapping[
        str, Latency
    ]  #: lengths of what is measured as a whole, pauses subtracted, e.g. `session`
    groups_failed: Mapping[str, int]  #: how many of them failed, whose lengths are not among those
    excluded: Mapping[
        str, Stats
    ]  #: requests that are not counted, by kind: `setup`, `user_setup`, `teardown`
    workloads: Mapping[str, Stats]  #: those of `traffic`, warm-up left out; empty without
    phases: tuple[PhaseStats, ...]
    timeline: tuple[TimelinePoint, ...]
    thresholds: tuple[ThresholdOutcome, ...]
    generator: GeneratorFigures
    monitors: Mapping[str, ProcessFigures]
    errors: tuple[ErrorGroup, ...]
    exchanges: tuple[
        ExchangeRecord, ...
    ]  #: kept whole: of errors, by kind, then the slowest of each endpoint
    checks: tuple[CheckRecord, ...]
    invariants: tuple[DeliveryOutcome, ...] = ()  #: what was checked over the whole history of sessions
    iterations: IterationStats | None = None  #: warm-up left out; None in files of before they were counted
    user_setup: SetupStats | None = None  #: how users were set up; None likewise
    schema: int = SCHEMA
