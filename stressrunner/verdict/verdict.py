"""The verdict of a run: the first that applies of aborted, invalid, failed and passed, with its reasons."""

import re
from collections.abc import Sequence

from stressrunner.units import format_quantity
from stressrunner.verdict.delivery.outcome import DeliveryOutcome
from stressrunner.verdict.outcome import EXIT_CODES, RunOutcome, ThresholdOutcome, Validity, Verdict

__all__ = ["judge", "sentence_of"]

_STATEMENT = re.compile(r"(?P<subject>.*?)\s*(?:<=|>=|==|!=|<|>)")
_PLURALS = ("errors", "connections", "open_files")
_SCOPE = re.compile(r"\s(?:over|in)\s+\S+")


def judge(
    thresholds: Sequence[ThresholdOutcome],
    validity: Validity,
    deliveries: Sequence[DeliveryOutcome] = (),
    *,
    interrupted: str = "",
    failure: str = "",
    strict: bool = False,
) -> Verdict:
    """Return the outcome of a run with its exit code, and a sentence for every reason.

    Args:
        thresholds: what became of each; one that stopped the load has failed and makes the run a failure.
        validity: whether the run can be judged at all.
        deliveries: what became of all messages, where that was checked; where it is not known, the run is invalid.
        interrupted: how the user ended the run, as a sentence; empty when it ended by itself.
        failure: why the load cut itself off, as a sentence; empty when it did not.
        strict: whether what is unproven has failed.
    """
    if interrupted:
        return _verdict("aborted", [interrupted])
    if validity.state == "invalid":
        return _verdict("invalid", validity.reasons)
    doubts = [reason for each in deliveries if each.outcome == "unknown" for reason in each.reasons]
    if doubts:
        return _verdict("invalid", [f"delivery is unknown: {reason}" for reason in doubts])
    failures = [failure] if failure else []
    failures += [
        f"delivery: {reason}" for each in deliveries if each.outcome == "failed" for reason in each.reasons
    ]
    failures += [sentence_of(outcome) for outcome in thresholds if outcome.state == "failed"]
    if strict:
        failures += [sentence_of(outcome) for outcome in thresholds if outcome.state == "unproven"]
    return _verdict("failed", failures) if failures else _verdict("passed", ())


def _verdict(outcome: RunOutcome, reasons: Sequence[str]) -> Verdict:
    return Verdict(outcome, EXIT_CODES[outcome], tuple(reasons))


def sentence_of(outcome: ThresholdOutcome) -> str:
    """Say what is wrong: `p95 in hold is 1.2 s, limit 1 s`."""
    match = _STATEMENT.match(outcome.text)
    statement = outcome.text[match.end() :] if match else ""
    stat = match["subject"] if match else outcome.text
    subject = stat + "".join(_SCOPE.findall(statement))
    limit = format_quantity(outcome.limit, outcome.dimension)
    if outcome.state == "unproven":
        return f"{subject} is not proven: {outcome.note}"
    if outcome.measured is None:
        return f"{subject}: {outcome.note}; limit {limit}"
    note = f" ({outcome.note})" if outcome.note else ""
    verb = "are" if stat.rpartition(".")[2] in _PLURALS else "is"
    return f"{subject} {verb} {_measured(outcome, limit)}, limit {limit}{note}"


def _measured(outcome: ThresholdOutcome, limit: str) -> str:
    """Write what was measured, so that it does not read as the limit unless it is."""
    measured = outcome.measured or 0.0
    text = format_quantity(measured, outcome.dimension)
    if text != limit or measured == outcome.limit:
        return text
    return f"{'just over' if measured > outcome.limit else 'just under'} {text}"
