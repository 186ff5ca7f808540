"""`stressrunner check`: thresholds against a result that is already there."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from stressrunner.errors import UsageError
from stressrunner.reports.text import render_judgement
from stressrunner.result.codec import read_result
from stressrunner.result.figures import figures_of
from stressrunner.result.model import Result
from stressrunner.scenario.default_guards import is_lifted
from stressrunner.scenario.threshold import OVERALL_STATS, Threshold
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.spelling import did_you_mean
from stressrunner.verdict.outcome import ThresholdOutcome
from stressrunner.verdict.thresholds import evaluate
from stressrunner.verdict.verdict import judge

__all__ = ["check_result"]


def check_result(path: Path, texts: Sequence[str], *, strict: bool) -> int:
    """Judge a result by the thresholds given, or by its own; show the judgement, and return its exit code.

    Thresholds that are given take the place of the scenario's. What the run found of deliveries counts in either
    case, and so do the guards that they do not lift: else a figure that is fine would hide what went wrong beside it.

    Raises:
        UnreadableResult: there is no result in the file.
        UsageError: a threshold makes no sense, or needs more than a result file holds.
    """
    result = read_result(path)
    given = tuple(_parsed(text) for text in texts)
    thresholds = (*(_outcome(each, result) for each in given), *_guards_left(result, given))
    if not given:
        thresholds = result.thresholds
    interrupted = "; ".join(result.verdict.reasons) if result.verdict.outcome == "aborted" else ""
    verdict = judge(
        thresholds,
        result.validity,
        result.invariants,
        interrupted=interrupted,
        failure=_failure(result),
        strict=strict,
    )
    click.echo(render_judgement(replace(result, thresholds=thresholds, verdict=verdict)), nl=False)
    return verdict.exit_code


def _failure(result: Result) -> str:
    """Return why the load cut itself off, as users who cannot be set up make it do; no threshold tells."""
    early, verdict = result.run.ended_early, result.verdict
    return early if verdict.outcome == "failed" and early in verdict.reasons else ""


def _guards_left(result: Result, given: Sequence[Threshold]) -> Iterator[ThresholdOutcome]:
    """Yield the guards that the run had and that the thresholds given do not lift."""
    texts = {threshold.text for threshold in given}
    for outcome in result.thresholds:
        if outcome.is_default and outcome.text not in texts and not is_lifted(outcome.text, given):
            yield outcome


def _parsed(text: str) -> Threshold:
    try:
        return parse_threshold(text)
    except ValueError as error:
        raise UsageError(f"{text}: {error}") from error


def _outcome(threshold: Threshold, result: Result) -> ThresholdOutcome:
    text = threshold.text
    # Windows and phases of endpoints were judged while the run was on, and are not in the file otherwise.
    recorded = {outcome.text: outcome for outcome in result.thresholds}
    if threshold.text in recorded:
        return recorded[threshold.text]
    known = (*result.endpoints, *result.workloads, *result.groups, *result.monitors, "target")
    if threshold.of is not None and threshold.of not in (*known, *OVERALL_STATS):
        hint = did_you_mean(threshold.of, known) or f"there are {', '.join(known)}"
        raise UsageError(f"{text}: nothing called '{threshold.of}' was measured; {hint}")
    outcome = evaluate(threshold, figures_of(result))
    if outcome.state == "skipped":
        raise UsageError(f"{text} cannot be judged: {outcome.note}")
    return outcome
