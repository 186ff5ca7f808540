"""Annotations of GitHub Actions: what is wrong with a run, at the line of the scenario that says what must hold.

The form is that of workflow commands: `::error file=F,line=N,title=T::MESSAGE`. A threshold that failed and a run that
cannot be judged are errors; what is unproven, only warns, or is in doubt are warnings.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from stressrunner.errors import Diagnostic
from stressrunner.reports import sections
from stressrunner.reports.wording import printable
from stressrunner.result.model import Result
from stressrunner.verdict.verdict import sentence_of

__all__ = ["SourceLine", "annotations", "mistakes"]


class SourceLine(NamedTuple):
    """A line of a file, by its path from the root of the repository."""

    file: str
    line: int | None = None  #: from 1; None for the file as a whole


class _Annotation(NamedTuple):
    level: Literal["error", "warning"]
    place: SourceLine
    message: str


def annotations(result: Result, scenario: SourceLine, thresholds: Sequence[SourceLine]) -> tuple[str, ...]:
    """Return the annotations of a run, errors first; GitHub shows ten of each level for a step.

    Args:
        result: what the run left behind.
        scenario: its file.
        thresholds: where those that the scenario states stand; what the result has beyond them are defaults.
    """
    places = [*thresholds, *[scenario] * (len(result.thresholds) - len(thresholds))]
    found = [*_of_run(result, scenario), *_of_thresholds(result, places)]
    title = f"{result.run.scenario.name}: {result.verdict.outcome}"
    return tuple(_command(one, title) for one in sorted(found, key=lambda one: one.level == "warning"))


def mistakes(diagnostics: Sequence[Diagnostic], where: Callable[[str], str]) -> tuple[str, ...]:
    """Return the annotations of mistakes and warnings, each at its place; `where` places a file's name."""
    return tuple(
        f"::{'warning' if one.is_warning else 'error'} "
        f"file={_property(where(one.file))},line={one.line},col={one.column},"
        f"title={'doubtful' if one.is_warning else 'invalid'} scenario"
        f"::{_escaped(printable(one.message + (f'; {one.hint}' if one.hint else '')))}"
        for one in diagnostics
    )


def _of_run(result: Result, scenario: SourceLine) -> Iterator[_Annotation]:
    """Yield what no threshold says."""
    told = {sentence_of(outcome) for outcome in result.thresholds} if _can_be_judged(result) else set()
    for reason in result.verdict.reasons:
        if reason not in told:
            yield _Annotation("error", scenario, reason)
    for doubt in sections.doubts(result):
        yield _Annotation("warning", scenario, f"the measurement is {result.validity.state}: {doubt}")
    for warning in sections.warnings(result):
        yield _Annotation("warning", scenario, warning)


def _of_thresholds(result: Result, places: Sequence[SourceLine]) -> Iterator[_Annotation]:
    if not _can_be_judged(result):
        return
    for outcome, place in zip(result.thresholds, places, strict=True):
        sentence = sentence_of(outcome)
        if outcome.state == "failed" or (outcome.state == "unproven" and sentence in result.verdict.reasons):
            yield _Annotation("error", place, f"{outcome.text}: {sentence}")
        elif outcome.state in ("turned", "unproven", "warned"):
            yield _Annotation("warning", place, f"{outcome.text}: {sentence}")


def _can_be_judged(result: Result) -> bool:
    return result.verdict.outcome in ("passed", "failed")


def _command(annotation: _Annotation, title: str) -> str:
    place = annotation.place
    properties = {"file": place.file} | ({} if place.line is None else {"line": str(place.line)})
    listed = ",".join(f"{key}={_property(value)}" for key, value in (properties | {"title": title}).items())
    return f"::{annotation.level} {listed}::{_escaped(printable(annotation.message))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(printable(text)).replace(":", "%3A").replace(",", "%2C")
