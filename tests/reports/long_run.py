"""The result of an imagined hour: three phases of a rate, a quarter of an hour of trouble, twelve endpoints."""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from random import Random

from reports.example_results import MS, S, process, result_of, run_record, sample, threshold

from stressrunner.metrics.delta import Delta
from stressrunner.metrics.summary import PhaseStats, error_groups, stats_of
from stressrunner.metrics.timeline import Offer, Timeline
from stressrunner.monitor.figures import MonitorPoint
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.pacing import Ramp
from stressrunner.verdict.outcome import Validity, Verdict

ENDPOINTS = tuple(
    f"{verb}_{noun}"
    for verb in ("list", "create", "search", "delete")
    for noun in ("agents", "users", "sessions")
)
_PHASES = (
    ("ramp", True, Ramp(Fraction(1), Fraction(12), Fraction(600))),
    ("hold", False, Ramp(Fraction(12), Fraction(12), Fraction(2400))),
    ("surge", False, Ramp(Fraction(12), Fraction(20), Fraction(600))),
)
_TROUBLE_S = range(1500, 2400)  #: when the target has less to give


def _phase_at(second):
    return 0 if second < 600 else 1 if second < 3000 else 2


def _request(random, due_ns, second):
    """Return a request that is due in a second: slow in the trouble, and sometimes failed."""
    endpoint = random.randrange(len(ENDPOINTS))
    trouble = second in _TROUBLE_S
    took_ns = int(random.lognormvariate(3.2 + endpoint * 0.2 + trouble * 0.9, 0.5) * MS)
    first = sample(0, seconds=2)
    good = first._replace(
        endpoint=endpoint,
        phase=_phase_at(second),
        due_ns=due_ns,
        released_ns=due_ns + 40_000,
        acquired_ns=due_ns + 60_000,
        sent_ns=due_ns + 90_000,
        first_byte_ns=due_ns + 90_000 + took_ns * 9 // 10,
        completed_ns=due_ns + 90_000 + took_ns,
    )
    fate = random.random()
    if trouble and fate < 0.01:
        problem = Problem("timeout", "no answer within 30 s")
        return good._replace(outcome=Outcome.FAILED, never=True, status=0, problem=problem)
    if fate < (0.06 if trouble else 0.002):
        status = random.choice((500, 502, 503))
        problem = Problem(f"http {status}", f"status is {status}", '{"detail": "upstream is overloaded"}')
        return good._replace(outcome=Outcome.FAILED, status=status, problem=problem)
    return good


def _looks(seconds, low, grows):
    random = Random(low)
    return tuple(
        MonitorPoint(
            float(i), 0.4 + random.random() * 0.3, low + grows * i + random.randrange(2_000_000), 90, 40
        )
        for i in range(0, seconds, 3)
    )


@cache
def hour():
    """Return the result; it takes some seconds to count."""
    random, total, timeline = Random(7), Delta(), Timeline()
    offers, begun = [], 0.0
    for _, _, ramp in _PHASES:
        offers.append(Offer(begun, ramp))
        begun += float(ramp.duration_s)
    for second in range(3600):
        delta = Delta()
        due = sum(offer.between(0, second + 1) or 0 for offer in offers)
        already = sum(offer.between(0, second) or 0 for offer in offers)
        for i in range(int(already), int(due)):
            delta.record(_request(random, second * S + (i - int(already)) * 20 * MS, second))
        delta.in_flight = 3 + random.randrange(4) + 20 * (second in _TROUBLE_S)
        total.merge(delta)
        timeline.add(delta, float(second), 1.0)
    return _result(total, timeline.points(offers))


def _result(total, points):
    base = result_of([sample(i, seconds=12) for i in range(200)], 12)
    all_series = total.series
    phases, begun = [], 0.0
    for number, (name, warmup, ramp) in enumerate(_PHASES):
        lasted = float(ramp.duration_s)
        of_phase = [series for (phase, _), series in all_series.items() if phase == number]
        stats = stats_of(of_phase, planned=sum(series.sent for series in of_phase), duration_s=lasted)
        phases.append(PhaseStats(name, warmup, begun, lasted, stats))
        begun += lasted
    counted = {key: series for key, series in all_series.items() if key[0] > 0}
    totals = stats_of(counted.values(), planned=sum(c.sent for c in counted.values()), duration_s=3000.0)
    of_endpoints = {
        name: [series for (_, endpoint), series in counted.items() if endpoint == i]
        for i, name in enumerate(ENDPOINTS)
    }
    target = replace(process(), points=_looks(3600, 240_000_000, 9_000))
    own = replace(base.generator.process, points=_looks(3600, 61_000_000, 500))
    p95, p99 = totals.response_time.p95_s, totals.response_time.p99_s
    return replace(
        base,
        run=run_record(
            3600.0,
            target="https://staging.example.com",
            embedded=False,
            load="1/s to 12/s for 10 min (warm-up), then 12/s for 40 min, then 12/s to 20/s for 10 min",
        ),
        verdict=Verdict(
            "failed", 3, (f"errors < 1%: measured {totals.error_ratio:.2%}", "p99 < 800ms: measured over it")
        ),
        validity=Validity("valid"),
        totals=totals,
        endpoints={
            name: stats_of(of, planned=sum(c.sent for c in of), duration_s=3000.0)
            for name, of in of_endpoints.items()
        },
        phases=tuple(phases),
        timeline=points,
        thresholds=(
            threshold(
                "errors < 1%",
                "failed",
                totals.error_ratio,
                0.01,
                "ratio",
                samples=totals.sent,
                topic="errors",
            ),
            threshold("p95 < 1s", "passed", p95, 1.0, "duration", samples=totals.sent, topic="latency"),
            threshold(
                "p99 < 800ms in hold", "failed", p99, 0.8, "duration", samples=totals.sent, topic="latency"
            ),
            threshold("throughput > 10/s in hold", "passed", 11.9, 10.0, "rate", samples=totals.sent),
            threshold("target.memory < 300MB", "passed", 275e6, 300e6, "size", samples=None, topic="memory"),
        ),
        generator=replace(base.generator, process=own, offered_per_s=13.2, achieved_per_s=13.2),
        monitors={"target": target, "database": replace(target, points=_looks(3600, 510_000_000, -3_000))},
        errors=error_groups(total, ENDPOINTS, 0),
    )
