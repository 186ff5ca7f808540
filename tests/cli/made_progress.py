"""Made states of a load: what a coordinator would tell, second by second."""

from dataclasses import replace

from stressrunner.run.listener import (
    EndpointProgress,
    ErrorProgress,
    GeneratorProgress,
    PhaseProgress,
    Progress,
    ThresholdProgress,
)

ENDPOINTS = (
    EndpointProgress("agent_run", 1_240, 31, 62.0, 0.182, 0.331, 0.9),
    EndpointProgress("agent_list", 410, 0, 20.5, 0.0172, 0.0226, 0.031),
    EndpointProgress("health", 0, 0, 0.0, None, None, None),
)
THRESHOLDS = (
    ThresholdProgress("errors < 1%", "broken", 0.0188, "ratio"),
    ThresholdProgress("p95 < 2s", "holds", 0.331, "duration"),
    ThresholdProgress("p99.9 < 5s in hold", "broken", None, "duration"),
    ThresholdProgress("target.memory_growth < 50MB", "open", None, "size"),
)
RUNNING = Progress(
    scenario="Full API",
    target="https://staging.example.com",
    at_s=21.0,
    phases=(PhaseProgress("hold", 2, 3, 19.0, 85.0),),
    planned=None,
    planned_s=60.0,
    sent=1_650,
    completed=1_650,
    failed=31,
    in_flight=17,
    recent_per_s=82.5,
    recent_p50_s=0.17,
    recent_p95_s=0.33,
    recent_p99_s=0.87,
    endpoints=ENDPOINTS,
    thresholds=THRESHOLDS,
    errors=(
        ErrorProgress("http 503", 28, "status was 503"),
        ErrorProgress("check", 5, "body.ok: body.ok was False", "body.ok", 404),
        ErrorProgress("timeout", 3, "no answer within 30 s"),
        ErrorProgress("check", 2, "body.n: body.n was 0", "body.n", 404),
    ),
    generator=GeneratorProgress(0.00031, 0.0012, 0.23),
)


def second(n, **changes):
    """Return the n-th second of a load that got slower from the tenth on."""
    slow = 1 + max(0, n - 10) / 5
    return replace(
        RUNNING,
        at_s=float(n),
        recent_per_s=min(85.0, 8.5 * n),
        in_flight=min(17, n * 2),
        recent_p50_s=0.1 * slow,
        recent_p95_s=0.15 * slow**1.5,
        recent_p99_s=None if n == 3 else 0.2 * slow**2,
        endpoints=tuple(
            replace(one, p95_s=None if one.p95_s is None or n < 4 else one.p95_s * slow) for one in ENDPOINTS
        ),
        **changes,
    )


PAST = tuple(second(n) for n in range(1, 22))
EMPTY = replace(
    RUNNING,
    at_s=0.0,
    phases=(PhaseProgress("load", 1, 1, None, None),),
    planned=1000,
    planned_s=None,
    sent=0,
    completed=0,
    failed=0,
    in_flight=0,
    recent_per_s=0.0,
    recent_p50_s=None,
    recent_p95_s=None,
    recent_p99_s=None,
    endpoints=tuple(EndpointProgress(one.name, 0, 0, 0.0, None, None, None) for one in ENDPOINTS),
    thresholds=(ThresholdProgress("errors < 1%", "open", None, "ratio"),),
    errors=(),
    generator=GeneratorProgress(None, None, None),
)
#: More of everything than there is room for; long names of another alphabet; a generator that is behind.
CROWDED = replace(
    RUNNING,
    scenario="Ein sehr langer Name für ein Szenario, das vieles auf einmal prüft: 漢字 und mehr",
    endpoints=tuple(
        EndpointProgress(f"an_endpoint_with_a_long_name_{n}", 1000 - n, n % 3, 9.5, 0.1, 0.2, 0.3)
        for n in range(40)
    ),
    thresholds=tuple(
        ThresholdProgress(
            f"an_endpoint_with_a_long_name_{n}.p95(service_time) < 2s over 10s", "holds", 0.2, "duration"
        )
        for n in range(30)
    )
    + THRESHOLDS[:1],
    generator=GeneratorProgress(0.25, 0.31, 0.97),
)
FINISHING = replace(RUNNING, at_s=63.2, phases=(PhaseProgress("finishing", 3, 3, None, None),), in_flight=2)
#: Two workloads, one of which has several phases.
WORKLOADS = replace(
    RUNNING,
    phases=(PhaseProgress("hold", 2, 3, 19.0, 85.0), PhaseProgress("probe", 1, 1, 39.0, 1.0)),
)
