"""Thresholds are judged by tables: every stat in every state, and properties over any run."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_figures import cell_of, figures, latency, phase, point, process, sample, stats

from stressrunner.metrics.summary import stats_of
from stressrunner.plan.outcome import Outcome
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.verdict.figures import LiveRecord
from stressrunner.verdict.measure import Measurement
from stressrunner.verdict.thresholds import evaluate

FAST = [10.0] * 99
MB = 1_000_000

#: 98 requests that took 1 to 98 ms, two timeouts, six refusals, four cut off, five dropped, five skipped.
MIXED = stats(range(1, 99), never=2, refused=6, unfinished=4, dropped=5, skipped=5)

#: Memory climbs by 1 MB every second, from 100 MB; half a core.
SERVER = process(*(point(float(t), 0.5, (100 + t) * MB, 40 + t, 7) for t in range(11)))


def judged(text, subject, **changes):
    """Return the outcome of a threshold given as text."""
    return evaluate(replace(parse_threshold(text), **changes), subject)


@pytest.mark.parametrize(
    ("text", "state", "measured", "samples", "topic"),
    [
        ("p50 < 60ms", "passed", 0.053, 105, "latency"),
        ("p50 < 50ms", "failed", 0.053, 105, "latency"),
        ("p50 > 50ms", "passed", 0.053, 105, "latency"),
        ("p50 < 50ms else warn", "warned", 0.053, 105, "latency"),
        ("p99 < 1s", "failed", None, 105, "latency"),
        ("p99 > 1s", "passed", None, 105, "latency"),
        ("p99 == 1s", "failed", None, 105, "latency"),
        ("p90(service_time) < 200ms", "passed", 0.09, 100, "latency"),
        ("p90(ttfb) < 20ms", "failed", 0.0445, 98, "latency"),
        ("min >= 1ms", "passed", 0.001, 105, "latency"),
        ("mean < 49ms", "failed", 0.0495, 105, "latency"),
        ("max <= 98ms", "passed", 0.098, 105, "latency"),
        ("max(response_time_failed) < 1s", "failed", 30.0, 2, "latency"),
        ("errors <= 2%", "passed", 0.02, 100, "errors"),
        ("errors < 2%", "failed", 0.02, 100, "errors"),
        ("refused < 10%", "passed", 6 / 106, 106, "other"),
        ("refused == 0", "failed", 6 / 106, 106, "other"),
        ("throughput >= 10/s", "passed", 10.6, 106, "throughput"),
        ("throughput > 11/s", "failed", 10.6, 106, "throughput"),
        ("goodput > 590/m", "failed", 9.8, 106, "throughput"),
        ("dropped == 0", "failed", 5, 120, "throughput"),
        ("dropped < 5%", "passed", 5 / 120, 120, "throughput"),
        ("unfinished <= 4", "passed", 4, 110, "throughput"),
        ("unfinished < 1%", "failed", 4 / 110, 110, "throughput"),
        ("count >= 106", "passed", 106, 106, "other"),
        ("count != 106", "failed", 106, 106, "other"),
    ],
)
def test_figures_of_all_requests(text, state, measured, samples, topic):
    """Each stat is what its name says, resting on the samples that it is made of."""
    outcome = judged(text, figures(MIXED))
    assert outcome.state == state
    assert outcome.measured == (None if measured is None else pytest.approx(measured, rel=2e-3))
    assert (outcome.samples, outcome.topic, outcome.text) == (samples, topic, text)


@pytest.mark.parametrize(
    ("text", "state", "measured", "topic"),
    [
        ("server.cpu <= 50%", "passed", 0.5, "cpu"),
        ("server.cpu < 50%", "failed", 0.5, "cpu"),
        ("server.memory < 110MB", "failed", 110 * MB, "memory"),
        ("server.memory < 111MB", "passed", 110 * MB, "memory"),
        ("server.memory_growth < 9MB", "failed", 9 * MB, "memory"),
        ("server.memory_growth <= 9MB else warn", "passed", 9 * MB, "memory"),
        ("server.memory_slope < 1GB/h", "failed", 3600 * MB, "memory"),
        ("server.open_files < 50", "failed", 50, "other"),
        ("server.connections == 7", "passed", 7, "other"),
    ],
)
def test_figures_of_a_process(text, state, measured, topic):
    """A monitor's figures have no samples, so nothing about them is unproven."""
    outcome = judged(text, figures(monitors={"server": SERVER}))
    assert (outcome.state, outcome.topic, outcome.samples) == (state, topic, None)
    assert outcome.measured == pytest.approx(measured)


