"""Results of imagined runs, counted by the real deltas; the same on every machine and every day."""

from dataclasses import replace

from reports.example_delivery import deliveries

from stressrunner.engine.sample import Sample
from stressrunner.metrics.delta import Delta
from stressrunner.metrics.histogram import Histogram
from stressrunner.metrics.summary import Latency, PhaseStats, error_groups, stats_of
from stressrunner.metrics.timeline import Timeline
from stressrunner.monitor.figures import MonitorPoint, ProcessFigures
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.result.exchanges import (
    CheckRecord,
    ExchangeRecord,
    HeaderRecord,
    RequestRecord,
    ResponseRecord,
)
from stressrunner.result.model import GeneratorFigures, Result, RunRecord, ScenarioRecord
from stressrunner.verdict.outcome import ThresholdOutcome, Validity, Verdict

MS = 1_000_000
S = 1_000 * MS
ENDPOINTS = ("agent_run", "agent_list", "create_memory")
SERVICE_MS = (180, 12, 25)

COMPOSED = """\
stressrunner: 1
name: Full API
target:
  base_url: demo://agents
  headers:
    x-api-key: '***'
load:
  concurrency: 20
  requests: 200
"""


def scenario():
    """Return the scenario that all of them ran."""
    return ScenarioRecord(
        name="Full API",
        description="Weighted traffic over the agents API.",
        path="scenarios/full_api.yaml",
        sha256="3f" * 32,
        composed=COMPOSED,
        overrides=("load.concurrency=20",),
    )


def run_record(duration_s, **changes):
    """Return what identifies a run, of the demonstration unless changed."""
    record = RunRecord(
        id="20250102-030405-k7q2",
        started_at="2025-01-02T03:04:05Z",
        duration_s=duration_s,
        version="1.0.0",
        scenario=scenario(),
        environment=None,
        target="demo://agents",
        embedded=True,
        seed=42,
        workers=1,
        load="200 requests, 20 at once",
    )
    return replace(record, **changes)


def sample(i, *, seconds, outcome=Outcome.OK, **changes):
    """Return the i-th request of a run in which they are due at equal distances."""
    endpoint = (0, 0, 0, 1, 2)[i % 5]
    due_ns = i * (seconds - 1) * S // 200
    service_ns = SERVICE_MS[endpoint] * MS * (100 + i * 37 % 90) // 100
    acquired_ns = due_ns + 200_000
    figures = Sample(
        endpoint=endpoint,
        phase=0,
        outcome=outcome,
        due_ns=due_ns,
        released_ns=due_ns + 150_000,
        acquired_ns=acquired_ns,
        sent_ns=acquired_ns + 50_000,
        first_byte_ns=acquired_ns + 50_000 + service_ns * 9 // 10,
        completed_ns=acquired_ns + 50_000 + service_ns,
        connect_ns=400_000 if i < 20 else None,
        status=200,
        bytes_sent=310,
        bytes_received=1_240,
    )
    return figures._replace(**changes)


def server_error(i, seconds):
    """Return a request that was answered with 500."""
    return sample(
        i,
        seconds=seconds,
        outcome=Outcome.FAILED,
        status=500,
        problem=Problem("http 500", "status is 500", '{"detail": "No response returned from the agent"}'),
    )


def failed_check(i, seconds, rule, status, met):
    """Return a request whose reply failed a check."""
    return sample(
        i,
        seconds=seconds,
        outcome=Outcome.FAILED,
        status=status,
        problem=Problem("check", f"{rule}: {met}", rule=rule),
    )


def timeout(i, seconds):
    """Return a request that had no answer within 30 s."""
    good = sample(i, seconds=seconds)
    return good._replace(
        outcome=Outcome.FAILED,
        never=True,
        first_byte_ns=None,
        completed_ns=good.due_ns + 30 * S,
        status=0,
        bytes_received=0,
        problem=Problem("timeout", "no answer within 30 s"),
    )


def count(samples, seconds):
    """Return the delta of samples and the timeline made of one delta for every second."""
    total, timeline = Delta(), Timeline()
    for second in range(seconds):
        delta = Delta()
        for one in samples:
            if second * S <= one.completed_ns < (second + 1) * S:
                delta.record(one)
        delta.in_flight = sum(one.due_ns < (second + 1) * S <= one.completed_ns for one in samples)
        total.merge(delta)
        timeline.add(delta, float(second), 1.0)
    return total, timeline.points()


