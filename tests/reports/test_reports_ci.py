"""The reports that pipelines consume: JUnit, Markdown and CSV."""

import csv
import html
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from junitparser import Error, Failure, JUnitXml, Skipped
from reports.example_delivery import deliveries
from reports.example_results import EXAMPLES, threshold
from result.result_strategies import WHOLE_RESULTS, results

from stressrunner.reports import REPORTS, render
from stressrunner.reports.annotations import SourceLine, annotations
from stressrunner.reports.csv_table import COLUMNS
from stressrunner.reports.sections import warnings
from stressrunner.result.codec import from_json, to_json
from stressrunner.result.model import Result
from stressrunner.verdict.outcome import Validity, Verdict
from stressrunner.verdict.verdict import judge

HOSTILE = "a|b`c``<img src=x>\x1b[31m @team _x_ [l](http://x)\nnext"


def cases(result: Result) -> dict[str, tuple]:
    """Return the names of the test cases with the kinds of what is the matter, as junitparser reads them."""
    suites = JUnitXml.fromstring(render("junit", result).encode())
    return {case.name: tuple(type(each) for each in case.result) for suite in suites for case in suite}


def judged(*thresholds, strict=False, validity=Validity("valid"), failure=""):  # noqa: B008  frozen
    """Return a result with the verdict that follows from its thresholds."""
    verdict = judge(thresholds, validity, strict=strict, failure=failure)
    return replace(EXAMPLES["passed"](), thresholds=thresholds, verdict=verdict, validity=validity)


def test_each_threshold_and_each_check_is_a_test_case():
    """What failed fails, what could not be judged is skipped, what only warns has passed."""
    assert cases(EXAMPLES["failed"]()) == {
        "the run": (),
        "errors < 1%": (Failure,),
        "p95 < 2s": (),
        "agent_run.p99 < 200ms in hold": (Failure,),
        "p99.9(service_time) <= 1.5s over 10s else warn": (Skipped,),
        "throughput >= 95/s in hold else warn": (),
        "target.memory_growth < 10MB": (Failure,),
        "database.cpu < 80%": (Skipped,),
        "agent_run: status == 200": (),
        "agent_run: body.success": (),
        "create_memory: status == 201": (Failure,),
    }


def test_the_totals_of_junit_are_those_of_its_cases():
    """A reader of JUnit counts the same as what is written at the top."""
    written = JUnitXml.fromstring(render("junit", EXAMPLES["failed"]()).encode())
    totals = (written.tests, written.failures, written.errors, written.skipped)
    written.update_statistics()
    assert totals == (written.tests, written.failures, written.errors, written.skipped) == (11, 4, 0, 2)


def test_what_nobody_knows_of_deliveries_is_no_success():
    """A requirement that messages without a class could break has not passed: it is skipped, as the run is an error."""
    checked = deliveries(read=False)
    base = replace(
        EXAMPLES["passed"](), verdict=Verdict("invalid", 4, checked.reasons), invariants=(checked,)
    )
    found = cases(base)
    assert (found["lost"], found["order"], found["reply.unanswered"]) == ((Skipped,), (Skipped,), (Failure,))
    assert "  !  lost" in render("text", base)


@pytest.mark.parametrize("name", ["unreachable", "aborted"])
def test_a_run_that_cannot_be_judged_is_an_error(name):
    """No pipeline takes a run that was invalid or interrupted for one that passed."""
    assert cases(EXAMPLES[name]())["the run"] == (Error,)


def test_strict_makes_what_is_unproven_a_failure():
    """A threshold that had to be proven fails in JUnit as it does by exit code."""
    unproven = threshold("p99 < 2s", "unproven", 1.0, 2.0, "duration", note="only 20 samples; p99 needs 299")
    assert cases(judged(unproven))["p99 < 2s"] == (Skipped,)
    assert cases(judged(unproven, strict=True))["p99 < 2s"] == (Failure,)