@pytest.mark.parametrize("stat", ["p95", "min", "mean", "max"])
@pytest.mark.parametrize(
    "metric", ["response_time", "service_time", "ttfb", "connect", "response_time_failed"]
)
def test_no_times_fail_unless_the_threshold_says_otherwise(stat, metric):
    """Where nothing was measured nothing is claimed; `else warn` and `no_data: pass` are obeyed."""
    text, nothing = f"{stat}({metric}) < 1s", figures(stats())
    assert judged(text, nothing).state == "failed"
    assert judged(text, nothing).note == "nothing was measured"
    assert judged(f"{text} else warn", nothing).state == "warned"
    assert judged(text, nothing, no_data="pass").state == "passed"


@pytest.mark.parametrize(
    "text",
    ["errors < 1%", "refused < 1%", "throughput < 9/s", "goodput < 9/s", "dropped < 1%", "unfinished < 1%"],
)
def test_no_requests_have_no_ratios_and_no_rates(text):
    """Nothing divided by nothing is no figure, and a rate of nothing that was planned is none either."""
    assert judged(text, figures(stats())).state == "failed"
    assert judged(text, figures(stats()), no_data="pass").state == "passed"


@pytest.mark.parametrize("text", ["count == 0", "dropped == 0", "unfinished == 0"])
def test_counts_of_nothing_are_zero(text):
    """A count is always a figure."""
    assert judged(text, figures(stats())).state == "passed"


@pytest.mark.parametrize(
    ("text", "n", "state", "note"),
    [
        ("p95 < 1s", 59, "passed", ""),
        ("p95 < 1s", 58, "unproven", "only 58 samples; p95 needs 59"),
        ("p99 < 1s", 298, "unproven", "only 298 samples; p99 needs 299"),
        ("p99.9 < 1s", 2994, "unproven", "only 2,994 samples; p99.9 needs 2,995"),
        ("p95 < 1s else warn", 58, "unproven", "only 58 samples; p95 needs 59"),
        ("p95 < 1s else abort", 58, "unproven", "only 58 samples; p95 needs 59"),
        ("p95 > 1ms", 1, "passed", ""),
        ("p5 > 1ms", 58, "unproven", "only 58 samples; p5 needs 59"),
        ("p95 < 1ms", 1, "failed", ""),
        ("max < 1s", 1, "passed", ""),
        ("errors < 1%", 1, "passed", ""),
    ],
)
def test_a_percentile_of_few_samples_is_unproven(text, n, state, note):
    """It needs 59, 299 or 2,995 samples to be claimed, and none to be refuted; other stats are what they are."""
    outcome = judged(text, figures(stats([10.0] * n)))
    assert (outcome.state, outcome.note) == (state, note)


@pytest.mark.parametrize(
    ("text", "n", "state"),
    [
        ("p95 < 1s", 500, "passed"),
        ("p95 < 1s", 499, "failed"),
        ("p95 < 1s else warn", 499, "warned"),
        ("errors < 1%", 499, "failed"),
        ("throughput > 1/s", 499, "failed"),
    ],
)
def test_explicit_min_samples_fail(text, n, state):
    """Who asks for a number of samples gets them or a failure, whatever the stat."""
    outcome = judged(text, figures(stats([10.0] * n)), min_samples=500)
    assert outcome.state == state
    if state != "passed":
        assert "only 499 samples" in outcome.note


def test_fewer_min_samples_replace_the_statistical_ones():
    """Who says that 10 will do has decided."""
    assert judged("p95 < 1s", figures(stats([10.0] * 10)), min_samples=10).state == "passed"


def test_a_narrow_pass_says_so():
    """Enough samples and a percentile under its limit pass; a margin that chance explains is named."""
    outcome = judged("p95 < 50ms", figures(stats([10.0] * 95 + [90.0] * 4)))
    assert outcome.state == "passed"
    assert outcome.note == "close: 4 of 99 are over the limit, more than 95 % confidence allows"
    assert judged("p95 < 50ms", figures(stats([10.0] * 950 + [90.0] * 4))).note == ""
    assert "below the limit" in judged("p5 > 50ms", figures(stats([90.0] * 95 + [10.0] * 4))).note


def test_what_never_ends_ranks_last():
    """A percentile among timeouts is beyond every limit; the mean leaves them out and says so."""
    subject = figures(stats(FAST, never=20))
    assert judged("p95 < 1000h", subject).note == "never: more than 5 % did not finish"
    assert judged("p99.9 < 1000h", subject).note == "never: more than 0.1 % did not finish"
    assert judged("p80 < 1s", subject).state == "passed"
    assert judged("max < 1s", subject).note == "20 that never ended are left out"