def process(label="pid 4711 (python -m stressrunner.demo)", seconds=12, memory=245_300_000):
    """Return the figures of a process that grows a little."""
    points = tuple(
        MonitorPoint(
            at_s=float(i),
            cpu=0.3 + i % 4 * 0.1,
            memory_bytes=memory - (seconds - 1 - i) * 1_000_000,
            open_files=85,
            connections=20,
        )
        for i in range(seconds)
    )
    return ProcessFigures(
        label=label,
        available=True,
        reason="",
        cpu_mean=0.452,
        cpu_max=0.6,
        memory_max_bytes=memory,
        memory_growth_bytes=12_700_000,
        memory_slope_bytes_per_h=3.6e9,
        open_files_max=85,
        connections_max=20,
        points=points,
    )


def exchange(endpoint, kind="", message="", *, at_s=1.0, took_s=0.34, status=200, body='{"success": true}'):
    """Return an exchange with the embedded target that was kept whole."""
    url = f"http://127.0.0.1:8000/api/v1/{endpoint}"
    sent = '{"message_content": "Tell me a story"}' if endpoint == "agent_run" else ""
    command = ["curl", f"http://127.0.0.1:8000/api/v1/{endpoint}", "--header 'x-api-key: '\"$API_KEY\""]
    if sent:
        command += ["--header 'content-type: application/json'", f"--data-raw '{sent}'"]
    headers = (HeaderRecord("x-api-key", "***"),)
    response = ResponseRecord(
        status, (HeaderRecord("content-type", "application/json"),), body, len(body), "all"
    )
    return ExchangeRecord(
        kind=kind,
        message=message,
        endpoint=endpoint,
        at_s=at_s,
        response_time_s=took_s,
        service_time_s=took_s - 0.0002,
        request=RequestRecord("POST" if sent else "GET", url, headers, sent, len(sent), "all"),
        response=response if status else None,
        curl=" ".join(command),
    )


SLOWEST = (
    exchange("agent_run", at_s=6.9, took_s=0.34045),
    exchange("agent_run", at_s=1.6, took_s=0.33865),
    exchange("agent_list", at_s=3.2, took_s=0.02257),
    exchange("create_memory", at_s=8.1, took_s=0.04725, status=201),
)
NO_RESPONSE = '{"detail": "No response returned from the agent"}'
CHECKS = (
    CheckRecord("agent_run", "status == 200", "passed", 0),
    CheckRecord("agent_run", "body.success", "passed", 0),
    CheckRecord("create_memory", "status == 201", "passed", 0),
)

UNWATCHED = ProcessFigures.unavailable("", "the target is not on this machine")


def generator(samples, seconds):
    """Return the generator's own figures."""
    lag, queue, connecting = Histogram(), Histogram(), Histogram()
    for one in samples:
        lag.record(one.released_ns - one.due_ns)
        queue.record(one.acquired_ns - one.released_ns)
        connecting.record(one.sent_ns - one.acquired_ns)
    return GeneratorFigures(
        transport="h1",
        loop="uvloop",
        lag=Latency.of(lag),
        queue=Latency.of(queue),
        connecting=Latency.of(connecting),
        stalls=Latency.of(lag),
        collections=Latency.of(Histogram()),
        offered_per_s=None,
        achieved_per_s=None,
        process=process("pid 4700 (stressrunner)", seconds, 61_000_000),
        processes={"generator 1": process("pid 4701 (stressrunner)", seconds, 48_000_000)},
        token_requests=0,
        token_failures=0,
    )


def threshold(text, state, measured, limit, dimension, **more):
    """Return a judged threshold, on 200 samples unless said otherwise."""
    return ThresholdOutcome(text, state, measured, limit, dimension, more.pop("samples", 200), **more)


def result_of(samples, seconds, *, planned=200, dropped=0, **parts):
    """Return the result of a run that had these samples; `parts` replace what a good run has."""
    delta, timeline = count(samples, seconds)
    if dropped:
        delta.record_dropped(0, 0, dropped)
    totals = stats_of(delta.series.values(), planned=planned, duration_s=float(seconds))
    good = Result(
        run=run_record(float(seconds)),
        verdict=Verdict("passed", 0),
        validity=Validity("valid"),
        totals=totals,
        groups={},
        workloads={},
        groups_failed={},
        excluded={},
        endpoints={
            name: stats_of([series], planned=series.sent + series.dropped, duration_s=float(seconds))
            for name, series in ((name, delta.series_of(0, i)) for i, name in enumerate(ENDPOINTS))
        },
        phases=(PhaseStats("load", False, 0.0, float(seconds), totals),),
        timeline=timeline,
        thresholds=(
            threshold(
                "errors < 1%", "passed", totals.error_ratio, 0.01, "ratio", topic="errors", is_default=True
            ),
        ),
        generator=generator(samples, seconds),
        monitors={"target": process(seconds=seconds)},
        errors=error_groups(delta, ENDPOINTS, 0),
        exchanges=(),
        checks=(),
    )
    return replace(good, **parts)


