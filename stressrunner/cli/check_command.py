"""`stressrunner check`: thresholds against a result that is already there."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from stressrunner.errors import UsageError
from stressrunner.reports.text import render_judgement
from stressrunner.result.codec import read_result
from stressrunner.result.figures import figures_of
from stressrunner.result.model import Result
from stressrunner.scenario.threshold_grammar import parse_threshold
from stressrunner.spelling import did_you_mean
from stressrunner.verdict.outcome import ThresholdOutcome
from stressrunner.verdict.thresholds import evaluate
from stressrunner.verdict.verdict import judge

__all__ = ["check_result"]


def check_result(path: Path, texts: Sequence[str], *, strict: bool) -> int:
    """Judge a result by the thresholds given, or by its own; show the judgement, and return its exit code.

    Raises:
        UnreadableResult: there is no result in the file.
        UsageError: a threshold makes no sense, or needs more than a result file holds.
    """
    result = read_result(path)
    thresholds = tuple(_outcome(text, result) for text in texts) or result.thresholds
    interrupted = "; ".join(result.verdict.reasons) if result.verdict.outcome == "aborted" else ""
    verdict = judge(thresholds, result.validity, interrupted=interrupted, strict=strict)
    click.echo(render_judgement(replace(result, thresholds=thresholds, verdict=verdict)), nl=False)
    return verdict.exit_code


def _outcome(text: str, result: Result) -> ThresholdOutcome:
    try:
        threshold = parse_threshold(text)
    except ValueError as error:
        raise UsageError(f"{text}: {error}") from error
    # Windows and phases of endpoints were judged while the run was on, and are not in the file otherwise.
    recorded = {outcome.text: outcome for outcome in result.thresholds}
    if threshold.text in recorded:
        return recorded[threshold.text]
    known = (*result.endpoints, *result.streams, *result.wholes, *result.monitors, "target")
    if threshold.of is not None and threshold.of not in known:
        hint = did_you_mean(threshold.of, known) or f"there are {', '.join(known)}"
        raise UsageError(f"{text}: nothing called '{threshold.of}' was measured; {hint}")
    outcome = evaluate(threshold, figures_of(result))
    if outcome.state == "skipped":
        raise UsageError(f"{text} cannot be judged: {outcome.note}")
    return outcome