def test_names_lead_to_endpoints_phases_and_both():
    """`login.`, `in hold` and the two together each have their own figures."""
    slow, fast, both = stats([900.0] * 99), stats(FAST), stats([500.0] * 99)
    subject = figures(
        fast,
        endpoints={"login": slow},
        phases=[phase("hold", both)],
        phase_endpoints={("hold", "login"): stats([700.0] * 99)},
    )
    for text, seconds in [
        ("p95", 0.01),
        ("login.p95", 0.9),
        ("p95 in hold", 0.5),
        ("login.p95 in hold", 0.7),
    ]:
        name, _, scope = text.partition(" ")
        assert judged(f"{name} < 10s {scope}", subject).measured == pytest.approx(seconds, rel=2e-3)


def test_sessions_have_times_errors_and_a_count():
    """What is measured as a whole has a distribution, and a share that failed; for the rest there is a sentence."""
    subject = figures(groups={"session": latency([1000.0] * 60)}, groups_failed={"session": 20})
    assert judged("session.p95 < 2s", subject).state == "passed"
    errors = judged("session.errors < 1%", subject)
    assert (errors.state, errors.measured, errors.samples) == ("failed", 0.25, 80)
    assert judged("session.count == 80", subject).state == "passed"
    outcome = judged("session.throughput > 1/s", subject)
    assert (outcome.state, outcome.note) == ("failed", "only times are measured of it, not 'throughput'")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("login.p95 < 1s in hold", "a result file does not hold the figures of one endpoint in one phase"),
        ("session.p95 < 1s", "the times of 'session' are not among the figures"),
        ("p95 < 1s over 10s", "windows are judged while a run goes on, and a result file does not hold them"),
        ("target.memory < 1GB", "the target's process is not on this machine"),
        ("target.cpu < 90% over 10s", "the target's process is not on this machine"),
    ],
)
def test_what_is_not_held_is_skipped_with_a_reason(text, note):
    """From a result file, what it does not hold is never guessed."""
    subject = figures(stats(FAST), endpoints={"login": stats(FAST)}, phases=[phase("hold", stats(FAST))])
    outcome = judged(text, subject)
    assert (outcome.state, outcome.measured, outcome.note) == ("skipped", None, note)


def test_times_of_sessions_are_not_held_by_phase():
    """A result file holds the lengths of the whole run only, and a threshold on one phase is skipped there."""
    subject = figures(groups={"session": latency(FAST)}, phases=[phase("hold", stats(FAST))])
    assert judged("session.p95 < 1s in hold", subject).state == "skipped"


def test_sessions_are_judged_by_the_phase_in_which_they_began():
    """Lengths and failures are those of the phase that a threshold names; without any there it fails and says so."""
    subject = replace(
        figures(
            groups={"session": latency(FAST)}, phases=[phase("hold", stats(FAST)), phase("rest", stats())]
        ),
        phase_groups={("hold", "session"): (latency([10.0] * 99), 1)},
    )
    assert judged("session.p95 < 20ms in hold", subject).state == "passed"
    assert judged("session.errors <= 1% in hold", subject).measured == 0.01
    outcome = judged("session.max < 1s in rest", subject)
    assert (outcome.state, outcome.note) == ("failed", "no 'session' began in 'rest'")


def test_what_is_not_counted_in_windows_is_skipped():
    """With live figures at hand that lack a threshold, the reason is another one."""
    outcome = judged("session.p95 < 1s over 10s", figures(live={}))
    assert (outcome.state, outcome.note) == ("skipped", "'session' is not counted in windows")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("logn.p95 < 1s", "no endpoint named 'logn' was measured; did you mean 'login'?"),
        ("p95 < 1s in hlod", "no phase named 'hlod' was measured; did you mean 'hold'?"),
        ("severs.memory < 1GB", "no monitor named 'severs' was measured; did you mean 'server'?"),
        ("server.memory < 1GB in hlod", "no phase named 'hlod' was measured; did you mean 'hold'?"),
        ("server.cpu < 1% over 2s in hlod", "no phase named 'hlod' was measured; did you mean 'hold'?"),
        ("server.p95 < 1s", "a process has no figure 'p95'"),
        ("login.p95 < 1s in hold", "no request of 'login' was due in 'hold'"),
    ],
)
def test_a_name_that_was_not_measured_fails(text, note):
    """A slip in a name must not pass, and the nearest one is suggested."""
    subject = figures(
        endpoints={"login": stats(FAST)},
        phases=[phase("hold", stats(FAST))],
        monitors={"server": SERVER},
        phase_endpoints={},
    )
    assert (judged(text, subject).state, judged(text, subject).note) == ("failed", note)