def passed():
    """Return a good run of 12 s against the embedded target."""
    samples = [sample(i, seconds=12) for i in range(200)]
    good = result_of(samples, 12)
    p95 = threshold("p95 < 2s", "passed", good.totals.response_time.p95_s, 2.0, "duration", topic="latency")
    return replace(good, thresholds=(*good.thresholds, p95), exchanges=SLOWEST, checks=CHECKS)


def failed():
    """Return a run of two phases with errors, slow answers and a target that grows."""
    samples = [server_error(i, 12) if i % 40 == 3 else sample(i, seconds=12) for i in range(200)]
    base = result_of(samples, 12)
    totals = base.totals
    reasons = (
        "errors < 1%: measured 2.5 %",
        "agent_run.p99 < 200ms in hold: measured 340 ms",
        "target.memory_growth < 10MB: measured 12.7 MB",
    )
    agent_run = base.endpoints["agent_run"].response_time
    return replace(
        base,
        run=run_record(
            12.0,
            target="https://staging.example.com",
            embedded=False,
            environment="staging",
            workers=4,
            load="ramp from 0 to 20 at once in 4 s, then 20 at once for 8 s",
        ),
        verdict=Verdict("failed", 3, reasons),
        validity=Validity("suspect", ("the event loop stood still for 120 ms",)),
        phases=(
            PhaseStats("ramp", True, 0.0, 4.0, totals),
            PhaseStats("hold", False, 4.0, 8.0, totals),
        ),
        thresholds=(
            threshold("errors < 1%", "failed", totals.error_ratio, 0.01, "ratio", topic="errors"),
            threshold("p95 < 2s", "passed", totals.response_time.p95_s, 2.0, "duration", topic="latency"),
            threshold(
                "agent_run.p99 < 200ms in hold",
                "failed",
                agent_run.p99_s,
                0.2,
                "duration",
                samples=117,
                topic="latency",
            ),
            threshold(
                "p99.9(service_time) <= 1.5s over 10s else warn",
                "unproven",
                totals.service_time.p99_9_s,
                1.5,
                "duration",
                samples=195,
                note="2,995 samples are needed to claim it",
                topic="latency",
            ),
            threshold(
                "throughput >= 95/s in hold else warn", "warned", 16.7, 95.0, "rate", topic="throughput"
            ),
            threshold(
                "target.memory_growth < 10MB",
                "failed",
                12_700_000.0,
                10_000_000.0,
                "size",
                samples=None,
                topic="memory",
            ),
            threshold(
                "database.cpu < 80%",
                "skipped",
                None,
                0.8,
                "ratio",
                samples=None,
                note="the target is not on this machine",
                topic="cpu",
            ),
        ),
        monitors={"target": process(), "database": UNWATCHED},
        exchanges=(
            exchange(
                "agent_run",
                "http 500",
                "status is 500",
                at_s=0.18,
                took_s=0.0124,
                status=500,
                body=NO_RESPONSE,
            ),
            *SLOWEST,
        ),
        checks=(*CHECKS[:2], CheckRecord("create_memory", "status == 201", "failed", 3)),
    )


def unreachable():
    """Return a run that could not send anything."""
    reason = "cannot reach http://127.0.0.1:9: connection refused"
    base = result_of([], 0)
    return replace(
        base,
        run=run_record(0.0, target="http://127.0.0.1:9", embedded=False),
        verdict=Verdict("invalid", 4, (reason,)),
        validity=Validity("invalid", (reason,)),
        thresholds=(
            threshold(
                "errors < 1%",
                "failed",
                None,
                0.01,
                "ratio",
                samples=0,
                note="nothing was measured",
                topic="errors",
                is_default=True,
            ),
        ),
        monitors={},
    )


def cut_off(one):
    """Return the request as it was when the run was interrupted after two seconds."""
    return one._replace(
        outcome=Outcome.UNFINISHED, completed_ns=2 * S - 1, first_byte_ns=None, status=0, bytes_received=0
    )


def aborted():
    """Return a run that was interrupted after two seconds."""
    samples = [
        one if one.completed_ns < 2 * S else cut_off(one)
        for one in (sample(i, seconds=12) for i in range(33))
    ]
    return replace(
        result_of(samples, 2),
        run=run_record(2.0, ended_early="interrupted by the user"),
        verdict=Verdict("aborted", 130, ("interrupted by the user",)),
    )