def test_a_threshold_that_lag_turned_is_an_error_and_shown_as_turned():
    """It has neither failed nor passed, in every report."""
    turned = threshold(
        "p99 < 1s", "turned", 1.5, 1.0, "duration", note="4 ms without the generator's own lag"
    )
    result = judged(turned)
    assert result.verdict.exit_code == 4
    assert cases(result)["p99 < 1s"] == (Error,)
    for form in ("text", "html", "markdown"):
        assert "turned: 4 ms without the generator" in html.unescape(render(form, result))
    failed = threshold("p95 < 1s", "failed", 1.5, 1.0, "duration")
    told = annotations(
        judged(turned, failed), SourceLine("s.yaml"), [SourceLine("s.yaml", 1), SourceLine("s.yaml", 2)]
    )
    assert any("::warning" in line and "has no answer" in line for line in told)


def test_a_check_that_the_thresholds_allow_to_fail_has_passed():
    """JUnit fails where the exit code does: a few failed checks of a run that passed are output and no failure."""
    failed, passed = EXAMPLES["failed"](), EXAMPLES["passed"]()
    assert cases(replace(passed, checks=failed.checks))["create_memory: status == 201"] == ()
    assert cases(EXAMPLES["overloaded"]())["create_memory: status == 201"] == (Skipped,)


def test_a_failure_that_no_threshold_tells_is_the_runs():
    """A load that cut itself off has failed although every threshold holds, and a case says so."""
    passed = threshold("p95 < 2s", "passed", 1.0, 2.0, "duration")
    assert cases(judged(passed, failure="more than 10,000 were in flight"))["the run"] == (Failure,)
    assert cases(judged(passed))["the run"] == ()


def named(text: str) -> Result:
    """Return a result in which whatever comes from elsewhere is a text of one's own."""
    good = EXAMPLES["failed"]()
    group = good.errors[0]
    group = replace(group, samples=tuple(replace(s, message=text) for s in group.samples))
    run = replace(good.run, scenario=replace(good.run.scenario, name=text))
    endpoints = dict(zip((text, "b", "c"), good.endpoints.values(), strict=True))
    return replace(
        good, run=run, endpoints=endpoints, errors=(group,), verdict=Verdict("failed", 3, (text, "b"))
    )


def test_markdown_shows_hostile_text_as_it_is():
    """Bars, backticks, tags, mentions and escapes of names and messages stay within their cell, as text."""
    written = render("markdown", named(HOSTILE))
    assert "\x1b" not in written
    text = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", written)  # without what stands in code
    assert "<img" not in text
    assert " @team" not in text
    table = next(part for part in written.split("\n\n") if part.startswith("| endpoint"))
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
    assert widths == {10}


def test_markdown_fits_a_comment_however_many_endpoints_there_are():
    """A scenario of 2,000 endpoints still fits a comment of 65,536 characters, and says what is left out."""
    good = EXAMPLES["passed"]()
    stats = good.endpoints["agent_run"]
    many = replace(good, endpoints={f"endpoint_number_{i}": stats for i in range(2000)})
    written = render("markdown", many)
    assert len(written) < 60_000
    assert "1,960 more are in the other reports." in written


def test_the_rows_of_csv_are_those_of_the_result():
    """Totals, every endpoint, every phase and every point of the timeline are rows with the result's figures."""
    result = EXAMPLES["overloaded"]()
    rows = list(csv.DictReader(io.StringIO(render("csv", result))))
    parts = [row["part"] for row in rows]
    assert parts == ["total", *["endpoint"] * 3, "phase", *["timeline"] * len(result.timeline)]
    for row, stats in zip(rows[:4], (result.totals, *result.endpoints.values()), strict=True):
        assert int(row["sent"]) == stats.sent
        assert int(row["dropped"]) == stats.dropped
        median = stats.response_time.p50_s
        assert row["p50_s"] == ("" if median is None else repr(median))
    assert [float(row["at_s"]) for row in rows[5:]] == [point.at_s for point in result.timeline]


def test_no_name_in_csv_is_a_formula():
    """What a spreadsheet would carry out begins with an apostrophe, of endpoints as of the scenario."""
    good = EXAMPLES["passed"]()
    named = replace(good, endpoints=dict.fromkeys(("=cmd", "+1", "-1", "@x", "plain"), good.totals))
    rows = csv.DictReader(io.StringIO(render("csv", named)))
    names = [row["name"] for row in rows if row["part"] == "endpoint"]
    assert names == ["'=cmd", "'+1", "'-1", "'@x", "plain"]