def test_a_configured_process_that_is_not_there_fails():
    """Who asks for a process to be watched gets its figures or a failure that says why there are none."""
    missing = process(reason="there is no process 4711")
    for name in ("server", "target"):
        outcome = judged(f"{name}.memory < 1GB", figures(monitors={name: missing}))
        assert (outcome.state, outcome.note) == ("failed", "pid 4711: there is no process 4711")
        assert judged(f"{name}.cpu < 90% over 2s", figures(monitors={name: missing})).state == "failed"
        assert (
            judged(f"{name}.memory < 1GB", figures(monitors={name: missing}), no_data="pass").state
            == "passed"
        )


def test_a_process_that_died_keeps_its_figures():
    """They are judged, and the note says that the process ended."""
    died = process(*SERVER.points, reason="it ended under load, noticed after 10.0 s")
    outcome = judged("server.memory < 1GB", figures(monitors={"server": died}))
    assert (outcome.state, outcome.note) == ("passed", died.reason)


def test_a_process_in_a_phase():
    """Only the looks within the phase are judged; one without any has no figure."""
    subject = figures(
        phases=[phase("early", stats(), 0.0, 5.0), phase("late", stats(), 20.0, 5.0)],
        monitors={"server": SERVER},
    )
    assert judged("server.memory < 1GB", subject, phase="early").measured == 105 * MB
    assert judged("server.connections < 9", subject, phase="early").measured == 7
    assert judged("server.open_files < 99", subject, phase="early").measured == 45
    assert judged("server.cpu < 99%", subject, phase="early").measured == 0.5
    assert judged("server.memory < 1GB in late", subject).note == "it was looked at too seldom"


def test_windows_of_a_process_are_found_in_its_looks():
    """Every full window counts, from the end of the warm-up on, and the worst one is reported."""
    busy = process(*(point(float(t), 1.0 if t in (2, 3, 9, 10) else 0.0) for t in range(15)))
    subject = figures(monitors={"server": busy})
    assert judged("server.cpu < 51% over 4s", subject).state == "passed"
    assert judged("server.cpu < 50% over 4s", subject).measured == 0.5
    assert judged("server.cpu < 51% over 2s", subject).measured == 1.0
    assert judged("server.cpu < 51% over 20s", subject).note == "no full window of 20 s was measured"
    warm = [phase("warm", stats(), 0.0, 4.0, warmup=True), phase("hold", stats(), 4.0, 5.5)]
    assert (
        judged("server.cpu < 51% over 2s", replace(subject, phases={p.name: p for p in warm})).state
        == "failed"
    )
    assert (
        judged("server.cpu < 51% over 2s in hold", replace(subject, phases={p.name: p for p in warm})).state
        == "passed"
    )


@pytest.mark.parametrize(
    ("text", "record", "state", "note"),
    [
        ("p95 < 1s over 9s", LiveRecord(Measurement(0.5, 80), 80, None), "passed", ""),
        (
            "p95 < 1s over 9s",
            LiveRecord(Measurement(0.5, 80), 20, None),
            "unproven",
            "only 20 samples in a window; p95 needs 59",
        ),
        ("p95 < 1s over 9s", LiveRecord(Measurement(1.5, 80), 80, 0.0), "failed", ""),
        ("p95 < 1s over 9s else warn", LiveRecord(Measurement(1.5, 80), 80, 3.0), "warned", ""),
        (
            "p95 < 1s over 9s else abort after 5s",
            LiveRecord(Measurement(1.5, 80), 80, 4.0),
            "passed",
            "broken for 4 s without a break, which is less than 5 s",
        ),
        (
            "p95 < 1s over 9s else abort after 5s",
            LiveRecord(Measurement(1.5, 80), 80, 5.0, 17.0),
            "failed",
            "it stopped the load after 17 s",
        ),
        (
            "p95 < 1s over 9s",
            LiveRecord(Measurement(None), None, None),
            "failed",
            "no full window of 9 s was measured",
        ),
        (
            "p95 < 1s else abort",
            LiveRecord(Measurement(1.5, 80), 80, 0.0, 17.0),
            "failed",
            "it stopped the load after 17 s",
        ),
    ],
)
def test_what_was_seen_live_is_judged(text, record, state, note):
    """Windows by the worst and by how long; what stopped the load has failed, however the run looks afterwards."""
    outcome = judged(text, figures(stats(FAST), live={parse_threshold(text): record}))
    assert (outcome.state, outcome.note) == (state, note)


