"""The result file is read as it was written, or refused with the reason."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from reports.example_results import EXAMPLES
from result.result_strategies import WHOLE_RESULTS, results

from stressrunner.errors import UnreadableResult
from stressrunner.reports import REPORTS, render
from stressrunner.result.codec import from_json, read_result, to_json
from stressrunner.result.model import SCHEMA
from stressrunner.result.upgrade import OLDEST

PASSED = EXAMPLES["passed"]()


def changed(change):
    """Return a good result file in which `change` was done to the decoded JSON."""
    document = json.loads(to_json(PASSED))
    change(document)
    return json.dumps(document)


@WHOLE_RESULTS
@given(results())
def test_a_result_is_read_as_it_was_written(result):
    """Reading gives an equal result, and writing that gives the same text, byte for byte."""
    text = to_json(result)
    again = from_json(text, "result.json")
    assert again == result
    assert to_json(again) == text
    assert text.isascii()


def test_the_keys_stand_in_the_documented_order():
    """A reader of the file finds the verdict before the figures and the errors last."""
    assert list(json.loads(to_json(PASSED))) == [
        "schema",
        "run",
        "verdict",
        "validity",
        "totals",
        "endpoints",
        "groups",
        "groups_failed",
        "iterations",
        "user_setup",
        "excluded",
        "workloads",
        "phases",
        "timeline",
        "thresholds",
        "invariants",
        "generator",
        "monitors",
        "errors",
        "exchanges",
        "checks",
    ]


def test_a_whole_number_is_read_where_a_float_is_wanted():
    """Other programs write 12.0 as 12; it is the same duration, and written with its point again."""
    text = changed(lambda document: document["run"].update(duration_s=12))
    assert from_json(text, "result.json") == PASSED
    assert to_json(from_json(text, "result.json")) == to_json(PASSED)


def test_a_figure_that_is_none_is_not_written():
    """NaN has no place in the file; to write it would be a defect, and is not passed on."""
    broken = replace(PASSED, run=replace(PASSED.run, duration_s=math.nan))
    with pytest.raises(ValueError, match="nan is not a figure"):
        to_json(broken)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is not JSON: Expecting value"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ('{"schema": NaN}', "it is not JSON: NaN is not a number"),
        ("[]", "it is not a result file: it has no 'schema' at its top"),
        ('{"results": []}', "it is not a result file: it has no 'schema' at its top"),
        ('{"schema": "https://json-schema.org"}', "'schema' is not a version number"),
        ('{"schema": true}', "'schema' is not a version number"),
        (
            '{"schema": 4}',
            "it was written by a newer stressrunner (schema 4; this one reads 1 to 3); read it with a newer one",
        ),
        (
            '{"schema": 0}',
            "it was written by an older stressrunner (schema 0; this one reads 1 to 3); read it with that one",
        ),
        ('{"schema": 2}', "run: missing"),
        ('{"schema": 1}', "run: missing"),
        ('{"schema": 1, "timeline": 7}', "run: missing"),
        ('{"schema": 1, "timeline": [7]}', "run: missing"),
    ],
)
def test_what_is_not_a_result_is_refused(text, reason):
    """Files of other kinds and versions are refused with the reason."""
    with pytest.raises(UnreadableResult) as caught:
        from_json(text, "some.json")
    assert caught.value.path == "some.json"
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d["totals"]["response_time"].pop("p95_s"), "totals.response_time.p95_s: missing"),
        (lambda d: d["timeline"][3].pop("sent"), "timeline[3].sent: missing"),
        (lambda d: d["totals"].update(extra=1), "totals.extra: unknown field"),
        (lambda d: d["totals"].update(sent="200"), "totals.sent: expected a whole number, found text"),
        (
            lambda d: d["totals"].update(sent=True),
            "totals.sent: expected a whole number, found true or false",
        ),
        (lambda d: d["totals"].update(sent=None), "totals.sent: expected a whole number, found null"),
        (lambda d: d["run"].update(duration_s=10**400), "run.duration_s: the number is too large"),
        (lambda d: d.update(timeline={}), "timeline: expected an array, found an object"),
        (lambda d: d.update(endpoints=[]), "endpoints: expected an object, found an array"),
        (lambda d: d.update(run=[]), "run: expected an object, found an array"),
        (lambda d: d["validity"].update(state="good"), "validity.state: expected one of 'valid', 'suspect'"),
        (lambda d: d["monitors"]["target"].update(label=7), "monitors.target.label: expected text"),
        (lambda d: d.update(invariants=[{}]), "invariants[0].kind: missing"),
        (lambda d: d["totals"]["ttfb"].update(histogram="AAAA"), "totals.ttfb.histogram: not an encoded"),
        (lambda d: d["generator"]["lag"].update(histogram="!"), "generator.lag.histogram: "),
        (lambda d: d["timeline"][2].update(spread="57"), "timeline[2].spread: not a spread"),
    ],
)
def test_a_damaged_field_is_named(change, reason):
    """A field that is missing, unknown, of another type or out of its range is named with its path."""
    with pytest.raises(UnreadableResult) as caught:
        from_json(changed(change), "some.json")
    assert reason in caught.value.reason


def test_infinity_in_disguise_is_refused():
    """1e999 is good JSON, and read as infinity, which no figure is."""
    text = to_json(PASSED).replace('"duration_s": 12.0', '"duration_s": 1e999', 1)
    with pytest.raises(UnreadableResult, match=r"run\.duration_s: the number is too large"):
        from_json(text, "some.json")


def test_a_result_is_read_from_a_file(tmp_path):
    """What was written to a file is read from it."""
    path = tmp_path / "result.json"
    path.write_text(to_json(PASSED), encoding="utf-8")
    assert read_result(path) == PASSED


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """A missing file, a folder and a binary file are refused with their path."""
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "missing.json", tmp_path, binary):
        with pytest.raises(UnreadableResult) as caught:
            read_result(path)
        assert caught.value.path == str(path)


#: Names in older versions, with those of today.
RENAMED = {
    "blocked": "connecting",
    "wholes": "groups",
    "wholes_failed": "groups_failed",
    "apart": "excluded",
    "streams": "workloads",
}


def has_all_of(now, written):
    """Return whether everything that was written is still there, beside what was added since."""
    if isinstance(written, dict):
        renamed = {RENAMED.get(key, key): value for key, value in written.items()}
        return all(key in now and has_all_of(now[key], value) for key, value in renamed.items())
    if isinstance(written, list):
        return len(now) == len(written) and all(map(has_all_of, now, written))
    return now == written


OLDER = sorted((Path(__file__).parent.parent / "golden" / "results").glob("schema_*.json"))


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_older_results_open(path):
    """A file that an older version wrote has its figures and reports, and is written in the present version."""
    result = read_result(path)
    written, now = json.loads(path.read_text("utf-8")), json.loads(to_json(result))
    assert now.pop("schema") == SCHEMA > written.pop("schema")
    if written["timeline"] and "offered" not in written["timeline"][0]:  # what version 1 did not have
        del written["timeline"], now["timeline"]
    assert has_all_of(now, written)
    for form in REPORTS:
        assert render(form, result)
    assert from_json(to_json(result), "now.json") == result


def test_each_older_version_has_a_file():
    """Every version that can be read is tried on a file that it wrote."""
    assert [path.stem for path in OLDER] == [f"schema_{version}" for version in range(OLDEST, SCHEMA)]