@WHOLE_RESULTS
@given(results())
def test_any_result_can_be_written(result):
    """Whatever a result holds, JUnit is well-formed, CSV is rectangular, and both can be encoded."""
    JUnitXml.fromstring(render("junit", result).encode())
    rows = list(csv.reader(io.StringIO(render("csv", result))))
    assert {len(row) for row in rows} == {len(COLUMNS)}
    render("markdown", result).encode()


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("form", REPORTS)
def test_reports_of_a_file_are_those_of_the_run(form, name):
    """Every format renders the same text, byte for byte, from the result file."""
    result = EXAMPLES[name]()
    assert render(form, from_json(to_json(result), "r.json")) == render(form, result)


PLACES = [SourceLine("scenarios/full_api.yaml", line) for line in (50, 51, 52, 53, 54, 55, 56)]


def test_annotations_stand_at_their_thresholds():
    """A failed threshold is an error at its line, a doubtful one a warning; what has passed says nothing."""
    lines = annotations(EXAMPLES["failed"](), SourceLine("scenarios/full_api.yaml"), PLACES)
    assert [line.split(",title=", 1)[0] for line in lines] == [
        *["::error file=scenarios/full_api.yaml"] * 3,  # reasons that this example words in its own way
        "::error file=scenarios/full_api.yaml,line=50",
        "::error file=scenarios/full_api.yaml,line=52",
        "::error file=scenarios/full_api.yaml,line=55",
        "::warning file=scenarios/full_api.yaml",
        "::warning file=scenarios/full_api.yaml,line=53",
        "::warning file=scenarios/full_api.yaml,line=54",
    ]
    assert lines[3].endswith("title=Full API%3A failed::errors < 1%25: errors are 2.5 %25, limit 1 %25")


def test_a_reason_is_annotated_once():
    """What a threshold says at its line is not said again of the file."""
    failed = threshold("p95 < 2s", "failed", 3.0, 2.0, "duration")
    lines = annotations(judged(failed, strict=True), SourceLine("x.yaml"), [SourceLine("common.yaml", 7)])
    assert [line.split("::")[1] for line in lines] == [
        "error file=common.yaml,line=7,title=Full API%3A failed"
    ]


def test_a_run_that_cannot_be_judged_is_annotated_with_its_reasons_alone():
    """Limits that nothing was measured for would only hide why."""
    lines = annotations(EXAMPLES["unreachable"](), SourceLine("x.yaml"), [])
    assert lines == (
        "::error file=x.yaml,title=Full API%3A invalid::cannot reach http://127.0.0.1:9: connection refused",
    )


def test_annotations_cannot_be_broken_out_of():
    """Line breaks of names and reasons are escaped, so that nobody else gives commands."""
    (first, *_) = annotations(named("x\n::set-env name=A::b,c:d\r"), SourceLine("x.yaml"), [])
    assert first.splitlines() == [first]
    assert first.startswith(
        "::error file=x.yaml,title=x\\n%3A%3Aset-env name=A%3A%3Ab%2Cc%3Ad\\r%3A failed::"
    )


@pytest.mark.parametrize(("resent", "warns"), [(0, False), (2, False), (3, True)])
def test_many_requests_that_were_sent_again_are_warned_of(resent, warns):
    """Connections that are cut again and again pass in no report without a word, and 1 % of 200 requests may be."""
    result = EXAMPLES["passed"]()
    result = replace(result, totals=replace(result.totals, resent=resent))
    texts = [render(form, result) for form in ("text", "markdown", "html", "junit")]
    texts.append("".join(annotations(result, SourceLine("a.yaml"), ())))
    said = [" ".join(text.split()) for text in texts]
    assert ["of the requests were sent again" in text for text in said] == [warns] * 5
    assert all("1.5 %" in text or "1.5 %25" in text for text in said if warns)


def test_nothing_sent_warns_of_nothing():
    """A damaged file may count requests that were sent again and none that was sent."""
    result = EXAMPLES["unreachable"]()
    assert warnings(replace(result, totals=replace(result.totals, resent=3))) == ()