def test_the_default_threshold_is_marked():
    """Reports show which threshold nobody wrote."""
    assert judged("errors < 1%", figures(stats(FAST)), is_default=True).is_default


def made_stats(samples, dropped, skipped, missing, seconds):
    """Return figures of any requests."""
    series = cell_of(samples, dropped=dropped, skipped=skipped)
    return stats_of([series], planned=series.sent + dropped + skipped + missing, duration_s=seconds)


requests = st.builds(
    sample,
    st.floats(0, 10**6),
    st.sampled_from(Outcome),
    never=st.booleans(),
    sent_ns=st.sampled_from([None, 0]),
    connect_ns=st.none() | st.integers(0, 10**9),
    status=st.sampled_from([0, 200, 500]),
)
some_stats = st.builds(
    made_stats,
    st.lists(requests, max_size=80),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from([0.0, 0.5, 60.0]),
)
points = st.builds(
    point,
    st.floats(0, 100),
    st.floats(0, 64),
    st.integers(0, 2**40),
    st.none() | st.integers(0, 99),
    st.none() | st.integers(0, 99),
)
request_subjects = st.sampled_from(
    [
        f"{stat}({metric}) {{op}} 1s"
        for stat in ("p0.1", "p50", "p95", "p99.99", "min", "mean", "max")
        for metric in ("response_time", "service_time", "ttfb", "connect", "response_time_failed")
    ]
    + [
        f"{stat} {{op}} {limit}"
        for stat, limit in [
            ("errors", "1%"),
            ("refused", "0"),
            ("throughput", "10/s"),
            ("goodput", "1/m"),
            ("dropped", "0"),
            ("dropped", "1%"),
            ("unfinished", "1"),
            ("unfinished", "5%"),
            ("count", "7"),
        ]
    ]
)
process_subjects = st.sampled_from(
    [
        f"{stat} {{op}} {limit}"
        for stat, limit in [
            ("cpu", "50%"),
            ("memory", "1MB"),
            ("memory_growth", "1MB"),
            ("memory_slope", "-1MB/h"),
            ("open_files", "9"),
            ("connections", "9"),
        ]
    ]
)
names = st.sampled_from(["login", "session", "server", "target", "nothing"])
operators = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
clauses = st.fixed_dictionaries(
    {},
    optional={
        "window_s": st.just(10.0),
        "phase": st.sampled_from(["hold", "nowhere"]),
        "action": st.sampled_from(["warn", "abort"]),
        "after_s": st.just(5.0),
        "min_samples": st.integers(0, 99),
        "no_data": st.just("pass"),
    },
)


@given(
    st.one_of(
        st.tuples(st.just("") | names.map("{}.".format), request_subjects),
        st.tuples(names.map("{}.".format), process_subjects),
    ),
    operators,
    clauses,
    some_stats,
    st.lists(points, max_size=30).map(lambda looks: sorted(looks, key=lambda look: look.at_s)),
    st.booleans(),
)
def test_no_threshold_fails_to_be_judged(subject, op, clause, measured, looks, held):
    """Any threshold on any run has an outcome that a result file can hold; nothing raises."""
    name, statement = subject
    threshold = replace(parse_threshold(name + statement.format(op="==")), op=op, **clause)
    more = {
        "phase_endpoints": {("hold", "login"): measured},
        "groups": {"session": measured.response_time},
        "live": {},
    }
    outcome = evaluate(
        threshold,
        figures(
            measured,
            endpoints={"login": measured},
            phases=[phase("hold", measured, 1.0, 50.0)],
            monitors={"server": process(*looks)},
            **(more if held else {}),
        ),
    )
    assert outcome.state in ("passed", "failed", "unproven", "skipped", "warned")
    assert outcome.measured is None or abs(outcome.measured) < float("inf")
    if outcome.state == "skipped":
        assert outcome.note


@given(some_stats, request_subjects, st.sampled_from([("<", ">="), ("<=", ">"), ("==", "!=")]))
def test_a_statement_and_its_opposite_never_both_hold(measured, statement, ops):
    """Of two opposite thresholds on the same figure exactly one is broken, unless there is no figure."""
    outcomes = [
        evaluate(replace(parse_threshold(statement.format(op="==")), op=op, min_samples=0), figures(measured))
        for op in ops
    ]
    if any(outcome.samples for outcome in outcomes) and outcomes[0].measured is not None:
        assert sorted(outcome.state for outcome in outcomes) == ["failed", "passed"]
    else:
        assert outcomes[0].measured == outcomes[1].measured
