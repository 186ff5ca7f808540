"""The JUnit report: what a pipeline shows as tests.

A case for the run itself, and one for each threshold, each requirement on deliveries and each check.

    failure    a threshold, requirement or check that failed; what had to be proven (`--strict`) and was not
    error      of the case "the run": it was invalid, or interrupted
    skipped    a threshold that could not be judged here, or not with so few samples; a check that nothing was held against

A threshold that only warns has passed, with what there is to say about it as its output, and so has a check that
failed in a run that passed: what is red in a pipeline is what the exit code says.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from stressrunner.reports import sections
from stressrunner.reports.wording import printable
from stressrunner.result.exchanges import CheckRecord
from stressrunner.result.model import Result
from stressrunner.units import format_quantity
from stressrunner.verdict.delivery.outcome import Requirement
from stressrunner.verdict.delivery.requirements import sentence
from stressrunner.verdict.outcome import ThresholdOutcome
from stressrunner.verdict.verdict import sentence_of

__all__ = ["render"]


@dataclass(frozen=True, slots=True)
class _Case:
    """A test case; `message` says why it did not pass."""

    name: str
    outcome: Literal["passed", "failure", "error", "skipped"] = "passed"
    message: str = ""
    output: str = ""
    duration_s: float = 0.0


def render(result: Result) -> str:
    """Return the report as XML in the form that Jenkins and GitLab read."""
    root = ET.Element("testsuites", name=printable(result.run.scenario.name))
    thresholds = [_threshold(outcome, result) for outcome in result.thresholds]
    deliveries = [_requirement(each) for checked in result.invariants for each in checked.requirements]
    suites = {
        "run": [_run(result, [*thresholds, *deliveries])],
        "thresholds": thresholds,
        "delivery": deliveries,
        "checks": [_check(check, result) for check in result.checks],
    }
    for name, cases in suites.items():
        if cases:
            root.append(_suite(name, cases, result))
    _count(root, [case for cases in suites.values() for case in cases])
    ET.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _run(result: Result, judged: Sequence[_Case]) -> _Case:
    """Return the case for the run as a whole, which fails when the run did for a reason that no other case has."""
    verdict, validity = result.verdict, result.validity
    doubts = sections.doubts(result)
    doubted = [f"the measurement is {validity.state}:", *doubts] if doubts else []
    output = "\n".join([*doubted, *(f"warning: {warning}" for warning in sections.warnings(result))])
    name, duration_s, reasons = "the run", result.run.duration_s, "; ".join(verdict.reasons)
    if verdict.outcome in ("aborted", "invalid"):
        return _Case(name, "error", reasons, output, duration_s)
    if verdict.outcome == "failed" and not any(case.outcome == "failure" for case in judged):
        return _Case(name, "failure", reasons, output, duration_s)
    return _Case(name, output=output, duration_s=duration_s)


def _threshold(outcome: ThresholdOutcome, result: Result) -> _Case:
    name = f"{outcome.text} (default)" if outcome.is_default else outcome.text
    sentence, output = sentence_of(outcome), _measured(outcome)
    match outcome.state:
        case "failed":
            return _Case(name, "failure", sentence, output)
        case "turned":
            return _Case(name, "error", sentence, output)
        case "unproven" if sentence in result.verdict.reasons:
            return _Case(name, "failure", sentence, output)
        case "unproven" | "skipped":
            return _Case(name, "skipped", f"{outcome.state}: {outcome.note}", output)
        case "warned":
            return _Case(name, output=f"warning: {sentence}\n{output}")
    return _Case(name, output=output)


def _requirement(required: Requirement) -> _Case:
    output = f"found {required.found:,} of {required.of:,}, limit {required.limit}"
    if required.state == "failed":
        return _Case(required.name, "failure", sentence(required), output)
    if required.state == "unknown":
        return _Case(required.name, "skipped", "not known, as the run's reasons say", output)
    return _Case(required.name, output=output)


def _check(check: CheckRecord, result: Result) -> _Case:
    name = f"{check.endpoint}: {check.text}"
    if check.state == "skipped":
        return _Case(name, "skipped", "no response was held against it")
    if not check.failed:
        return _Case(name)
    message = f"{check.failed:,} {'response' if check.failed == 1 else 'responses'} failed it"
    if result.verdict.outcome == "passed":
        return _Case(name, output=f"{message}, which the thresholds allow for")
    return _Case(name, "failure", message)


def _measured(outcome: ThresholdOutcome) -> str:
    measured = "nothing"
    if outcome.measured is not None:
        measured = format_quantity(outcome.measured, outcome.dimension)
    samples = "" if outcome.samples is None else f", {outcome.samples:,} samples"
    note = f"; {outcome.note}" if outcome.note else ""
    return f"measured {measured}, limit {format_quantity(outcome.limit, outcome.dimension)}{samples}{note}"


def _suite(name: str, cases: Sequence[_Case], result: Result) -> ET.Element:
    run = result.run
    suite = ET.Element("testsuite", name=name)
    _count(suite, cases)
    suite.set("timestamp", printable(run.started_at).split(".")[0].rstrip("Z"))
    if name == "run":
        properties = ET.SubElement(suite, "properties")
        for key, value in _properties(result):
            ET.SubElement(properties, "property", name=key, value=printable(value))
    classname = f"{printable(run.scenario.name)}.{name}"
    for case in cases:
        suite.append(_element(case, classname))
    return suite


def _properties(result: Result) -> Iterator[tuple[str, str]]:
    run = result.run
    yield "scenario", run.scenario.path
    yield "target", run.target
    yield "run", run.id
    yield "seed", str(run.seed)
    yield "stressrunner", run.version
    yield "again", " ".join(sections.again(result))


def _element(case: _Case, classname: str) -> ET.Element:
    element = ET.Element("testcase", classname=classname, name=printable(case.name), time=_s(case.duration_s))
    if case.outcome != "passed":
        reason = ET.SubElement(element, case.outcome, message=printable(case.message))
        if case.outcome != "skipped":
            reason.set("type", case.outcome)
            reason.text = printable(case.message)
    if case.output:
        ET.SubElement(element, "system-out").text = _lines(case.output)
    return element


def _count(element: ET.Element, cases: Sequence[_Case]) -> None:
    element.set("tests", str(len(cases)))
    for attribute, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.outcome == outcome for case in cases)))
    element.set("time", _s(sum(case.duration_s for case in cases)))


def _s(seconds: float) -> str:
    return f"{seconds:.3f}"


def _lines(text: str) -> str:
    """Return lines of text with nothing in them that XML does not allow."""
    return "\n".join(map(printable, text.splitlines()))
