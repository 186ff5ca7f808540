"""The hlog report, read by a reader of HdrHistogram logs that is not ours."""

import re
from contextlib import closing

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given, settings
from hypothesis import strategies as st
from reports.example_results import EXAMPLES

from stressrunner.metrics.histogram import Histogram
from stressrunner.reports import render
from stressrunner.reports.hlog import encoded

HOUR_NS = 3_600_000_000_000
durations = st.lists(st.integers(0, 3 * HOUR_NS) | st.integers(0, 5_000_000), max_size=60)
#: Two buckets of 0.1 %, ours and theirs, and the microsecond that ours are rounded to.
NEAR = {"rel": 0.002, "abs": 1000}


@settings(max_examples=30)
@given(durations)
def test_an_encoded_histogram_is_read_elsewhere(durations_ns):
    """What another implementation decodes are the durations that ended, as near as buckets are."""
    histogram = Histogram()
    histogram.extend(durations_ns)
    histogram.record_never()
    read = HdrHistogram.decode(encoded(histogram))
    values = [
        value.value_iterated_to
        for value in read.get_recorded_iterator()
        for _ in range(value.count_at_value_iterated_to)
    ]
    assert len(values) == read.get_total_count() == len(durations_ns)
    assert values == [pytest.approx(each, **NEAR) for each in sorted(durations_ns)]


def intervals(log, folder):
    """Return the intervals of a log as another implementation reads them: tag, start, end and histogram."""
    path = folder / "run.hlog"
    path.write_text(log, "utf-8")
    found = []
    with closing(HistogramLogReader(str(path), HdrHistogram(1, HOUR_NS, 3))) as reader:
        while (histogram := reader.get_next_interval_histogram()) is not None:
            begin_ms, end_ms = histogram.start_time_stamp_msec, histogram.end_time_stamp_msec
            found.append((histogram.get_tag(), begin_ms, end_ms, histogram))
    return found


@pytest.mark.parametrize("name", [name for name, make in EXAMPLES.items() if make().endpoints])
def test_a_log_has_the_phases_and_the_endpoints(name, tmp_path):
    """Lines without a tag are the measured phases and add up to the totals; the others are named by what they are of."""
    result = EXAMPLES[name]()
    found = intervals(render("hlog", result), tmp_path)
    assert [tag for tag, *_ in found] == [
        *(f"warmup:{phase.name}" if phase.warmup else None for phase in result.phases),
        *result.endpoints,
    ]
    plain = [histogram.get_total_count() for tag, _, _, histogram in found if tag is None]
    assert sum(plain) == result.totals.response_time.count
    for (_, begin_ms, end_ms, histogram), phase in zip(found, result.phases, strict=False):
        assert end_ms - begin_ms == pytest.approx(1000 * phase.duration_s, abs=2)
        p99_s = phase.totals.response_time.distribution.percentile_s(99)
        if p99_s is not None and not phase.totals.response_time.never:
            assert histogram.get_value_at_percentile(99) / 1e9 == pytest.approx(p99_s, rel=0.002)


def test_what_never_ended_is_told():
    """A log says how many requests are not in it."""
    results = [make() for make in EXAMPLES.values()]
    never = next(result for result in results if result.totals.response_time.never)
    count = never.totals.response_time.never
    assert f"{count} requests never ended or were dropped, and are in no interval]" in render("hlog", never)
    assert re.search(r"every request ended\]", render("hlog", EXAMPLES["passed"]()))
