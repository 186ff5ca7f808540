"""The threshold grammar: what is written reads as it means, in text and as a mapping."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stressrunner.scenario.threshold import METRICS, MONITOR_STATS, Threshold
from stressrunner.scenario.threshold_grammar import (
    ThresholdError,
    parse_threshold,
    render_parts,
    threshold_of_mapping,
)
from stressrunner.units import format_quantity

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
operators = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
numbers = st.integers(1, 10**6).map(str) | st.decimals(1, 1000, places=2).map(str)
durations = st.builds(str.__add__, numbers, st.sampled_from(["us", "ms", "s", "m", "h"]))
percentiles = st.decimals("0.1", "99.9", places=1).map(lambda p: f"p{p}") | st.integers(1, 99).map(
    lambda p: f"p{p}"
)
sizes = st.builds(str.__add__, numbers, st.sampled_from(["kB", "MB", "GB", "KiB", "MiB", "GiB"]))
ratios = st.integers(1, 99).map(lambda n: f"{n}%")
latencies = st.fixed_dictionaries(
    {"stat": percentiles | st.sampled_from(["min", "mean", "max"]), "value": durations},
    optional={"metric": st.sampled_from(METRICS), "of": names},
)
figures = st.fixed_dictionaries(
    {"stat": st.sampled_from(["memory", "memory_growth"]), "value": sizes, "of": names}
) | st.fixed_dictionaries({"stat": st.just("errors"), "value": ratios}, optional={"of": names})
clauses = st.fixed_dictionaries({"op": operators}, optional={"over": durations, "in": names}).flatmap(
    lambda clause: st.sampled_from([{}, {"else": "warn"}, {"else": "abort", "after": "30s"}]).map(
        lambda rest: {**clause, **rest}
    )
)
mappings = st.builds(lambda subject, rest: {**subject, **rest}, latencies | figures, clauses)


@given(mappings)
def test_a_mapping_reads_as_its_text(mapping):
    """The mapping form and its one line of text are the same threshold."""
    text = "".join(part for _, part in render_parts(mapping))
    assert threshold_of_mapping(mapping) == parse_threshold(text)


@given(mappings)
def test_the_parts_are_read_back(mapping):
    """Every part of a threshold is found again in what was read."""
    threshold = threshold_of_mapping(mapping)
    assert threshold.stat == mapping["stat"]
    assert threshold.op == mapping["op"]
    assert threshold.of == mapping.get("of")
    assert threshold.phase == mapping.get("in")
    assert threshold.metric == mapping.get("metric", "response_time")
    assert threshold.action == mapping.get("else", "fail")
    assert (threshold.window_s is None) == ("over" not in mapping)


@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from(list("p95.<=>()%s ms/einlorh0.-")), max_size=20).map("".join)
)
def test_no_text_makes_the_parser_raise_otherwise(text):
    """Every text is a threshold or a mistake that stands inside the text."""
    try:
        parse_threshold(text)
    except ThresholdError as error:
        offset = error.offset
    else:
        offset = 0
    assert 0 <= offset <= len(text)


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("errors < 1%", Threshold("errors < 1%", "errors", "<", 0.01, "ratio")),
        ("errors==0", Threshold("errors==0", "errors", "==", 0.0, "ratio")),
        ("dropped == 0", Threshold("dropped == 0", "dropped", "==", 0.0, "count")),
        ("dropped==0 in hold", Threshold("dropped==0 in hold", "dropped", "==", 0.0, "count", phase="hold")),
        ("dropped <= 2%", Threshold("dropped <= 2%", "dropped", "<=", 0.02, "ratio")),
        (
            "throughput >= 95/s in hold",
            Threshold("throughput >= 95/s in hold", "throughput", ">=", 95.0, "rate", phase="hold"),
        ),
        (
            "login.p99.9(service_time) <= 1.5s over 10s else abort after 30s",
            Threshold(
                text="login.p99.9(service_time) <= 1.5s over 10s else abort after 30s",
                stat="p99.9",
                op="<=",
                limit=1.5,
                dimension="duration",
                of="login",
                metric="service_time",
                percentile=99.9,
                window_s=10.0,
                action="abort",
                after_s=30.0,
            ),
        ),
        ("p95.p99<2 s", Threshold("p95.p99<2 s", "p99", "<", 2.0, "duration", of="p95", percentile=99.0)),
        (
            "server.memory_growth < -5MB",
            Threshold("server.memory_growth < -5MB", "memory_growth", "<", -5e6, "size", of="server"),
        ),
    ],
)
def test_text_reads_as_it_means(text, threshold):
    """Thresholds of every kind, spaced in every way."""
    assert parse_threshold(text) == threshold


@pytest.mark.parametrize("stat", sorted(MONITOR_STATS))
def test_every_figure_of_a_monitor_can_be_limited(stat):
    """Each figure of a watched process is a stat, in its own dimension."""
    unit = {"ratio": "%", "size": "MB", "size_rate": "MB/h", "count": ""}[MONITOR_STATS[stat]]
    assert parse_threshold(f"server.{stat} < 5{unit}").dimension == MONITOR_STATS[stat]


def test_samples_and_missing_measurements_are_for_the_mapping_form():
    """The mapping form asks for a number of samples and says what no data means."""
    threshold = threshold_of_mapping(
        {"stat": "p99", "op": "<", "value": "2s", "min_samples": 500, "no_data": "pass"}
    )
    assert (threshold.min_samples, threshold.no_data) == (500, "pass")


@pytest.mark.parametrize("limit", ["1MB/h", "1 MB/h", "16.7 kB/m", "1e6B/h", "0"])
def test_a_slope_is_a_size_per_time(limit):
    """How fast memory grows has the unit that reports show it in."""
    threshold = parse_threshold(f"server.memory_slope < {limit}")
    assert threshold.dimension == "size_rate"
    assert format_quantity(threshold.limit, threshold.dimension) in ("1 MB/h", "0 B/h")


def test_a_slope_without_its_time_is_told():
    """A size alone says not within which time."""
    with pytest.raises(ThresholdError) as error:
        parse_threshold("server.memory_slope < 1MB")
    assert str(error.value) == "'memory_slope' is compared with a size per time, not a size; such as 1MB/h"