def overloaded():
    """Return a run at a constant rate in which requests never ended and arrivals were given up."""
    samples = [
        timeout(i, 12) if i % 12 == 6 else server_error(i, 12) if i % 50 == 4 else sample(i, seconds=12)
        for i in range(180)
    ]
    base = result_of(samples, 45, dropped=20)
    totals = base.totals
    return replace(
        base,
        run=run_record(
            45.0,
            target="http://127.0.0.1:8000",
            embedded=False,
            load="17/s for 12 s, at most 20 in flight, then dropped",
        ),
        verdict=Verdict("failed", 3, ("p95 < 2s: never", "dropped == 0: measured 20")),
        thresholds=(
            threshold("errors < 20%", "passed", totals.error_ratio, 0.2, "ratio", topic="errors"),
            threshold(
                "p95 < 2s",
                "failed",
                None,
                2.0,
                "duration",
                note="too many requests never ended",
                topic="latency",
            ),
            threshold("dropped == 0", "failed", 20.0, 0.0, "count"),
        ),
        exchanges=(
            exchange("agent_run", "timeout", "no answer within 30 s", at_s=30.33, took_s=30.0, status=0),
            exchange(
                "agent_list",
                "http 500",
                "status is 500",
                at_s=0.24,
                took_s=0.0124,
                status=500,
                body=NO_RESPONSE,
            ),
            *SLOWEST,
        ),
        checks=(*CHECKS[:2], CheckRecord("create_memory", "status == 201", "skipped", 0)),
    )


def wrong_replies():
    """Return a run in which one check failed with two statuses, another check with a third, and a capture."""
    samples = [sample(i, seconds=12) for i in range(163)]
    for i in range(5, 160, 25):
        samples[i] = failed_check(i, 12, "status == 200", 404, "status was 404")
    for i in range(7, 160, 50):
        samples[i] = failed_check(i, 12, "status == 200", 500, "status was 500")
    samples[20] = failed_check(20, 12, "body.total < 5", 200, "body.total was 12")
    problem = Problem("capture", "capture token: body.token: nothing is there", rule="token")
    samples[40] = sample(40, seconds=12, outcome=Outcome.FAILED, problem=problem)
    base = result_of(samples, 12, planned=163)
    kept = [
        exchange("agent_run", "check", "status == 200: status was 404", status=404, body="{}"),
        exchange("agent_run", "check", "status == 200: status was 500", status=500, body=NO_RESPONSE),
    ]
    return replace(
        base,
        run=run_record(
            12.0, target="https://staging.example.com", embedded=False, load="163 requests, 20 at once"
        ),
        verdict=Verdict("failed", 3, ("errors < 1%: measured 7.98 %",)),
        thresholds=(
            threshold("errors < 1%", "failed", base.totals.error_ratio, 0.01, "ratio", topic="errors"),
        ),
        exchanges=(*(replace(one, rule="status == 200") for one in kept), *SLOWEST),
        checks=(
            CheckRecord("agent_run", "status == 200", "failed", 11),
            CheckRecord("agent_run", "body.total < 5", "failed", 1),
        ),
    )


def undelivered():
    """Return a run whose figures are good, and whose messages were not delivered as they were answered."""
    checked = deliveries()
    reasons = tuple(f"delivery: {reason}" for reason in checked.reasons)
    return replace(passed(), verdict=Verdict("failed", 3, reasons), invariants=(checked,))


def side_by_side():
    """Return a run of two workloads, the second of which has a stretch of the first one's time."""
    base = passed()
    others, _ = count([one for one in (sample(i, seconds=12) for i in range(200)) if one.endpoint != 1], 12)
    background = stats_of(others.series.values(), planned=160, duration_s=12.0)
    probe = base.endpoints["agent_list"]
    return replace(
        base,
        run=replace(base.run, load="background: 20/s requests for 10 s; probe: 1 user for 5 s"),
        workloads={"background": background, "probe": probe},
        phases=(
            PhaseStats("warm", True, 0.0, 2.0, background),
            PhaseStats("hold", False, 2.0, 8.0, background),
            PhaseStats("probe", False, 0.0, 5.0, probe),
        ),
        thresholds=(
            *base.thresholds,
            threshold("probe.errors < 1%", "passed", 0.0, 0.01, "ratio", samples=40, topic="errors"),
        ),
    )


EXAMPLES = {
    "passed": passed,
    "side_by_side": side_by_side,
    "failed": failed,
    "unreachable": unreachable,
    "aborted": aborted,
    "overloaded": overloaded,
    "wrong_replies": wrong_replies,
    "undelivered": undelivered,
}
