"""Samples on disk: what a line says, in both forms, and that the parts of all generators become one file in order."""

import csv
import io
import json
import sys
import tracemalloc

import pytest
from engine.virtual_load import endpoint, scenario
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.metrics_samples import sample

from stressrunner.engine.sample import Sample
from stressrunner.metrics.sample_log import SampleParts, SampleWriter
from stressrunner.metrics.sample_text import COLUMNS, FORMS, SampleText, form_of
from stressrunner.plan.outcome import Outcome, Problem
from stressrunner.plan.plan import compile_plan
from stressrunner.scenario.model import Closed, Phase

HOSTILE = 'a,"b"\n|é'
ORIGIN_NS = 5_000_000_000

moments = st.integers(0, 10**13)


def text_of(form):
    """Return what writes the samples of generator 3."""
    return SampleText(FORMS[form], 3, ["one", HOSTILE], ["ramp", "hold"])


def read(form, lines):
    """Return the samples of a file's text as they are read elsewhere."""
    if form == "csv":
        return list(csv.DictReader(io.StringIO(lines, newline="")))
    return [json.loads(line) for line in lines.split("\n")[:-1]]


def seconds(value):
    """Return a number of seconds as whole nanoseconds."""
    return round(float(value) * 1e9)


def test_a_line_says_all_of_a_sample():
    """Every column of a request that went wrong late, in NDJSON."""
    one = Sample(
        endpoint=1,
        phase=1,
        outcome=Outcome.FAILED,
        due_ns=ORIGIN_NS + 1_000_000_000,
        released_ns=ORIGIN_NS + 1_000_100_000,
        acquired_ns=ORIGIN_NS + 1_000_300_000,
        sent_ns=ORIGIN_NS + 1_000_700_000,
        first_byte_ns=None,
        completed_ns=ORIGIN_NS + 2_000_000_000,
        connect_ns=300_000,
        status=0,
        bytes_sent=10,
        never=True,
        problem=Problem("timeout", "secret"),
        redirects=2,
        resent=True,
    )
    assert read("ndjson", text_of("ndjson").line(one, ORIGIN_NS)) == [
        {
            "completed_s": 2.0,
            "due_s": 1.0,
            "worker": 3,
            "phase": "hold",
            "endpoint": HOSTILE,
            "outcome": "failed",
            "status": None,
            "problem": "timeout",
            "response_time_s": 1.0,
            "service_time_s": 0.9993,
            "ttfb_s": None,
            "connect_s": 0.0003,
            "lag_s": 0.0001,
            "queue_s": 0.0002,
            "connecting_s": 0.0004,
            "bytes_sent": 10,
            "bytes_received": 0,
            "redirects": 2,
            "resent": True,
            "never": True,
        }
    ]


@given(st.lists(moments, min_size=5, max_size=5).map(sorted), st.sampled_from(sorted(FORMS)))
def test_the_parts_of_a_response_time_add_up(at_ns, form):
    """lag, queue, connecting and service time are the response time to the nanosecond, in both forms."""
    due, released, acquired, sent, completed = at_ns
    one = sample()._replace(
        due_ns=due, released_ns=released, acquired_ns=acquired, sent_ns=sent, completed_ns=completed
    )
    (row,) = read(form, FORMS[form].header + text_of(form).line(one, 0))
    parts = [seconds(row[name]) for name in ("lag_s", "queue_s", "connecting_s", "service_time_s")]
    assert sum(parts) == seconds(row["response_time_s"]) == completed - due
    assert seconds(row["due_s"]) == due


def test_both_forms_say_the_same():
    """A series of CSV is the value of NDJSON as text; what is null there is empty here."""
    samples = [
        sample(1, 2),
        sample(1, 2, Outcome.FAILED, endpoint=1),
        sample()._replace(sent_ns=None, first_byte_ns=None, status=0),
    ]
    rows = {
        form: read(
            form, FORMS[form].header + "".join(text_of(form).line(each, -ORIGIN_NS) for each in samples)
        )
        for form in FORMS
    }
    assert [tuple(row) for row in rows["ndjson"]] == [tuple(row) for row in rows["csv"]] == [COLUMNS] * 3
    for plain, all_series in zip(rows["ndjson"], rows["csv"], strict=True):
        for name in COLUMNS:
            value = plain[name]
            if name.endswith("_s") and value is not None:
                assert float(all_series[name]) == value
            elif isinstance(value, str):
                assert all_series[name] == value
            else:
                assert all_series[name] == ("" if value is None else json.dumps(value))


@pytest.mark.parametrize(
    ("path", "form"), [("s.csv", "csv"), ("S.CSV", "csv"), ("s.ndjson", "ndjson"), ("s", "ndjson")]
)
def test_the_name_of_the_file_chooses_the_form(path, form):
    """`.csv` is CSV and everything else NDJSON."""
    assert form_of(path) == form


@settings(max_examples=20)
@given(st.lists(st.lists(st.integers(0, 1000), max_size=40), max_size=4))
def test_parts_become_one_file_in_order_of_completion(tmp_path_factory, generators):
    """Every sample of every generator is in the file once, the earliest completed first, and the parts are whole."""
    folder = tmp_path_factory.mktemp("parts")
    parts = SampleParts(str(folder), "ndjson")
    plan = compile_plan(
        scenario(Phase("load", Closed(1, iterations=1)), endpoints=[endpoint("one")]), seed=1, run_id="r"
    )
    for worker, completed_ms in enumerate(generators):
        writer = parts.writer(plan, worker)
        writer.origin_ns = ORIGIN_NS
        for at_ms in completed_ms:
            writer(sample(at_ms + ORIGIN_NS / 1e6, 0), None)
        writer.close()
    assert parts.join(folder / "all") == []
    rows = read("ndjson", (folder / "all").read_text("utf-8"))
    assert [row["completed_s"] for row in rows] == sorted(ms / 1000 for each in generators for ms in each)
    for worker, completed_ms in enumerate(generators):
        assert sum(row["worker"] == worker for row in rows) == len(completed_ms)


def test_a_part_that_was_cut_off_is_told(tmp_path):
    """What there is of it is kept, without the line in the middle of which it ends."""
    parts = SampleParts(str(tmp_path), "csv")
    (tmp_path / "0.part").write_text("5 a\n7 c\nend\n", "utf-8")
    (tmp_path / "1.part").write_text("6 b\n8 cut o", "utf-8")
    (tmp_path / "2.part").write_text("", "utf-8")
    assert parts.join(tmp_path / "all.csv") == [1, 2]
    assert (tmp_path / "all.csv").read_text("utf-8") == FORMS["csv"].header + "a\nb\nc\n"


@pytest.mark.skipif(sys.platform != "linux", reason="a disk that is always full is a device of Linux")
def test_a_full_disk_does_not_stop_the_load(tmp_path):
    """Samples that cannot be written are let go, however many, and closing returns."""
    (tmp_path / "full").symlink_to("/dev/full")
    writer = SampleWriter(tmp_path / "full", text_of("ndjson"))
    one = sample()
    for _ in range(100_000):
        writer(one, None)
    writer.close()


def test_joining_takes_no_more_memory_than_it_needs(tmp_path):
    """Parts of 10 MB are joined in less than 4 MB."""
    line = "x" * 200
    for worker in range(2):
        numbers = range(worker, 50_000, 2)
        lines = "".join(f"{number} {line}\n" for number in numbers)
        (tmp_path / f"{worker}.part").write_text(f"{lines}end\n", "utf-8")
    del lines
    tracemalloc.start()
    try:
        assert SampleParts(str(tmp_path), "ndjson").join(tmp_path / "all") == []
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
